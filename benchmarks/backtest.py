"""How long it takes to play a policy over a year of a book.

    python -m benchmarks.backtest BOOK [--policy standard] [--from 2018-10-01] [--to 2019-09-30]

BOOK is a book file (.jsonl, or .jsonl.gz). Reading it is not measured. `seconds` is processor
time: a machine that does other things makes nothing slower by that.
"""

import argparse
import gzip
import json
import resource
import sys
from datetime import date
from pathlib import Path
from time import process_time

from ar_bridge.insights.backtest import backtest
from ar_bridge.policies import read_policy
from rules.model.events import EventLog


def main() -> None:
    """Print one JSON line."""
    wanted = argparse.ArgumentParser(description=__doc__)
    wanted.add_argument("book", type=Path)
    wanted.add_argument("--policy", default="standard")
    wanted.add_argument("--from", dest="first", type=date.fromisoformat, default="2018-10-01")
    wanted.add_argument("--to", dest="last", type=date.fromisoformat, default="2019-09-30")
    given = wanted.parse_args()
    opened = gzip.open if given.book.suffix == ".gz" else open
    with opened(given.book, "rt", encoding="utf-8") as lines:
        log = EventLog([json.loads(line) for line in lines if line.strip()])
    invoices = sum(1 for event in log.events if event.get("t") == "invoice")
    policy = read_policy(given.policy)
    begun = process_time()
    found = backtest(log, policy, given.first, given.last)
    seconds = process_time() - begun
    told = {
        "benchmark": "backtest",
        "n": invoices,
        "days": found.days,
        "policy": policy.name,
        "seconds": round(seconds, 2),
        "invoices_per_s": round(invoices / seconds),
        "messages": found.messages,
        "peak_rss_mb": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }
    sys.stdout.write(json.dumps(told) + "\n")


if __name__ == "__main__":
    main()
