"""Answers and refusals as Xero spells them, and what a body asks for."""

from datetime import datetime
from typing import Any

from connectors.sandbox.http import Request, Response, json_response, text_response
from connectors.sandbox.xero.spelling import ms_instant

Json = dict[str, Any]


class Refusal(Exception):
    """A request that is refused as a whole, with Xero's status and messages."""

    def __init__(self, status: int, *messages: str) -> None:
        self.status = status
        self.messages = messages
        super().__init__("; ".join(messages))


def reply(collection: str, shown: list[Json]) -> Response:
    return json_response({collection: shown})


def elements_of(request: Request, collection: str) -> list[Json]:
    """The elements of a body: a list under its name, or a single object."""
    try:
        body = request.json()
    except ValueError:
        raise Refusal(400, "JSON for post data was malformed") from None
    if not isinstance(body, dict):
        raise Refusal(400, "JSON for post data was empty")
    elements = body.get(collection, [body])
    if not isinstance(elements, list) or not all(isinstance(item, dict) for item in elements):
        raise Refusal(400, f"{collection} must be a list of objects")
    return elements


def echo(asked: Json) -> Json:
    """What Xero repeats of a refused element."""
    named = (
        "Type",
        "InvoiceNumber",
        "CreditNoteNumber",
        "Reference",
        "Contact",
        "CurrencyCode",
        "Status",
        "Amount",
        "Date",
        "Invoice",
    )
    return {name: asked[name] for name in named if name in asked}


def history_record(text: str, at: datetime) -> Json:
    return {
        "Changes": "Note",
        "DateUTC": ms_instant(at),
        "User": "System Generated",
        "Details": text,
    }


def validation_exception(elements: list[Json]) -> Response:
    return json_response(
        {
            "ErrorNumber": 10,
            "Type": "ValidationException",
            "Message": "A validation exception occurred",
            "Elements": [{"ValidationErrors": item["ValidationErrors"]} for item in elements],
        },
        400,
    )


NOT_FOUND = "The resource you're looking for cannot be found"


def refused(refusal: Refusal) -> Response:
    if refusal.status == 404:
        return text_response("; ".join(refusal.messages), 404)
    return validation_exception(
        [{"ValidationErrors": [{"Message": text} for text in refusal.messages]}]
    )


def problem(status: int, title: str, detail: str) -> Response:
    return json_response({"Type": None, "Title": title, "Status": status, "Detail": detail}, status)
