"""Those who listen from outside, each a process of its own that costs little.

`python -m tests.benchmarks.outsiders receiver PORT` takes whatever is posted to it; `… readers PORT COUNT EVENTS` are so many
readers of a stream of events until each has so many, and print how many seconds there were from the first event to the last.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time


class Receiver(asyncio.Protocol):
    """Answers 204 to every POST; a GET is told how many there were, and the seconds from the first to the last."""

    count = 0
    first = last = 0.0

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport = transport
        self._buffer = b""

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        while (end := self._buffer.find(b"\r\n\r\n")) >= 0:
            head = self._buffer[:end].lower()
            if head.startswith(b"get"):
                told = json.dumps({"count": Receiver.count, "seconds": Receiver.last - Receiver.first}).encode()
                self._transport.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(told), told))
                self._buffer = self._buffer[end + 4 :]
                continue
            length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
            if len(self._buffer) < end + 4 + length:
                return
            self._buffer = self._buffer[end + 4 + length :]
            Receiver.last = time.monotonic()
            Receiver.first = Receiver.first or Receiver.last
            Receiver.count += 1
            self._transport.write(b"HTTP/1.1 204 No Content\r\n\r\n")


async def receive(port: int) -> None:
    """Until killed."""
    server = await asyncio.get_running_loop().create_server(Receiver, "127.0.0.1", port, backlog=1000)
    await server.serve_forever()


async def read(port: int, count: int, events: int) -> None:
    """Readers of what is sent from now on."""
    began: list[float] = []

    async def one() -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=2**20)
        writer.write(b"GET /api/notify/events/stream HTTP/1.1\r\nHost: x\r\n\r\n")
        # Once anything is answered, this reader's place in the feed is settled.
        seen, rest = 0, (await reader.read(65_536))[-6:]
        ready.release()
        while seen < events:
            got = await reader.read(65_536)
            assert got, "the stream has ended"
            found = (rest + got).count(b"\ndata: ")
            if found and not began:
                began.append(time.monotonic())
            seen += found
            rest = (rest + got)[-6:]
        writer.close()

    ready = asyncio.Semaphore(0)
    tasks = [asyncio.create_task(one()) for _ in range(count)]
    for _ in tasks:
        await ready.acquire()
    print("ready", flush=True)
    await asyncio.gather(*tasks)
    print(time.monotonic() - began[0], flush=True)


if __name__ == "__main__":
    kind, *numbers = sys.argv[1:]
    asyncio.run(receive(*map(int, numbers)) if kind == "receiver" else read(*map(int, numbers)))
