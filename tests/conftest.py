"""What every test may use: a Valkey for each worker, a database for each test, keys, and running services."""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
import redis
import sqlalchemy as sa

from shared import logs
from shared.access import make_keys
from shared.messaging.testing import Harness
from shared.messaging.valkey import EmbeddedValkey
from shared.service import Service
from shared.settings import Settings

POSTGRES = os.environ.get("FENGHE_TEST_POSTGRES_URL", "")
"""A PostgreSQL server in which tests may make databases, postgresql://user:password@host/database."""


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


@pytest.fixture(params=["sqlite", "postgresql"])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Callable[[str], str]]:
    """Makes the address of a new, empty database for a service: on SQLite, and on PostgreSQL where there is one."""
    if request.param == "sqlite":
        yield lambda name: f"sqlite:///{tmp_path / name}.db"
        return
    if not POSTGRES:
        pytest.skip("PostgreSQL: set FENGHE_TEST_POSTGRES_URL to run this on PostgreSQL too")
    server = sa.create_engine(
        sa.make_url(POSTGRES).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
    )
    made: list[str] = []

    def make(name: str) -> str:
        database = f"fenghe_test_{name}_{uuid.uuid4().hex[:12]}"
        with server.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{database}"'))
        made.append(database)
        return sa.make_url(POSTGRES).set(database=database).render_as_string(hide_password=False)

    yield make
    with server.connect() as connection:
        for database in made:
            connection.execute(sa.text(f'DROP DATABASE "{database}" WITH (FORCE)'))


@pytest.fixture
def settings(database_url: Callable[[str], str], redis_url: str, keys: Path) -> Callable[[Service], Settings]:
    """Makes the settings of a service for this test."""

    def make(service: Service) -> Settings:
        return Settings(
            database_url=database_url(service.name),
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
