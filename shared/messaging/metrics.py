"""What the kit counts and times, in a Prometheus registry of each service's own."""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Iterable
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
"""Seconds."""


class Metrics:
    """The kit's metrics of one service."""

    def __init__(self, service: str) -> None:
        self.registry = CollectorRegistry()
        label: Any = {"registry": self.registry}
        self.service = Gauge("fenghe_service_info", "Which service this is", ["service"], **label)
        self.service.labels(service).set(1)
        self.told = Counter("fenghe_facts_told", "Facts told by this replica", ["type"], **label)
        self.sent = Counter("fenghe_facts_sent", "Facts this replica sent to Redis, repeats included", ["type"], **label)
        self.handled = Counter("fenghe_facts_handled", "Facts that took effect in this replica", ["type"], **label)
        self.repeated = Counter("fenghe_facts_repeated", "Facts heard again and passed over", **label)
        self.retried = Counter("fenghe_facts_retried", "Attempts to handle a fact that failed", ["type"], **label)
        self.dead = Counter("fenghe_dead_letters", "Entries this replica put to the dead letters", **label)
        self.claimed = Counter("fenghe_facts_claimed", "Entries taken over from another consumer", **label)
        self.vanished = Counter("fenghe_entries_vanished", "Entries removed before the group had finished with them", **label)
        self.fired = Counter("fenghe_timers_fired", "Timers that took effect in this replica", ["kind"], **label)
        self.failed = Counter("fenghe_timers_failed", "Attempts of a timer that failed", ["kind"], **label)
        self.batch_seconds = Histogram("fenghe_batch_seconds", "Time to handle a batch of facts", buckets=BUCKETS, **label)
        self.handler_seconds = Histogram(
            "fenghe_handler_seconds", "Time a handler took for its facts of a batch", ["handler"], buckets=BUCKETS, **label
        )
        self.requests = Counter("fenghe_http_requests", "HTTP requests", ["method", "route", "status"], **label)
        self.request_seconds = Histogram("fenghe_http_request_seconds", "Time to answer an HTTP request", **label)


def count(counter: Counter, labels: Iterable[str]) -> None:
    """Count one for each of these labels; looked up once for each that is different."""
    for label, times in Tally(labels).items():
        counter.labels(label).inc(times)
