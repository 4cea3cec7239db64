"""Where a fault strikes: replicas under load, on a database and a Redis, and the ledger of what they acknowledged."""

from __future__ import annotations

import itertools
import random
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import redis
import sqlalchemy as sa

from shared.messaging.streams import epoch_of, stream_of
from shared.settings import Settings
from tests.faults import commands, observer
from tests.faults.calling import CALL_LIMIT, Gone
from tests.faults.proxy import Proxy
from tests.faults.replica import Replica
from tests.faults.substrates import Ground, read_only

STREAM = stream_of(commands.service.name)
CLIENTS = 4
PAUSE = 0.02
"""Seconds between two commands of one client: load, not overload."""
CHANGES = 0.4
"""The share of commands that change an earlier subject."""
PLAIN = re.compile(r"loan-\d-\d+")
"""The name of a command that applies for a subject of a client's."""


class Load:
    """Clients that give commands over HTTP. One without an answer is given again under the same name until it is acknowledged.
    What each client gives follows from the seed alone."""

    def __init__(self, seed: str, pick: Callable[[], Replica]) -> None:
        self._seed = seed
        self._pick = pick
        self._probes = itertools.count()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._threads = [threading.Thread(target=self._play, args=(client,), daemon=True) for client in range(CLIENTS)]
        self.acknowledged: set[str] = set()
        self.errors = 0
        self.last_error = ""

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
        self.give([name])

    def give(self, names: list[str], held: float = 0, limit: float = CALL_LIMIT) -> None:
        """Give the commands of these names, together, until they are acknowledged."""
        while True:
            try:
                reply = self._pick().call("POST", "/commands", {"names": names, "held": held}, limit)
                if reply.status == 200:
                    self.acknowledged.update(reply.body)
                    return
                error = f"{reply.status}: {reply.body.get('detail')}"
            except Gone as gone:
                error = str(gone)
            with self._lock:
                self.errors += 1
                self.last_error = error
            time.sleep(PAUSE)  # a client's own, before it asks again

    def subjects(self, count: int) -> list[str]:
        """The first so many subjects that were applied for, as far as they were already."""
        return sorted(name for name in self.acknowledged.copy() if PLAIN.fullmatch(name))[:count]

    def probe(self) -> str:
        """The name of a command of the driver's own."""
        return f"probe-{next(self._probes):06d}"

    def _play(self, client: int) -> None:
        with suppress(TimeoutError):
            for name in names_of(self._seed, client):
                if self._stopping.wait(PAUSE):
                    return
                self.command(name)


def names_of(seed: str, client: int) -> Iterator[str]:
    """The commands of a client, without end: a new subject, or a change of one of its last ten."""
    chance = random.Random(f"{seed} {client}")
    subjects: list[str] = []
    for number in itertools.count():
        if subjects and chance.random() < CHANGES:
            yield f"{chance.choice(subjects[-10:])}+{number}"
        else:
            subjects.append(f"loan-{client}-{number:06d}")
            yield subjects[-1]


class Listener:
    """A replica of the observer. `whole`: it must have heard every fact; a rebuilt one only the newest of every subject."""

    def __init__(self, settings: Settings, variant: str, seed: str, folder: Path) -> None:
        self.whole = True
        self._new = partial(Replica, settings, variant, f"{seed} listener", folder, observer.service.name)
        self.start()

    def start(self) -> None:
        """Start it again; returns when it listens."""
        self.replica = self._new()
        self.replica.wait()


class Arena:
    """One run of one fault."""

    def __init__(
        self,
        settings: Settings,
        ground: Ground,
        folder: Path,
        url: str,
        replicas: int,
        variant: str,
        seed: str,
        patience: float,
    ) -> None:
        self.settings = settings
        self.folder = folder
        self.ground = ground
        self.server = ground.server
        self.database_url = url
        self.proxy: Proxy | None = None
        self.small = False
        self.chance = random.Random(seed)
        self.patience = patience
        self.client: Any = redis.Redis.from_url(self.server.url)
        self.poison: set[str] = set()
        self.refused: set[str] = set()
        self.trimmed: dict[str, dict[bytes, bytes]] = {}
        self.listeners: list[Listener] = []
        self.tried: list[str] = []
        self.notes: list[str] = []
        self.remarks: list[str] = []
        self._variant = variant
        self.seed = seed
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
        for replica in self.running:
            replica.kill()
        self.client.close()

    @property
    def running(self) -> list[Replica]:
        """The replicas, and those of the listeners."""
        return [*self.replicas, *(listener.replica for listener in self.listeners)]

    def tries(self, what: str) -> None:
        """Write down what the strike is going to do."""
        self.tried[-1] += f": {what}"

    def listen(self) -> Listener:
        """A listener with a database of its own, from now on."""
        url = self.ground.database("observer", observer.Table.metadata)
        settings = self.settings.model_copy(update={"database_url": url})
        listener = Listener(settings, self._variant, self.seed, self.folder)
        self.listeners.append(listener)
        return listener

    def keep(self) -> None:
        """Remember what stands on the stream: it may be trimmed, and the judge must know of it."""
        self.trimmed |= {id.decode(): fields for id, fields in self.client.xrange(STREAM)}

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

    @contextmanager
    def reading(self) -> Iterator[sa.Connection]:
        """The child's database, opened to read."""
        engine = read_only(self.database_url)
        with engine.connect() as connection:
            yield connection
        engine.dispose()

    def dead_letters(self) -> dict[str, bool]:
        """Whether each dead letter was replayed, by its id."""
        letters = self.any_replica().call("GET", "/witness").body["dead_letters"]
        return {letter["id"]: letter["replayed"] for letter in letters}

    def behind(self, group: str) -> int:
        """How many entries a group has not finished with."""
        for one in self.client.xinfo_groups(STREAM):
            if one["name"].decode() == group:
                newer = self.client.xrange(STREAM, f"({one['last-delivered-id'].decode()}", "+")
                return int(one["pending"]) + len(newer)
        return int(self.client.xlen(STREAM))

    def recovery(self, since: float) -> float:
        """Seconds from then until a command given now has taken effect at the listener."""
        name = self.load.probe()
        self.load.command(name)
        if not self.until(lambda: self.any_replica().call("GET", f"/effects/{name}").body):
            self.notes.append(f"a command had taken no effect after {self.patience:.0f} s")
        return time.monotonic() - since

    def quiet(self, limit: float) -> bool:
        """Whether, in time, every replica says twice that nothing is left to do, and the stream has its epoch."""

        def states() -> list[Any]:
            told = [replica.call("GET", "/quiet").body for replica in self.running]
            self.memory["quiet"] = told
            return told if all(state.get("quiet") for state in told) and self.client.exists(epoch_of(STREAM)) else []

        def still() -> bool:
            before = states()
            return bool(before) and states() == before

        return self.until(still, limit)

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
        replica = Replica(self.settings, self._variant, f"{self.seed} {place}", self.folder)
        try:
            replica.wait()
        except Gone:
            replica.kill()
            raise
        return replica
