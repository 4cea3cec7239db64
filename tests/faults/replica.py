"""A replica: a process of its own that runs the child service and does what the driver asks over a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import redis
from sqlmodel import Session

from shared import logs
from shared.messaging import healing, replay, steps
from shared.messaging.housekeeping import Housekeeper
from shared.service import Host, Service
from shared.settings import Settings
from tests.faults import observer, variants
from tests.messaging import child
from tests.messaging.child import Effect, killer

START_LIMIT = 30.0
ASK_LIMIT = 5.0
END_LIMIT = 25.0
WORKERS = 8
SERVICES = {service.name: service for service in (child.service, observer.service)}
ROLLED_BACK = "rolled back on purpose"


class Gone(Exception):
    """The replica did not answer: it is dead, it hangs, or what was asked failed."""


class Replica:
    """The driver's end of a replica. `start` returns once it runs; `kill` and `terminate` once it has ended."""

    def __init__(self, settings: Settings, variant: str, seed: str, service: str = child.service.name) -> None:
        # Forked from a server that has everything imported: a start takes milliseconds, and a kill is a real one.
        context = multiprocessing.get_context("forkserver")
        context.set_forkserver_preload([__name__])
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_run, args=(settings, variant, seed, service, theirs), daemon=True)
        self._process.start()
        theirs.close()
        self._lock = threading.Lock()
        self._numbers = itertools.count()
        self._asked: dict[int, Future[Any]] = {}
        self._gone = threading.Event()
        self._paused = False
        self._ready: Future[Any] = self._asked.setdefault(-1, Future())
        threading.Thread(target=self._listen, daemon=True).start()

    def wait(self) -> None:
        """Wait until it runs. Raises Gone."""
        self._result(self._ready, START_LIMIT)

    @property
    def alive(self) -> bool:
        """Whether it may answer at once."""
        return not (self._gone.is_set() or self._paused)

    def pause(self) -> None:
        """SIGSTOP."""
        self._paused = True
        self._signal(signal.SIGSTOP)

    def go_on(self) -> None:
        """SIGCONT."""
        self._signal(signal.SIGCONT)
        self._paused = False

    @property
    def memory(self) -> tuple[float, float]:
        """Its resident memory now, and at most so far, in megabytes."""
        lines = Path(f"/proc/{self._process.pid}/status").read_text().splitlines()
        kilobytes = {
            name: int(value.split()[0])
            for name, _, value in (line.partition(":") for line in lines)
            if "VmRSS" in name or "VmHWM" in name
        }
        return kilobytes["VmRSS"] / 1024, kilobytes["VmHWM"] / 1024

    @property
    def exit_code(self) -> int | None:
        """How it ended."""
        return self._process.exitcode

    def ask(self, what: str, *args: Any, limit: float = ASK_LIMIT) -> Any:
        """Have something done, and return its result. Raises Gone where no answer came: whether it was done is unknown."""
        future: Future[Any] = Future()
        with self._lock:
            number = next(self._numbers)
            self._asked[number] = future
            try:
                self._connection.send((number, what, args))
            except OSError as error:
                raise Gone(str(error)) from None
        if self._gone.is_set():
            raise Gone("it has ended")
        return self._result(future, limit)

    def kill(self) -> None:
        """SIGKILL, and wait for its end."""
        self._signal(signal.SIGKILL)
        self.wait_for_end()

    def wait_for_end(self, limit: float = END_LIMIT) -> bool:
        """Whether it has ended within the limit."""
        self._process.join(limit)
        return self._process.exitcode is not None

    def terminate(self) -> int | None:
        """SIGTERM, and wait for its end. Returns its exit code; None where it had to be killed."""
        self._signal(signal.SIGTERM)
        if self.wait_for_end():
            return self._process.exitcode
        self.kill()
        return None

    def _signal(self, number: signal.Signals) -> None:
        assert self._process.pid
        if self._process.is_alive():
            os.kill(self._process.pid, number)

    def _result(self, future: Future[Any], limit: float) -> Any:
        try:
            return future.result(limit)
        except TooLate:
            raise Gone(f"no answer within {limit} s") from None

    def _listen(self) -> None:
        try:
            while True:
                number, failure, value = self._connection.recv()
                with self._lock:
                    future = self._asked.pop(number)
                if failure:
                    future.set_exception(Gone(failure))
                else:
                    future.set_result(value)
        except (EOFError, OSError):
            pass
        self._gone.set()
        with self._lock:
            left = list(self._asked.values())
        for future in left:
            if not future.done():
                future.set_exception(Gone("it has ended"))


