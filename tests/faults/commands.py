"""What the suite calls the fifth service by: routes that give it commands, and one that shows what stands in its database."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

import sqlalchemy as sa
from fastapi import APIRouter
from fastapi.responses import JSONResponse
from sqlmodel import Session, SQLModel

from shared.access import Caller, allow
from shared.messaging import steps, tables
from shared.problems import Conflict
from shared.web import EDGE, Edge
from tests.messaging import child
from tests.messaging.child import Applied, Effect, Latest, Tally

ROLLED_BACK = "rolled-back"
router = APIRouter()


class Command(SQLModel):
    """Commands that are done together, in one transaction. `held`: seconds between the last write and the commit; `undone`:
    then it is rolled back."""

    names: list[str]
    held: float = 0
    undone: bool = False


@router.post("/commands")
def command(body: Command, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> list[str]:
    """Do the commands; the answer names them. 409 `rolled-back`."""
    with _before_commit(body):
        if len(body.names) == 1:
            edge.run(child.apply, body.names[0])
        else:
            edge.run(child.apply_all, body.names)
    return body.names


@router.get("/effects/{name}")
def times(name: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> int:
    """How often the first fact of a subject took effect."""
    effect = edge.read(lambda session: session.get(Effect, name))
    return effect.times if effect else 0


@router.get("/witness")
def show(caller: Caller = allow("anyone"), edge: Edge = EDGE) -> JSONResponse:
    """What the commands wrote, how often each fact took effect, the projection, the dead letters."""
    return JSONResponse(edge.read(_rows))


def dead_letters(session: Session) -> list[dict[str, Any]]:
    """All of them: the entry, the cause, and whether they were replayed."""
    table = tables.dead_letters
    rows = session.execute(sa.select(table.c.id, table.c.entry_id, table.c.cause, table.c.replayed_at))
    return [{"id": row.id, "entry": row.entry_id, "cause": row.cause, "replayed": row.replayed_at is not None} for row in rows]


def pairs(session: Session, *columns: Any) -> list[list[Any]]:
    """The values of some columns of a table, row by row."""
    return [list(row) for row in session.execute(sa.select(*columns))]


def _rows(session: Session) -> dict[str, Any]:
    return {
        "applied": list(session.execute(sa.select(Applied.id)).scalars()),
        "effects": pairs(session, Effect.id, Effect.times),
        "tallies": pairs(session, Tally.id, Tally.times),
        "latest": pairs(session, Latest.id, Latest.sequence),
        "dead_letters": dead_letters(session),
    }


_ending = threading.local()


@contextmanager
def _before_commit(command: Command) -> Iterator[None]:
    """Hold up, or undo, what this thread does right before its commit, when everything is written."""
    if not command.held and not command.undone:
        yield
        return

    def end() -> None:
        time.sleep(command.held)  # in which others commit what they told later
        if command.undone:
            raise Conflict(ROLLED_BACK, "It was rolled back on purpose.")

    def at(label: str) -> None:
        if label == "command:before-commit" and (ending := getattr(_ending, "how", None)):
            ending()

    steps.arm(at)
    _ending.how = end
    try:
        yield
    finally:
        _ending.how = None


service = replace(child.service, routers=[*child.service.routers, router])
