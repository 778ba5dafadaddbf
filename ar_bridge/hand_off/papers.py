"""The papers of a bundle besides the placement file: text and CSV, each complete by itself."""

from collections.abc import Iterator
from datetime import UTC, datetime
from fractions import Fraction

import msgspec

from ar_bridge.hand_off.csv_text import csv_bytes
from ar_bridge.hand_off.dossier import Claim, Dossier, Sent
from ar_bridge.telling import sentence
from rules.actions.late_fee import DerivationRow, DerivationStep
from rules.model import format_minor
from rules.model.commitment import kind_of


def instant(at: datetime | None) -> str:
    """An instant in UTC, to the second; empty for none."""
    return "" if at is None else f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S}Z"


def correspondence_csv(dossier: Dossier) -> bytes:
    """Every message: when, to whom, about what, what became of it."""
    header = ("no", "date", "sent_at", "kind", "stage", "channel", "to", "cc", "subject")
    return csv_bytes(
        (*header, "message_id", "result", "invoices"),
        (
            (
                number,
                one.on,
                instant(one.at),
                one.kind,
                one.stage,
                one.channel,
                ", ".join(one.to),
                ", ".join(one.cc),
                one.subject,
                one.message_id,
                one.outcome,
                ", ".join(one.invoices),
            )
            for number, one in enumerate(dossier.sent, start=1)
        ),
    )


def correspondence_text(dossier: Dossier) -> bytes:
    """The messages in full."""
    parts = [_in_full(number, one) for number, one in enumerate(dossier.sent, start=1)]
    head = f"Correspondence with {dossier.debtor.name}, {len(parts)} messages\n"
    return ("\n".join([head, *parts]) if parts else f"{head}\nNo message was sent.\n").encode()


def _in_full(number: int, one: Sent) -> str:
    lines = [
        f"--- {number} " + "-" * 60,
        f"Date:       {one.on}" + (f" ({instant(one.at)})" if one.at else ""),
        f"What:       {one.kind} {one.stage}".rstrip(),
        f"To:         {', '.join(one.to)}",
        *([f"Cc:         {', '.join(one.cc)}"] if one.cc else []),
        f"Subject:    {one.subject}",
        f"Message-ID: {one.message_id}",
        f"Result:     {one.outcome}",
        f"Invoices:   {', '.join(one.invoices)}",
        "",
        one.text.rstrip(),
        "",
    ]
    return "\n".join(lines)


def letter_before_action(dossier: Dossier) -> Sent | None:
    """The last formal message about these invoices that went out; None where there was none."""
    formal = [one for one in dossier.sent if one.is_formal and one.text]
    return formal[-1] if formal else None


def derivations_csv(dossier: Dossier) -> bytes:
    """Every fee, row by row: rows and steps of one fee sum to its amount, exactly."""
    return csv_bytes(
        (
            "invoice_no",
            "fee",
            "document",
            "state",
            "what",
            "from",
            "to",
            "days",
            "base",
            "annual_rate",
            "exact",
            "currency",
        ),
        (row for claim in dossier.claims for row in _derived(claim)),
    )


def _derived(claim: Claim) -> Iterator[tuple[object, ...]]:
    currency = claim.invoice.currency
    for name, document, state, rows, steps in _fees(claim):
        head = (claim.invoice.number, name, document, state)
        for row in rows:
            base = None if row.base is None else format_minor(row.base, currency)
            yield (
                *head,
                row.kind,
                row.from_,
                row.to,
                row.days,
                base,
                row.annual_rate,
                row.exact,
                currency,
            )
        for step in steps:
            yield (*head, step.step, "", "", "", "", "", step.amount, currency)


def _fees(
    claim: Claim,
) -> Iterator[tuple[str, str, str, tuple[DerivationRow, ...], tuple[DerivationStep, ...]]]:
    for fee in claim.fees:
        if fee.charge is not None:
            derivation = fee.charge.derivation
            yield fee.posted.fee, fee.posted.document, "charged", derivation.rows, derivation.steps
    for accrued in claim.accrued:
        yield accrued.fee, "", "accrued", accrued.derivation, accrued.steps


def derivations_text(dossier: Dossier) -> bytes:
    """The same to read: each fee with its rows, to be checked with a pencil."""
    lines = [f"How the late fees came about, up to {dossier.placement.on}", ""]
    for claim in dossier.claims:
        lines += [f"Invoice {claim.invoice.number}", ""]
        lines += list(_read_out(claim)) or ["  No late fee.", ""]
    if dossier.terms:
        lines += [f"Basis: {dossier.terms}", ""]
    return "\n".join(lines).encode()


