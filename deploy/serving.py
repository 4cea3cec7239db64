"""Serving: sockets, signals and the life of running services, for one service and for all in one."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import uvicorn

from shared.service import Host

SWITCH_INTERVAL = 0.001
"""Transactions run in threads beside the event loop; Python's 5 ms would be the event loop's latency."""
COLLECT_AFTER = (20_000, 20, 20)
"""Objects made beyond those that ended, before Python looks for cycles; and how many such looks before it looks again at
what outlived one, and two. By its own 700, 10 and 10 it would look several times in each request."""


class AddressInUse(Exception):
    """The port is taken; the message says what to do."""


def listen(host: str, port: int) -> socket.socket:
    """A listening socket. Raises AddressInUse."""
    # The protocol is named, or asyncio does not switch off Nagle's algorithm, and every answer waits 40 ms for an ACK.
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError as error:
        listening.close()
        raise AddressInUse(
            f"Cannot listen on {host}:{port} ({error.strerror}); choose another port with --port, or 0 for any free one."
        ) from None
    listening.listen(1024)
    return listening


def run(main: Coroutine[Any, Any, None]) -> None:
    """Run a coroutine to its end on uvloop, which with httptools spends a fifth less on each request than asyncio and h11."""
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main)


def as_a_server() -> None:
    """Set Python up for a process that serves: to be called when everything is loaded."""
    sys.setswitchinterval(SWITCH_INTERVAL)
    gc.freeze()  # what is loaded stays, and is not gone through again
    gc.set_threshold(*COLLECT_AFTER)


class _Server(uvicorn.Server):
    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        # Ours, not uvicorn's: it raises the signal again when it ends, before the services could stop.
        yield


async def serve(
    app: Any,
    listening: Sequence[socket.socket],
    when_ready: Callable[[], None],
    hosts: Sequence[Host],
    watched: int | None = None,
) -> None:
    """Serve until SIGTERM or SIGINT, or `watched` is readable; requests that are being answered are finished, streams of events
    end."""
    config = uvicorn.Config(app, lifespan="off", log_config=None, access_log=False, timeout_graceful_shutdown=10)
    server = _Server(config)
    loop = asyncio.get_running_loop()

    def end() -> None:
        server.should_exit = True
        for host in hosts:
            host.ending.set()

    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, end)
    if watched is not None:
        loop.add_reader(watched, end)
    serving = asyncio.create_task(server.serve(sockets=list(listening)))
    while not server.started and not serving.done():
        await asyncio.sleep(0.005)
    if server.started:
        when_ready()
    await serving
    if watched is not None:
        loop.remove_reader(watched)


@asynccontextmanager
async def running(hosts: list[Host]) -> AsyncIterator[None]:
    """The services start together and stop together."""
    as_a_server()
    started = await asyncio.gather(*(host.start() for host in hosts), return_exceptions=True)
    try:
        for outcome in started:
            if isinstance(outcome, BaseException):
                raise outcome
        yield
    finally:
        await asyncio.gather(*(host.stop() for host in hosts))
