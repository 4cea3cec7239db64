"""Where a fault strikes: replicas under load, on a database and a Redis, and the ledger of what they acknowledged."""

from __future__ import annotations

import itertools
import random
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import redis

from shared.messaging.streams import epoch_of, stream_of
from shared.messaging.valkey import EmbeddedValkey
from shared.settings import Settings
from tests.faults.proxy import Proxy
from tests.faults.replica import Gone, Replica
from tests.messaging.child import service

STREAM = stream_of(service.name)
CLIENTS = 4
PAUSE = 0.01
"""Seconds between two commands of one client: load, not overload."""
CHANGES = 0.4
"""The share of commands that change an earlier subject."""


class Load:
    """Clients that give commands. One without an answer is given again under the same name until it is acknowledged."""

    def __init__(self, seed: str, pick: Callable[[], Replica]) -> None:
        self._chance = random.Random(seed)
        self._pick = pick
        self._numbers = itertools.count()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._play, daemon=True) for _ in range(CLIENTS)]
        self.acknowledged: set[str] = set()
        self.errors = 0

    def start(self) -> None:
        """Begin."""
        for thread in self._threads:
            thread.start()

    def finish(self, patience: float) -> bool:
        """Give no new commands; whether all that were given are acknowledged in time."""
        self._stopping.set()
        deadline = time.monotonic() + patience
        for thread in self._threads:
            thread.join(max(0.0, deadline - time.monotonic()))
        return not any(thread.is_alive() for thread in self._threads)

    def command(self, name: str) -> None:
        """Give one command until it is acknowledged."""
        while True:
            try:
                self._pick().ask("apply", name)
                self.acknowledged.add(name)
                return
            except Gone:
                with self._lock:
                    self.errors += 1
                time.sleep(PAUSE)  # a client's own, before it asks again

    def next_name(self) -> str:
        """The name of a new command: a new subject, or a change of one of the last twenty."""
        with self._lock:
            number = next(self._numbers)
            if number and self._chance.random() < CHANGES:
                return f"organization-{max(0, number - self._chance.randint(1, 20)):06d}+{number}"
            return f"organization-{number:06d}"

    def _play(self) -> None:
        with suppress(TimeoutError):
            while not self._stopping.wait(PAUSE):
                self.command(self.next_name())


class Arena:
    """One run of one fault."""

    def __init__(
        self, settings: Settings, server: EmbeddedValkey, replicas: int, variant: str, seed: str, patience: float
    ) -> None:
        self.settings = settings
        self.server = server
        self.proxy: Proxy | None = None
        self.small = False
        self.chance = random.Random(seed)
        self.patience = patience
        self.client: Any = redis.Redis.from_url(server.url)
        self.poison: set[str] = set()
        self.notes: list[str] = []
        self._variant = variant
        self._seed = seed
        self._wanted = replicas
        self._changed = threading.Condition()
        self._turn = itertools.count()
        self.replicas: list[Replica] = []
        self.load = Load(f"{seed} load", self.any_replica)
        self.memory: dict[str, Any] = {}

    def open(self) -> None:
        """Start the replicas, then the load."""
        self.replicas = [self._new(place) for place in range(self._wanted)]
        self.load.start()

    def close(self) -> None:
        """Leave nothing running."""
        self.load.finish(0)
        for replica in self.replicas:
            replica.kill()
        self.client.close()

    def restart(self, place: int) -> None:
        """Start a replica in the place of one that has ended."""
        fresh = self._new(place)
        with self._changed:
            self.replicas[place] = fresh
            self._changed.notify_all()

    def any_replica(self) -> Replica:
        """One that runs, in turn. Raises TimeoutError where none comes back."""
        with self._changed:
            if not self._changed.wait_for(lambda: any(replica.alive for replica in self.replicas), self.patience):
                raise TimeoutError("no replica runs")
            alive = [replica for replica in self.replicas if replica.alive]
        return alive[next(self._turn) % len(alive)]

    def recovery(self, since: float) -> float:
        """Seconds from then until a command given now has taken effect at the listener."""
        name = f"{self.load.next_name().partition('+')[0]}-probe"
        self.load.command(name)
        if not self.until(lambda: self.any_replica().ask("times", name)):
            self.notes.append(f"a command had taken no effect after {self.patience:.0f} s")
        return time.monotonic() - since

    def quiet(self) -> bool:
        """Whether, in time, every replica says twice that nothing is left to do, and the stream has its epoch."""

        def states() -> list[Any]:
            told = [replica.ask("quiet") for replica in self.replicas]
            self.memory["quiet"] = told
            return told if all(state["quiet"] for state in told) and self.client.exists(epoch_of(STREAM)) else []

        def still() -> bool:
            before = states()
            return bool(before) and states() == before

        return self.until(still)

    def until(self, condition: Callable[[], Any], limit: float = 0) -> bool:
        """Whether a condition came true within a limit; one that cannot be asked for is not true yet."""
        deadline = time.monotonic() + (limit or self.patience)
        while time.monotonic() < deadline:
            with suppress(Gone, redis.RedisError):
                if condition():
                    return True
            time.sleep(0.005)
        return False

    def _new(self, place: int) -> Replica:
        replica = Replica(self.settings, self._variant, f"{self._seed} {place}")
        try:
            replica.wait()
        except Gone:
            replica.kill()
            raise
        return replica
