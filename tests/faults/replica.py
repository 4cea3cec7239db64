"""A replica: a process of its own that runs a service as a deployment does, over HTTP. What only the suite may do to it, such
as arming a step, it is asked for over a pipe."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import secrets
import signal
import socket
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import replace
from datetime import timedelta
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from deploy import serving
from deploy.services import load_all
from shared import logs
from shared.messaging import healing, steps
from shared.service import Host, Service
from shared.settings import Settings
from shared.web import build_app
from tests.faults import calling, commands, observer, variants
from tests.faults.calling import Gone, Reply
from tests.forking import CONTEXT
from tests.messaging import child
from tests.messaging.child import killer

START_LIMIT = 180.0
ASK_LIMIT = 30.0
END_LIMIT = 25.0
WORKERS = 4
SERVICES = {service.name: service for service in (commands.service, observer.service, *load_all())}
ANEW = {f"{name} anew": replace(SERVICES[name], group=f"{name}-anew") for name in ("matching", "feedback", "notify")}
"""Services that have heard nothing yet, beside those that have."""
SERVICES |= ANEW


class Replica:
    """The driver's end of a replica. `start` returns once it runs; `kill` and `terminate` once it has ended. `folder` is where
    its socket is."""

    def __init__(self, settings: Settings, variant: str, seed: str, folder: Path, service: str = commands.service.name) -> None:
        self.service = service
        self.address = folder / f"{secrets.token_hex(4)}.sock"
        self._connection, theirs = CONTEXT.Pipe()
        self._process = CONTEXT.Process(target=_run, args=(settings, variant, seed, service, self.address, theirs), daemon=True)
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

    def call(self, method: str, path: str, body: Any = None, limit: float = calling.CALL_LIMIT, **more: Any) -> Reply:
        """Call a route of its service over HTTP. Raises Gone where no answer came: whether it was done is unknown."""
        return calling.call(self.address, method, f"/api/{self.service}{path}", body, limit, **more)

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


def _run(settings: Settings, variant: str, seed: str, service: str, address: Path, connection: Connection) -> None:
    logs.configure(level="CRITICAL", format="text")
    variants.use(variant, seed)
    asyncio.run(_serve(SERVICES[service], settings, address, connection))


async def _serve(service: Service, settings: Settings, address: Path, connection: Connection) -> None:
    host = Host(service, settings)
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(str(address))
    listening.listen(64)
    answers = _answers(host)
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
            os.kill(os.getpid(), signal.SIGTERM)  # whoever started it is gone, or it is ending

    def ready() -> None:
        threading.Thread(target=listen, daemon=True).start()
        tell(-1, "", os.getpid())

    async with serving.running([host]):
        await serving.serve(build_app(host), [listening], ready, [host])
        await asyncio.to_thread(pool.shutdown)


def _answers(host: Host) -> dict[str, Callable[..., Any]]:
    return {
        "arm": lambda label, hit: steps.arm(killer(label, hit)),
        "break": child.BUG.add,
        "mend": child.BUG.clear,
        "replay": lambda: child.replay_all(host),
        "republish": lambda: host.database.transact(healing.republish),
        "trim": lambda before: child.trim(host, timedelta(seconds=time.time() - before)),
    }
