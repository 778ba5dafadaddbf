"""Running the whole suite without a test runner: what holds, what is not claimed, what fails."""

from collections.abc import Callable, Iterator
from functools import partial
from typing import Final, Literal, TypeAlias

import msgspec

from connectors.conformance.abilities import Abilities
from connectors.conformance.crediting import Crediting
from connectors.conformance.looking import NotClaimedError
from connectors.conformance.reading import Reading
from connectors.conformance.subject import Subject
from connectors.conformance.taking_back import TakingBack
from connectors.conformance.writing import Writing

Mark: TypeAlias = Literal["holds", "not claimed", "fails"]

AREAS: Final[tuple[tuple[str, type], ...]] = (
    ("reading", Reading),
    ("writing", Writing),
    ("taking back", TakingBack),
    ("crediting", Crediting),
    ("further abilities", Abilities),
)


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the checklist."""

    area: str
    sentence: str
    mark: Mark
    why: str = ""


class Grade(msgspec.Struct, frozen=True, kw_only=True):
    """What a connector came to."""

    ledger: str
    results: tuple[Result, ...]

    def count(self, mark: Mark) -> int:
        return sum(result.mark == mark for result in self.results)

    @property
    def passes(self) -> bool:
        """Whether everything that it claims holds."""
        return self.count("fails") == 0

    def lines(self) -> Iterator[str]:
        """The checklist as text."""
        verdict = "conforms" if self.passes else "does NOT conform"
        yield (
            f"connector {self.ledger} {verdict}: {self.count('holds')} hold, "
            f"{self.count('fails')} fail, {self.count('not claimed')} not claimed"
        )
        area = ""
        for result in self.results:
            if result.area != area:
                area = result.area
                yield f"\n{area}"
            sign = {"holds": "[x]", "not claimed": "[-]", "fails": "[ ]"}[result.mark]
            yield f"  {sign} {result.sentence}" + (f" ({result.why})" if result.why else "")


def grade(make_subject: Callable[[], Subject]) -> Grade:
    """Run every check on a subject of its own, whatever becomes of the others."""
    ledger = ""
    results: list[Result] = []
    for area, checks in AREAS:
        for name in vars(checks):
            if not name.startswith("test_"):
                continue
            subject = make_subject()
            ledger = ledger or subject.connector.capabilities.ledger
            mark, why = _outcome(partial(getattr(checks(), name), subject))
            sentence = name.removeprefix("test_").replace("_", " ")
            results.append(Result(area=area, sentence=sentence, mark=mark, why=why))
            subject.connector.close()
    return Grade(ledger=ledger, results=tuple(results))


def _outcome(check: Callable[[], None]) -> tuple[Mark, str]:
    try:
        check()
    except NotClaimedError as reason:
        return "not claimed", str(reason)
    except Exception as trouble:
        said = str(trouble).strip().splitlines()
        return "fails", f"{type(trouble).__name__}: {said[0]}" if said else type(trouble).__name__
    return "holds", ""
