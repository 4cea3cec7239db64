"""What the benchmarks stand on: a Valkey with its append-only file and databases of their own, gone afterwards."""

from __future__ import annotations

import os
import signal
import sys
import tempfile
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from subprocess import Popen
from typing import Any

import redis
import sqlalchemy as sa

from shared.access import make_keys
from shared.messaging import tables
from shared.messaging.valkey import EmbeddedValkey
from shared.settings import Settings

POSTGRES = os.environ.get("FENGHE_TEST_POSTGRES_URL", "")
ROOT = Path(__file__).parent.parent.parent
DEADLINE = 180.0


def databases() -> list[str]:
    """The kinds of database there are; says so where PostgreSQL is left out."""
    if not POSTGRES:
        print("PostgreSQL is left out: FENGHE_TEST_POSTGRES_URL is not set", file=sys.stderr)
    return ["SQLite", *(["PostgreSQL"] if POSTGRES else [])]


class Ground:
    """A folder, a Valkey (append-only file, fsync every second, Unix socket) and keys. A context manager."""

    def __enter__(self) -> Ground:
        self._stack = ExitStack()
        self.folder = Path(self._stack.enter_context(tempfile.TemporaryDirectory(prefix="fenghe-bench-")))
        make_keys(self.folder)
        valkey = EmbeddedValkey(self.folder / "valkey")
        valkey.start()
        self._stack.callback(valkey.stop)
        self.redis_url = valkey.url
        self.redis: Any = self._stack.enter_context(redis.Redis.from_url(valkey.url))
        return self

    def __exit__(self, *_: object) -> None:
        self._stack.close()

    def settings(self, service: str, database_url: str, **more: Any) -> Settings:
        """A service's settings, as in production."""
        key = self.folder / f"{service}.key.json"
        return Settings(
            database_url=database_url,
            redis_url=self.redis_url,
            token_keys=str(self.folder / "tokens.jwks.json"),
            signing_key=str(key) if key.exists() else "",
            sole=True,
            **more,
        )

    @contextmanager
    def database(self, kind: str, *of: sa.MetaData) -> Iterator[str]:
        """The address of a new database: with the kit's tables and these, or empty where none are named."""
        name = f"fenghe_bench_{uuid.uuid4().hex[:12]}"
        with ExitStack() as stack:
            if kind == "SQLite":
                path = self.folder / f"{name}.db"
                url = f"sqlite:///{path}"
                stack.callback(lambda: [file.unlink() for file in self.folder.glob(f"{name}.db*")])
            else:
                address = sa.make_url(POSTGRES)
                server = sa.create_engine(
                    address.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT", poolclass=sa.NullPool
                )
                _do(server, f'CREATE DATABASE "{name}"')
                stack.callback(_do, server, f'DROP DATABASE "{name}" WITH (FORCE)')
                url = address.set(database=name).render_as_string(hide_password=False)
            engine = engine_of(url)
            for metadata in (tables.metadata, *of) if of else ():
                metadata.create_all(engine)
            engine.dispose()
            yield url

    @contextmanager
    def process(self, command: list[str], **environment: str) -> Iterator[Popen[bytes]]:
        """A process of this Python (`-m …`) while the block runs; then it is killed, with what it started itself."""
        clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}
        with (self.folder / "processes.log").open("ab") as log:
            process = Popen(
                [sys.executable, *command], cwd=ROOT, env=clean | environment, stdout=log, stderr=log, start_new_session=True
            )
        try:
            yield process
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()

    def until(self, what: str, condition: Callable[[], Any], process: Popen[bytes] | None = None) -> Any:
        """Wait until a condition holds; returns what it gave. Raises AssertionError with the end of the processes' log."""
        deadline = time.monotonic() + DEADLINE
        ended = False
        while not (given := condition()):
            if ended or time.monotonic() > deadline:
                tail = (self.folder / "processes.log").read_text()[-3000:]
                raise AssertionError(f"{'it ended' if ended else 'no end'} while waiting: {what}\n{tail}")
            time.sleep(0.02)
            ended = process is not None and process.poll() is not None  # and then look once more: it may have ended well
        return given


def environment_of(settings: Settings) -> dict[str, str]:
    """Settings as the environment variables that a process takes them from."""
    return {f"FENGHE_{name.upper()}": str(value) for name, value in settings.model_dump().items()}


def engine_of(url: str) -> sa.Engine:
    """An engine for looking from outside."""
    driver = "sqlite+pysqlite" if url.startswith("sqlite") else "postgresql+psycopg"
    return sa.create_engine(sa.make_url(url).set(drivername=driver), poolclass=sa.NullPool)


def count(url: str, *tables: str) -> list[int]:
    """How many rows each of these tables (or tables with a condition) has."""
    engine = engine_of(url)
    with engine.connect() as connection:
        return [connection.execute(sa.text(f"SELECT count(*) FROM {table}")).scalar_one() for table in tables]


def memory(pid: int) -> tuple[float, float]:
    """A process's resident memory in megabytes, now and at its peak."""
    status = dict(line.split(":", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines())
    now, peak = (int(status[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
    return now, peak


def cpu_seconds(pid: int) -> float:
    """The processor time that a process has used."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def family(pid: int) -> list[int]:
    """A process and those that it started."""
    return [pid, *map(int, Path(f"/proc/{pid}/task/{pid}/children").read_text().split())]


def thread_seconds(pid: int) -> float:
    """The processor time that a process's first thread has used: in a listener the event loop's."""
    return int(Path(f"/proc/{pid}/task/{pid}/schedstat").read_text().split()[0]) / 1e9


def _do(server: sa.Engine, statement: str) -> None:
    with server.connect() as connection:
        connection.execute(sa.text(statement))
