"""`python -m tests.crashlab`: processes die, and what is left is counted.

--ledger quickbooks|xero|both
--protocol ours|send-then-mark|mark-then-send     one or several
--every       die at every single boundary, and restart both soon and late
--double      die once more in each recovery
--stride N    second deaths, and all deaths of a wrong protocol, at every Nth spot only
--jobs N      so many cases side by side
"""

import argparse
import gc
import os
import sys
import time
from collections import Counter
from datetime import date
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import Progress

from tests.crashlab import scenes, walk, wrong
from tests.crashlab.cases import Case, Result
from tests.crashlab.company import LEDGERS, LedgerName
from tests.crashlab.protocols import Drives, intent_first
from tests.crashlab.warmth import keep_warm

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
    keep_warm()
    bad = 0
    for ledger in LEDGERS if asked.ledger == "both" else (asked.ledger,):
        with walk.scratch() as folder:
            company = walk.founded(Path(folder), ledger)
            gc.collect()
            gc.freeze()
            for name in asked.protocol:
                lab = walk.Lab(company, Path(folder), PROTOCOLS[name], jobs=asked.jobs)
                bad += _walked(lab, ledger, name, asked)
        if asked.scenes:
            with walk.scratch() as folder:
                company = walk.founded(Path(folder), ledger, LAST_OF_SUMMER)
                lab = walk.Lab(company, Path(folder), PROTOCOLS[OURS], jobs=asked.jobs)
                bad += _over_a_weekend(lab, ledger, asked.scenes)
    return 1 if bad else 0


def _over_a_weekend(lab: walk.Lab, ledger: LedgerName, stride: int) -> int:
    lab.look()
    places = [nth for nth, label in enumerate(lab.labels, start=1) if walk.is_send(label)]
    tasks = [partial(scenes.over_a_weekend, nth=nth) for nth in places[1::stride]]
    results = _told(lab, "over a weekend", ledger, OURS, tasks)
    return sum(not result.verdict.is_clean for result in results)


def _walked(lab: walk.Lab, ledger: LedgerName, name: str, asked: argparse.Namespace) -> int:
    lab.look()
    tasks = walk.single(lab.labels, every=asked.every, thin=asked.thin)
    if name != OURS:
        tasks = tasks[:: asked.stride]
    firsts = _told(lab, "single", ledger, name, tasks)
    bad = sum(not result.verdict.is_clean for result in firsts)
    if asked.scenes and name == OURS:
        played = [partial(_staged, scene) for scene in scenes.scenes(lab.labels, asked.scenes)]
        bad += sum(not one.verdict.is_clean for one in _told(lab, "scenes", ledger, name, played))
    if asked.double:
        tasks = walk.double(firsts, stride=asked.stride)
        seconds = _told(lab, "double", ledger, name, tasks)
        bad += sum(not result.verdict.is_clean for result in seconds)
    return bad


def _staged(scene: scenes.Scene, case: Case, must_be: Counter[str] | None) -> Result:
    assert must_be is not None
    return scenes.staged(case, scene, must_be)


def _told(
    lab: walk.Lab, of: str, ledger: str, protocol: str, tasks: list[walk.Task]
) -> list[Result]:
    began = time.perf_counter()
    with Progress(console=Console(stderr=True), disable=not sys.stderr.isatty()) as bar:
        here = bar.add_task(f"{ledger}, {protocol}, {of}", total=len(tasks))

        def heard(result: Result) -> None:
            bar.advance(here)
            if not result.verdict.is_clean:
                print(_case(lab, result), flush=True)

        results = lab.run(tasks, heard)
    line = walk.summary(of, ledger, protocol, len(lab.labels), results)
    line["seconds"] = round(time.perf_counter() - began, 1)
    print(walk.shown(line), flush=True)
    return results


def _case(lab: walk.Lab, result: Result) -> str:
    verdict = result.verdict
    return walk.shown(
        {
            "died_at": result.ends,
            "first": lab.labels[result.ends[0] - 1] if result.ends else "",
            "gap": result.gap,
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
    parser.add_argument("--double", action="store_true")
    parser.add_argument("--scenes", type=int, default=0)
    parser.add_argument("--stride", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
