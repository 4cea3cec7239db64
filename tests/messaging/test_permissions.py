"""A service with a Redis user of its own: all that the kit does works with its rules, and nothing else is allowed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from deploy.services import load_all
from shared.messaging import permissions
from shared.messaging.housekeeping import Housekeeper
from shared.messaging.outbox import sending_client
from shared.messaging.streams import FEED, epoch_of, stream_of
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from shared.service import Service
from tests.messaging.child import apply, service
from tests.messaging.test_healing import on_stream
from tests.messaging.test_supervision import ready, until

PASSWORD = "of-the-test"
STREAM = stream_of(service.name)


@pytest.fixture
def user(valkey: EmbeddedValkey, redis_url: str) -> Iterator[Callable[[Service], str]]:
    """Makes the user of a service; its address."""
    made = []
    with redis.Redis.from_url(redis_url) as administrator:

        def make(of: Service) -> str:
            rules = permissions.rules(of.writes, [stream_of(teller) for teller in of.dispatch.tellers])
            administrator.execute_command("ACL", "SETUSER", of.name, "on", f">{PASSWORD}", *_arguments(rules))
            made.append(of.name)
            return f"unix://{of.name}@{valkey.socket}?password={PASSWORD}"

        yield make
        for name in made:
            administrator.execute_command("ACL", "DELUSER", name)


def _arguments(rules: str) -> list[str]:
    """The words of the rules; a selector in parentheses is one."""
    before, opened, selector = rules.partition(" (")
    return [*before.split(), *([f"({selector}"] if opened else [])]


def test_everything_the_kit_does_is_allowed(
    settings: Callable[[Any], Any], redis_url: str, user: Callable[[Service], str]
) -> None:
    own = settings(service).model_copy(update={"redis_url": user(service), "claim_idle": 0.2, "sole": False})
    with redis.Redis.from_url(redis_url) as administrator:
        administrator.xgroup_create(STREAM, service.group, "0", mkstream=True)
        administrator.xadd(STREAM, {"nobody": "can read this"})
        administrator.xreadgroup(service.group, "a replica that was killed", {STREAM: ">"})
        with Harness(service, own) as running:
            running.redis = administrator
            until(lambda: len(running.dead_letters()) == 1)  # claimed
            for n in range(5):
                running.host.run(apply, f"loan-{n}", timed=False)
            running.drain()
            administrator.flushall()
            until(lambda: len(on_stream(administrator)) == 10)
            running.drain()
            assert running.client.get(f"/api/{service.name}/status", headers=running.as_("operator")).json()["replicas"]
            with sending_client(own.redis_url) as client:
                days = timedelta(days=1)
                Housekeeper(running.host.database, client, service.writes, days, -timedelta(seconds=5)).clean()
            assert administrator.xlen(STREAM) == 0
            until(lambda: ready(running))
        assert administrator.xinfo_consumers(STREAM, service.group) == [], "it did not leave the group"


def test_a_service_may_do_nothing_to_what_is_not_its_own(redis_url: str, user: Callable[[Service], str]) -> None:
    services = load_all()
    streams = {*(stream_of(one.name) for one in services), FEED}
    with redis.Redis.from_url(redis_url) as administrator:
        for stream in streams:
            administrator.xadd(stream, {"a": "b"})
            administrator.set(epoch_of(stream), "1")
    for one in services:
        heard = {stream_of(teller) for teller in one.dispatch.tellers}
        with redis.Redis.from_url(user(one)) as client:
            for stream in sorted(streams):
                changing = [
                    ("XADD", stream, "*", "a", "b"),
                    ("XTRIM", stream, "MAXLEN", "5"),
                    ("SET", epoch_of(stream), "2"),
                ]
                assert [_allowed(client, *command) for command in changing] == [stream in one.writes] * len(changing), stream
                readable = stream in one.writes or stream in heard
                assert _allowed(client, "XRANGE", stream, "-", "+") == readable, stream
                assert _allowed(client, "XGROUP", "CREATE", stream, one.group, "0") == (stream in heard), stream
                reading = ("XREADGROUP", "GROUP", one.group, "me", "STREAMS", stream, ">")
                assert _allowed(client, *reading) == (stream in heard), stream
                for command in (
                    ("DEL", stream),
                    ("XDEL", stream, "1-1"),
                    ("RENAME", stream, "x"),
                    ("XGROUP", "DESTROY", stream, "x"),
                ):
                    assert not _allowed(client, *command), command
            for command in (("KEYS", "*"), ("FLUSHALL",), ("CONFIG", "GET", "*"), ("ACL", "LIST"), ("PUBLISH", "x", "y")):
                assert not _allowed(client, *command), command


def _allowed(client: Any, *command: str) -> bool:
    try:
        client.execute_command(*command)
    except redis.exceptions.NoPermissionError:
        return False
    return True
