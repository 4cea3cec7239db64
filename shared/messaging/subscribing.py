"""One FastStream batch subscriber on a stream: everything FastStream needs to be told specially (docs/decisions/0003)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from faststream import AckPolicy
from faststream.redis import RedisBroker, StreamSub
from faststream.redis.message import RedisBatchStreamMessage
from faststream.redis.subscriber.usecases import stream_subscriber
from redis.exceptions import RedisError

from shared.messaging.streams import text

POLL_MILLISECONDS = 1000
"""How long an idle subscriber blocks; a new entry wakes it at once. Below the client's socket timeout."""
PAUSE = 0.25
"""Seconds before a subscriber asks again a Redis that is gone or answers with an error."""
# After a lost connection FastStream pauses for five seconds, and no setting says otherwise.
stream_subscriber.CONSUME_ERROR_BACKOFF_SECONDS = PAUSE  # type: ignore[assignment,attr-defined]


def subscribe(
    broker: RedisBroker,
    stream: str,
    group: str,
    consumer: str,
    batch: int,
    receive: Callable[[dict[str, Any]], Awaitable[None]],
) -> Any:
    """A subscriber that gives `receive` at most `batch` raw entries at a time and acknowledges nothing; not started yet."""
    subscriber: Any = broker.subscriber(
        stream=StreamSub(
            stream, group=group, consumer=consumer, batch=True, max_records=batch, polling_interval=POLL_MILLISECONDS
        ),
        parser=_parse,
        decoder=_raw,
        ack_policy=AckPolicy.MANUAL,
    )
    subscriber(receive)
    subscriber._consume = _patient(subscriber, subscriber._consume)
    return subscriber


def _patient(subscriber: Any, consume: Callable[..., Awaitable[None]]) -> Callable[..., Awaitable[None]]:
    """FastStream begins again at once, thousands of times a second, when Redis answers NOPERM, READONLY or the like."""

    async def patient(*args: Any, **kwargs: Any) -> None:
        while subscriber.running:
            try:
                return await consume(*args, **kwargs)
            except RedisError:
                await asyncio.sleep(PAUSE)
        return None

    return patient


async def _parse(message: Any) -> RedisBatchStreamMessage:
    # The kit reads the entries itself: in FastStream's typed batch one invalid entry sinks all the others.
    return RedisBatchStreamMessage(
        raw_message=message,
        body=b"",
        message_id=text(message["message_ids"][0]),
        consumer=None,  # type: ignore[arg-type]
        group=None,
    )


async def _raw(message: RedisBatchStreamMessage) -> Any:
    return message.raw_message
