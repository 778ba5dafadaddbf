"""The unit of systemd and the recipe of the container."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
UNIT = ROOT / "packaging" / "ar-bridge.service"
ANALYZE = shutil.which("systemd-analyze")


def unit_values(key: str) -> list[str]:
    return re.findall(rf"^{key}=(.*)$", UNIT.read_text(), re.M)


def test_the_unit_says_what_the_daemon_relies_on() -> None:
    assert unit_values("Type") == ["notify"]
    assert unit_values("KillMode") == ["mixed"]
    assert "PYTHONSAFEPATH=1" in unit_values("Environment")[0]
    assert "LoadCredential" in UNIT.read_text() and "StateDirectory=ar-bridge" in UNIT.read_text()
    # As long as a write in hand may take by default, and then some.
    assert int(unit_values("TimeoutStopSec")[0]) > 60 + 15
    # Several looks at the timetable, and one that waits for a held database.
    assert int(unit_values("WatchdogSec")[0]) >= 4 * 30 + 60


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_understands_the_unit_and_finds_it_closed(tmp_path: Path) -> None:
    assert ANALYZE is not None
    copy = tmp_path / UNIT.name
    text = re.sub(r"^ExecStart=\S+", "ExecStart=/bin/true", UNIT.read_text(), flags=re.M)
    copy.write_text(text)
    looked = subprocess.run([ANALYZE, "verify", str(copy)], capture_output=True, text=True)
    complaints = [line for line in looked.stderr.splitlines() if UNIT.name in line]
    assert complaints == []
    command = [ANALYZE, "security", "--offline=true", "--no-pager", str(copy)]
    judged = subprocess.run(command, capture_output=True, text=True)
    found = re.search(r"Overall exposure level.*?: ([\d.]+)", judged.stdout)
    if found is None:
        pytest.skip(f"systemd-analyze cannot judge here: {judged.stderr.strip()[:200]}")
    assert float(found[1]) <= 2.0, judged.stdout


def test_the_container_runs_as_nobody_and_knows_how_it_goes() -> None:
    lines = (ROOT / "Dockerfile").read_text().splitlines()
    said = [line for line in lines if line and not line.startswith("#")]
    bases = {line.split()[1] for line in said if line.startswith("FROM")}
    assert bases == {"python:3.11-slim"}
    last = max(number for number, line in enumerate(said) if line.startswith("FROM"))
    assert "USER ar-bridge" in said[last:]
    for word in ("HEALTHCHECK", "VOLUME", "STOPSIGNAL SIGTERM", "ENTRYPOINT"):
        assert any(line.startswith(word) for line in said[last:]), word
    # Everything that is copied is there, and nothing that may hold a secret.
    copied = [line.split()[1:-1] for line in said if re.match(r"COPY (?!--from)", line)]
    assert all((ROOT / name).exists() for names in copied for name in names)
    assert not any(name in (".", "./") for names in copied for name in names)
