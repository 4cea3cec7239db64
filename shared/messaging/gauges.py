"""The gauges that Redis and the database are asked for when Prometheus asks; neither's failure is the scrape's."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime

from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from redis.exceptions import RedisError

from shared import logs
from shared.database import Database
from shared.messaging import dead_letters, outbox, timers
from shared.messaging.progress import Progress
from shared.messaging.standing import Observer

log = logs.get("metrics")


class Gauges(Collector):
    """How far behind a service is, computed at each scrape. `retrying` counts what waits for another attempt."""

    def __init__(self, observer: Observer, database: Database, progress: Progress, retrying: Callable[[], int]) -> None:
        self._observer = observer
        self._database = database
        self._progress = progress
        self._retrying = retrying

    def describe(self) -> Iterable[GaugeMetricFamily]:
        """Nothing: what there is depends on who answers."""
        return []

    def collect(self) -> Iterable[GaugeMetricFamily]:
        """Ask, and count."""
        yield from self._of_redis()
        yield from self._of_database()
        yield from self._of_this_replica()

    def _of_redis(self) -> Iterable[GaugeMetricFamily]:
        labels = ["group", "stream"]
        facts = GaugeMetricFamily("fenghe_lag_facts", "Facts the group has not finished with", labels=labels)
        seconds = GaugeMetricFamily(
            "fenghe_lag_seconds", "Age of the oldest fact the group has not finished with", labels=labels
        )
        try:
            standings = self._observer.look()
        except (RedisError, OSError) as error:
            log.info("Redis could not be asked for the metrics; they say fenghe_redis_up 0", kind=type(error).__name__)
            yield GaugeMetricFamily("fenghe_redis_up", "Whether Redis answers", 0)
            return
        for standing in standings:
            facts.add_metric([self._observer.group, standing.stream], standing.facts)
            seconds.add_metric([self._observer.group, standing.stream], standing.seconds or 0)
        yield GaugeMetricFamily("fenghe_redis_up", "Whether Redis answers", 1)
        yield from (facts, seconds)

    def _of_database(self) -> Iterable[GaugeMetricFamily]:
        try:
            with self._database.reading() as session:
                count, oldest = outbox.unsent(session)
                dead = dead_letters.waiting(session)
                due, _ = timers.late(session, datetime.now(UTC))
                failing = sum(one.timers for one in timers.failing(session))
        except Exception as error:  # whatever it is, the scrape goes on without it
            log.info(
                "the database could not be asked for the metrics; they say fenghe_database_up 0", kind=type(error).__name__
            )
            yield GaugeMetricFamily("fenghe_database_up", "Whether the database answers", 0)
            return
        age = (datetime.now(UTC) - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("fenghe_database_up", "Whether the database answers", 1)
        yield GaugeMetricFamily("fenghe_unsent_facts", "Facts committed and not marked as sent yet", count)
        yield GaugeMetricFamily("fenghe_unsent_oldest_seconds", "Age of the oldest unsent fact", max(0.0, age))
        yield GaugeMetricFamily("fenghe_dead_letters_waiting", "Dead letters neither replayed nor set aside yet", dead)
        yield GaugeMetricFamily("fenghe_timers_due", "Timers that are due and were not tried yet", due)
        yield GaugeMetricFamily("fenghe_timers_failing", "Timers that failed and are tried again", failing)

    def _of_this_replica(self) -> Iterable[GaugeMetricFamily]:
        yield GaugeMetricFamily("fenghe_facts_retrying", "Facts this replica is going to try again", self._retrying())
        stalled = self._progress.stalled
        still = GaugeMetricFamily("fenghe_subscriber_stalled", "Whether a subscriber stands still", labels=["stream"])
        last = GaugeMetricFamily(
            "fenghe_last_progress_timestamp_seconds", "When this replica last finished with facts", labels=["stream"]
        )
        for stream in self._observer.streams:
            still.add_metric([stream], stream in stalled)
            if stream in self._progress.last:
                last.add_metric([stream], self._progress.last[stream])
        yield from (still, last)
