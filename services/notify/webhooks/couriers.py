"""A replica's part of the deliveries: a courier for each webhook that has something due, side by side.

A courier takes what is due of one webhook in rounds. Within a round the facts of one subject go one after the other, and none
after one that failed; different subjects go side by side. What each attempt came to is written as soon as it is known. So one
slow receiver keeps one courier busy, and nobody else waits.
"""

from __future__ import annotations

import asyncio
import random
import threading
from collections import OrderedDict, defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Mapping
from concurrent.futures import Future
from contextlib import suppress
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from prometheus_client import Counter, Histogram

from services.notify.webhooks import work
from services.notify.webhooks.desk import Desk
from services.notify.webhooks.rules import FAILING, Outcome
from services.notify.webhooks.signing import body_of, headers_of
from services.notify.webhooks.targets import Reach
from services.notify.webhooks.work import Job, Result, Round, Standing
from shared import clock, logs
from shared.service import Host

if TYPE_CHECKING:
    from services.notify.webhooks.sending import Sender

T = TypeVar("T")

LOOK_EVERY = 0.1
"""Seconds between two looks for what is due; longer while there is no active webhook."""
LOOK_AGAIN = 0.02
"""Seconds until the next look where some of what is due was left to others."""
IDLE = 1.0
SIDE_BY_SIDE = 8
"""Requests under way to one receiver."""
ALTOGETHER = 500
"""Requests under way from one replica."""
COURIERS = 300
ROUNDS = 20
"""After so many rounds a courier lets another replica have a turn."""
WRITTEN_EVERY = 0.5
"""Seconds after which what is known of rounds is written, though they are not over."""
RENEW_EVERY = 8.0
PURGE_EVERY = 3600.0
REMEMBERED = 5000
"""New facts of the feed whose kind is remembered, to see without asking which webhook wants them."""
BODIES_BYTES = 16_000_000
STOPS_WITHIN = 8.0

log = logs.get("webhooks")


