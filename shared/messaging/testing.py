"""For tests: a service that really runs, on a real database and a real Redis, driven from outside."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, TypeVar

import redis
import sqlalchemy as sa
from fastapi import FastAPI
from sqlmodel import Session, SQLModel
from starlette.testclient import TestClient

from shared.access import Role, load_signer
from shared.events import CloudEvent, Fact
from shared.identifiers import new_id
from shared.messaging import entries, tables
from shared.messaging.streams import stream_of
from shared.service import Host, Service
from shared.settings import Settings
from shared.web import build_app

ModelT = TypeVar("ModelT", bound=SQLModel)

DEADLINE = 60.0


class Harness:
    """One running service. A context manager; everything it answers is read from outside: HTTP, rows, stream entries."""

    def __init__(self, service: Service, settings: Settings) -> None:
        self.service = service
        self.settings = settings
        self.redis: Any = redis.Redis.from_url(settings.redis_url)

    def __enter__(self) -> Harness:
        self.host = Host(self.service, self.settings)
        engine = self.host.database.engine
        there = set(sa.inspect(engine).get_table_names())
        for metadata in (tables.metadata, self.service.metadata):
            metadata.create_all(engine, tables=[table for table in metadata.sorted_tables if table.name not in there])
        app = build_app(self.host)
        app.router.lifespan_context = self._lifespan
        self.client = TestClient(app, raise_server_exceptions=False)
        self.client.__enter__()
        return self

    def __exit__(self, *_: object) -> None:
        self.client.__exit__(None, None, None)
        self.redis.close()

    @asynccontextmanager
    async def _lifespan(self, app: FastAPI) -> Any:
        await self.host.start()
        yield
        await self.host.stop()

    def as_(
        self,
        role: Role,
        community: str | None = None,
        organization: str | None = None,
        request: str | None = None,
        subject: str | None = None,
    ) -> dict[str, str]:
        """The headers of a caller with a valid token."""
        folder = self.settings.token_keys.rpartition("/")[0]
        issuer = "matching" if role == "resident" else "registry"
        signer = load_signer(f"{folder}/{issuer}.key.json")
        token = signer.sign(role=role, community=community, organization=organization, request=request, subject=subject)
        return {"Authorization": f"Bearer {token}"}

    def hear(self, *facts: Fact, sequence: int | None = None) -> list[CloudEvent[Fact]]:
        """Tell facts as their tellers would, over Redis, and wait until they are handled. Each fact's sequence is one more
        than that of the fact heard about its subject before, or the given one. Returns them as told."""
        told = [self.event(fact, sequence) for fact in facts]
        self.deliver(told)
        return told

    def event(self, fact: Fact, sequence: int | None = None) -> CloudEvent[Fact]:
        """A fact with its envelope, not yet delivered."""
        if sequence is None:
            sequence = self.redis.incr(f"testing:sequence:{fact.subject}")
        return CloudEvent(
            id=new_id(),
            source=fact.source(),
            type=fact.type,
            subject=fact.subject,
            time=datetime.now(UTC),
            community=fact.community,
            sequence=sequence,
            traceparent="",
            dataschema=fact.schema_path(),
            data=fact,
        )

    def deliver(self, events: Sequence[CloudEvent[Fact]]) -> None:
        """Put facts on their streams, in this order and as often as they are given, and wait until they are handled."""
        with self.redis.pipeline(transaction=False) as pipeline:
            for event in events:
                row = {
                    **event.as_json(),
                    "data": event.body or event.data.model_dump_json(),
                    "sequence": event.sequence,
                }
                pipeline.xadd(stream_of(event.data.teller), entries.fields_of(row))
            pipeline.execute()
        self.drain()

    def drain(self) -> None:
        """Wait until the service is quiet, twice in a row with the same last entries: everything told is sent, everything
        heard is handled, every timer that is due has fired. Raises AssertionError when that does not happen within the
        deadline."""
        assert self.client.portal is not None
        deadline = time.monotonic() + DEADLINE
        state: Any = None
        while time.monotonic() < deadline:
            try:
                before, state = state, self.client.portal.call(self.host.quiet)
                if state["quiet"] and state == before:
                    return
                if state["quiet"]:
                    continue
            except redis.RedisError as error:
                state = error
            time.sleep(0.005)
        raise AssertionError(f"not quiet within {DEADLINE} s: {state}")

    def told(self, type: str | type[Fact] | None = None) -> list[CloudEvent[Fact]]:
        """The facts this service told (of one type), in the order of their stream; each once, however often it was sent."""
        self.drain()
        wanted = type if isinstance(type, str) or type is None else type.type
        stream = stream_of(self.service.name)
        told = {event.id: event for event in (entries.read(fields) for _, fields in self.redis.xrange(stream))}
        own = [event for event in told.values() if event.source == f"/fenghe/{self.service.name}"]
        return [event for event in own if wanted in (None, event.type)]

    @contextmanager
    def session(self) -> Iterator[Session]:
        """A reading session."""
        with self.host.database.reading() as session:
            yield session

    def rows(self, model: type[ModelT]) -> list[ModelT]:
        """All rows of a table."""
        with self.session() as session:
            return list(session.execute(sa.select(model)).scalars())

    def dead_letters(self) -> list[dict[str, Any]]:
        """All dead letters."""
        with self.session() as session:
            return [dict(row) for row in session.execute(sa.select(tables.dead_letters)).mappings()]
