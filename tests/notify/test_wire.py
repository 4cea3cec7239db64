"""What receivers may answer in HTTP/1.1: where an answer ends, and whether its connection is used again."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

import pytest

from services.notify.webhooks import sending
from services.notify.webhooks.rules import Outcome
from services.notify.webhooks.sending import Sender
from services.notify.webhooks.targets import Reach
from shared.settings import networks

LOCAL = Reach(False, networks("127.0.0.1"))
Answers = Callable[[int, int], Sequence[bytes | None]]
"""What is sent for a connection's number and a request's number on it, in pieces; None closes the connection."""


async def _talk(answers: Answers, attempts: int, pause: float) -> tuple[list[Outcome], int, list[bytes]]:
    made, requests = 0, []

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal made
        number, made = made, made + 1
        for count in range(100):
            try:
                head = await reader.readuntil(b"\r\n\r\n")
                requests.append(head + await reader.readexactly(2))
            except (asyncio.IncompleteReadError, ConnectionError):
                break
            for piece in answers(number, count):
                if piece is None:
                    writer.close()
                    return
                writer.write(piece)
                await writer.drain()
                await asyncio.sleep(0.02)
        writer.close()

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    sender = Sender(LOCAL, 60)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/hooks?a=%20b"
    outcomes = []
    for _ in range(attempts):
        outcomes.append(await sender.send(url, {"webhook-id": "x"}, b"{}"))
        await asyncio.sleep(pause)
    await sender.close()
    server.close()
    return outcomes, made, requests


@pytest.fixture
def patient(monkeypatch: pytest.MonkeyPatch) -> None:
    """However slow this machine is."""
    monkeypatch.setattr(sending, "KEPT_OPEN", 60.0)
    monkeypatch.setattr(sending, "DRAINING", 60.0)


def talk(*pieces: bytes | None, attempts: int = 3, pause: float = 0.0) -> tuple[list[int | str | None], int]:
    """What came of attempts that are all answered alike, and how many connections were made for them."""
    outcomes, made, _ = asyncio.run(_talk(lambda number, count: pieces, attempts, pause))
    return [outcome.status_code or outcome.error for outcome in outcomes], made


REUSED = {
    "no content": [b"HTTP/1.1 204 No Content\r\n\r\n"],
    "no reason": [b"HTTP/1.1 204\r\n\r\n"],
    "a length": [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhello"],
    "byte by byte": [bytes([one]) for one in b"HTTP/1.1 200 OK\r\ncontent-length:2\r\n\r\nok"],
    "chunks": [b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n1;a=b\r\n!\r\n0\r\n\r\n"],
    "chunks in pieces": [
        b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r",
        b"\nhel",
        b"lo\r",
        b"\n0\r\n",
        b"x: y\r\n\r\n",
    ],
    "another coding": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: gzip, chunked\r\n\r\n0\r\n\r\n"],
    "an early hint": [b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\nHTTP/1.1 ", b"200 OK\r\ncontent-length: 0\r\n\r\n"],
}
ANSWERED_ONCE = {
    "closes": [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\nConnection: close\r\n\r\n"],
    "the older protocol": [b"HTTP/1.0 200 OK\r\ncontent-length: 0\r\n\r\n"],
    "a body until the end": [b"HTTP/1.1 200 OK\r\n\r\nhello", None],
    "more than announced": [b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nokHTTP/1.1 500 No\r\n\r\n"],
    "a second answer nobody asked for": [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\nHTTP/1.1 500 No\r\n\r\n"],
    "no chunks": [b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n<html>"],
    "a long body": [b"HTTP/1.1 200 OK\r\ncontent-length: 99999999\r\n\r\nx"],
}
NO_HTTP = {
    "length and chunks": [b"HTTP/1.1 200 OK\r\ncontent-length: 5\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n"],
    "two lengths": [b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\ncontent-length: 1\r\n\r\n"],
    "another protocol": [b"SSH-2.0-OpenSSH_9.2p1\r\n"],
    "another version": [b"HTTP/2 200 OK\r\n\r\n"],
    "no status": [b"HTTP/1.1 OK\r\n\r\n"],
    "a header that is none": [b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"],
    "a header without an end": [b"HTTP/1.1 200 OK\r\nx: ", b"y" * 70_000],
}


@pytest.mark.usefixtures("patient")
@pytest.mark.parametrize("pieces", REUSED.values(), ids=REUSED)
def test_an_answer_that_ends_leaves_its_connection_for_the_next(pieces: Sequence[bytes]) -> None:
    outcomes, made = talk(*pieces)
    assert outcomes in ([200] * 3, [204] * 3) and made == 1


@pytest.mark.parametrize("pieces", ANSWERED_ONCE.values(), ids=ANSWERED_ONCE)
def test_after_an_unclear_answer_the_next_gets_a_connection_of_its_own(pieces: Sequence[bytes | None]) -> None:
    assert talk(*pieces, pause=0.05) == ([200] * 3, 3)


@pytest.mark.parametrize("pieces", NO_HTTP.values(), ids=NO_HTTP)
def test_what_is_no_answer_is_none(pieces: Sequence[bytes]) -> None:
    assert talk(*pieces, attempts=2) == (["not-http"] * 2, 2)


def test_an_answer_that_breaks_off_is_none() -> None:
    assert talk(b"HTTP/1.1 20", None, attempts=1) == (["closed"], 1)
    assert talk(b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nx", None, attempts=1) == ([200], 1)


@pytest.mark.usefixtures("patient")
def test_a_connection_that_was_closed_meanwhile_is_nobodys_failure() -> None:
    def answers(number: int, count: int) -> Sequence[bytes | None]:
        return [b"HTTP/1.1 204 No Content\r\n\r\n"] if count == 0 else [None]

    outcomes, made, requests = asyncio.run(_talk(answers, 3, 0.0))
    assert [outcome.status_code for outcome in outcomes] == [204] * 3
    # Each request found the one kept, was dropped there without a word, and was made again on a new one.
    assert (made, len(requests)) == (3, 5)


def test_an_idle_connection_is_not_kept_for_long() -> None:
    assert talk(b"HTTP/1.1 204 No Content\r\n\r\n", attempts=2, pause=2.0) == ([204] * 2, 2)


def test_a_request_is_what_was_signed_and_nothing_else() -> None:
    _, _, (request,) = asyncio.run(_talk(lambda number, count: [b"HTTP/1.1 204 No Content\r\n\r\n"], 1, 0.0))
    first, host, *rest = request.decode().split("\r\n")
    assert first == "POST /hooks?a=%20b HTTP/1.1" and host.startswith("host: 127.0.0.1:")
    assert rest == ["accept: */*", "webhook-id: x", "content-length: 2", "", "{}"]
