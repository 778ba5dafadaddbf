"""What /metrics answers: counts of what was done, and how the books stand.

The sets of labels are bounded: books of the settings, jobs of the table, kinds of actions and
effects, outcomes. No customer, document or message is a label.
"""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ar_bridge.daemon.core import Running
from ar_bridge.daemon.health import Health
from ar_bridge.daemon.orders import Settled

_SECONDS = (0.5, 1, 2, 5, 10, 30, 60, 300, 1800)


class Metrics:
    """Counters of this process since it began, and gauges read when they are asked for."""

    def __init__(self, health: Health) -> None:
        self.registry = CollectorRegistry()
        self._runs = self._counter("runs", "Runs of jobs by outcome.", "book", "job", "outcome")
        self._actions = self._counter(
            "actions", "Actions done, or why not.", "book", "kind", "outcome"
        )
        self._effects = self._counter("effects", "Effects written.", "book", "effect", "outcome")
        self._calls = self._counter(
            "vendor_calls",
            "Calls to the accounting system, read and write; throttled: those refused with 429.",
            "book",
            "sort",
        )
        self._records = self._counter("records_read", "Records read.", "book", "entity")
        self._seconds = Histogram(
            "ar_bridge_run_seconds",
            "How long runs took.",
            ("book", "job"),
            registry=self.registry,
            buckets=_SECONDS,
        )
        self.ticks = Counter(
            "ar_bridge_ticks", "Looks at the timetable.", ("outcome",), registry=self.registry
        )
        self.registry.register(_Standings(health))

    def _counter(self, name: str, sentence: str, *labels: str) -> Counter:
        return Counter(f"ar_bridge_{name}", sentence, labels, registry=self.registry)

    def settled(self, running: Running, settled: Settled) -> None:
        """A job has ended."""
        book, job = running.order.book or "-", running.order.job
        self._runs.labels(book, job, settled.outcome).inc()
        self._seconds.labels(book, job).observe(settled.seconds)
        for what, counter in (("actions", self._actions), ("effects", self._effects)):
            for key, count in settled.counts.get(what, {}).items():
                kind, _, outcome = key.partition("|")
                counter.labels(book, kind, outcome).inc(count)
        for sort, count in settled.counts.get("calls", {}).items():
            self._calls.labels(book, sort).inc(count)
        for key, count in settled.counts.get("records", {}).items():
            self._records.labels(book, key.partition("|")[0]).inc(count)

    def text(self) -> bytes:
        """In the text format of Prometheus."""
        return generate_latest(self.registry)


class _Standings(Collector):
    def __init__(self, health: Health) -> None:
        self._health = health

    def describe(self) -> Iterator[Metric]:
        """Nothing: what there is depends on the books."""
        return iter(())

    def collect(self) -> Iterator[Metric]:
        status, body = self._health.look()
        now = datetime.fromisoformat(body["at"])
        up = GaugeMetricFamily("ar_bridge_healthy", "1: nothing fails.")
        up.add_metric([], float(status == 200))
        yield up
        if "disk_free_mb" in body:
            disk = GaugeMetricFamily("ar_bridge_disk_free_bytes", "Left on the disk.")
            disk.add_metric([], body["disk_free_mb"] * 1e6)
            yield disk
        queue = GaugeMetricFamily(
            "ar_bridge_actions_open", "Actions that are not ended.", labels=["book", "state"]
        )
        age = GaugeMetricFamily(
            "ar_bridge_age_seconds", "How long ago it was done.", labels=["book", "what"]
        )
        failures = GaugeMetricFamily(
            "ar_bridge_job_failures", "Failures in a row.", labels=["book", "job"]
        )
        halted = GaugeMetricFamily(
            "ar_bridge_halted", "Stops and breakers that stand.", labels=["book"]
        )
        for name, book in body["books"].items():
            for state, count in book.get("actions", {}).items():
                queue.add_metric([name, state], count)
            for what in ("synced_at", "full_synced_at", "planned_at"):
                if book.get(what):
                    age.add_metric([name, what.removesuffix("_at")], _age(book[what], now))
            obtained = book.get("connection", {}).get("obtained_at")
            if obtained:
                age.add_metric([name, "token"], _age(obtained, now))
            for job, facts in book.get("jobs", {}).items():
                failures.add_metric([name, job], facts["failures"])
            halted.add_metric([name], len(book.get("halts", ())))
        yield from (queue, age, failures, halted)


def _age(moment: Any, now: datetime) -> float:
    return max(0.0, (now - datetime.fromisoformat(moment)).total_seconds())
