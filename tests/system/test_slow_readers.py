"""Thousands of readers of the feed's stream who do not read: memory stays bounded, and nobody waits for them."""

from __future__ import annotations

import resource
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import httpx

from tests.system.conftest import AllInOne

READERS = 2_000
FOR_EACH_READER = 150_000
"""Bytes: a task, a socket, and what a connection may hold unsent."""
PATIENCE = 120.0
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


def test_readers_who_do_not_read_cost_little_and_hold_up_nobody(all_in_one: Callable[[], AllInOne]) -> None:
    with enough_sockets(), ExitStack() as sockets:
        system = all_in_one()
        system.start()
        assert system.process is not None
        address = httpx.URL(system.address)
        before = memory(system.process.pid)
        for _ in range(READERS):
            reader = socket.socket()
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            reader.connect((address.host, address.port))
            reader.sendall(f"GET {STREAM} HTTP/1.1\r\nHost: x\r\nLast-Event-ID:\r\n\r\n".encode())
            sockets.callback(reader.close)
        for number in range(60):
            body = {
                "slug": f"place-{number}",
                "name_zh": "社区" * 30,
                "name_en": "A place" * 10,
                "compounds": [{"id": f"c{c}", "name_zh": "小区" * 30, "name_en": "Compound" * 8} for c in range(60)],
            }
            answer = httpx.post(f"{system.address}/api/registry/communities", json=body, headers=system.token(), timeout=60)
            assert answer.status_code == 201, answer.text

        def has_heard_everything() -> bool:
            lines = httpx.get(system.address + STREAM, headers={"Last-Event-ID": ""}, params={"follow": "false"}, timeout=60)
            return lines.text.count("event: fenghe.community.opened.v1") == 60

        deadline = time.monotonic() + PATIENCE
        while not has_heard_everything():
            assert time.monotonic() < deadline, "a reader who does read was held up"
        grown = memory(system.process.pid) - before
        assert grown < READERS * FOR_EACH_READER, f"{grown / READERS:.0f} bytes for each reader"
        print(f"{grown / READERS:.0f} bytes for each of {READERS} readers")
