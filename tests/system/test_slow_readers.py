"""Thousands of readers of the feed's stream who do not read, and then come back: memory stays bounded, nobody waits for them,
and each goes on where it was."""

from __future__ import annotations

import re
import resource
import selectors
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx
import pytest

from tests.system.conftest import HTTP, AllInOne

READERS = 2_000
PLACES = 60
FOR_EACH_READER = 150_000
"""Bytes: a task, a socket, and what a connection may hold unsent."""
PATIENCE = 180.0
EVENT = re.compile(rb"\nid: (\S+)\n\n")
STREAM = "/api/notify/events/stream"


def memory(pid: int) -> int:
    """Resident bytes of a process."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(status.partition("VmRSS:")[2].split()[0]) * 1024


@contextmanager
def enough_sockets() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, max(soft, 2 * READERS + 500)), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


def connect(address: httpx.URL, last: str) -> socket.socket:
    """A reader who has asked, and has read nothing yet."""
    reader = socket.socket()
    reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    reader.connect((address.host, address.port))
    reader.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nLast-Event-ID: {last}\r\n\r\n".encode())
    return reader


def tell(system: AllInOne, places: int, compounds: int = 60) -> None:
    """Public facts, large ones with many compounds."""
    for _ in range(places):
        body = {
            "slug": f"place-{time.monotonic_ns()}",
            "name_zh": "社区" * 30,
            "name_en": "A place" * 10,
            "compounds": [{"id": f"c{c}", "name_zh": "小区" * 30, "name_en": "Compound" * 8} for c in range(compounds)],
        }
        answer = HTTP.post(f"{system.address}/api/registry/communities", json=body, headers=system.token(), timeout=60)
        assert answer.status_code == 201, answer.text


def all_ids(system: AllInOne) -> list[str]:
    """The ids of all events of the stream, as a reader who does read gets them."""
    lines = HTTP.get(system.address + STREAM, headers={"Last-Event-ID": ""}, params={"follow": "false"}, timeout=60).text
    return re.findall(r"(?m)^id: (\S+)$", lines)


def read_until_all_have(readers: dict[socket.socket, bytes], expected: list[str]) -> list[list[str]]:
    """Read from all of them until each has as many events as expected, or nothing comes any more; what those have who did not
    get exactly these."""
    found: list[list[str]] = []
    with selectors.DefaultSelector() as selector:
        for reader in readers:
            reader.setblocking(False)
            selector.register(reader, selectors.EVENT_READ)
        deadline = time.monotonic() + PATIENCE
        while selector.get_map() and time.monotonic() < deadline:
            for key, _ in selector.select(1):
                reader = key.fileobj
                assert isinstance(reader, socket.socket)
                readers[reader] += reader.recv(65536)
                if len(EVENT.findall(readers[reader])) >= len(expected):
                    selector.unregister(reader)
        for received in readers.values():
            ids = [id.decode() for id in EVENT.findall(received)]
            if ids != expected:
                found.append(ids)
    return found


@pytest.mark.timeout(900)
def test_readers_who_do_not_read_cost_little_and_hold_up_nobody(all_in_one: Callable[[], AllInOne]) -> None:
    with enough_sockets():
        system = all_in_one()
        system.start()
        assert system.process is not None
        address = httpx.URL(system.address)
        before = memory(system.process.pid)
        with ExitStack() as sockets:
            for _ in range(READERS):
                reader = connect(address, "")
                sockets.callback(reader.close)
            tell(system, PLACES)
            deadline = time.monotonic() + PATIENCE
            while len(ids := all_ids(system)) < PLACES:
                assert time.monotonic() < deadline, "a reader who does read was held up"
            grown = memory(system.process.pid) - before
            assert grown < READERS * FOR_EACH_READER, f"{grown / READERS:.0f} bytes for each reader"
            print(f"{grown / READERS:.0f} bytes for each of {READERS} readers")

        # All of them come back at once, each after the third fact from the end, and each gets the rest, once.
        with ExitStack() as sockets:
            readers = {}
            for _ in range(READERS):
                reader = connect(address, ids[-3])
                sockets.callback(reader.close)
                readers[reader] = b""
            tell(system, 1, 1)
            deadline = time.monotonic() + PATIENCE
            while len(following := all_ids(system)) < PLACES + 1:
                assert time.monotonic() < deadline, "the next fact is not in the feed"
            expected = following[-3:]
            late = read_until_all_have(readers, expected)
            assert not late, f"{len(late)} of {READERS} did not get {expected}, but for example {late[:1]}"
            grown = memory(system.process.pid) - before
            assert grown < READERS * FOR_EACH_READER, f"{grown / READERS:.0f} bytes for each reader who came back"
