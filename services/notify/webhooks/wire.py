"""HTTP/1.1 as far as a sender needs it: one request at a time on a connection, and of the answer its status and three headers.

Of an answer's body only so much is read, and dropped, as shows where it ends: then the connection can be used again. Whatever
is unclear (a length given twice, more than was announced, a body that does not end) costs the receiver its connection, never
us: nothing of a body is kept, and the next request gets a connection of its own.
"""

from __future__ import annotations

import asyncio
import re
from typing import Any

LONGEST_HEAD = 65_536
DRAINED = 16_384
"""Bytes of an answer's body that are read, and dropped, so that the connection can be used again."""
STATUS = re.compile(rb"HTTP/1\.([01]) ([1-9][0-9]{2})(?: [^\r\n]*)?", re.DOTALL)
HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]+):[ \t]*(.*?)[ \t]*", re.DOTALL)
HEAD_END = re.compile(rb"\r?\n\r?\n")
LENGTH = re.compile(rb"[0-9]{1,18}")
CHUNK = re.compile(rb"([0-9A-Fa-f]{1,8})[ \t]*(?:;[^\r\n]*)?\r\n")
WITHOUT_BODY = frozenset({204, 304})


class NotHttp(Exception):
    """What came is not an answer of HTTP/1.1."""


class Closed(ConnectionError):
    """The connection was closed before there was an answer. `unused`: it had been kept open, and nothing came on it since the
    request, so that most likely it had been closed before."""

    def __init__(self, unused: bool) -> None:
        super().__init__("closed without an answer")
        self.unused = unused


class Connection(asyncio.Protocol):
    """A connection to a receiver. `settled` says whether the answer has come to its end and another request may follow."""

    def __init__(self) -> None:
        self.used = False
        self.settled = False
        self.idle_since = 0.0
        self.status = 0
        self.retry_after: str | None = None
        self._transport: Any = None
        self._buffer = b""
        self._length: int | None = None
        self._chunked = self._keeps = False
        self._answered: asyncio.Future[None] | None = None
        self._done: asyncio.Future[None] | None = None

    def ask(self, request: bytes, answered: asyncio.Future[None]) -> None:
        """Send a request. `answered` is done when `status` and `retry_after` are here; or raises NotHttp or Closed."""
        self.settled, self.status, self.retry_after = False, 0, None
        self._buffer, self._answered = b"", answered
        if self._transport.is_closing():
            self._fail(Closed(unused=self.used))
        else:
            self._transport.write(request)

    async def ended(self, within: float) -> None:
        """Wait until the answer has come to its end, if it does so within a time; after that the connection is closed."""
        self._done = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait_for(self._done, within)
        except TimeoutError:
            self.close()

    def close(self) -> None:
        """Close it, whatever is under way."""
        self.settled = False
        if self._transport is not None:
            self._transport.abort()

    @property
    def closed(self) -> bool:
        """Whether it cannot be used any more."""
        return self._transport is None or self._transport.is_closing()

    # --- what the event loop calls --------------------------------------------------------------------------------------

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        if self.settled:  # nobody has asked for anything
            self.close()
            return
        self._buffer += data
        if not self.status:
            self._read_head()
        if self.status and not self.settled:
            self._read_body()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.settled = False
        self._fail(Closed(unused=self.used and not self._buffer))
        self._end()

    # --- reading --------------------------------------------------------------------------------------------------------

    def _read_head(self) -> None:
        while not self.status:
            end = HEAD_END.search(self._buffer)
            if end is None:
                if len(self._buffer) > LONGEST_HEAD or (len(self._buffer) > 7 and not self._buffer.startswith(b"HTTP/1.")):
                    self._fail(NotHttp("no head of an answer"))
                    self.close()
                return
            head, self._buffer = self._buffer[: end.start()], self._buffer[end.end() :]
            first, *lines = head.replace(b"\r\n", b"\n").split(b"\n")
            found = STATUS.fullmatch(first)
            headers = [HEADER.fullmatch(line) for line in lines]
            if found is None or None in headers:
                self._fail(NotHttp("no head of an answer"))
                self.close()
                return
            status = int(found[2])
            if status != 101 and status < 200:  # only announces the answer
                continue
            self.status = status
            self._frame(found[1] == b"1", [(one[1].lower(), one[2]) for one in headers if one is not None])
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)

    def _frame(self, persistent: bool, headers: list[tuple[bytes, bytes]]) -> None:
        """How far the body goes, and whether the connection is kept."""
        lengths, codings, close = set(), [], False
        for name, value in headers:
            if name == b"content-length":
                lengths.add(value)
            elif name == b"transfer-encoding":
                codings.append(value.lower())
            elif name == b"connection":
                close = close or b"close" in value.lower()
            elif name == b"retry-after":
                self.retry_after = value.decode("latin-1")
        self._chunked = codings == [b"chunked"]
        self._length = None
        if self.status in WITHOUT_BODY:
            self._length, self._chunked = 0, False
        elif not codings and len(lengths) == 1 and LENGTH.fullmatch(length := lengths.pop()):
            self._length = int(length)
        clear = (self._length is not None or self._chunked) and not (codings and lengths)
        self._keeps = persistent and not close and clear and self.status != 101

    def _read_body(self) -> None:
        """Drop what came of the body, and see whether that was all of it."""
        if not self._keeps:  # there is nothing to wait for
            self.close()
        elif self._length is not None:
            self._length -= len(self._buffer)
            self._buffer = b""
            if self._length == 0:
                self.settled = True
            elif not 0 < self._length <= DRAINED:
                self.close()
        else:
            rest = _after_chunks(self._buffer)
            if rest == b"":
                self._buffer, self.settled = b"", True
            elif rest is not None or len(self._buffer) > DRAINED:
                self.close()
        if self.settled or self.closed:
            self._end()

    def _fail(self, error: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def _end(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)


def _after_chunks(data: bytes) -> bytes | None:
    """What follows a body in chunks (it should be nothing), or all of it where it is none; None while it is not all here."""
    at = 0
    while found := CHUNK.match(data, at):
        size = int(found[1], 16)
        if size == 0:
            if data.startswith(b"\r\n", found.end()):
                return data[found.end() + 2 :]
            end = data.find(b"\r\n\r\n", found.end())
            return None if end < 0 else data[end + 4 :]
        at = found.end() + size + 2
        if at > len(data):
            return None
        if data[at - 2 : at] != b"\r\n":
            return data
    return None if len(data) - at < 256 else data
