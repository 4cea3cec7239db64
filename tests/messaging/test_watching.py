"""What a service says about itself: how far behind it is, whether it stands still; and it says so when Redis is away."""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from shared.messaging.entries import fields_of
from shared.messaging.progress import Progress
from shared.messaging.standing import Member, Standing
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from tests.faults.substrates import REDIS, RedisServer
from tests.messaging import listener as small
from tests.messaging.listener import offer, service
from tests.messaging.test_supervision import ready, until

STREAM = "fenghe:registry"
Start = Callable[..., Harness]


class Gate:
    """Holds up the handler, from when it is shut until it is opened."""

    def __init__(self) -> None:
        self.passed = threading.Event()
        self.passed.set()

    def __contains__(self, title: object) -> bool:
        self.passed.wait(60)
        return False


@pytest.fixture
def gate(monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """In the way of the listener's handler."""
    gate = Gate()
    monkeypatch.setattr(small, "POISON", gate)
    yield gate
    gate.passed.set()


@pytest.fixture
def impatient(settings: Callable[[Any], Any]) -> Iterator[Start]:
    """Starts the listener, which stands still after a quarter of a second."""
    running: list[Harness] = []

    def start(**changed: Any) -> Harness:
        given = settings(service).model_copy(update={"stall_after": 0.25, "claim_idle": 60, **changed})
        running.append(Harness(service, given).__enter__())
        return running[-1]

    yield start
    for harness in running:
        harness.__exit__()


def send(listener: Harness, *numbers: int, title_en: str = "x") -> None:
    """Put facts on the stream and wait for nothing."""
    for n in numbers:
        event = listener.event(offer(n, "title", title_en))
        row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
        listener.redis.xadd(STREAM, fields_of(row))


def figures(listener: Harness) -> dict[str, float]:
    """The metrics, by name and labels."""
    answer = listener.client.get("/api/listener/metrics")
    assert answer.status_code == 200
    samples = [sample for family in text_string_to_metric_families(answer.text) for sample in family.samples]
    return {
        " ".join([sample.name, *(f"{key}={sample.labels[key]}" for key in sample.labels)]): sample.value for sample in samples
    }


def missing(listener: Harness) -> list[str]:
    found: list[str] = listener.client.get("/api/listener/health/ready").json()["missing"]
    return found


def test_lag_is_counted_in_facts_and_in_seconds_and_goes_when_it_is_made_up(impatient: Start, gate: Gate) -> None:
    listener = impatient(batch=2)
    gate.passed.clear()
    send(listener, *range(5))
    lag = f"group=listener stream={STREAM}"
    until(lambda: figures(listener)[f"fenghe_lag_seconds {lag}"] > 0.05)
    assert figures(listener)[f"fenghe_lag_facts {lag}"] == 5
    gate.passed.set()
    listener.drain()
    now = figures(listener)
    assert now[f"fenghe_lag_facts {lag}"] == now[f"fenghe_lag_seconds {lag}"] == 0
    assert now[f"fenghe_last_progress_timestamp_seconds stream={STREAM}"] > 1_700_000_000
    assert now["fenghe_handler_seconds_count handler=keep_offers"] >= 1
    assert now["fenghe_redis_up"] == now["fenghe_database_up"] == 1


def test_a_handler_that_hangs_makes_the_service_red_and_green_again_when_it_goes_on(impatient: Start, gate: Gate) -> None:
    listener = impatient()
    assert ready(listener)
    gate.passed.clear()
    send(listener, 1)
    until(lambda: any("stands still" in sentence for sentence in missing(listener)))
    assert figures(listener)[f"fenghe_subscriber_stalled stream={STREAM}"] == 1
    gate.passed.set()
    until(lambda: ready(listener))
    assert figures(listener)[f"fenghe_subscriber_stalled stream={STREAM}"] == 0


def test_a_subscriber_whose_loop_has_died_is_started_again(impatient: Start) -> None:
    listener = impatient()
    broker: Any = listener.host._broker
    subscriber = broker._subscribers[STREAM]

    async def kill() -> None:
        for task in subscriber.tasks:
            task.cancel()

    listener.client.portal.call(kill)  # type: ignore[union-attr]
    until(lambda: all(task.done() for task in subscriber.tasks))
    assert subscriber.running
    send(listener, 1)
    listener.drain()
    until(lambda: ready(listener))


def test_facts_that_wait_for_another_attempt_are_no_standstill(impatient: Start) -> None:
    listener = impatient(retry_first=30)
    send(listener, 1, title_en="poison")
    until(lambda: figures(listener)["fenghe_facts_retrying"] == 1)
    looks: list[object] = []
    look = listener.host.progress.look
    listener.host.progress.look = lambda *args: look(*args) or looks.append(args)  # type: ignore
    until(lambda: len(looks) > 8)
    assert ready(listener)


def test_a_scrape_without_redis_says_so_and_does_not_fail(harness: Callable[[Any], Harness], valkey: EmbeddedValkey) -> None:
    listener = harness(service)
    assert figures(listener)["fenghe_redis_up"] == 1
    valkey.stop()
    now = figures(listener)
    assert now["fenghe_redis_up"] == 0
    assert not [name for name in now if name.startswith("fenghe_lag")]
    assert now["fenghe_unsent_facts"] == 0
    valkey.start()
    until(lambda: figures(listener)["fenghe_redis_up"] == 1)


@pytest.fixture(params=[EmbeddedValkey, RedisServer])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedValkey]:
    """A Redis of the test's own, of each kind there is."""
    if request.param is RedisServer and not REDIS:
        pytest.skip("Redis: put a redis-server on PATH to run this on it too; before 7.2 it takes who waits for idle")
    own: EmbeddedValkey = request.param(tmp_path / "redis", append_only=False)
    own.start()
    yield own
    own.stop()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_replica_that_waits_is_seen_again_and_again(server: EmbeddedValkey, impatient: Start) -> None:
    listener = impatient(redis_url=server.url, claim_idle=0.3)
    seen: list[float] = []

    def thrice() -> bool:
        status = listener.client.get("/api/listener/status", headers=listener.as_("operator")).json()
        seen.extend(one["idle"] for one in status["replicas"] if one["name"] == listener.host.replica)
        return sum(later < before for before, later in pairwise(seen)) >= 3

    until(thrice)
    assert listener.redis.xlen(STREAM) == 0, "nothing had come that it waited for"


