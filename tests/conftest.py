"""What every test may use: a Valkey for each worker, a database for each test, keys, and running services."""

from __future__ import annotations

import gc
import os
import shutil
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from shared import logs
from shared.access import make_keys
from shared.database import Database
from shared.messaging import tables
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from shared.service import Service
from shared.settings import Settings

POSTGRES = os.environ.get("FENGHE_TEST_POSTGRES_URL", "")
"""A PostgreSQL server in which tests may make databases, postgresql://user:password@host/database."""


def pytest_collection_finish() -> None:
    """What is loaded stays: whoever looks for garbage need not go through it again and again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session", autouse=True)
def _quiet_logs() -> None:
    logs.configure(level="ERROR", format="text")


@pytest.fixture(scope="session")
def keys(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with signing keys and their public halves."""
    folder = tmp_path_factory.mktemp("keys")
    make_keys(folder)
    return folder


@pytest.fixture(scope="session")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[EmbeddedValkey]:
    """This worker's Valkey."""
    server = EmbeddedValkey(tmp_path_factory.mktemp("valkey"), append_only=False)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_url(valkey: EmbeddedValkey) -> str:
    """An empty Redis."""
    if not valkey.alive:
        valkey.start()
    with redis.Redis.from_url(valkey.url) as client:
        client.flushall()
    return valkey.url


class Server:
    """The PostgreSQL server, if there is one."""

    def __init__(self) -> None:
        self._made: list[str] = []

    def make(self, name: str, template: str = "template1") -> str:
        """A new database, as the template is; its name."""
        database = f"fenghe_test_{name}_{uuid.uuid4().hex[:12]}"
        with self._connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{database}" TEMPLATE "{template}"'))
        self._made.append(database)
        return database

    def url(self, database: str) -> str:
        """Its address."""
        return sa.make_url(POSTGRES).set(database=database).render_as_string(hide_password=False)

    def drop(self) -> None:
        """Drop what was made."""
        if self._made:
            with self._connect() as connection:
                for database in self._made:
                    connection.execute(sa.text(f'DROP DATABASE "{database}" WITH (FORCE)'))

    def _connect(self) -> sa.Connection:
        url = sa.make_url(POSTGRES).set(drivername="postgresql+psycopg")
        return sa.create_engine(url, isolation_level="AUTOCOMMIT", poolclass=sa.NullPool).connect()


class Templates:
    """Databases that have a service's tables, each made once a worker: to copy one takes less than to make thirty tables."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._files: dict[sa.MetaData, Path] = {}
        self._databases: dict[sa.MetaData, str] = {}
        self.server = Server()

    def file(self, metadata: sa.MetaData) -> Path:
        """On SQLite."""
        if metadata not in self._files:
            path = self._folder / f"{len(self._files)}.db"
            self._fill(f"sqlite:///{path}", metadata)
            self._files[metadata] = path
        return self._files[metadata]

    def database(self, metadata: sa.MetaData) -> str:
        """On PostgreSQL."""
        if metadata not in self._databases:
            name = self.server.make("template")
            self._fill(self.server.url(name), metadata)
            self._databases[metadata] = name
        return self._databases[metadata]

    def _fill(self, url: str, metadata: sa.MetaData) -> None:
        database = Database(url)
        for tables_of in (tables.metadata, metadata):
            tables_of.create_all(database.engine)
        database.close()


@pytest.fixture(scope="session")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Templates]:
    """This worker's."""
    made = Templates(tmp_path_factory.mktemp("templates"))
    yield made
    made.server.drop()


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path, templates: Templates) -> Iterator[Callable[..., str]]:
    """Makes the address of a new database for a service, empty or with the tables of some metadata and the kit's: on SQLite,
    and on PostgreSQL where there is one."""

    def in_file(name: str, metadata: sa.MetaData | None = None) -> str:
        path = tmp_path / f"{name}.db"
        if metadata is not None:
            shutil.copyfile(templates.file(metadata), path)
        return f"sqlite:///{path}"

    def on_server(name: str, metadata: sa.MetaData | None = None) -> str:
        return server.url(server.make(name) if metadata is None else server.make(name, templates.database(metadata)))

    if request.param == "sqlite":
        yield in_file
        return
    if not POSTGRES:
        pytest.skip("PostgreSQL: set FENGHE_TEST_POSTGRES_URL to run this on PostgreSQL too")
    server = Server()
    yield on_server
    server.drop()


@pytest.fixture
def settings(database_url: Callable[..., str], redis_url: str, keys: Path) -> Callable[[Service], Settings]:
    """Makes the settings of a service for this test."""

    def make(service: Service) -> Settings:
        return Settings(
            database_url=database_url(service.name, service.metadata),
            redis_url=redis_url,
            token_keys=str(keys / "tokens.jwks.json"),
            signing_key=str(keys / f"{service.name}.key.json") if service.name in ("registry", "matching") else "",
            retry_first=0.001,
            sole=True,
            webhook_public=False,  # a test calls nobody outside
        )

    return make


@pytest.fixture
def harness(settings: Callable[[Service], Settings]) -> Iterator[Callable[[Service], Harness]]:
    """Starts a service and stops it after the test."""
    with ExitStack() as stack:
        yield lambda service: stack.enter_context(Harness(service, settings(service)))
