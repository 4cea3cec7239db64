"""What a service says about itself to whoever runs it: `GET /api/<service>/status`."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from datetime import UTC, datetime
from typing import Any

from pydantic import BaseModel, Field
from redis.exceptions import RedisError
from sqlmodel import Session

from shared.database import is_unavailable
from shared.messaging import outbox, replay, timers
from shared.messaging.standing import Standing
from shared.service import Host
from shared.siblings import SILENT_AFTER
from shared.version import VERSION


class LackView(BaseModel):
    """What the replica that answers lacks to do its work: a kind, and a sentence."""

    kind: str
    what: str


class StreamView(BaseModel):
    """How far the service's group is behind on a stream. `seconds`: age of the oldest fact it has not finished with.
    `stalled`: for how many seconds the subscriber of the replica that answers stands still; null where it does not."""

    stream: str
    facts: int
    undelivered: int
    pending: int
    seconds: float | None
    stalled: float | None


class ReplicaView(BaseModel):
    """A replica, as its group knows it: how long ago it asked for facts (seconds), how many it has in hand."""

    name: str
    idle: float
    pending: int


class CauseView(BaseModel):
    """Dead letters, neither replayed nor set aside yet, that died of one cause; `example` is the id of one of them."""

    cause: str
    type: str | None
    letters: int
    first: datetime
    last: datetime
    example: str


class FailingView(BaseModel):
    """Timers of one kind that failed last with the same error."""

    kind: str
    error: str
    timers: int


class TimersView(BaseModel):
    """The service's timers: how many are due and not tried yet, for how many seconds the oldest of them; which fail."""

    due: int
    due_seconds: float | None
    failing: list[FailingView]


class Status(BaseModel):
    """How a service is. What Redis knows (`replicas`, `streams`) is null where Redis cannot be asked, what the database knows
    (`unsent`, `dead_letters`, `timers`) where that cannot. `lacks`, `retrying`, `stalled` are of the replica that answers."""

    service: str
    version: str
    replica: str
    ready: bool
    lacks: list[LackView]
    retrying: int = Field(description="facts that failed here and are going to be tried again")
    replicas: list[ReplicaView] | None
    streams: list[StreamView] | None
    unsent: int | None
    unsent_seconds: float | None = Field(description="age of the oldest unsent fact")
    dead_letters: list[CauseView] | None
    timers: TimersView | None


async def status(host: Host) -> Status:
    """How a service is, as the replica that answers sees it. Never raises for a Redis or a database that is away."""
    lacks = [LackView(kind=lack.kind, what=lack.what) for lack in await host.lacks()]
    standings = await asyncio.to_thread(_standings, host)
    known = await asyncio.to_thread(_known, host)
    return Status(
        service=host.service.name,
        version=VERSION,
        replica=host.replica,
        ready=not lacks,
        lacks=lacks,
        retrying=host.retrying,
        replicas=None if standings is None else _replicas(standings),
        streams=None if standings is None else [_stream(host, standing) for standing in standings],
        **known,
    )


def _standings(host: Host) -> list[Standing] | None:
    try:
        return host.observer.look()
    except (RedisError, OSError):
        return None


def _known(host: Host) -> dict[str, Any]:
    """What the database knows."""

    def read(session: Session) -> dict[str, Any]:
        now = datetime.now(UTC)
        unsent, oldest = outbox.unsent(session)
        due, since = timers.late(session, now)
        failing = [FailingView.model_validate(vars(one)) for one in timers.failing(session)]
        return {
            "unsent": unsent,
            "unsent_seconds": _age(oldest, now),
            "dead_letters": [CauseView.model_validate(vars(group)) for group in replay.groups(session)],
            "timers": TimersView(due=due, due_seconds=_age(since, now), failing=failing),
        }

    try:
        return host.read(read)
    except Exception as error:
        if not is_unavailable(error):
            raise
        return dict.fromkeys(("unsent", "unsent_seconds", "dead_letters", "timers"))


def _age(moment: datetime | None, now: datetime) -> float | None:
    return None if moment is None else max(0.0, (now - moment).total_seconds())


def _stream(host: Host, standing: Standing) -> StreamView:
    return StreamView(
        stream=standing.stream,
        facts=standing.facts,
        undelivered=standing.undelivered,
        pending=standing.pending,
        seconds=standing.seconds,
        stalled=host.progress.stalled.get(standing.stream),
    )


def _replicas(standings: list[Standing]) -> list[ReplicaView]:
    """Who asks for facts, or has some in hand; not the names of those that ended long ago and left nothing."""
    idle: dict[str, float] = {}
    pending: dict[str, int] = defaultdict(int)
    for standing in standings:
        for member in standing.members:
            idle[member.name] = min(member.idle, idle.get(member.name, member.idle))
            pending[member.name] += member.pending
    names = [name for name in sorted(idle) if pending[name] or idle[name] < SILENT_AFTER]
    return [ReplicaView(name=name, idle=idle[name], pending=pending[name]) for name in names]
