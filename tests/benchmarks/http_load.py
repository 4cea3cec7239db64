"""A small HTTP client that costs the measured service little of the machine: connections kept, one request after another."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

Bodies = Callable[[int], bytes]
"""The body of the n-th request."""


def post(connection: http.client.HTTPConnection, path: str, body: bytes) -> dict[str, Any]:
    """POST JSON and return the answer of a 201. Raises AssertionError for any other."""
    connection.request("POST", path, body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    content = answer.read()
    assert answer.status == 201, content
    return dict(json.loads(content))


def at_rate(port: int, path: str, bodies: Bodies, rate: float, requests: int) -> dict[str, float]:
    """Send requests at fixed moments, `rate` a second, whatever the answers take (eight connections); returns when each was
    to be sent, on the clock of `time.time`, by the id in its answer."""
    sent: dict[str, float] = {}
    began = time.time() + 0.2

    def send(first: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for n in range(first, requests, 8):
            moment = began + n / rate
            time.sleep(max(0.0, moment - time.time()))
            # From the moment it was due: a service that is late does not make its own measurement shorter.
            sent[post(connection, path, bodies(n))["id"]] = moment

    _together([lambda first=first: send(first) for first in range(8)])
    return sent


def as_fast_as_possible(port: int, path: str, bodies: Bodies, seconds: float, connections: int) -> float:
    """Requests answered a second by so many connections, each sending its next as soon as the last is answered."""
    answered = [0] * connections
    ends = time.monotonic() + seconds

    def send(n: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while time.monotonic() < ends:
            post(connection, path, bodies(answered[n] * connections + n))
            answered[n] += 1

    _together([lambda n=n: send(n) for n in range(connections)])
    return sum(answered) / seconds


def _together(works: list[Callable[[], None]]) -> None:
    failures: list[BaseException] = []

    def attempt(work: Callable[[], None]) -> None:
        try:
            work()
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=attempt, args=(work,)) for work in works]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    if failures:
        raise failures[0]


@contextmanager
def background(work: Callable[[threading.Event], None]) -> Iterator[None]:
    """Do something in a thread until the block ends."""
    ended = threading.Event()
    thread = threading.Thread(target=work, args=(ended,), daemon=True)
    thread.start()
    try:
        yield
    finally:
        ended.set()
        thread.join()
