# ar-bridge in a container: no root, nothing but the program, one volume.
#
#   docker build -t ar-bridge .
#   docker run -v ar-bridge:/data -v ./config:/config ar-bridge
#   docker run -it --rm -v ar-bridge:/data -v ./config:/config ar-bridge connect acme --paste
#
# Everything that a run leaves lies in /data. Settings: /config/config.toml with the policies and
# customers.toml beside it, readable by user 10001 (and writable, where `ar-bridge customer` is to
# change facts); secrets: files that it names, or variables AR_BRIDGE_... The packages come from
# wherever pip is configured to look. With PostgreSQL its backups are made where pg_dump is: here
# say backup_at = "never".

FROM python:3.11-slim AS build
WORKDIR /src
RUN python -m venv /opt/ar-bridge
COPY constraints.txt ./
COPY pyproject.toml README.md LICENSE ./
COPY rules rules
COPY connectors connectors
COPY ar_bridge ar_bridge
RUN /opt/ar-bridge/bin/pip install --no-cache-dir --no-compile --constraint constraints.txt \
      '.[postgresql]' \
 && { /opt/ar-bridge/bin/python -m compileall -q /opt/ar-bridge/lib || true; }

FROM python:3.11-slim
RUN useradd --system --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin ar-bridge \
 && install -d -o ar-bridge -g ar-bridge -m 0700 /data \
 && install -d -m 0755 /config
COPY --from=build /opt/ar-bridge /opt/ar-bridge
ENV PATH=/opt/ar-bridge/bin:$PATH \
    PYTHONSAFEPATH=1 \
    PYTHONUNBUFFERED=1 \
    PYTHONDONTWRITEBYTECODE=1 \
    AR_BRIDGE_HOME=/data \
    AR_BRIDGE_DAEMON__LOG=json
USER ar-bridge
WORKDIR /
VOLUME ["/data"]
STOPSIGNAL SIGTERM
# 503 means that something does not work which should; the reasons stand in the answer. Another
# port has to be set by the variable, so that it is known here too.
HEALTHCHECK --interval=60s --timeout=10s --start-period=60s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request; urllib.request.urlopen('http://127.0.0.1:' + os.environ.get('AR_BRIDGE_DAEMON__PORT', '8478') + '/healthz', timeout=8)"]
ENTRYPOINT ["ar-bridge", "--config", "/config/config.toml"]
CMD ["daemon"]
