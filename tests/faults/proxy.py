"""A proxy before a Redis or a PostgreSQL: it forwards bytes, and on demand loses replies, forwards nothing for a while, or
is slow."""

from __future__ import annotations

import contextlib
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import sqlalchemy as sa

CHUNK = 65_536
SHARE = 0.3
"""Of the requests whose replies may be lost."""
REDIS = (b"\r\nXADD\r\n", b"\r\nXREADGROUP\r\n", b"\r\nXACK\r\n")
POSTGRES = (b"COMMIT\x00",)
"""How the requests look whose replies may be lost."""


class Proxy:
    """Listens on a Unix socket and forwards to another address. A context manager."""

    def __init__(self, path: Path, connect: Callable[[], socket.socket], seed: str) -> None:
        self._path = path
        self._connect = connect
        self._chance = random.Random(seed)
        self._to_lose: Counter[bytes] = Counter()
        self._delay = 0.0
        self._lock = threading.Lock()
        self._open = threading.Event()
        self._open.set()
        self._ended = False
        self._sockets: set[socket.socket] = set()

    @property
    def url(self) -> str:
        """The address for clients."""
        return f"unix://{self._path}"

    def __enter__(self) -> Proxy:
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(str(self._path))
        self._listener.listen(64)
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended = True
        self._open.set()
        with self._lock:
            doomed = [self._listener, *self._sockets]
        for one in doomed:
            _close(one)

    def lose(self, replies: Mapping[bytes, int]) -> None:
        """So many of the next requests with each of these commands, some of them passed over, are carried out, and their
        replies never arrive: the connection ends instead."""
        with self._lock:
            self._to_lose = Counter(replies)

    @property
    def to_lose(self) -> dict[bytes, int]:
        """The replies that are still to be lost."""
        with self._lock:
            return {command: times for command, times in self._to_lose.items() if times}

    @contextlib.contextmanager
    def partition(self) -> Iterator[None]:
        """Meanwhile nothing is forwarded, in either direction, and no connection ends."""
        self._open.clear()
        yield
        self._open.set()

    @contextlib.contextmanager
    def slow(self, seconds: float) -> Iterator[None]:
        """Meanwhile everything arrives so much later."""
        self._delay = seconds
        yield
        self._delay = 0.0

    def _accept(self) -> None:
        while not self._ended:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            try:
                server = self._connect()
            except OSError:
                _close(client)
                continue
            with self._lock:
                self._sockets |= {client, server}
            doomed: list[bytes] = []
            for source, target, judge in ((client, server, self._doom), (server, client, self._spare)):
                threading.Thread(target=self._forward, args=(source, target, judge, doomed), daemon=True).start()

    def _forward(
        self,
        source: socket.socket,
        target: socket.socket,
        passes: Callable[[bytes, list[bytes]], bool],
        doomed: list[bytes],
    ) -> None:
        try:
            while chunk := source.recv(CHUNK):
                if self._delay:
                    time.sleep(self._delay)  # the slow link itself
                self._open.wait()
                if not passes(chunk, doomed):
                    break
                target.sendall(chunk)
        except OSError:
            pass
        with self._lock:
            self._sockets -= {source, target}
        _close(source)
        _close(target)

    def _doom(self, chunk: bytes, doomed: list[bytes]) -> bool:
        if self._to_lose and not doomed:
            with self._lock:
                found = next((command for command, left in self._to_lose.items() if left and command in chunk), None)
                if found and self._chance.random() < SHARE:
                    doomed.append(found)
        return True

    def _spare(self, _: bytes, doomed: list[bytes]) -> bool:
        if not doomed:
            return True
        with self._lock:
            self._to_lose[doomed[0]] -= 1
            self._to_lose = +self._to_lose
        return False


def unix(path: Path) -> Callable[[], socket.socket]:
    """Connects to a Unix socket."""

    def connect() -> socket.socket:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(str(path))
        except OSError:
            connection.close()
            raise
        return connection

    return connect


def postgres(url: str) -> Callable[[], socket.socket]:
    """Connects to a PostgreSQL, over TCP or its Unix socket."""
    address = sa.make_url(url)
    host = str(address.query.get("host") or address.host or "localhost")
    port = address.port or 5432
    if host.startswith("/"):
        return unix(Path(host) / f".s.PGSQL.{port}")
    return lambda: socket.create_connection((host, port))


def through(folder: Path, url: str) -> str:
    """The address of the database at `url` by way of the proxy at `socket_in(folder)`."""
    address = sa.make_url(url).set(host=None, port=None).update_query_dict({"host": str(folder)})
    return address.render_as_string(hide_password=False)


def socket_in(folder: Path) -> Path:
    """Where PostgreSQL's clients look for its Unix socket."""
    return folder / ".s.PGSQL.5432"


def _close(one: socket.socket) -> None:
    with contextlib.suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
    one.close()
