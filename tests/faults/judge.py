"""The judge: a process of its own that sees what was acknowledged, the stream's entries, and the database opened to read.

Every acknowledged command has its row, and every row exactly one fact per transition (I1). Every fact took effect once, the
projection holds the newest, sequences have neither gaps nor repeats (I4). Every dead letter is poison, and all poison is
there with its cause (I5).
"""

from __future__ import annotations

import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from typing import Any

import redis
import sqlalchemy as sa

from shared.events.registry import OrganizationApplied, OrganizationRegistered
from shared.messaging import entries, tables
from shared.messaging.streams import stream_of
from tests.messaging.child import Applied, Effect, Latest, service

JUDGE_LIMIT = 60.0


@dataclass(frozen=True)
class Evidence:
    """What the driver knows: the commands acknowledged, the entries that are poison, where to look."""

    acknowledged: frozenset[str]
    poison: frozenset[str]
    database_url: str
    redis_url: str


@dataclass
class Verdict:
    """What was lost and what happened twice, in sentences; how many acknowledged commands there were."""

    acknowledged: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)

    def compare(self, what: str, wanted: Iterable[Any], found: Iterable[Any]) -> None:
        """What is wanted and not found is lost; what is found more often than wanted happened twice."""
        want, have = Counter(wanted), Counter(found)
        self.lost += [f"{what}: {key}" for key in (want - have).elements()]
        self.twice += [f"{what}: {key}" for key in (have - want).elements()]


def judge(evidence: Evidence) -> Verdict:
    """Judge in another process."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_judge, args=(evidence, theirs), daemon=True)
    process.start()
    theirs.close()
    if not ours.poll(JUDGE_LIMIT):
        process.kill()
        raise TimeoutError("the judge came to no verdict")
    verdict: Verdict = ours.recv()
    process.join(JUDGE_LIMIT)
    return verdict


def _judge(evidence: Evidence, connection: Connection) -> None:
    with redis.Redis.from_url(evidence.redis_url) as client:
        told: list[tuple[bytes, dict[bytes, bytes]]] = client.xrange(stream_of(service.name))  # type: ignore[assignment]
    engine = _read_only(evidence.database_url)
    with engine.connect() as connected:
        applied = set(connected.execute(sa.select(sa.column("id")).select_from(sa.table(Applied.__tablename__))).scalars())
        effects = dict(_pairs(connected, Effect.__tablename__, "times"))
        latest = dict(_pairs(connected, Latest.__tablename__, "sequence"))
        dead = {row.entry_id: row.cause for row in connected.execute(sa.select(tables.dead_letters))}
    engine.dispose()
    connection.send(_verdict(evidence, told, applied, effects, latest, dead))


def _verdict(
    evidence: Evidence,
    told: list[tuple[bytes, dict[bytes, bytes]]],
    applied: set[str],
    effects: dict[str, int],
    latest: dict[str, int],
    dead: dict[str, str],
) -> Verdict:
    verdict = Verdict(len(evidence.acknowledged))
    verdict.lost += [f"acknowledged, but without a row: {name}" for name in evidence.acknowledged - applied]

    # What a fact says must be the same however often it stands on the stream.
    facts: dict[str, set[tuple[str, str, int]]] = defaultdict(set)
    for entry_id, fields in told:
        if entry_id.decode() not in evidence.poison:
            fact = entries.read(fields)
            facts[fact.id].add((fact.subject, fact.type, fact.sequence))
    verdict.twice += [f"one id, several facts: {id}" for id, said in facts.items() if len(said) > 1]
    single = {id: next(iter(said)) for id, said in facts.items()}

    firsts = {name for name in applied if "+" not in name}
    changes = [name.partition("+")[0] for name in applied if "+" in name] + list(firsts)  # each first is answered by a change
    first, registered, change = [], {}, {}
    for id, (subject, type, _) in single.items():
        if type == OrganizationApplied.type:
            first.append(subject)
        elif type == OrganizationRegistered.type:
            registered[id] = subject
        else:
            change[id] = subject
    verdict.compare("fact that somebody applied", firsts, first)
    verdict.compare("fact of a timer", firsts, registered.values())
    verdict.compare("fact that somebody changed", changes, change.values())

    happened = [name for name, times in effects.items() for _ in range(times)]
    verdict.compare("effect", [*first, *(f"changed {id}" for id in [*change, *registered])], happened)

    sequences: dict[str, list[int]] = defaultdict(list)
    for subject, _, sequence in single.values():
        sequences[subject].append(sequence)
    for subject, given in sequences.items():
        verdict.compare(f"sequence of {subject}", range(1, len(given) + 1), given)
        if latest.get(subject) != max(given):
            verdict.lost.append(f"projection of {subject}: {latest.get(subject)} of {max(given)}")

    verdict.lost += [f"dead letter of a good fact: {id} ({cause})" for id, cause in dead.items() if id not in evidence.poison]
    verdict.lost += [f"no dead letter with a cause: {id}" for id in evidence.poison if not dead.get(id)]
    return verdict


def _pairs(connected: sa.Connection, table: str, value: str) -> list[tuple[str, int]]:
    rows = connected.execute(sa.select(sa.column("id"), sa.column(value)).select_from(sa.table(table)))
    return [(row[0], row[1]) for row in rows]


def _read_only(url: str) -> sa.Engine:
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        return sa.create_engine(f"sqlite+pysqlite:///file:{address.database}?mode=ro&uri=true")
    options = {"options": "-c default_transaction_read_only=on"}
    return sa.create_engine(address.set(drivername="postgresql+psycopg"), connect_args=options)
