"""A connection to a receiver: one request at a time, and of the answer its status and when to come again. httptools reads it.

Of an answer's body only so much is read, and dropped, as shows where it ends: then the connection can be used again. Whatever
is unclear (more than was announced, a body that does not end) costs the receiver its connection, never us: nothing of a body
is kept, and the next request gets a connection of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

LONGEST_HEAD = 65_536
DRAINED = 16_384
"""Bytes of an answer's body that are read, and dropped, so that the connection can be used again."""


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
        self._parser: Any = None
        self._read = 0
        self._is_long = False
        self._answered: asyncio.Future[None] | None = None
        self._done: asyncio.Future[None] | None = None

    def ask(self, request: bytes, answered: asyncio.Future[None]) -> None:
        """Send a request. `answered` is done when `status` and `retry_after` are here; or raises NotHttp or Closed."""
        self.settled, self.status, self.retry_after = False, 0, None
        self._parser, self._read, self._is_long, self._answered = HttpResponseParser(self), 0, False, answered
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
        if self.settled or self._parser is None:  # nobody has asked for anything
            self.close()
            return
        self._read += len(data)
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail(NotHttp("no answer of HTTP/1.1"))
            self.close()
        if self._read > (DRAINED if self.status else LONGEST_HEAD) and not self.settled:
            self._fail(NotHttp("no end of the head"))
            self.close()
        if self.settled or self.closed:
            self._end()

    def eof_received(self) -> bool:
        return False

    def connection_lost(self, error: Exception | None) -> None:
        self.settled = False
        self._fail(Closed(unused=self.used and not self._read))
        self._end()

    # --- what the parser calls ------------------------------------------------------------------------------------------

    def on_message_begin(self) -> None:
        if self.settled:  # a second answer
            self.close()

    def on_header(self, name: bytes, value: bytes) -> None:
        match name.lower():
            case b"retry-after":
                self.retry_after = value.decode("latin-1")
            case b"content-length":
                self._is_long = value.isdigit() and int(value) > DRAINED

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        if self.status or (status != 101 and status < 200):  # the latter only announces the answer
            return
        self.status, self._read = status, 0
        if self._answered is not None and not self._answered.done():
            self._answered.set_result(None)
        if self._is_long or not self._parser.should_keep_alive():  # there is nothing to wait for
            self.close()

    def on_message_complete(self) -> None:
        self.settled = bool(self.status) and not self.closed

    # --------------------------------------------------------------------------------------------------------------------

    def _fail(self, error: Exception) -> None:
        if self._answered is not None and not self._answered.done():
            self._answered.set_exception(error)

    def _end(self) -> None:
        if self._done is not None and not self._done.done():
            self._done.set_result(None)
