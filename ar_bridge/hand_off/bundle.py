"""Making a bundle: papers from the dossier, copies from the ledger, the manifest, the audit."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import msgspec
from sqlalchemy import Connection

from ar_bridge import audit
from ar_bridge.context import BookContext
from ar_bridge.hand_off import manifest as manifests
from ar_bridge.hand_off import papers
from ar_bridge.hand_off.dossier import Dossier, gather
from ar_bridge.hand_off.papers import instant
from ar_bridge.hand_off.placement_file import placement_csv
from ar_bridge.hand_off.statement_page import statement_html
from connectors.errors import ConnectorError
from connectors.port import ShowsInvoices
from rules.model import InvoiceId, Placement

BUNDLED: Final = "HandOffBundled"

_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")


class Made(msgspec.Struct, frozen=True, kw_only=True):
    """A bundle on disk."""

    folder: Path
    zipped: Path
    digest: str
    totals: list[dict[str, object]]
    left_out: tuple[str, ...] = ()
    """What could not be had."""


class Copies(msgspec.Struct, frozen=True, kw_only=True):
    """Copies of invoices as the ledger prints them, by id, and what it did not give."""

    found: Mapping[InvoiceId, bytes] = {}
    left_out: Mapping[InvoiceId, str] = {}


def folder_name(placement: Placement) -> str:
    """A name for the folder: `placement-C1-2026-11-22`."""
    return _safe(placement.id)


def bundle(desk: BookContext, placement: Placement, folder: Path, *, actor: str) -> Made:
    """Make the bundle of a placement and put its digest into the audit chain.

    Reads copies of the invoices from the ledger: what cannot be had is left out, and said.
    Raises UsageError where the folder is taken.
    """
    with desk.store.read() as conn:
        dossier = gather(conn, desk, placement)
    copies = invoice_copies(desk, dossier)
    files, left_out = papers_of(dossier, copies)
    facts = facts_of(dossier, left_out)
    manifest = manifests.sealed(facts, files)
    zipped = manifests.write(folder, files, manifest, placement.on)
    with desk.store.write() as conn:
        audit.append(
            conn,
            book_id=desk.book_id,
            at=desk.clock.now(),
            actor=actor,
            event=BUNDLED,
            subject=placement.id,
            payload={"digest": manifest["digest"], "files": len(files), "totals": facts["totals"]},
        )
    return Made(
        folder=folder,
        zipped=zipped,
        digest=str(manifest["digest"]),
        totals=papers.totals_of(dossier),
        left_out=left_out,
    )


def is_bundled(conn: Connection, book_id: int, placement: str, digest: str = "") -> bool:
    """Whether a bundle of this placement, with this digest where one is given, was made here."""
    made = audit.history(conn, book_id=book_id, subject=placement, events=[BUNDLED])
    return any(not digest or (one.payload or {}).get("digest") == digest for one in made)


def invoice_copies(desk: BookContext, dossier: Dossier) -> Copies:
    """What the ledger prints of the placed invoices."""
    ledger = desk.connector
    found: dict[InvoiceId, bytes] = {}
    left_out: dict[InvoiceId, str] = {}
    for claim in dossier.claims:
        name = claim.invoice.id
        if not isinstance(ledger, ShowsInvoices):
            left_out[name] = "this ledger prints no invoices"
            continue
        try:
            content = ledger.pdf(name)
        except ConnectorError as problem:
            left_out[name] = str(problem)
            continue
        if content:
            found[name] = content
        else:
            left_out[name] = "the ledger prints none"
    return Copies(found=found, left_out=left_out)


def papers_of(dossier: Dossier, copies: Copies) -> tuple[dict[str, bytes], tuple[str, ...]]:
    """Every file of the bundle but the manifest, by its path; and what is not among them."""
    files: dict[str, bytes] = {}
    left_out: list[str] = []
    documents: dict[str, str] = {}
    for claim in dossier.claims:
        invoice = claim.invoice
        stem = f"invoices/{_safe(invoice.number)}"
        if f"{stem}.pdf" in files or f"{stem}.txt" in files:
            stem = f"{stem}-{_safe(invoice.id)}"
        content = copies.found.get(invoice.id)
        if content is None:
            why = copies.left_out.get(invoice.id, "it was not asked for")
            left_out.append(f"the copy of invoice {invoice.number}: {why}")
            path, content = f"{stem}.txt", papers.invoice_text(claim)
        else:
            path = f"{stem}.pdf"
        files[path] = content
        documents[invoice.number] = path
    files["placement.csv"] = placement_csv(dossier, documents)
    files["statement.html"] = statement_html(dossier)
    files["correspondence.csv"] = papers.correspondence_csv(dossier)
    files["correspondence.txt"] = papers.correspondence_text(dossier)
    files["fees.csv"] = papers.derivations_csv(dossier)
    files["fees.txt"] = papers.derivations_text(dossier)
    files["history.csv"] = papers.words_csv(dossier)
    files["history.txt"] = papers.words_text(dossier)
    files["totals.txt"] = papers.totals_text(dossier)
    files["totals.json"] = papers.json_bytes({"schema": 1, "totals": papers.totals_of(dossier)})
    letter = papers.letter_before_action(dossier)
    if letter is None:
        left_out.append("the letter before action: no formal notice was sent by us")
    else:
        files["letter-before-action.txt"] = letter.text.encode()
        if letter.html:
            files["letter-before-action.html"] = letter.html.encode()
    left_out += [
        "the contract, orders, proof of delivery and guarantees: they are not in our records",
        "the debtor's postal address and registration number: they are not in our records",
    ]
    files["contents.txt"] = _contents(dossier, files, left_out)
    return files, tuple(left_out)


def facts_of(dossier: Dossier, left_out: tuple[str, ...]) -> dict[str, Any]:
    """What the manifest says besides its files."""
    placed = dossier.placement
    return {
        "book": {
            "ledger": dossier.company.ledger,
            "company": dossier.company.id,
            "name": dossier.company.name,
        },
        "as_of": placed.on.isoformat(),
        "book_as_of": instant(dossier.book_as_of),
        "policy": {"name": dossier.policy_name, "hash": dossier.policy_hash},
        "actor": placed.actor,
        "reason": placed.reason,
        "overridden": list(placed.overridden),
        "placement": {
            "id": placed.id,
            "customer": placed.customer,
            "to": placed.to,
            "name": placed.name,
            "invoices": [claim.invoice.id for claim in dossier.claims],
        },
        "totals": papers.totals_of(dossier),
        "left_out": list(left_out),
    }


def _contents(dossier: Dossier, files: Mapping[str, bytes], left_out: list[str]) -> bytes:
    told = {
        "placement.csv": "the claims, a row an invoice",
        "statement.html": "the statement of account, to print",
        "correspondence.csv": "every message: date, recipient, Message-ID, result",
        "correspondence.txt": "the messages in full",
        "fees.csv": "every late fee, row by row",
        "fees.txt": "the same to read",
        "history.csv": "disputes, promises and what else was said",
        "history.txt": "the same to read",
        "totals.txt": "counts and totals to acknowledge",
        "totals.json": "the same for programs",
        "letter-before-action.txt": "the last formal notice",
        "letter-before-action.html": "the same as it was sent",
    }
    lines = [f"{dossier.debtor.name}: {len(dossier.claims)} invoices", ""]
    lines += [f"{path:<28} {told.get(path, 'copy of the invoice')}" for path in sorted(files)]
    lines += ["", "Not in here:", *(f"  {one}" for one in left_out), ""]
    lines += [
        "Personal data: give it to nobody but the agency or lawyer named, encrypted on its way.",
        "",
    ]
    return "\n".join(lines).encode()


def _safe(name: str) -> str:
    return _UNSAFE.sub("-", name).strip("-.") or "file"
