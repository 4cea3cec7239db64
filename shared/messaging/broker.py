"""The transport: FastStream's batch subscribers on Redis Streams, supervised, and what they leave pending, claimed.

What Redis needs to be told specially stands here, what FastStream does in `subscribing.py` (docs/decisions/0003).
"""

from __future__ import annotations

import asyncio
import os
import secrets
import socket
from collections.abc import Awaitable, Sequence
from typing import Any

from faststream.redis import RedisBroker
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError

from shared import logs
from shared.messaging.consumer import Consumer, Entry
from shared.messaging.keeping import warn_of_losses
from shared.messaging.metrics import Metrics
from shared.messaging.progress import Progress, watch
from shared.messaging.standing import Observer
from shared.messaging.streams import text
from shared.messaging.subscribing import subscribe

log = logs.get("broker")

SUPERVISE_EVERY = 0.25
CLAIM_COUNT = 100
LAST_ID = f"{2**64 - 1}-0"
DELIVERY_CAP = 10
"""Deliveries after which an entry goes to the dead letters: whoever handles it dies of it."""


class Broker:
    """Reads streams for one consumer group and hands their entries to the consumer."""

    def __init__(
        self, redis_url: str, observer: Observer, progress: Progress, batch: int, claim_idle: float, metrics: Metrics
    ) -> None:
        self.group = observer.group
        self.streams = list(observer.streams)
        self.consumer_name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
        self._observer = observer
        self._progress = progress
        self._claim_idle = claim_idle
        self._metrics = metrics
        self._batch = batch
        self.client: Any = Redis.from_url(redis_url, retry=Retry(NoBackoff(), 0), socket_timeout=10, socket_connect_timeout=2)
        self._broker = RedisBroker(redis_url, apply_types=False, logger=None)  # type: ignore[arg-type]
        self._subscribers: dict[str, Any] = {}
        self._reachable = True
        self._stopping = False
        self._in_flight = 0
        self._handling: dict[str, asyncio.Task[None]] = {}
        self._idle = asyncio.Event()
        self._idle.set()
        self._tasks: list[asyncio.Task[None]] = []

    async def wait(self, limit: float) -> None:
        """Wait until Redis answers, at most `limit` seconds; raises TimeoutError with a sentence."""
        deadline = asyncio.get_running_loop().time() + limit
        while True:
            try:
                await self.client.ping()
                await warn_of_losses(self.client)
                return
            except (RedisError, OSError) as error:
                if asyncio.get_running_loop().time() > deadline:
                    raise _silent(limit, error) from None
                log.info("waiting for Redis", kind=type(error).__name__)
                await asyncio.sleep(0.25)

    async def start(self, consumer: Consumer, claim_everything: bool) -> None:
        """Begin to read. `claim_everything`: this is the only replica, so what is pending was its predecessor's."""
        self._consumer = consumer
        for stream in self.streams:
            await self._create_group(stream)
            self._subscribers[stream] = subscribe(
                self._broker, stream, self.group, self.consumer_name, self._batch, self._receive
            )
        if claim_everything:
            for stream in self.streams:
                await self._claim(stream, 0)
        await self._broker.start()
        watching = watch(self._observer, self._progress, self.consumer_name, consumer)
        self._tasks = [asyncio.create_task(loop) for loop in (self._supervise(), self._claim_regularly(), watching)]

    async def stop(self) -> None:
        """Finish what is being handled, then end. A consumer that leaves nothing pending leaves no name behind."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        for subscriber in self._subscribers.values():
            subscriber.running = False
        # Each step has a limit, and the loops look at `_stopping`: a cancellation that a client library swallows must not
        # keep the process from ending.
        if self._tasks:
            await self._within(2, asyncio.wait(self._tasks), "the supervision")
        await self._within(10, self._idle.wait(), "a batch; what it does not acknowledge is claimed later")
        await self._within(3, self._broker.stop(), "FastStream")
        await self._within(3, self._sign_off(), "leaving the group")
        await self._within(1, self.client.aclose(), "the connection")

    async def _within(self, seconds: float, step: Awaitable[Any], what: str) -> None:
        try:
            await asyncio.wait_for(step, seconds)
        except TimeoutError:
            log.warning(
                "stopping did not wait any longer; what was in hand is taken over by a replica; nothing is to be done",
                group=self.group,
                waited_for=what,
                seconds=seconds,
            )

    async def _sign_off(self) -> None:
        try:
            for stream in self.streams:
                pending = await self.client.xpending_range(stream, self.group, "-", "+", 1, self.consumer_name)
                if not pending:
                    await self.client.xgroup_delconsumer(stream, self.group, self.consumer_name)
        except (RedisError, OSError):
            return

    @property
    def reading(self) -> bool:
        """Whether Redis answers and every subscriber is running."""
        return self._reachable and all(subscriber.running for subscriber in self._subscribers.values())

    async def acknowledge(self, stream: str, entry_ids: Sequence[str]) -> None:
        """One XACK for all of them. One that is lost leaves handled entries pending; they are claimed and passed over."""
        self._progress.made(stream)
        try:
            await self.client.xack(stream, self.group, *(id.encode() for id in entry_ids))
        except (RedisError, OSError) as error:
            log.warning(
                "an acknowledgement was lost; its facts come again and are passed over; see that Redis runs", error=str(error)
            )

    async def pending(self) -> int:
        """How many entries this group has not finished with: undelivered or unacknowledged. Raises RedisError."""
        total = 0
        for stream in self.streams:
            total += await self._behind(stream)
        return total

    async def last_ids(self) -> dict[str, str]:
        """The id of the last entry of every stream heard. Raises RedisError."""
        return {stream: text((await self.client.xinfo_stream(stream))["last-generated-id"]) for stream in self.streams}

    async def _behind(self, stream: str) -> int:
        for group in await self.client.xinfo_groups(stream):
            if text(group["name"]) == self.group:
                if (lag := group.get("lag")) is None:  # Redis cannot say after deletions; whether anything is left it can
                    newer = await self.client.xrange(stream, f"({text(group['last-delivered-id'])}", "+", count=1000)
                    lag = len(newer)
                return int(group["pending"]) + int(lag)
        raise ResponseError(f"NOGROUP {self.group} on {stream}")

    async def _create_group(self, stream: str) -> None:
        # From 0, by ourselves: FastStream would begin at $ and miss what was told before the first start.
        try:
            await self.client.xgroup_create(stream, self.group, id="0", mkstream=True)
        except ResponseError as error:
            if "BUSYGROUP" not in str(error):
                raise

    async def _receive(self, raw: dict[str, Any]) -> None:
        stream = str(raw["channel"])
        batch = [Entry(stream, text(id), fields or {}) for id, fields in zip(raw["message_ids"], raw["data"], strict=True)]
        # One batch ahead: while this one is handled FastStream reads the next, which waits here for its turn.
        before = self._handling.get(stream)
        self._handling[stream] = asyncio.create_task(self._handle(stream, batch, before))
        if before:
            await asyncio.wait([before])

    async def _handle(self, stream: str, batch: list[Entry], before: asyncio.Task[None] | None = None) -> None:
        self._in_flight += 1
        self._idle.clear()
        try:
            if before:
                await asyncio.wait([before])
            await self._consumer.handle(stream, batch)
        except Exception:
            log.exception("a batch failed by a bug in the kit; it is claimed later; report the bug", facts=len(batch))
            await asyncio.sleep(1)
        finally:
            self._in_flight -= 1
            if not self._in_flight:
                self._idle.set()

    async def _supervise(self) -> None:
        """A FastStream subscriber that met NOGROUP stops for good, and after a lost connection it pauses for five seconds.
        So: make the groups again, and start again what stands still, as soon as Redis answers."""
        while not self._stopping:
            await asyncio.sleep(SUPERVISE_EVERY)
            try:
                await self.client.ping()
                returned = not self._reachable
                for stream, subscriber in self._subscribers.items():
                    stopped = not subscriber.running
                    stalled = not self._in_flight and self._progress.restart_due(stream)
                    if returned or stopped or stalled:
                        await self._idle.wait()
                        await subscriber.stop()
                        await self._create_group(stream)
                        await subscriber.start()
                        if stopped:
                            # The stream may have vanished once more in between, and FastStream have made the group at $.
                            await self.client.xgroup_setid(stream, self.group, "0")
                        log.info("reading again", stream=stream)
                self._reachable = True
            except Exception as error:
                if self._reachable:
                    log.warning(
                        "Redis cannot be used; facts wait, none is lost, reading goes on by itself; start Redis, or check "
                        "FENGHE_REDIS_URL",
                        error=str(error),
                    )
                self._reachable = False
                await asyncio.sleep(SUPERVISE_EVERY)

    async def _claim_regularly(self) -> None:
        while not self._stopping:
            await asyncio.sleep(self._claim_idle / 3)
            for stream in self.streams:
                try:
                    await self._be_seen(stream)
                    await self._claim(stream, self._claim_idle)
                except Exception as error:
                    log.warning(
                        "claiming failed; what another replica left waits longer, it is tried again; see that Redis runs",
                        stream=stream,
                        error=str(error),
                    )

    async def _be_seen(self, stream: str) -> None:
        """Before 7.2 Redis takes a consumer that waits for new entries for idle, or does not know it yet. One that asks for
        old ones it is seen by; there are none of this id, so that nothing is delivered again."""
        await self.client.xreadgroup(self.group, self.consumer_name, {stream: LAST_ID}, count=1)

    async def _claim(self, stream: str, idle: float) -> None:
        """Take over, in bulk, what has been pending for `idle` seconds. What was delivered too often is given up."""
        cursor: Any = None
        while cursor != b"0-0":
            cursor, claimed, vanished = await self.client.xautoclaim(
                stream, self.group, self.consumer_name, int(idle * 1000), cursor or b"0-0", count=CLAIM_COUNT
            )
            if vanished:
                # Redis drops them from what is pending without another word.
                self._metrics.vanished.inc(len(vanished))
                log.error(
                    "entries were removed from a stream before this group had finished with them; what had not taken effect is "
                    "missing here; let nobody trim but Fenghe, then send it again: fenghe republish, with the teller's name",
                    stream=stream,
                    group=self.group,
                    entries=len(vanished),
                )
            batch = [Entry(stream, text(id), fields) for id, fields in claimed if fields is not None]
            if batch:
                log.info("claimed facts that were left pending", stream=stream, facts=len(batch))
                self._metrics.claimed.inc(len(batch))
                hopeless = await self._hopeless(stream, batch)
                await self._handle(stream, [entry for entry in batch if entry not in hopeless])
                if hopeless:
                    cause = f"delivered {DELIVERY_CAP} times without coming to an end: its handler hangs or kills the process"
                    await self._consumer.bury(stream, hopeless, cause, DELIVERY_CAP)

    async def _hopeless(self, stream: str, batch: list[Entry]) -> list[Entry]:
        details = await self.client.xpending_range(
            stream, self.group, batch[0].id, batch[-1].id, len(batch), self.consumer_name
        )
        often = {text(detail["message_id"]) for detail in details if detail["times_delivered"] > DELIVERY_CAP}
        return [entry for entry in batch if entry.id in often]


def _silent(limit: float, error: Exception) -> TimeoutError:
    return TimeoutError(f"Redis did not answer within {limit:.0f} s ({error}); start it, or check FENGHE_REDIS_URL.")
