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
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

import aiohttp
from aiohttp.abc import AbstractResolver, ResolveResult
from yarl import URL

from services.notify.webhooks.rules import Outcome, error_of
from services.notify.webhooks.targets import Reach

KEPT_OPEN = 1.5
"""Seconds that an idle connection is kept: less than what common servers do, which would close it under our hands."""
DRAINED = 16_384
"""Bytes of an answer's body that are read, and dropped, so that the connection can be used again."""
DRAINING = 0.5
LOOKUPS = 32
"""Names that are looked up at the same time; a slow name server holds up nobody else."""


class TargetRefused(OSError):
    """This address is out of reach."""


class Sender:
    """Sends; to be made and used in one event loop."""

    def __init__(self, reach: Reach, timeout: float) -> None:
        self._reach = reach
        self._timeout = aiohttp.ClientTimeout(total=timeout)
        self._lookups = ThreadPoolExecutor(LOOKUPS, "webhook-names")
        self._tls = ssl.create_default_context()
        self._sessions = {scheme: self._session(scheme == "https") for scheme in ("https", "http")}

    def _session(self, encrypted: bool) -> aiohttp.ClientSession:
        def make_socket(address: Any) -> socket.socket:
            family, kind, protocol, _, place = address
            if not self._reach.has(place[0], place[1], encrypted):
                raise TargetRefused(f"{place[0]} is out of reach")
            return socket.socket(family, kind, protocol)

        connector = aiohttp.TCPConnector(
            resolver=_Names(self._reach, encrypted, self._lookups),
            use_dns_cache=False,
            socket_factory=make_socket,
            ssl=self._tls,
            limit=0,
            keepalive_timeout=KEPT_OPEN,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=self._timeout,
            cookie_jar=aiohttp.DummyCookieJar(),
            trust_env=False,
            auto_decompress=False,
            skip_auto_headers=("Accept-Encoding",),
            raise_for_status=False,
        )

    async def send(self, url: str, headers: dict[str, str], body: bytes) -> Outcome:
        """Make one attempt; whatever happens is its outcome."""
        began = time.monotonic()
        status_code, retry_after, error, took = None, None, None, 0.0
        try:
            target = URL(url, encoded=True)
            session = self._sessions[target.scheme]
            async with session.post(target, data=body, headers=headers, allow_redirects=False) as answer:
                status_code, took = answer.status, time.monotonic() - began
                retry_after = _seconds(answer.headers.get("Retry-After"))
                error = None if 200 <= status_code < 300 else error_of(status_code)
                with suppress(Exception):
                    await asyncio.wait_for(_drain(answer), DRAINING)
                if not answer.content.at_eof():
                    answer.close()
        except Exception as failure:
            if status_code is None:
                error, took = _kind(failure), time.monotonic() - began
        return Outcome(status_code, error, round(took * 1000), retry_after)

    async def close(self) -> None:
        """Close every connection."""
        for session in self._sessions.values():
            await session.close()
        self._lookups.shutdown(wait=False, cancel_futures=True)


def lookup(host: str, port: int) -> list[tuple[Any, ...]]:
    """The network addresses of a name, as the system's resolver gives them. Raises OSError."""
    return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)


class _Names(AbstractResolver):
    """Resolves names to addresses that are within reach, all of them, or to none."""

    def __init__(self, reach: Reach, encrypted: bool, threads: ThreadPoolExecutor) -> None:
        self._reach = reach
        self._encrypted = encrypted
        self._threads = threads

    async def resolve(self, host: str, port: int = 0, family: int = socket.AF_UNSPEC) -> list[ResolveResult]:
        if not self._reach.anywhere:
            raise TargetRefused("no webhooks are sent")
        found = await asyncio.get_running_loop().run_in_executor(self._threads, lookup, host, port)
        for *_, place in found:
            if not self._reach.has(place[0], port, self._encrypted):
                raise TargetRefused(f"{place[0]}, to which {host} resolves, is out of reach")
        return [
            ResolveResult(hostname=host, host=place[0], port=port, family=family, proto=protocol, flags=socket.AI_NUMERICHOST)
            for family, _, protocol, _, place in found
        ]

    async def close(self) -> None:
        return None


async def _drain(answer: aiohttp.ClientResponse) -> None:
    read = 0
    while read < DRAINED and (part := await answer.content.read(DRAINED)):
        read += len(part)


def _kind(failure: BaseException) -> str:
    """Which kind of error an exception is."""
    causes = [failure]
    while (cause := causes[-1].__cause__ or getattr(causes[-1], "os_error", None)) is not None and cause not in causes:
        causes.append(cause)
    if any(isinstance(cause, TargetRefused) for cause in causes):
        return "target-refused"
    if any(isinstance(cause, TimeoutError) for cause in causes):
        return "timeout"
    if any(isinstance(cause, ssl.SSLError | ssl.CertificateError) for cause in causes):
        return "certificate"
    if any(isinstance(cause, socket.gaierror | UnicodeError) for cause in causes):
        return "name-unknown"
    if isinstance(failure, aiohttp.InvalidURL | KeyError | ValueError):
        return "target-refused"
    if isinstance(failure, aiohttp.ClientConnectorError):
        return "unreachable"
    if isinstance(failure, aiohttp.ServerDisconnectedError | ConnectionError | aiohttp.ClientOSError):
        return "closed"
    return "not-http"


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
