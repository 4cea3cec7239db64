"""Reading the streams from outside any consumer group: nothing is taken from anybody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import redis

from shared.messaging.entries import Fields
from shared.messaging.streams import stream_of

COUNT = 500


class Reader:
    """Reads the facts of some tellers. Raises redis.RedisError where Redis cannot be reached."""

    def __init__(self, redis_url: str, tellers: Sequence[str]) -> None:
        self._client: Any = redis.Redis.from_url(redis_url, socket_timeout=10)
        self._last = {stream_of(teller): "0-0" for teller in tellers}

    def ping(self) -> None:
        """Raises redis.RedisError where Redis cannot be reached."""
        self._client.ping()

    def past(self, teller: str) -> Iterator[Fields]:
        """What one teller has told so far, oldest first."""
        stream = stream_of(teller)
        while told := self._client.xrange(stream, f"({self._last[stream]}", "+", count=COUNT):
            for id, fields in told:
                self._last[stream] = id.decode()
                yield fields

    def follow(self) -> Iterator[Fields]:
        """What is told after what `past` gave, for ever."""
        while True:
            for stream, told in self._client.xread(self._last, block=5000, count=COUNT) or []:
                self._last[stream.decode()] = told[-1][0].decode()
                yield from (fields for _, fields in told if fields)
