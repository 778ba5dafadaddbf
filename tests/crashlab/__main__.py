"""`python -m tests.crashlab`: processes die, and what is left is counted.

--ledger quickbooks|xero|both
--protocol ours|send-then-mark|mark-then-send     one or several
--every       die at every single boundary, and restart both soon and late
--double      die once more in each recovery
--stride N    second deaths at every Nth spot of all recoveries only; with a wrong protocol, at
              four times as many
--firsts N    every Nth first death only
--wrongs N    of a wrong protocol, every Nth first death only
--thin N      where nothing is sent, first deaths at every Nth spot only
--kinds       first deaths before and after the first send of each kind only
--scenes N    whatever else goes wrong, at every Nth place
--postgresql  our records lie on a server of its own; then nothing can be copied
--effects     only say which effects the day brings on each ledger, and for whom
--die N[:late] ...   one case: processes are killed at these boundaries, one after the other
--real N      of N cases that can be copies one is killed all the same; 1: everybody is
--jobs N      so many cases side by side
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack, closing
from datetime import date
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.crashlab import scenes, walk, wrong
from tests.crashlab.cases import LATE, SOON, Case, Death, Result
from tests.crashlab.company import LEDGERS, LedgerName
from tests.crashlab.covering import covered
from tests.crashlab.databases import Databases
from tests.crashlab.protocols import Drives, intent_first
from tests.crashlab.spots import firsts, is_send
from tests.crashlab.warmth import keep_warm
from tests.store import postgresql

LAST_OF_SUMMER = date(2026, 10, 23)
"""The Friday before clocks go back in London."""

OURS = "ours"
PROTOCOLS: dict[str, Drives] = {
    OURS: intent_first,
    "send-then-mark": wrong.send_then_mark,
    "mark-then-send": wrong.mark_then_send,
}


def main() -> int:
    """0 where everything is as it must be, else 1."""
    asked = _asked()
    if asked.effects:
        return _effects()
    with ExitStack() as stack:
        databases = None
        if asked.postgresql:
            server = stack.enter_context(postgresql.running())
            databases = stack.enter_context(closing(Databases(server)))
        keep_warm()
        bad = 0
        for ledger in LEDGERS if asked.ledger == "both" else (asked.ledger,):
            bad += _on(ledger, asked, databases)
    return 1 if bad else 0


def _on(ledger: LedgerName, asked: argparse.Namespace, databases: Databases | None) -> int:
    bad = 0
    with walk.scratch() as folder:
        walk.rehearsed(Path(folder), ledger, databases)
        company = walk.founded(Path(folder), ledger, databases=databases)
        gc.collect()
        gc.freeze()
        for name in asked.protocol:
            drive = PROTOCOLS[name]
            lab = walk.Lab(company, Path(folder), drive, jobs=asked.jobs, real=asked.real)
            bad += _walked(lab, ledger, name, asked)
    if asked.scenes:
        with walk.scratch() as folder:
            company = walk.founded(Path(folder), ledger, LAST_OF_SUMMER, databases)
            lab = walk.Lab(company, Path(folder), PROTOCOLS[OURS], jobs=asked.jobs)
            bad += _over_a_weekend(lab, ledger, asked.scenes)
    return bad


def _effects() -> int:
    """Which effects the day brings on each ledger, and for which customers."""
    found = {ledger: covered(ledger)[0] for ledger in LEDGERS}
    for name in sorted(set().union(*found.values())):
        by_ledger = {ledger: found[ledger].get(name, []) for ledger in LEDGERS}
        print(walk.shown({"effect": name, **by_ledger}))
    return 0


def _over_a_weekend(lab: walk.Lab, ledger: LedgerName, stride: int) -> int:
    lab.look()
    places = [nth for nth, label in enumerate(lab.labels, start=1) if is_send(label)]
    tasks = [partial(scenes.over_a_weekend, nth=nth) for nth in places[1::stride]]
    return _bad(_told(lab, ledger, OURS, lambda told: lab.run(tasks, told), "over a weekend"))


def _walked(lab: walk.Lab, ledger: LedgerName, name: str, asked: argparse.Namespace) -> int:
    lab.look()
    if asked.die:
        return _bad(_told(lab, ledger, name, lambda told: lab.run([_dying(asked.die)], told)))
    found = firsts(lab.labels, every=asked.every, kinds=asked.kinds, thin=asked.thin)
    found = found[:: asked.firsts if name == OURS else asked.wrongs]
    # A wrong protocol dies at few places: at each of them it needs a second death.
    double = asked.double * (asked.stride if name == OURS else max(asked.stride // 4, 1))
    results = _told(lab, ledger, name, lambda told: lab.walk(found, told, double=double))
    if asked.scenes and name == OURS:
        played = [partial(_staged, scene) for scene in scenes.scenes(lab.labels, asked.scenes)]
        results += _told(lab, ledger, name, lambda told: lab.run(played, told), "scenes")
    return _bad(results)


def _dying(places: list[str]) -> walk.Task:
    """`N` or `N:late`: the boundary at which each process dies, and when the next one begins."""
    deaths = []
    for place in places:
        nth, _, after = place.partition(":")
        deaths.append(Death(nth=int(nth), gap=LATE if after == "late" else SOON))
    return walk.dying(*deaths)


def _staged(scene: scenes.Scene, case: Case, must_be: Counter[str] | None) -> Result:
    assert must_be is not None
    return scenes.staged(case, scene, must_be)


def _bad(results: list[Result]) -> int:
    return sum(not result.verdict.is_clean or not result.has_died for result in results)


def _told(
    lab: walk.Lab,
    ledger: str,
    protocol: str,
    play: Callable[[walk.Told], list[Result]],
    of: str = "",
) -> list[Result]:
    """The results of what is played, and a line of JSON about each that is not clean and about
    all of a walk: the one that is named, else those with one death and those with two."""
    began, spent = time.perf_counter(), walk.processor_seconds()
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        here = bar.add_task(f"{ledger}, {protocol} {of}", total=None)

        def heard(result: Result) -> None:
            bar.advance(here)
            if not result.verdict.is_clean or not result.has_died:
                print(_case(lab, ledger, protocol, result), flush=True)

        results = play(heard)
    cost = (walk.processor_seconds(results) - spent) / max(len(results), 1)
    walks = {of: results} if of else {"single": [], "double": []}
    for result in () if of else results:
        walks["single" if len(result.ends) < 2 else "double"].append(result)
    for name, some in walks.items():
        line = walk.summary(name, ledger, protocol, len(lab.labels), some)
        line["store"] = "postgresql" if lab.company.databases else "sqlite"
        line["seconds"] = round(time.perf_counter() - began, 1)
        line["cpu_seconds_each"] = round(cost, 3)
        if some:
            print(walk.shown(line), flush=True)
    return results


def _case(lab: walk.Lab, ledger: str, protocol: str, result: Result) -> str:
    verdict = result.verdict
    gaps = result.gap.split(", ")
    on = "--postgresql " if lab.company.databases else ""
    again = " ".join(f"{nth}:{gap}" for nth, gap in zip(result.ends, gaps, strict=False))
    return walk.shown(
        {
            "died_at": result.ends,
            "first": lab.labels[result.ends[0] - 1] if result.ends else "",
            "gap": result.gap,
            "again": f"{on}--ledger {ledger} --protocol {protocol} --die {again}",
            "has_died": result.has_died,
            "duplicates": verdict.duplicates,
            "lost": verdict.lost,
            "audit_gaps": verdict.gaps,
            "trouble": verdict.trouble,
        }
    )


def _asked() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.crashlab",
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--ledger", choices=(*LEDGERS, "both"), default="both")
    parser.add_argument("--protocol", choices=tuple(PROTOCOLS), nargs="+", default=[OURS])
    parser.add_argument("--every", action="store_true")
    parser.add_argument("--thin", type=int, default=1)
    parser.add_argument("--kinds", action="store_true")
    parser.add_argument("--firsts", type=int, default=1)
    parser.add_argument("--wrongs", type=int, default=1)
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--postgresql", action="store_true")
    parser.add_argument("--effects", action="store_true")
    parser.add_argument("--die", nargs="+", default=[])
    parser.add_argument("--real", type=int, default=walk.REAL)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