def _read_out(claim: Claim) -> Iterator[str]:
    currency = claim.invoice.currency
    for fee in claim.fees:
        posted = fee.posted
        amount = format_minor(posted.amount, currency)
        left = format_minor(fee.open, currency)
        yield f"  {posted.document}, {posted.fee}: {currency} {amount}, {left} open"
        yield f"    charged on {posted.on}, through {posted.through}"
        if fee.charge is None:
            yield "    its derivation is not in our records"
        else:
            yield from _rows(fee.charge.derivation.rows, fee.charge.derivation.steps, currency)
        yield ""
    for accrued in claim.accrued:
        amount = format_minor(accrued.to_post, currency)
        yield f"  {accrued.fee}: {currency} {amount} accrued, not charged yet"
        if accrued.text:
            yield f"    {accrued.text}"
        yield from _rows(accrued.derivation, accrued.steps, currency)
        yield ""


def _rows(
    rows: tuple[DerivationRow, ...], steps: tuple[DerivationStep, ...], currency: str
) -> Iterator[str]:
    for row in rows:
        parts = [row.kind]
        if row.from_ is not None:
            parts.append(f"{row.from_} to {row.to}")
        if row.days is not None:
            parts.append(f"{row.days} days")
        if row.base is not None:
            parts.append(f"on {format_minor(row.base, currency)}")
        if row.annual_rate:
            parts.append(f"at {row.annual_rate} % a year")
        yield f"    {', '.join(parts)}: {_about(row.exact)}"
    for step in steps:
        yield f"    {step.step}: {_about(step.amount)}"


def _about(exact: str) -> str:
    value = Fraction(exact)
    return f"{exact} = {float(value):.6f}"


def words_text(dossier: Dossier) -> bytes:
    """Disputes, promises, pauses and the rest, with their ends, in the order of telling."""
    lines = [f"What {dossier.debtor.name} told us, and what was agreed", ""]
    numbers = dossier.numbers
    for one in dossier.words:
        currency = dossier.claims[0].invoice.currency if dossier.claims else ""
        about = ", ".join(numbers[i] for i in one.invoices if i in numbers) or "the whole account"
        ended = f", ended {one.ended_on}" if one.ended_on else ""
        won = getattr(one, "won_by", "")
        said = f"{sentence(one, currency)}; about {about}{ended}" + (
            f", won by {won}" if won else ""
        )
        lines.append(said + (f"; {one.reason}" if one.reason else ""))
    if not dossier.words:
        lines.append("Nothing.")
    return ("\n".join(lines) + "\n").encode()


def words_csv(dossier: Dossier) -> bytes:
    """The same as a table."""
    numbers = dossier.numbers
    return csv_bytes(
        ("date", "what", "invoices", "ended", "won_by", "reason"),
        (
            (
                one.on,
                kind_of(one),
                ", ".join(numbers[i] for i in one.invoices if i in numbers),
                one.ended_on,
                getattr(one, "won_by", ""),
                one.reason,
            )
            for one in dossier.words
        ),
    )


def totals_of(dossier: Dossier) -> list[dict[str, object]]:
    """Counts and sums per currency, for the agency to acknowledge."""
    return [
        {
            "currency": currency,
            "invoices": count,
            "principal": format_minor(principal, currency),
            "fees": format_minor(charges, currency),
            "interest": format_minor(interest, currency),
            "total": format_minor(principal + charges + interest, currency),
        }
        for currency, (count, principal, charges, interest) in dossier.totals.items()
    ]


def totals_text(dossier: Dossier) -> bytes:
    """Counts and sums with a line to sign."""
    lines = [
        "Placement: counts and totals to acknowledge",
        "",
        f"Creditor:  {dossier.company.name or dossier.company.id}",
        f"Debtor:    {dossier.debtor.name} ({dossier.debtor.id})",
        f"Placed:    {dossier.placement.on} with {dossier.placement.name or dossier.placement.to}",
        "",
    ]
    for row in totals_of(dossier):
        lines.append(
            f"{row['currency']}: {row['invoices']} invoices, principal {row['principal']}, "
            f"fees {row['fees']}, interest {row['interest']}, total {row['total']}"
        )
    lines += [
        "",
        "Received as stated above:",
        "",
        "Date, name, signature: ____________________",
        "",
    ]
    return "\n".join(lines).encode()


def invoice_text(claim: Claim) -> bytes:
    """What our records say of an invoice whose copy the ledger did not print."""
    invoice, currency = claim.invoice, claim.invoice.currency

    def money(minor: int) -> str:
        return f"{currency} {format_minor(minor, currency)}"

    lines = [
        "This is a listing from our records: the accounting system gave no copy of the invoice.",
        "",
        f"Invoice    {invoice.number} (id {invoice.id})",
        f"Customer   {claim.customer.name}",
        f"Issued     {invoice.issued_on}",
        f"Due        {invoice.due_on or ''}",
        f"Order      {invoice.po}",
        f"Total      {money(invoice.total)} (tax {money(invoice.tax)})",
        *(f"{one.on} {one.kind} {one.id}: {money(one.amount)}" for one in claim.movements),
        f"Open       {money(claim.principal)}",
        "",
    ]
    return "\n".join(lines).encode()


def json_bytes(value: object) -> bytes:
    """JSON that people can read, the same bytes for the same value."""
    return msgspec.json.format(msgspec.json.encode(value, order="sorted"), indent=2) + b"\n"
