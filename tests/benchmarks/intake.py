"""Durable POSTs a second: matching's `POST /requests`, with all that follows from it, beside a bare FastAPI route that makes
one insert on the same database. `python -m tests.benchmarks.intake DATABASE_URL PORT` is the bare route."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager

import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel
from sqlmodel import Field, Session, SQLModel

from shared.database import Database
from shared.identifiers import new_id
from tests.benchmarks.ground import Ground, cpu_seconds, databases
from tests.benchmarks.http_load import as_fast_as_possible
from tests.benchmarks.measure import Row
from tests.benchmarks.town import free_port, matching, quiet
from tests.matching.given import REQUESTS

SECONDS, CONNECTIONS = 5.0, 8


class Words(SQLModel, table=True):
    """What the bare route writes."""

    __tablename__ = "bench_words"
    id: str = Field(primary_key=True)
    text: str


class Body(BaseModel):
    """What the bare route takes."""

    community: str
    text: str
    compound: str


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: POSTs/s of both, with their ratio round by round."""
    seconds = max(1.0, SECONDS * scale)
    with Ground() as ground:
        kinds = databases()
        rates: dict[tuple[str, str], list[float]] = {(kind, what): [] for kind in kinds for what in ("bare", "ours", "cost")}
        for _ in range(runs):
            for kind in kinds:
                with matching(ground, kind) as (port, bodies, pid):
                    as_fast_as_possible(port, REQUESTS, bodies, 1, CONNECTIONS)
                    ground.until("matching is quiet", lambda: quiet(port))
                    spent = cpu_seconds(pid)
                    rate = as_fast_as_possible(port, REQUESTS, bodies, seconds, CONNECTIONS)
                    ground.until("matching is quiet", lambda: quiet(port))
                    rates[kind, "ours"].append(rate)
                    rates[kind, "cost"].append((cpu_seconds(pid) - spent) * 1000 / (rate * seconds))
                with _bare(ground, kind) as port:
                    as_fast_as_possible(port, "/words", bodies, 1, CONNECTIONS)
                    rates[kind, "bare"].append(as_fast_as_possible(port, "/words", bodies, seconds, CONNECTIONS))
    for kind in kinds:
        yield Row.of(f"{kind}: a bare FastAPI route, one insert", "POSTs/s", rates[kind, "bare"])
        yield Row.of(f"{kind}: matching, POST /requests, matched meanwhile", "POSTs/s", rates[kind, "ours"])
        yield Row.of(f"{kind}: matching, processor time of a request until it is matched", "ms", rates[kind, "cost"])
        yield Row.ratios(f"{kind}: matching to the bare route", rates[kind, "ours"], rates[kind, "bare"])


@contextmanager
def _bare(ground: Ground, kind: str) -> Iterator[int]:
    port = free_port()
    with ground.database(kind, Words.metadata) as url:
        with ground.process(["-m", "tests.benchmarks.intake", url, str(port)]) as process:
            ground.until("the bare route answers", lambda: _answers(port), process)
            yield port


def _answers(port: int) -> bool:
    try:
        return as_fast_as_possible(port, "/words", lambda _: b'{"community": "c", "text": "x", "compound": "g"}', 0.01, 1) > 0
    except OSError:
        return False


def _serve(url: str, port: int) -> None:
    database = Database(url)  # its engine, with the same durability
    app = FastAPI()

    @app.post("/words", status_code=201)
    def keep(body: Body) -> dict[str, str]:
        with Session(database.engine) as session:
            id = new_id()
            session.add(Words(id=id, text=body.text))
            session.commit()
        return {"id": id}

    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning", access_log=False)


if __name__ == "__main__":
    _serve(sys.argv[1], int(sys.argv[2]))