class Couriers:
    """Sends webhooks, in a thread and an event loop of its own."""

    def __init__(self, host: Host) -> None:
        self._host = host
        self._thread = threading.Thread(target=self._run, name="webhooks", daemon=True)
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._sender: Sender | None = None
        self._held: dict[str, int] = {}
        self._results: defaultdict[tuple[str, int], list[Result]] = defaultdict(list)
        self._tasks: set[asyncio.Task[None]] = set()
        self._seen: deque[tuple[int, str, str, str]] = deque(maxlen=REMEMBERED)
        self._seen_from = 0
        self._seen_to = 0
        self._looked: dict[Hashable, int] = {}
        self._bodies: OrderedDict[int, str] = OrderedDict()
        self._bodies_size = 0
        self._stopping = False
        self._attempts = Counter(
            "fenghe_webhook_attempts", "Attempts to deliver a fact", ["outcome"], registry=host.metrics.registry
        )
        self._seconds = Histogram("fenghe_webhook_seconds", "Time until a receiver answered", registry=host.metrics.registry)

    # --- what the service and its routes ask for ------------------------------------------------------------------------

    def start(self) -> None:
        """Begin."""
        self._thread.start()
        self._started.wait(30)

    def stop(self) -> None:
        """Finish the requests under way, write what came of them, give the leases back."""
        self._stopping = True
        self.wake()
        if self._thread.ident is not None:
            self._thread.join(timeout=STOPS_WITHIN + 3)

    @property
    def running(self) -> bool:
        """Whether webhooks are sent by this replica."""
        return self._thread.is_alive()

    def wake(self) -> None:
        """Look at once."""
        if self._loop is not None:
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._woken.set)

    def attempt(self, url: str, id: str, body: str, secrets: tuple[str, ...]) -> Future[Outcome]:
        """Make one attempt, outside of all order."""
        assert self._loop is not None
        return asyncio.run_coroutine_threadsafe(self._attempt(url, id, body, secrets), self._loop)

    # --- the loop -------------------------------------------------------------------------------------------------------

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._woken = asyncio.Event()
        self._room = asyncio.Semaphore(ALTOGETHER)
        self._desk = Desk(self._host)
        desk = asyncio.create_task(self._desk.serve())
        self._started.set()
        regular = ((WRITTEN_EVERY, self._write), (RENEW_EVERY, self._renew), (PURGE_EVERY, self._purge))
        chores = [asyncio.create_task(self._regularly(*chore)) for chore in regular]
        try:
            if self._host.settings.sole:
                await self._desk.ask(work.free_all)
            while not self._stopping:
                pause = await self._look()
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._woken.wait(), pause)
                self._woken.clear()
            if self._tasks:
                await asyncio.wait(self._tasks, timeout=STOPS_WITHIN)
        finally:
            for task in (*self._tasks, *chores, desk):
                task.cancel()
            if self._sender is not None:
                await self._sender.close()

    async def _look(self) -> float:
        """Send couriers where something is due; the seconds until the next look."""
        try:
            standing = await asyncio.to_thread(self._host.read, work.glance)
            if not standing:
                return IDLE
            await self._learn()
            due = [one.id for one in standing if one.free and one.id not in self._held and self._has_work(one)]
            # Half of them, whichever: so replicas that look at the same time share them.
            mine = random.sample(due, min((len(due) + 1) // 2, COURIERS - len(self._tasks)))
            if mine:
                for id, lease in (await self._desk.ask(partial(work.claim, ids=mine))).items():
                    self._held[id] = lease
                    task = asyncio.create_task(self._carry(id, lease))
                    self._tasks.add(task)
                    task.add_done_callback(self._tasks.discard)
        except Exception as error:  # whatever it was, what is due is in the database, and it looks again
            log.warning(
                "webhooks could not be looked at; facts go out late, none is lost; see that the database runs",
                error=str(error),
                kind=type(error).__name__,
            )
            return IDLE
        return LOOK_EVERY if len(mine) == len(due) else LOOK_AGAIN

    async def _learn(self) -> None:
        """Remember which kinds of facts are new in the feed."""
        while True:
            new = await asyncio.to_thread(self._host.read, work.headers, self._seen_to, REMEMBERED)
            if not new:
                return
            self._seen.extend(new)
            self._seen_to = new[-1][0]
            self._seen_from = self._seen[0][0] - 1
            if len(new) < REMEMBERED:
                return

    def _has_work(self, one: Standing) -> bool:
        if one.due:
            return True
        wanted = (one.id, one.types, one.subject, one.everywhere)
        looked = max(one.position, self._looked.get(wanted, 0))
        if one.holds_back or looked >= self._seen_to:
            return False
        if looked < self._seen_from:
            return True
        for position, *kind in reversed(self._seen):
            if position <= looked:
                break
            if one.wants(*kind):
                return True
        self._looked[wanted] = self._seen_to
        return False

    async def _regularly(self, every: float, chore: Callable[[], Awaitable[None]]) -> None:
        while True:
            try:
                await chore()
            except Exception as error:
                log.error(
                    "a regular part of the work on webhooks failed and is done again; facts may come twice; report the bug",
                    error=str(error),
                    kind=type(error).__name__,
                )
            await asyncio.sleep(every)

    async def _write(self) -> None:
        """Write what is known of rounds that are not over, of all webhooks at once."""
        if self._results:
            results, self._results = self._results, defaultdict(list)
            await self._desk.ask(partial(work.record, results=results))

    async def _renew(self) -> None:
        if self._held:
            await self._desk.ask(partial(work.renew, leases=dict(self._held)))

    async def _purge(self) -> None:
        before = clock.now() - timedelta(days=self._host.settings.retention_days)
        await self._desk.ask(partial(work.purge, before=before))

    # --- one webhook ----------------------------------------------------------------------------------------------------

    async def _carry(self, id: str, lease: int) -> None:
        """Rounds for one webhook, until nothing of it is due."""
        try:
            results: list[Result] = []
            for count in range(ROUNDS + 1):
                more = count < ROUNDS and not self._stopping
                round = await self._desk.ask(partial(work.advance, id=id, lease=lease, results=results, more=more))
                if round is None:
                    break
                results = await self._go(id, lease, round)
        except Exception as error:
            log.error(
                "a webhook's deliveries were broken off; they are taken up again within half a minute; report the bug",
                webhook=id,
                error=str(error),
                kind=type(error).__name__,
            )
        finally:
            self._held.pop(id, None)
            self._woken.set()

    async def _go(self, id: str, lease: int, round: Round) -> list[Result]:
        """One round; what was not written of it yet."""
        subjects: dict[str, list[Job]] = defaultdict(list)
        for job in round.jobs:
            subjects[job.subject].append(job)
        queue = deque(subjects.values())
        bodies = await self._messages([job.position for job in round.jobs])
        failures = 0

        async def deliver() -> None:
            nonlocal failures
            while queue and failures < FAILING and not self._stopping:
                for job in queue.popleft():
                    if failures >= FAILING or self._stopping:
                        return
                    async with self._room:
                        outcome = await self._attempt(round.url, job.fact, bodies[job.position], round.secrets)
                    self._results[id, lease].append(Result(job, outcome))
                    failures = 0 if outcome.delivered else FAILING if outcome.throttles else failures + 1
                    if not outcome.delivered:
                        break

        await asyncio.gather(*(deliver() for _ in range(min(SIDE_BY_SIDE, len(queue)))))
        return self._results.pop((id, lease), [])

    async def _attempt(self, url: str, id: str, body: str, secrets: tuple[str, ...]) -> Outcome:
        if self._sender is None:  # most deployments send none, and a client of HTTP takes its time to import
            from services.notify.webhooks.sending import Sender

            self._sender = Sender(Reach.of(self._host.settings), self._host.settings.webhook_timeout)
        headers = headers_of(id, clock.now(), body, secrets)
        outcome = await self._sender.send(url, headers, body.encode())
        self._attempts.labels("delivered" if outcome.delivered else outcome.error).inc()
        self._seconds.observe(outcome.milliseconds / 1000)
        return outcome

    async def _messages(self, positions: list[int]) -> Mapping[int, str]:
        """The messages of facts, by position; those sent last are remembered, for other webhooks want them too."""
        missing = [position for position in positions if position not in self._bodies]
        found: dict[int, str] = {position: self._bodies[position] for position in positions if position in self._bodies}
        if missing:
            events: dict[int, Any] = await asyncio.to_thread(self._host.read, work.bodies, missing)
            for position, event in events.items():
                found[position] = self._bodies[position] = body_of(event)
                self._bodies_size += len(found[position])
            while self._bodies_size > BODIES_BYTES:
                _, oldest = self._bodies.popitem(last=False)
                self._bodies_size -= len(oldest)
        return found
