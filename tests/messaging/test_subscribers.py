"""A subscriber from outside reads the feed, and may do nothing else."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis

from shared.messaging.subscribers import Subscriber, SubscriberError, Subscribers
from shared.messaging.valkey import EmbeddedValkey

FEED, INTERNAL = "fenghe:feed", "fenghe:matching"


class RealRedis(EmbeddedValkey):
    """The same with the machine's own Redis, started as in containers: with a file of users."""

    def _launch(self) -> None:
        command = [
            "redis-server",
            "--port",
            "0",
            "--unixsocket",
            str(self.socket),
            "--dir",
            str(self.folder),
            "--appendonly",
            "yes",
        ]
        self._process = subprocess.Popen([*command, "--aclfile", str(self._users)], stdout=subprocess.DEVNULL)
        assert self._wait_until_ready()


@pytest.fixture(params=[EmbeddedValkey, RealRedis])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EmbeddedValkey]:
    if request.param is RealRedis and not shutil.which("redis-server"):
        pytest.skip("Redis: put a redis-server on the PATH to try its access control lists too")
    valkey: EmbeddedValkey = request.param(tmp_path / "valkey")
    valkey.start()
    with redis.Redis.from_url(valkey.url) as administrator:
        for stream in (FEED, INTERNAL):
            administrator.xadd(stream, {"a": "b"}, id="1-1")
            administrator.xgroup_create(stream, "matching", id="0")
    yield valkey
    valkey.stop()


def connected(server: EmbeddedValkey, name: str, password: str) -> redis.Redis:
    return redis.Redis.from_url(f"unix://subscriber-{name}:{password}@{server.socket}", decode_responses=True)


READS = [
    f"XREAD COUNT 9 STREAMS {FEED} 0",
    f"XRANGE {FEED} - +",
    f"XREVRANGE {FEED} + -",
    f"XLEN {FEED}",
    f"XINFO STREAM {FEED}",
]
IN_GROUPS = [
    f"XGROUP CREATE {FEED} mine 0",
    f"XREADGROUP GROUP mine me STREAMS {FEED} >",
    f"XPENDING {FEED} mine",
    f"XAUTOCLAIM {FEED} mine other 0 0",
    f"XACK {FEED} mine 1-1",
    f"XINFO GROUPS {FEED}",
]
NEVER = [
    *(f"XRANGE {stream} - +" for stream in (INTERNAL, "fenghe:registry", "fenghe:notify", "{fenghe:feed}:epoch")),
    *(f"XREAD STREAMS {FEED} {INTERNAL} 0 0", f"XREADGROUP GROUP matching me STREAMS {INTERNAL} >", f"XINFO STREAM {INTERNAL}"),
    *(f"XGROUP CREATE {INTERNAL} mine 0", f"XGROUP DESTROY {FEED} matching", f"XGROUP SETID {FEED} matching $"),
    *(f"XGROUP DELCONSUMER {FEED} matching me", f"XACK {INTERNAL} matching 1-1", f"XGROUP DESTROY {INTERNAL} matching"),
    *(f"XADD {FEED} * a b", f"XDEL {FEED} 1-1", f"XTRIM {FEED} MAXLEN 0", f"DEL {FEED}", f"RENAME {FEED} x", f"COPY {FEED} x"),
    *("GET {fenghe:feed}:epoch", "SET x y", "KEYS *", "SCAN 0", "RANDOMKEY", "DBSIZE", "FLUSHALL", "FLUSHDB", "SWAPDB 0 1"),
    *("CONFIG GET *", "CONFIG SET port 1", "ACL LIST", "ACL SETUSER subscriber-a +@all", "ACL WHOAMI", "INFO", "MONITOR"),
    *("CLIENT LIST", "CLIENT KILL USER fenghe", "CLIENT PAUSE 10000", "SHUTDOWN NOSAVE", "SLAVEOF h 1"),
    *("EVAL return 0", "SCRIPT FLUSH", "FUNCTION FLUSH", "MODULE LIST", "PUBLISH x y", "SUBSCRIBE x", "MULTI", "SELECT 1"),
    *("SAVE", "BGREWRITEAOF", "SLOWLOG GET", "COMMAND", "OBJECT ENCODING " + FEED, "WAIT 1 0", "MIGRATE h 1 x 0 1"),
]


@pytest.mark.parametrize("groups", [False, True])
def test_a_subscriber_may_read_the_feed_and_nothing_else(server: EmbeddedValkey, groups: bool) -> None:
    with Subscribers(server.url) as subscribers, connected(server, "a", subscribers.add("a", groups)) as client:
        for command in READS + (IN_GROUPS if groups else []):
            client.execute_command(*command.split())
        for command in NEVER + ([] if groups else IN_GROUPS):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*command.split())
    with redis.Redis.from_url(server.url) as administrator:
        assert (administrator.xlen(FEED), administrator.xlen(INTERNAL)) == (1, 1)


def test_subscribers_come_and_go_and_are_there_after_a_restart(server: EmbeddedValkey) -> None:
    with Subscribers(server.url) as subscribers:
        first = subscribers.add("portal", groups=False)
        subscribers.add("city", groups=True)
        with connected(server, "portal", first) as portal:
            portal.ping()
            known = [Subscriber("city", True, 1, 0), Subscriber("portal", False, 1, 1)]
            assert subscribers.all() == known
        for name in ("", "Portal", "a b", "-a", "a-", "x" * 41, "a:b"):
            with pytest.raises(SubscriberError, match="cannot be a subscriber's name"):
                subscribers.add(name, groups=False)
        with pytest.raises(SubscriberError, match="already"):
            subscribers.add("portal", groups=True)
        for unknown in (lambda: subscribers.remove("x"), lambda: subscribers.rotate("x", at_once=False)):
            with pytest.raises(SubscriberError, match="no subscriber 'x'"):
                unknown()
    server.stop()
    server.start()
    with Subscribers(server.url) as subscribers, connected(server, "portal", first) as portal:
        assert portal.xlen(FEED) == 1
        subscribers.remove("portal")
        with pytest.raises(redis.RedisError):
            portal.xlen(FEED)
        assert [one.name for one in subscribers.all()] == ["city"]


def test_two_passwords_are_valid_while_they_are_changed(server: EmbeddedValkey) -> None:
    def valid(password: str) -> bool:
        with connected(server, "a", password) as client:
            try:
                return client.xlen(FEED) == 1
            except redis.AuthenticationError:
                return False

    with Subscribers(server.url) as subscribers:
        first = subscribers.add("a", groups=False)
        second = subscribers.rotate("a", at_once=False)
        assert (valid(first), valid(second)) == (True, True)
        third = subscribers.rotate("a", at_once=False)
        assert (valid(first), valid(second), valid(third)) == (False, True, True)
        with connected(server, "a", third) as client:
            client.ping()
            fourth = subscribers.rotate("a", at_once=True)
            with pytest.raises(redis.RedisError):
                client.xlen(FEED)
        assert (valid(third), valid(fourth)) == (False, True)
