"""The statement of the placed invoices as a page to print."""

from collections.abc import Iterator
from html import escape

from ar_bridge.hand_off.dossier import Claim, Dossier
from rules.model import Minor, format_minor

_STYLE = """
body { font: 11pt/1.4 system-ui, sans-serif; color: #111; margin: 2cm; }
h1 { font-size: 16pt; } h2 { font-size: 12pt; margin-top: 1.5em; }
table { border-collapse: collapse; width: 100%; page-break-inside: avoid; }
th, td { border-bottom: 1px solid #bbb; padding: 3px 6px; text-align: left; }
td.n, th.n { text-align: right; font-variant-numeric: tabular-nums; }
tr.sum td { border-top: 2px solid #111; font-weight: bold; }
@page { size: A4; margin: 1.5cm; } @media print { body { margin: 0; } }
""".strip()


def statement_html(dossier: Dossier) -> bytes:
    """One page: creditor, debtor, each invoice with what was paid and charged, and the totals."""
    creditor = escape(dossier.company.name or dossier.company.id)
    debtor = escape(dossier.debtor.name)
    on = dossier.placement.on
    body = "".join(part for claim in dossier.claims for part in _claim(claim))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f"<title>Statement of account: {debtor}</title>\n<style>{_STYLE}</style></head><body>\n"
        f"<h1>Statement of account</h1>\n<p>{creditor}<br>Debtor: {debtor} "
        f"({escape(dossier.debtor.id)})<br>As of {on}</p>\n{body}{_totals(dossier)}</body></html>\n"
    ).encode()


def _claim(claim: Claim) -> Iterator[str]:
    invoice, currency = claim.invoice, claim.invoice.currency

    def row(day: object, what: str, amount: Minor, style: str = "") -> str:
        return (
            f"<tr{style}><td>{escape(str(day or ''))}</td><td>{escape(what)}</td>"
            f'<td class="n">{format_minor(amount, currency)}</td></tr>\n'
        )

    order = f", order {invoice.po}" if invoice.po else ""
    yield f"<h2>Invoice {escape(invoice.number)}{escape(order)}, due {invoice.due_on or ''}</h2>\n"
    yield f'<table><tr><th>Date</th><th></th><th class="n">{escape(currency)}</th></tr>\n'
    yield row(invoice.issued_on, f"Invoice {invoice.number}", invoice.total)
    for one in claim.movements:
        yield row(one.on, f"{one.kind} {one.id}", -one.amount)
    other = claim.principal - invoice.total + sum(one.amount for one in claim.movements)
    if other:
        yield row("", "other settlement in the ledger", other)
    yield row("", "Principal", claim.principal)
    for fee in claim.fees:
        if fee.open:
            yield row(fee.posted.on, f"{fee.posted.document} {fee.posted.fee}", fee.open)
    for accrued in claim.accrued:
        yield row(claim.quote.on, f"{accrued.fee}, accrued", accrued.to_post)
    yield row("", "Total", claim.total, ' class="sum"')
    yield "</table>\n"


def _totals(dossier: Dossier) -> str:
    rows = "".join(
        f"<tr><td>{escape(currency)}</td><td class='n'>{count}</td>"
        + "".join(
            f"<td class='n'>{format_minor(part, currency)}</td>"
            for part in (principal, charges, interest, principal + charges + interest)
        )
        + "</tr>\n"
        for currency, (count, principal, charges, interest) in dossier.totals.items()
    )
    head = "".join(
        f'<th class="n">{name}</th>'
        for name in ("Invoices", "Principal", "Fees", "Interest", "Total")
    )
    return f"<h2>Totals</h2>\n<table><tr><th></th>{head}</tr>\n{rows}</table>\n"
