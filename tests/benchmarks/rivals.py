"""What usual Python queues and FastStream do in the same place, without inbox, transaction or outbox: their task parses the
fact, nothing else. Each runs as its own worker process."""

from __future__ import annotations

import os
import time
from typing import Any

import redis
from faststream import AckPolicy, FastStream
from faststream.redis import RedisBroker, StreamSub
from huey import RedisHuey
from taskiq_redis import ListQueueBroker

from shared.events.registry import AgreementSigned

REDIS_URL = os.environ.get("BENCH_REDIS_URL", "redis://127.0.0.1:1")
WARM, COUNT = (int(os.environ.get(name, "0")) for name in ("BENCH_WARM", "BENCH_COUNT"))
STREAM = "bench:plain"

_handled = 0


def handled(facts: int = 1) -> None:
    """These facts are done with. The moments at which the warm-up and everything were done are left in Redis."""
    global _handled
    before, _handled = _handled, _handled + facts
    if before < WARM <= _handled or before < COUNT <= _handled:
        with redis.Redis.from_url(REDIS_URL) as client:
            client.rpush("bench:moments", f"{_handled} {time.time()}")


huey = RedisHuey("bench", url=REDIS_URL, results=False, blocking=True)
taskiq = ListQueueBroker(REDIS_URL, queue_name="bench-taskiq", socket_timeout=None)


@huey.task()
def huey_task(data: str) -> None:
    """What huey does with a fact."""
    AgreementSigned.model_validate_json(data)
    handled()


@taskiq.task
async def taskiq_task(data: str) -> None:
    """What taskiq does with a fact; on the event loop, which is faster than its threads."""
    AgreementSigned.model_validate_json(data)
    handled()


async def faststream(batch: int) -> None:
    """FastStream's subscriber of a consumer group, one message at a time or in batches."""
    broker = RedisBroker(REDIS_URL, logger=None)  # type: ignore[arg-type]
    if batch == 1:
        one = StreamSub(STREAM, group="bench", consumer="c", max_records=100)

        @broker.subscriber(stream=one, ack_policy=AckPolicy.ACK)
        async def _one(fact: AgreementSigned) -> None:
            handled()

    else:
        many = StreamSub(STREAM, group="bench", consumer="c", batch=True, max_records=batch)

        @broker.subscriber(stream=many, ack_policy=AckPolicy.ACK)
        async def _many(facts: list[AgreementSigned]) -> None:
            handled(len(facts))

    await FastStream(broker, logger=None).run()


async def fill(name: str, data: str) -> None:
    """Put COUNT facts where a rival finds them."""
    client: Any = redis.Redis.from_url(REDIS_URL)
    if name == "huey":
        for _ in range(COUNT):
            huey_task(data)
    elif name == "taskiq":
        await taskiq.startup()
        for _ in range(COUNT):
            await taskiq_task.kiq(data)
        await taskiq.shutdown()
    else:
        publisher = RedisBroker(REDIS_URL, logger=None)  # type: ignore[arg-type]
        await publisher.connect()
        client.xgroup_create(STREAM, "bench", id="0", mkstream=True)
        for _ in range(COUNT):
            await publisher.publish(AgreementSigned.model_validate_json(data), stream=STREAM)
        await publisher.stop()
