"""What a stage of a whole account, or one that counts from an event, cannot say."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from rules.policy.reading import Misread, PathPart
from rules.policy.values import At

_OF_ACCOUNTS: Final = frozenset(
    {"due", "issued", "previous", "deadline", "month_end_due", "month_end_shifted"}
)
_ABOUT_INVOICES: Final = ("send_invoice", "thank", "acknowledge", "statement", "offer_plan")
_AFTER_PAYMENT: Final = ("note", "task", "call", "notify", "thank")


def scope_problems(stages: Sequence[tuple[int, Mapping[str, Any]]]) -> Iterator[Misread]:
    """Mistakes of stages with `scope = "customer"`, of those that count from a payment, and of
    stages that name one of the other kind."""
    scopes = {
        row["id"]: str(row.get("scope", "invoice"))
        for _, row in stages
        if isinstance(row.get("id"), str)
    }
    for number, row in stages:
        yield from _stage(row, ("stage", number), scopes)


def _stage(
    row: Mapping[str, Any], place: tuple[PathPart, ...], scopes: Mapping[str, str]
) -> Iterator[Misread]:
    own = str(row.get("scope", "invoice"))
    verbs = _texts(row.get("do"))
    try:
        at = At.parse(row.get("at"))
    except Misread:
        return  # said where it is read
    if own == "customer":
        if at.anchor not in _OF_ACCOUNTS:
            yield Misread(
                f'a stage of the whole account cannot count from "{at.word}", which is of single '
                "invoices",
                'write at = "due + 10d": it counts from the oldest overdue invoice',
                (*place, "at"),
            )
        for verb in verbs:
            if verb in _ABOUT_INVOICES:
                yield Misread(
                    f'"{verb}" is about single invoices, the stage about the whole account',
                    "give it a stage of its own without scope",
                    (*place, "do"),
                )
    elif at.anchor == "paid":
        for verb in verbs:
            if verb not in _AFTER_PAYMENT:
                yield Misread(
                    f'"{verb}" after the invoice was paid asks for what is settled',
                    "possible: " + ", ".join(_AFTER_PAYMENT),
                    (*place, "do"),
                )
    if "thank" in verbs and at.anchor != "paid":
        yield Misread("thanks are given for a payment", 'write at = "paid + 1d"', (*place, "at"))
    if "acknowledge" in verbs and (at.anchor != "promise" or len(verbs) > 1):
        yield Misread(
            "an acknowledgement follows what was taken down and stands alone",
            'write at = "promise" and do = ["acknowledge"]',
            (*place, "do"),
        )
    named: list[tuple[tuple[PathPart, ...], str]] = [
        ((*place, "requires", n), name) for n, name in enumerate(_texts(row.get("requires")))
    ]
    if at.anchor == "deadline":
        named.append(((*place, "at"), at.arg))
    for path, name in named:
        if scopes.get(name, own) != own:
            whole = "whole accounts" if own == "invoice" else "single invoices"
            yield Misread(
                f'"{name}" is a stage of {whole}, and this one is not: neither waits for the other',
                "give both the same scope",
                path,
            )


def _texts(value: object) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
