"""`fenghe status`, as an operator calls it: what is well, what is not, and what to do about it."""

from __future__ import annotations

import json
import os
import signal
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from deploy.services import NAMES
from shared.messaging import tables
from shared.messaging.entries import fields_of
from shared.messaging.testing import Harness
from shared.service import Service
from tests.messaging.listener import offer
from tests.messaging.listener import service as listener
from tests.messaging.test_watching import Gate, figures, gate, impatient  # noqa: F401 (fixtures)
from tests.system.conftest import DEADLINE, AllInOne, fenghe

UNREADABLE = {"type": "fenghe.offer.published.v1", "specversion": "0.3"}


def status(system: AllInOne, *arguments: str, **environment: str) -> tuple[int, str]:
    """The exit code and what is printed."""
    done = fenghe("status", "--data", str(system.data), "--url", system.address, *arguments, **environment)
    return done.returncode, done.stdout + done.stderr


def until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not condition():
        assert time.monotonic() < deadline, "the deadline has passed"
        time.sleep(0.02)


@contextmanager
def paused(pid: int) -> Iterator[None]:
    """A process that stands still, and then goes on."""
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        os.kill(pid, signal.SIGCONT)


def test_an_all_in_one_that_is_well_and_then_not(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start()
    system.quiet()
    code, text = status(system)
    assert (code, text.splitlines()[-1]) == (0, "All is well."), text
    assert all(name in text for name in NAMES)

    with redis.Redis.from_url(f"unix://{system.data / 'valkey' / 'valkey.sock'}") as client:
        client.xadd("fenghe:registry", UNREADABLE)
    system.quiet()
    code, text = status(system)
    assert code == 1
    assert "specversion is '0.3', not '1.0'" in text
    assert "matching, feedback" not in text.partition("It means")[0], "each has to be told which command is its own"
    table = text
    code, text = status(system, "--json")
    said = json.loads(text)
    assert (code, said["well"]) == (1, False)
    assert {concern["service"] for concern in said["concerns"]} >= {"matching", "notify"}
    (matching,) = said["services"]["matching"]["replicas"].values()
    assert matching["dead_letters"][0]["letters"] == 1
    command = f"fenghe dead-letters matching --replay-cause {matching['dead_letters'][0]['example']}\n"
    assert command in table, "on a line of its own, to be copied"
    assert {stream["stream"] for stream in matching["streams"]} >= {"fenghe:registry", "fenghe:matching"}

    with paused(system.valkey_pid):
        code, text = status(system)
    assert code == 1
    assert "registry, matching, feedback, notify: Redis cannot be reached" in text
    assert "Start Redis" in text


def test_without_a_deployment_each_service_is_named_with_what_to_do(sample_system: AllInOne) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        done = fenghe("status", "--data", str(sample_system.data), "--url", f"http://127.0.0.1:{free.getsockname()[1]}")
    assert done.returncode == 1
    assert "\nregistry, matching, feedback, notify: cannot be reached (ConnectError" in done.stdout
    assert "docker-compose up -d" in done.stdout


def test_a_token_that_is_refused_is_told_with_the_command_that_makes_one(sample_system: AllInOne) -> None:
    code, text = status(sample_system, FENGHE_OPERATOR_TOKEN="nonsense")
    assert code == 1
    assert "fenghe token --role operator" in text


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_the_route_says_where_a_service_stands(impatient: Any, gate: Gate) -> None:  # noqa: F811
    running: Harness = impatient()
    gate.passed.clear()
    event = running.event(offer(1, "title"))
    row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
    running.redis.xadd("fenghe:registry", fields_of(row))

    def said() -> dict[str, Any]:
        answer = running.client.get("/api/listener/status", headers=running.as_("operator"))
        assert answer.status_code == 200
        found: dict[str, Any] = answer.json()
        return found

    until(lambda: bool(said()["lacks"]))
    now = said()
    (stream,) = now["streams"]
    assert (stream["facts"], stream["pending"], stream["undelivered"]) == (1, 1, 0)
    assert stream["seconds"] > 0
    assert stream["stalled"] >= 0.25
    assert [lack["kind"] for lack in now["lacks"]] == ["stalled"]
    assert [replica["name"] for replica in now["replicas"]] == [now["replica"]]
    gate.passed.set()
    until(lambda: said()["ready"])
    assert said()["streams"][0]["facts"] == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_timers_that_fail_and_timers_that_are_late_are_told(harness: Callable[[Service], Harness]) -> None:
    running = harness(listener)
    then = datetime.now(UTC) - timedelta(minutes=2)
    timer = {"community": "c", "due_at": then, "attempts": 0, "next_attempt_at": None, "last_error": None}
    failed = {"attempts": 3, "next_attempt_at": then, "last_error": "KeyError: 'no such agreement'"}
    rows = [{**timer, "kind": "late", "subject": "1"}, {**timer, **failed, "kind": "expiry", "subject": "2"}]
    running.host.database.transact(lambda session: session.execute(sa.insert(tables.timers), rows))
    said = running.client.get("/api/listener/status", headers=running.as_("operator")).json()
    assert said["timers"].pop("due_seconds") >= 120
    assert said["timers"] == {"due": 1, "failing": [{"kind": "expiry", "error": failed["last_error"], "timers": 1}]}
    seen = figures(running)
    assert (seen["fenghe_timers_due"], seen["fenghe_timers_failing"]) == (1, 1)


def test_replicas_are_listed_whoever_answers(settings: Callable[[Service], Any], database_url: Any) -> None:
    given = settings(listener).model_copy(update={"sole": False})
    with Harness(listener, given) as one, Harness(listener, given) as two:
        names = set()
        for running in (one, two):
            said = running.client.get("/api/listener/status", headers=running.as_("operator")).json()
            names.add(said["replica"])
            until(
                lambda running=running: (  # type: ignore[misc]
                    len(running.client.get("/api/listener/status", headers=running.as_("operator")).json()["replicas"]) == 2
                )
            )
    assert len(names) == 2