def test_dead_letters_are_counted_until_they_are_replayed(harness: Callable[[Any], Harness]) -> None:
    listener = harness(service)
    listener.hear(offer(1, "title", "poison"))
    now = figures(listener)
    assert now["fenghe_dead_letters_waiting"] == now["fenghe_dead_letters_total"] == 1


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_every_metric_is_in_the_table_of_the_operators_with_its_kind_and_labels(harness: Callable[[Any], Harness]) -> None:
    listener = harness(service)
    listener.hear(offer(1, "title", "poison"), offer(2, "title"))
    answer = listener.client.get("/api/listener/metrics").text
    given = {}
    for family in text_string_to_metric_families(answer):
        if not family.name.endswith("_created"):
            name = family.name + "_total" * (family.type == "counter")
            given[name] = (family.type, {label for sample in family.samples for label in sample.labels} - {"le"})
    text = (Path(__file__).parent.parent.parent / "docs" / "operations.md").read_text()
    rows = re.findall(r"(?m)^\| `(fenghe_\w+)` \| (\w+) \| ([\w, ]*)\|", text)
    documented = {name: (kind, set(filter(None, labels.strip().split(", ")))) for name, kind, labels in rows}
    assert {name: kind for name, (kind, _) in documented.items()} == {name: kind for name, (kind, _) in given.items()}
    assert {name: given[name][1] for name in given if given[name][1]} == {
        name: labels for name, (_, labels) in documented.items() if labels and given[name][1]
    }


def test_standing_still_is_measured_from_when_it_was_first_seen() -> None:
    time = [100.0]
    progress = Progress([STREAM], 10, lambda: time[0])

    def look(undelivered: int, mine: int = 0, theirs: int = 0, retrying: int = 0) -> dict[str, float]:
        members = (Member("me", 0, mine), Member("another", 0, theirs))
        progress.look([Standing(STREAM, True, undelivered, mine + theirs, 1000, members)], "me", {STREAM: retrying})
        return progress.stalled

    assert look(5) == {}
    time[0] += 9
    progress.made(STREAM)
    assert look(5) == {}, "something was finished"
    time[0] += 9
    assert look(5) == {}
    time[0] += 1
    assert look(5) == {STREAM: 10}
    assert progress.restart_due(STREAM)
    assert not progress.restart_due(STREAM), "it was started just now"
    assert look(0, theirs=3) == {}, "what another has in hand is not mine"
    assert look(0, mine=2, retrying=2) == {}
    time[0] += 99
    assert look(0, mine=2, retrying=2) == {}
    assert look(0, mine=3, retrying=2) == {}
    time[0] += 10
    assert look(0, mine=3, retrying=2) == {STREAM: 10}
    progress.forget()
    assert progress.stalled == {}
