"""QuickBooks' refusals: codes, words, and the two spellings of their body.

Codes and HTTP statuses: Intuit's "common errors" page.
"""

from typing import Any

from connectors.sandbox.http import Response, json_response

_MESSAGES = {
    "120": "Authorization Failure",
    "500": "Unsupported Operation",
    "610": "Object Not Found",
    "2010": "Request has invalid or unsupported property",
    "2020": "Required param missing, need to supply the required value for the API",
    "2050": "String length is either shorter or longer than supported by specification",
    "2170": "Invalid Enumeration",
    "2210": "Invalid email address format",
    "2500": "Invalid Reference Id",
    "3001": "ThrottleExceeded",
    "3100": "message=ApplicationAuthorizationFailed; errorCode=003100; statusCode=403",
    "3200": "message=AuthenticationFailed; errorCode=003200; statusCode=401",
    "4000": "Error parsing query",
    "4001": "Invalid query",
    "5010": "Stale Object Error",
    "6000": "A business validation error has occurred while processing your request",
    "6070": "Amount calculation incorrect in the request.",
    "6140": "Duplicate Document Number Error",
    "6190": "Invalid Company Status",
    "6210": "Account Period Closed, Cannot Update Through Services API",
    "6240": "Duplicate Name Exists Error",
    "10000": "An application error has occurred while processing your request",
}


class QuickBooksFault(Exception):
    """A request is refused: `code` of the vendor, `detail` in words, `element` at fault."""

    def __init__(self, code: str, detail: str, element: str = "", status: int = 400) -> None:
        super().__init__(detail)
        self.code = code
        self.detail = detail
        self.element = element
        self.status = status

    def body(self) -> dict[str, Any]:
        """The `Fault` object alone, as a batch carries it."""
        return fault_body(self.code, self.detail, self.element)


def fault_body(code: str, detail: str, element: str = "", kind: str = "") -> dict[str, Any]:
    error = {"Message": _MESSAGES[code], "Detail": detail, "code": code}
    if element:
        error["element"] = element
    fault = kind or ("SystemFault" if code == "10000" else "ValidationFault")
    return {"Fault": {"Error": [error], "type": fault}}


def fault_response(fault: QuickBooksFault, time: str, kind: str = "") -> Response:
    body = fault_body(fault.code, fault.detail, fault.element, kind)
    return json_response({**body, "time": time}, fault.status)


def gateway_response(code: str, detail: str, kind: str, status: int) -> Response:
    """The lower-case spelling of the gateway before the service."""
    error = {"message": _MESSAGES[code], "detail": detail, "code": code.zfill(6)}
    return json_response({"fault": {"error": [error], "type": kind}}, status)