def _run(settings: Settings, variant: str, seed: str, service: str, connection: Connection) -> None:
    logs.configure(level="CRITICAL", format="text")
    variants.use(variant, seed)
    asyncio.run(_serve(SERVICES[service], settings, connection))


async def _serve(service: Service, settings: Settings, connection: Connection) -> None:
    host = Host(service, settings)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_signal_handler(signal.SIGTERM, ended.set)
    loop.add_signal_handler(signal.SIGINT, lambda: None)
    await host.start()
    answers = _answers(host, loop)
    lock = threading.Lock()
    pool = ThreadPoolExecutor(WORKERS)

    def tell(number: int, failure: str, value: Any) -> None:
        with lock, contextlib.suppress(OSError):
            connection.send((number, failure, value))

    def do(number: int, what: str, args: tuple[Any, ...]) -> None:
        try:
            tell(number, "", answers[what](*args))
        except Exception as error:
            tell(number, f"{type(error).__name__}: {error}"[:300], None)

    def listen() -> None:
        try:
            while True:
                pool.submit(do, *connection.recv())
        except (EOFError, OSError, RuntimeError):
            loop.call_soon_threadsafe(ended.set)  # whoever started it is gone, or it is ending

    threading.Thread(target=listen, daemon=True).start()
    tell(-1, "", os.getpid())
    await ended.wait()
    await asyncio.to_thread(pool.shutdown)
    await host.stop()


def _answers(host: Host, loop: asyncio.AbstractEventLoop) -> dict[str, Callable[..., Any]]:
    def times(session: Session, name: str) -> int:
        effect = session.get(Effect, name)
        return effect.times if effect else 0

    def trim(age: float) -> None:
        with redis.Redis.from_url(host.settings.redis_url) as client:
            Housekeeper(host.database, client, host.service.writes, timedelta(days=1), timedelta(seconds=age)).clean()

    return {
        "apply": lambda name: host.run(child.apply, name),
        "apply all": lambda names: host.run(child.apply_all, names),
        "apply slowly": lambda name, seconds: _end(lambda: time.sleep(seconds), lambda: host.run(child.apply, name)),
        "roll back": lambda name, seconds: _end(lambda: _undo(seconds), lambda: host.run(child.apply, name)),
        "times": lambda name: host.read(times, name),
        "quiet": lambda: asyncio.run_coroutine_threadsafe(host.quiet(), loop).result(ASK_LIMIT),
        "arm": lambda label, hit: steps.arm(killer(label, hit)),
        "break": child.BUG.add,
        "mend": child.BUG.clear,
        "replay": lambda: _replay(host),
        "republish": lambda: host.database.transact(healing.republish),
        "trim": trim,
    }


_ending = threading.local()


def _end(before_commit: Callable[[], None], work: Callable[[], Any]) -> Any:
    """Do this right before the commit, when everything is written, of whatever this thread does."""

    def at(label: str) -> None:
        if label == "command:before-commit" and (ending := getattr(_ending, "how", None)):
            ending()

    steps.arm(at)
    _ending.how = before_commit
    try:
        return work()
    finally:
        _ending.how = None


def _undo(seconds: float) -> None:
    time.sleep(seconds)  # in which others commit what they told later
    raise RuntimeError(ROLLED_BACK)


def _replay(host: Host) -> tuple[int, dict[str, str]]:
    """What `fenghe dead-letters --replay-cause` does, cause by cause: how many were replayed, and why others were not."""
    service, database = host.service, host.database
    total, failed = 0, {}
    for group in host.read(replay.groups):
        letters = host.read(replay.chosen, None, group.cause)
        failed |= replay.replay(database, service.dispatch, service.name, host.settings.public_url, letters)
        total += len(letters)
    return total - len(failed), failed
