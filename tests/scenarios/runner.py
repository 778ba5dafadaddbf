"""Reads a scenario: a policy, a book, a day, and what is expected to be decided.

title     what it shows
policy    a file of `policies/`, without its ending
top       more policy, as TOML text before it
extra     more policy, as TOML text after it
today     the day
connected the day on which the book was connected (left out: a book file)
events    the book, one event a line; company ACME in GBP unless it names one
holidays  public holidays of the policy's region
act       every act, in any order: kind and whatever else of it matters
skip      skips that must be among those decided
nothing   true: no act at all
"""

import tomllib
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from pathlib import Path
from typing import Any

import msgspec

from rules.actions.internal import OpenTask
from rules.actions.late_fee import ChargeLateFee
from rules.actions.messages import SendReminder
from rules.actions.statement import SendStatement
from rules.decide import decide
from rules.decision import Act, Decision, Skip
from rules.model.book import Book, HolidaySet
from rules.model.events import fold
from rules.model.money import format_minor
from rules.policy.load import load_policy
from rules.policy.schema import Policy

FOLDER = Path(__file__).parent
COMPANY = {"t": "company", "id": "acme", "base_currency": "GBP", "timezone": "Europe/London"}


@dataclass(frozen=True)
class Scenario:
    title: str
    policy: Policy
    book: Book
    today: date
    acts: list[dict[str, Any]]
    skips: list[dict[str, Any]]


def plain(value: Any) -> Any:
    """TOML dates as the ISO text of a book file."""
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return value


def read(path: Path) -> Scenario:
    told = tomllib.loads(path.read_text(encoding="utf-8"))
    base = FOLDER / "policies" / f"{told['policy']}.toml"
    policy = load_policy(
        "\n".join((told.get("top", ""), base.read_text(encoding="utf-8"), told.get("extra", ""))),
        source=path.name,
    )
    events = [plain(event) for event in told["events"]]
    if not any(event["t"] == "company" for event in events):
        events.insert(0, COMPANY)
    folded = fold(events, told["today"], source=path.name)
    assert not folded.problems, [str(problem) for problem in folded.problems]
    region = policy.calendar.region
    book = msgspec.structs.replace(
        folded.book,
        company=msgspec.structs.replace(folded.book.company, connected_on=told.get("connected")),
        holidays={region: HolidaySet(region=region, dates=frozenset(told.get("holidays", ())))},
        age_hours=told.get("age_hours", 0),
    )
    assert told.get("nothing") or told.get("act"), "say `nothing = true` where nothing is done"
    return Scenario(
        title=told["title"],
        policy=policy,
        book=book,
        today=told["today"],
        acts=[plain(act) for act in told.get("act", [])],
        skips=[plain(skip) for skip in told.get("skip", [])],
    )


def shown(decision: Decision) -> dict[str, Any]:
    """A decision in the words of a scenario."""
    if isinstance(decision, Skip):
        return {
            "customer": decision.customer,
            "invoice": decision.invoice,
            "stage": decision.stage,
            "fee": decision.fee,
            "key": decision.key,
            "code": decision.code,
            "reasons": sorted({reason.code for reason in decision.reasons}),
            "next_on": decision.next_on and decision.next_on.isoformat(),
            "review_on": decision.review_on and decision.review_on.isoformat(),
        }
    action = decision.action
    told: dict[str, Any] = {
        "kind": action.kind,
        "customer": action.customer,
        "stage": action.stage,
        "currency": action.currency,
        "mode": str(decision.mode),
        "key": action.key,
        "invoices": sorted({str(item.invoice) for item in action.items}),
        "stages": [item.stage for item in action.items],
        "reasons": sorted({reason.code for reason in decision.reasons}),
    }
    if action.amount is not None:
        told["amount"] = format_minor(action.amount, action.currency)
    if isinstance(action, ChargeLateFee):
        told |= {"fee": action.fee_id, "through": action.through.isoformat()}
    if isinstance(action, SendReminder):
        told |= {
            "template": action.template,
            "formal": action.is_formal,
            "also_open": list(action.also_open),
            "unapplied": format_minor(action.unapplied, action.currency),
            "announces": len(action.fees),
            "set_aside": {
                ground: format_minor(part, action.currency) for _, ground, part in action.aside_as
            },
            "claimed": format_minor(action.claimed, action.currency),
            "per_day": f"{float(sum(Fraction(one.per_day) for one in action.claims)):.2f}",
            "discounts": len(action.discounts),
        }
        if action.broken is not None:
            told["broken"] = {
                "nth": action.broken.nth,
                "paid": format_minor(action.broken.paid, action.currency),
                "missing": format_minor(action.broken.missing, action.currency),
            }
        if action.returned:
            told["returned"] = [
                f"{format_minor(one.amount, action.currency)} of {one.paid_on} on {one.returned_on}"
                for one in action.returned
            ]
        if action.part is not None:
            told["part"] = f"{action.part.position} of {action.part.count}"
    if isinstance(action, SendStatement):
        told["in_instalments"] = [
            [str(invoice), str(on), format_minor(left, action.currency)]
            for invoice, on, left in action.in_instalments
        ]
    if isinstance(action, OpenTask):
        told |= {"owner": action.owner, "due": str(action.due_on), "text": action.text}
    return told


def matches(expected: dict[str, Any], found: dict[str, Any]) -> bool:
    return all(found.get(name) == value for name, value in expected.items())


def differences(scenario: Scenario) -> list[str]:
    """What came out otherwise than the scenario says; empty where all is as expected."""
    decided = decide(scenario.book, scenario.policy, scenario.today)
    acts = [shown(found) for found in decided if isinstance(found, Act)]
    skips = [shown(found) for found in decided if isinstance(found, Skip)]
    wrong: list[str] = []
    left = list(acts)
    for expected in scenario.acts:
        found = next((act for act in left if matches(expected, act)), None)
        if found is None:
            wrong.append(f"expected act {expected}\n  among {left}")
        else:
            left.remove(found)
    wrong += [f"act that nobody expected: {act}" for act in left]
    for expected in scenario.skips:
        if not any(matches(expected, skip) for skip in skips):
            wrong.append(f"expected skip {expected}\n  among {skips}")
    return wrong
