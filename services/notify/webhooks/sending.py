"""One attempt: a POST to an address that was looked at, bounded in time and in what is read.

The name is resolved once for a connection. Every address it has must be within reach, and the socket is made for exactly the
address that is connected to, by a function that looks at it again: there is no way to a socket around it. No redirect is
followed, no proxy of the environment is used, no cookie kept; the certificate is verified against the name.
"""

from __future__ import annotations

import asyncio
import socket
import ssl
import time
from collections import defaultdict
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from ipaddress import ip_address
from typing import Any

from yarl import URL

from services.notify.webhooks.rules import Outcome, error_of
from services.notify.webhooks.targets import NUMBER, Reach
from services.notify.webhooks.wire import Closed, Connection

KEPT_OPEN = 1.5
"""Seconds that an idle connection is kept: less than what common servers do, which would close it under our hands."""
DRAINING = 0.5
"""Seconds that an answer is given to come to its end."""
CONNECTING = 5.0
"""Seconds after which the next of several addresses is tried."""
LOOKUPS = 32
"""Names that are looked up at the same time; a slow name server holds up nobody else."""
HANDSHAKE = 10.0
"""Seconds for the handshake of TLS."""


class TargetRefused(OSError):
    """This address is out of reach."""


class Unreachable(OSError):
    """Nobody answers there."""


@dataclass(frozen=True, slots=True)
class Target:
    """Where an attempt goes: an address as it was given, taken apart."""

    host: str
    port: int
    encrypted: bool
    start: bytes

    @classmethod
    def of(cls, text: str) -> Target:
        """Take an address apart. Raises ValueError."""
        url = URL(text, encoded=True)
        host, port = url.raw_host, url.port
        if url.scheme not in ("https", "http") or not host or not port:
            raise ValueError(f"not an address of a receiver: {text!r}")
        start = f"POST {url.raw_path_qs} HTTP/1.1\r\nhost: {url.host_port_subcomponent}\r\n".encode("ascii")
        if start.count(b"\n") != 2 or start.split(b"\r\n")[0].count(b" ") != 2:
            raise ValueError(f"not an address of a receiver: {text!r}")
        return cls(host, port, url.scheme == "https", start)


