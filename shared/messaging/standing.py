"""Where a consumer group stands: what it has not finished with, how old that is, and who its replicas are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

COUNTED_AT_MOST = 1000
"""Undelivered entries that are counted one by one where Redis, after deletions, does not know their number."""


@dataclass(frozen=True)
class Member:
    """A consumer of a group on one stream: how long ago it asked for entries (seconds), how many it has in hand."""

    name: str
    idle: float
    pending: int


@dataclass(frozen=True)
class Standing:
    """Where a group stands on one stream. `seconds` is the age of the oldest entry it has not finished with, None where it is
    done with all. `group`: whether the group exists; it is missing for a moment after Redis lost its data."""

    stream: str
    group: bool
    undelivered: int
    pending: int
    seconds: float | None
    members: tuple[Member, ...] = ()

    @property
    def facts(self) -> int:
        """How many entries the group has not finished with."""
        return self.undelivered + self.pending


class Observer:
    """Looks at a group from outside, with a connection of its own that waits for nobody. May be used from any thread."""

    def __init__(self, redis_url: str, group: str, streams: Sequence[str]) -> None:
        self._client: Any = redis.Redis.from_url(
            redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=2, socket_connect_timeout=2
        )
        self.group = group
        self.streams = streams

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def ping(self) -> None:
        """Raises redis.RedisError, or OSError, where Redis does not answer within two seconds."""
        self._client.ping()

    def look(self) -> list[Standing]:
        """Where the group stands on each of its streams. Raises redis.RedisError, or OSError, where Redis cannot be asked."""
        with self._client.pipeline(transaction=False) as pipeline:
            pipeline.time()
            for stream in self.streams:
                pipeline.xinfo_groups(stream)
                pipeline.xinfo_consumers(stream, self.group)
                pipeline.xpending(stream, self.group)
            (seconds, microseconds), *found = pipeline.execute(raise_on_error=False)
        now = seconds + microseconds / 1e6
        groups = [_named(groups, self.group) for groups in found[0::3]]
        first = self._first_undelivered(groups)
        return [
            _standing(stream, group, consumers, pending, entries, now)
            for stream, group, consumers, pending, entries in zip(
                self.streams, groups, found[1::3], found[2::3], first, strict=True
            )
        ]

    def _first_undelivered(self, groups: Sequence[Any]) -> list[list[Any]]:
        with self._client.pipeline(transaction=False) as pipeline:
            for stream, group in zip(self.streams, groups, strict=True):
                if group and group["lag"] != 0:
                    count = COUNTED_AT_MOST if group["lag"] is None else 1
                    pipeline.xrange(stream, f"({group['last-delivered-id'].decode()}", "+", count=count)
            found = iter(pipeline.execute())
        return [next(found) if group and group["lag"] != 0 else [] for group in groups]


def _named(groups: Any, name: str) -> Any:
    """The group of that name; None where there is none, or no stream. Raises redis.RedisError for any other answer."""
    if isinstance(groups, redis.ResponseError) and "no such key" in str(groups):
        return None
    if isinstance(groups, Exception):
        raise groups
    return next((group for group in groups if group["name"].decode() == name), None)


def _standing(stream: str, group: Any, consumers: Any, pending: Any, entries: list[Any], now: float) -> Standing:
    if group is None or isinstance(consumers, Exception) or isinstance(pending, Exception):
        return Standing(stream, False, 0, 0, None)
    undelivered = len(entries) if group["lag"] is None else int(group["lag"])
    ids = [id for id in (pending["min"], entries[0][0] if entries else None) if id]
    oldest = min((int(id.partition(b"-")[0]) / 1000 for id in ids), default=None)
    members = tuple(Member(member["name"].decode(), member["idle"] / 1000, member["pending"]) for member in consumers)
    return Standing(
        stream,
        True,
        undelivered,
        int(pending["pending"]),
        None if oldest is None else max(0.0, now - oldest),
        members,
    )
