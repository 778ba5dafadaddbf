"""python-quickbooks on our transport: it names the addresses, we send the bytes.

The library is trusted for endpoints, parameters and entity names. Its session, its models and
its error classes are not used: `process_request` is the one seam, errors are ours before the
library sees the answer, and answers are handed out as bytes. Every object is given its client;
the library's global client stays unused.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from quickbooks import QuickBooks

from connectors.errors import OutcomeUnknownError, TransientError
from connectors.quickbooks.faults import error_of
from connectors.transport import Answer, Transport

MINOR_VERSION: Final = 75


class _Reply:
    """What the library wants to see of a successful answer. The bytes are read elsewhere."""

    status_code = 200
    text = "{}"
    content = b"{}"


class MountedQuickBooks(QuickBooks):  # type: ignore[misc]
    """One company. Calls return our Answer and raise our errors."""

    def __init__(self, transport: Transport, company_id: str) -> None:
        self._transport = transport
        self._kept = threading.local()
        self.api_url_v3 = f"{transport.base_url}".rstrip("/")

    def __new__(cls, transport: Transport, company_id: str) -> "MountedQuickBooks":
        made: MountedQuickBooks = super().__new__(
            cls, company_id=company_id, minorversion=MINOR_VERSION
        )
        return made

    def select(self, query: str) -> Answer:
        """POST /query: a read, whatever the verb."""
        return self._answer_of(lambda: self.query(query))

    def record(self, entity: str, id: str) -> Answer:
        """GET one record by id."""
        return self._answer_of(lambda: self.get_single_object(entity, id))

    def shown(self, entity: str, id: str, include: str) -> Answer:
        """GET one record with something that it only holds when asked for."""
        return self._answer_of(
            lambda: self.get_single_object(entity, id, params={"include": include})
        )

    def printed(self, entity: str, id: str) -> Answer:
        """GET the document as QuickBooks prints it. The library's own call forgets the version."""
        address = f"{self.api_url}/company/{self.company_id}/{entity.lower()}/{id}/pdf"
        accepted = {"Accept": "application/pdf, application/json"}
        params = {"minorversion": MINOR_VERSION}
        return self._answer_of(
            lambda: self.process_request("GET", address, headers=accepted, params=params)
        )

    def changes(self, entities: Sequence[str], since: str) -> Answer:
        """GET what changed since an instant, deletions included."""
        return self._answer_of(lambda: self.change_data_capture(",".join(entities), since))

    def settings(self) -> Answer:
        """GET the company's preferences, which have no id."""
        address = f"{self.api_url}/company/{self.company_id}/preferences"
        return self._answer_of(lambda: self.get(address))

    def create(
        self,
        entity: str,
        body: bytes,
        *,
        vendor_key: str,
        before_repeat: Callable[[], bool] | None = None,
    ) -> Answer:
        """POST a new record under an idempotency key (`requestid`): exactly these bytes.

        `before_repeat`: see `Transport.request`."""
        return self._answer_of(
            lambda: self.create_object(entity, body, request_id=vendor_key or None), before_repeat
        )

    def send(
        self,
        path: str,
        body: bytes,
        *,
        vendor_key: str,
        params: Sequence[tuple[str, str]] = (),
        content_type: str = "application/json",
        before_repeat: Callable[[], bool] | None = None,
    ) -> Answer:
        """POST exactly these bytes to an address below the company's, under `requestid`."""
        address = f"{self.api_url}/company/{self.company_id}/{path}"
        return self._answer_of(
            lambda: self.post(
                address, body, content_type, params=dict(params), request_id=vendor_key or None
            ),
            before_repeat,
        )

    def _answer_of(self, call: Any, before_repeat: Callable[[], bool] | None = None) -> Answer:
        self._kept.answer = None
        self._kept.before_repeat = before_repeat
        call()
        answer: Answer = self._kept.answer
        self._kept.answer = None
        return answer

    def process_request(
        self,
        request_type: str,
        url: str,
        headers: Any = "",
        params: Any = "",
        data: Any = "",
    ) -> _Reply:
        sent: Mapping[str, str] = dict(headers or {})
        pairs = {name: str(value) for name, value in dict(params or {}).items()}
        is_read = request_type == "GET" or url.endswith("/query")
        before_repeat = getattr(self._kept, "before_repeat", None)
        self._kept.before_repeat = None  # of this call alone
        answer = self._transport.request(
            request_type,
            url,
            params=pairs,
            headers={k: v for k, v in sent.items() if k.lower() != "user-agent"},
            content=data.encode() if isinstance(data, str) else (data or b""),
            idempotent=is_read,
            vendor_key=pairs.get("requestid", ""),
            before_repeat=before_repeat,
        )
        error = error_of(answer)
        if isinstance(error, TransientError) and not is_read:
            raise OutcomeUnknownError(error.message, request_id=error.request_id)
        if error is not None:
            raise error
        self._kept.answer = answer
        return _Reply()
