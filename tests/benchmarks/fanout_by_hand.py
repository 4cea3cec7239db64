"""The plain loops beside webhooks and the stream of events.

`python -m tests.benchmarks.fanout_by_hand webhooks DATABASE_URL PORT SUBSCRIPTIONS`: signs each fact of the feed and posts it,
eight at a time to each subscription, with aiohttp. No log, no retries, no leases, no order, no look at the address.
`… stream REDIS_URL PORT`: hands what is in the stream to every reader. No place in it, no filters, no database.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import sys
import time
from typing import Any

import aiohttp
import redis.asyncio
import sqlalchemy as sa

from shared.messaging.streams import stream_of
from tests.benchmarks.ground import engine_of

KEY = b"k" * 32


async def webhooks(database_url: str, port: int, subscriptions: int) -> None:
    """Send every fact of the feed to every subscription, once."""
    with engine_of(database_url).connect() as connection:
        rows = list(connection.execute(sa.text("SELECT fact, event FROM feed_facts ORDER BY position")))
    events = [(id, event if isinstance(event, dict) else json.loads(event)) for id, event in rows]
    connector = aiohttp.TCPConnector(limit=0)
    async with aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar()) as session:

        async def post(number: int, waiting: list[Any]) -> None:
            while waiting:
                id, event = waiting.pop()
                body, now = json.dumps(event, ensure_ascii=False, separators=(",", ":")), str(int(time.time()))
                signature = hmac.new(KEY, f"{id}.{now}.{body}".encode(), hashlib.sha256).digest()
                headers = {
                    "content-type": "application/json",
                    "webhook-id": id,
                    "webhook-timestamp": now,
                    "webhook-signature": f"v1,{base64.b64encode(signature).decode()}",
                }
                async with session.post(f"http://127.0.0.1:{port}/{number}", data=body.encode(), headers=headers) as answer:
                    await answer.read()

        lists = [list(reversed(events)) for _ in range(subscriptions)]
        await asyncio.gather(*(post(number, waiting) for number, waiting in enumerate(lists) for _ in range(8)))


async def stream(redis_url: str, port: int) -> None:
    """Until killed."""
    readers: set[asyncio.StreamWriter] = set()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n\r\n")
        readers.add(writer)

    await asyncio.start_server(connected, "127.0.0.1", port, backlog=1000)
    client: Any = redis.asyncio.Redis.from_url(redis_url)
    last: Any = "0"
    while True:
        for _, told in await client.xread({stream_of("registry"): last}, count=100, block=100) or []:
            last = told[-1][0]
            parts = []
            for id, fields in told:
                event = {name.decode(): value.decode() for name, value in fields.items()}
                event["data"] = json.loads(event["data"])
                written = json.dumps(event, ensure_ascii=False, separators=(",", ":"))
                parts.append(f"event: {event['type']}\ndata: {written}\nid: {id.decode()}\n\n".encode())
            chunk = b"".join(parts)
            for writer in readers:
                writer.write(chunk)
            for writer in readers:
                await writer.drain()


if __name__ == "__main__":
    kind, address, *numbers = sys.argv[1:]
    asyncio.run((webhooks if kind == "webhooks" else stream)(address, *map(int, numbers)))
