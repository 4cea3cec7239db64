"""T2: a process is killed at every labelled step of the kit, once in its beginnings and once in full swing. Whatever it had
acknowledged is told, every fact takes effect exactly once. Among the steps are those of healing, trimming and replaying."""

from __future__ import annotations

import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import redis
import sqlalchemy as sa

from shared.database import Database
from shared.messaging import entries, tables
from shared.messaging.healing import numeric
from shared.messaging.steps import EVERY_DAY, LABELS
from shared.messaging.streams import stream_of
from shared.service import Service
from shared.settings import Settings
from tests.messaging.child import Applied, Effect, run, service
from tests.messaging.lending import LoanAsked

COMMANDS = 12


def assert_kept_promise(settings: Settings, names: set[str]) -> None:
    """Everything acknowledged has its row and exactly one fact; every fact is on the stream and took effect once."""
    database = Database(settings.database_url)
    with database.reading() as session:
        applied = set(session.execute(sa.select(Applied.id)).scalars())
        outbox: list[Any] = list(session.execute(sa.select(tables.outbox)).mappings())
        effects: dict[str, int] = dict(session.execute(sa.select(Effect.id, Effect.times)).all())
        unreplayed = session.execute(sa.select(tables.dead_letters).where(tables.dead_letters.c.replayed_at.is_(None))).all()
        horizon = session.execute(sa.select(tables.trimmed.c.before)).scalar()
    database.close()
    with redis.Redis.from_url(settings.redis_url) as client:
        told = {entries.read(fields).id for _, fields in client.xrange(stream_of(service.name))}
    assert names <= applied
    assert sorted(row["subject"] for row in outbox if row["type"] == LoanAsked.type) == sorted(applied)
    assert len(outbox) == 3 * len(applied)
    standing = {row["id"] for row in outbox if horizon is None or numeric(row["entry_id"]) >= numeric(horizon)}
    assert standing <= told <= {row["id"] for row in outbox}
    assert all(row["entry_id"] for row in outbox)
    assert len({(row["subject"], row["sequence"]) for row in outbox}) == len(outbox)
    assert set(effects.values()) == {1}
    assert len(effects) == len(outbox)
    assert not unreplayed


@pytest.mark.parametrize("hit", [1, 3])
@pytest.mark.parametrize("label", LABELS)
def test_killed_at_a_step_it_loses_nothing_and_does_nothing_twice(
    settings: Callable[[Service], Settings], label: str, hit: int
) -> None:
    given = settings(service)
    killed = run(given, COMMANDS, label, hit, bad_day=label not in EVERY_DAY)
    if hit == 1 or label not in EVERY_DAY:
        assert killed.exit_code == -signal.SIGKILL
    again = run(given, COMMANDS)
    assert again.exit_code == 0
    assert_kept_promise(given, killed.acknowledged | again.acknowledged)


def test_every_label_is_a_step_on_the_way(settings: Callable[[Service], Settings]) -> None:
    outcome = run(settings(service), COMMANDS, bad_day=True)
    assert outcome.exit_code == 0
    assert outcome.steps == set(LABELS)


def test_every_step_in_the_kit_has_a_label() -> None:
    kit = Path(__file__).parent.parent.parent / "shared"
    steps = {step for path in kit.rglob("*.py") for step in re.findall(r'\bstep\("([^"]+)"\)', path.read_text())}
    assert steps == set(LABELS)
