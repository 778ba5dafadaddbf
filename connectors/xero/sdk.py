"""The one seam between xero-python and our transport.

xero-python knows the endpoints and their parameters; everything behind them is ours. As
shipped it repeats a PUT up to four times, sleeps unseen through `Retry-After`, has no timeout
and loses a page to one odd value, so its HTTP client is replaced, its token handling is
switched off and its models never see an answer.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from xero_python.accounting import AccountingApi
from xero_python.api_client import ApiClient

from connectors.port import Prepared
from connectors.transport import Answer, Transport
from connectors.xero.reads import Read


class _RestClient:
    """Stands where xero-python expects its urllib3 client. Nothing is retried here."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def request(
        self,
        method: str,
        url: str,
        query_params: Sequence[tuple[str, Any]] | None = None,
        headers: Mapping[str, Any] | None = None,
        body: bytes | None = None,
        post_params: object = None,
        _preload_content: bool = True,
        _request_timeout: object = None,
    ) -> Answer:
        # An empty header is worse than none: Xero takes an empty Idempotency-Key for a key.
        sent = {name: str(value) for name, value in (headers or {}).items() if value}
        return self._transport.request(
            method,
            url,
            params=[(name, str(value)) for name, value in query_params or ()],
            headers=sent,
            content=body or b"",
            vendor_key=sent.get("Idempotency-Key", ""),
        )

    def GET(self, url: str, **arguments: Any) -> Answer:
        return self.request("GET", url, **arguments)

    def PUT(self, url: str, **arguments: Any) -> Answer:
        return self.request("PUT", url, **arguments)

    def POST(self, url: str, **arguments: Any) -> Answer:
        return self.request("POST", url, **arguments)

    def DELETE(self, url: str, **arguments: Any) -> Answer:
        return self.request("DELETE", url, **arguments)


class _Client(ApiClient):  # type: ignore[misc]
    """xero-python's client without its own idea of authorisation."""

    def update_params_for_auth(
        self, headers: object, querys: object, auth_settings: object
    ) -> None:
        return None


class MountedApi:
    """xero-python's accounting API over our transport, giving bytes instead of models."""

    def __init__(self, transport: Transport, tenant_id: str) -> None:
        """An empty `tenant_id` is a custom connection, whose token knows its organisation."""
        client = _Client()
        client.rest_client = _RestClient(transport)
        client.user_agent = "ar-bridge"
        self._client = client
        self._tenant_id = tenant_id
        self._base_url = str(transport.base_url).rstrip("/")
        self._api = AccountingApi(client, base_url=self._base_url)
        self.last: Answer | None = None
        """The last answer to a read: its headers tell what is left of the day's calls."""

    def read(self, read: Read) -> Answer:
        """Do a read, as xero-python spells it."""
        operation = getattr(self._api, read.operation)
        answer: Answer = operation(self._tenant_id, **read.arguments, _preload_content=False)
        self.last = answer
        return answer

    def fetch(self, path: str, accept: str) -> Answer:
        """Read something that is no JSON."""
        answer: Answer = self._client.call_api(
            f"{self._base_url}/{path}",
            "GET",
            header_params={"xero-tenant-id": self._tenant_id, "Accept": accept},
            _preload_content=False,
            _return_http_data_only=True,
        )
        return answer

    def write(self, prepared: Prepared, path: str, vendor_key: str = "") -> Answer:
        """Send the stored bytes as they are. Without `vendor_key` no key is sent."""
        answer: Answer = self._client.call_api(
            f"{self._base_url}/{path}",
            prepared.method,
            query_params=list(prepared.params),
            header_params={
                "xero-tenant-id": self._tenant_id,
                "Accept": "application/json",
                "Content-Type": prepared.content_type if prepared.body else "",
                "Idempotency-Key": vendor_key,
            },
            body=prepared.body,
            _preload_content=False,
            _return_http_data_only=True,
        )
        return answer