class Sender:
    """Sends; to be made and used in one event loop."""

    def __init__(self, reach: Reach, timeout: float) -> None:
        self._reach = reach
        self._timeout = timeout
        self._lookups = ThreadPoolExecutor(LOOKUPS, "webhook-names")
        self._tls = ssl.create_default_context()
        self._tls.set_alpn_protocols(["http/1.1"])
        self._idle: defaultdict[tuple[str, int, bool], list[Connection]] = defaultdict(list)
        self._targets: dict[str, Target] = {}
        self._sweeping: asyncio.TimerHandle | None = None

    async def send(self, url: str, headers: Mapping[str, str], body: bytes) -> Outcome:
        """Make one attempt; whatever happens is its outcome."""
        began = time.monotonic()
        try:
            target = self._target(url)
            head = "".join([f"{name}: {value}\r\n" for name, value in headers.items()])
            request = b"%saccept: */*\r\n%scontent-length: %d\r\n\r\n%s" % (target.start, head.encode("ascii"), len(body), body)
            async with asyncio.timeout(self._timeout):
                connection = await self._answer(target, request)
        except Exception as failure:
            return Outcome(None, _kind(failure), _milliseconds(began))
        status, retry_after, took = connection.status, _seconds(connection.retry_after), _milliseconds(began)
        if not connection.settled and not connection.closed:
            await connection.ended(DRAINING)
        self._keep(target, connection)
        return Outcome(status, None if 200 <= status < 300 else error_of(status), took, retry_after)

    async def close(self) -> None:
        """Close every connection."""
        if self._sweeping is not None:
            self._sweeping.cancel()
        for connections in self._idle.values():
            for connection in connections:
                connection.close()
        self._lookups.shutdown(wait=False, cancel_futures=True)

    def _target(self, url: str) -> Target:
        target = self._targets.get(url)
        if target is None:
            if len(self._targets) > 1000:
                self._targets.clear()
            target = self._targets[url] = Target.of(url)
        return target

    async def _answer(self, target: Target, request: bytes) -> Connection:
        """Ask, and wait for the status. A connection that was kept, and that the receiver had closed meanwhile, is nobody's
        failure: the request is made again on a new one."""
        loop = asyncio.get_running_loop()
        while True:
            connection = self._kept(target) or await self._connect(target)
            answered = loop.create_future()
            try:
                connection.ask(request, answered)
                await answered
            except Closed as closed:
                if not closed.unused:
                    raise
                continue
            except BaseException:
                connection.close()
                raise
            return connection

    # --- connections ----------------------------------------------------------------------------------------------------

    def _kept(self, target: Target) -> Connection | None:
        connections = self._idle.get((target.host, target.port, target.encrypted))
        while connections:
            connection = connections.pop()
            if not connection.closed and time.monotonic() - connection.idle_since < KEPT_OPEN:
                return connection
            connection.close()
        return None

    def _keep(self, target: Target, connection: Connection) -> None:
        if not connection.settled or connection.closed:
            connection.close()
            return
        connection.used, connection.idle_since = True, time.monotonic()
        self._idle[target.host, target.port, target.encrypted].append(connection)
        if self._sweeping is None:
            self._sweeping = asyncio.get_running_loop().call_later(KEPT_OPEN, self._sweep)

    def _sweep(self) -> None:
        """Close what was not used for long enough."""
        self._sweeping = None
        now = time.monotonic()
        for place, connections in list(self._idle.items()):
            fresh = [one for one in connections if not one.closed and now - one.idle_since < KEPT_OPEN]
            for connection in connections:
                if connection not in fresh:
                    connection.close()
            if fresh:
                self._idle[place] = fresh
            else:
                del self._idle[place]
        if self._idle:
            self._sweeping = asyncio.get_running_loop().call_later(KEPT_OPEN / 2, self._sweep)

    async def _connect(self, target: Target) -> Connection:
        """A new connection, to the first of the name's addresses that takes it."""
        addresses = await self._addresses(target)
        for tried, address in enumerate(addresses, start=1):
            last = tried == len(addresses)
            try:
                async with asyncio.timeout(None if last else CONNECTING):
                    made = await self._connected(target, address)
            except (Unreachable, TimeoutError):
                if last:
                    raise
            else:
                return await self._encrypted(target, made) if target.encrypted else await _speaking(made)
        raise Unreachable(f"{target.host} has no address")

    async def _addresses(self, target: Target) -> list[tuple[Any, ...]]:
        """The addresses of a name: all of them within reach, or TargetRefused."""
        if not self._reach.anywhere:
            raise TargetRefused("no webhooks are sent")
        found = _written(target)
        if not found:
            loop = asyncio.get_running_loop()
            found = await loop.run_in_executor(self._lookups, lookup, target.host, target.port)
        for *_, place in found:
            if not self._reach.has(place[0], target.port, target.encrypted):
                raise TargetRefused(f"{place[0]}, to which {target.host} resolves, is out of reach")
        return found

    async def _connected(self, target: Target, address: tuple[Any, ...]) -> socket.socket:
        """The only place where a socket is made."""
        family, kind, protocol, _, place = address
        if place[1] != target.port or not self._reach.has(place[0], place[1], target.encrypted):
            raise TargetRefused(f"{place[0]} is out of reach")
        made = socket.socket(family, kind, protocol)
        try:
            made.setblocking(False)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            await asyncio.get_running_loop().sock_connect(made, place)
        except OSError as error:
            made.close()
            raise Unreachable(str(error)) from error
        except BaseException:
            made.close()
            raise
        return made

    async def _encrypted(self, target: Target, made: socket.socket) -> Connection:
        loop = asyncio.get_running_loop()
        _, connection = await loop.create_connection(
            Connection, sock=made, ssl=self._tls, server_hostname=target.host.rstrip("."), ssl_handshake_timeout=HANDSHAKE
        )
        return connection


async def _speaking(made: socket.socket) -> Connection:
    _, connection = await asyncio.get_running_loop().create_connection(Connection, sock=made)
    return connection


def _written(target: Target) -> list[tuple[Any, ...]]:
    """The address that a host is, where it is no name: nobody is asked for it. Raises TargetRefused for a number that is
    written as addresses are not (octal, hexadecimal, with parts left out), which every system reads otherwise."""
    try:
        ip_address(target.host)
    except ValueError:
        if NUMBER.fullmatch(target.host.rstrip(".").rpartition(".")[2].lower()):
            raise TargetRefused(f"{target.host} is no name, and no address as it is written") from None
        return []
    return socket.getaddrinfo(target.host, target.port, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)


def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
    """The network addresses of a name, as the system's resolver gives them. Raises OSError."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


def _kind(failure: BaseException) -> str:
    """Which kind of error an exception is."""
    if isinstance(failure, TargetRefused):
        return "target-refused"
    if isinstance(failure, TimeoutError) and not isinstance(failure, Unreachable):
        return "timeout"
    if isinstance(failure, ssl.SSLError | ssl.CertificateError):
        return "certificate"
    if isinstance(failure, socket.gaierror | UnicodeError):
        return "name-unknown"
    if isinstance(failure, Unreachable):
        return "unreachable"
    if isinstance(failure, ConnectionError):
        return "closed"
    if isinstance(failure, ValueError):
        return "target-refused"
    return "not-http"


def _milliseconds(began: float) -> int:
    return round((time.monotonic() - began) * 1000)


def _seconds(retry_after: str | None) -> float | None:
    """What a Retry-After header asks for, in seconds: a number, or a moment (RFC 9110, 10.2.3)."""
    if retry_after is None:
        return None
    if retry_after.strip().isascii() and retry_after.strip().isdigit():
        return float(retry_after.strip()[:9])
    try:
        moment = parsedate_to_datetime(retry_after)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
