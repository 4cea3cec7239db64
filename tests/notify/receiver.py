"""A receiver of webhooks: a real HTTP server on a port of its own that behaves as the test says, however badly."""

from __future__ import annotations

import asyncio
import json
import ssl
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any, Literal

Behaviour = Literal["answer", "hang", "trickle", "endless", "close", "cut", "nonsense"]


@dataclass(frozen=True)
class Received:
    """A request as it came."""

    path: str
    headers: dict[str, str]
    body: bytes
    at: float = field(default_factory=time.monotonic)

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def message(self) -> dict[str, Any]:
        return json.loads(self.body)  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Answer:
    """What the receiver does: answers with a status code and headers, or something worse."""

    status: int = 204
    headers: Sequence[tuple[str, str]] = ()
    behaviour: Behaviour = "answer"


class Receiver:
    """A context manager. `answer` decides what is answered; `received` has every request, in the order of arrival, and
    `connections` counts those that were made. With `tls` it speaks TLS."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.received: list[Received] = []
        self.answer: Callable[[Received], Answer] = lambda request: Answer()
        self.connections = 0
        self.under_way = self.most_under_way = 0
        self._tls = tls
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> Receiver:
        self._thread.start()
        assert self._ready.wait(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._ended.set)
        self._thread.join(30)

    def release(self) -> None:
        """Let whoever hangs go, without an answer."""
        self._loop.call_soon_threadsafe(self._released.set)

    def url(self, path: str = "/") -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}{path}"

    def at(self, path: str) -> list[Received]:
        return [request for request in self.received if request.path == path]

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._ended, self._released = asyncio.Event(), asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()

        def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            self.connections += 1
            task = self._loop.create_task(self._connection(reader, writer))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        server = await asyncio.start_server(connected, "127.0.0.1", 0, ssl=self._tls)
        self.port = server.sockets[0].getsockname()[1]
        self._ready.set()
        await self._ended.wait()
        server.close()
        for task in self._tasks:
            task.cancel()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
            while await self._one(reader, writer):
                pass
        writer.close()

    async def _one(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
        body = await reader.readexactly(int(headers.get("content-length", 0)))
        request = Received(head[0].split(" ")[1], headers, body)
        self.under_way += 1
        self.most_under_way = max(self.most_under_way, self.under_way)
        self.received.append(request)
        answer = self.answer(request)
        try:
            return await self._behave(answer, reader, writer)
        finally:
            self.under_way -= 1

    async def _behave(self, answer: Answer, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        start = f"HTTP/1.1 {answer.status} Whatever\r\n".encode()
        more = "".join(f"{name}: {value}\r\n" for name, value in answer.headers).encode()
        match answer.behaviour:
            case "answer":
                length = b"" if answer.status == 204 else b"content-length: 0\r\n"
                writer.write(start + more + length + b"\r\n")
                await writer.drain()
                return True
            case "hang":  # until the sender goes, or `release`
                gone, released = asyncio.ensure_future(reader.read()), asyncio.ensure_future(self._released.wait())
                await asyncio.wait([gone, released], return_when=asyncio.FIRST_COMPLETED)
                gone.cancel()
                released.cancel()
            case "trickle":
                for byte in start + b"x-slow: " + b"z" * 100_000:
                    writer.write(bytes([byte]))
                    await writer.drain()
                    await asyncio.sleep(0.05)
            case "endless":
                writer.write(start + more + b"\r\n")
                while True:
                    writer.write(b"x" * 65_536)
                    await writer.drain()
            case "cut":
                writer.write(start[:9])
                await writer.drain()
            case "nonsense":
                writer.write(b"220 mail.example.org ESMTP\r\n\r\n")
                await writer.drain()
        return False
