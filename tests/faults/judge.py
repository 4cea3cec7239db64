"""The judge: a process of its own that sees what was acknowledged, what services answer over HTTP, and the stream's entries.

Every acknowledged command has its row, and every row exactly one fact per transition (I1). Every fact took effect once, the
projection holds the newest, sequences have neither gaps nor repeats (I4). Every dead letter is poison, and all poison is
there with its cause (I5). A listener that was rebuilt shows what it would from living through it all (I6). I2 and I3 are those
of the four services: `judge_lives.py`; I6 on them: `rebuilding.py`.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

import redis

from shared.messaging import entries
from shared.messaging.entries import Fields
from shared.messaging.streams import stream_of
from tests.faults import observer
from tests.faults.calling import call
from tests.faults.commands import service
from tests.forking import CONTEXT
from tests.messaging.lending import LoanAsked, LoanChanged, LoanOverdue

JUDGE_LIMIT = 300.0
OWN = (LoanAsked.type, LoanChanged.type, LoanOverdue.type)
TOGETHER = "&"
"""How the name of a command ends that was given with others."""


@dataclass(frozen=True)
class Evidence:
    """What the driver knows: the commands acknowledged and those undone on purpose, the entries that are poison, the entries
    that may have been trimmed; where to look and whom to ask. `listeners`: their addresses, and whether each must have heard
    every fact or only the newest of every subject."""

    acknowledged: frozenset[str]
    refused: frozenset[str]
    poison: frozenset[str]
    trimmed: Mapping[str, Fields]
    address: Path
    redis_url: str
    listeners: tuple[tuple[Path, bool], ...]


@dataclass(frozen=True)
class Rows:
    """What the service shows of its database."""

    applied: set[str]
    effects: dict[str, int]
    latest: dict[str, int]
    tallies: dict[str, int]


class Told(NamedTuple):
    """What a fact on the stream says."""

    subject: str
    type: str
    sequence: int
    data: str


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


def judge(evidence: Any, by: Callable[[Any], Verdict] | None = None) -> Verdict:
    """Judge in another process, `by` default what the clients of the fifth service saw."""
    ours, theirs = CONTEXT.Pipe(duplex=False)
    process = CONTEXT.Process(target=_send_verdict, args=(by or of_commands, evidence, theirs), daemon=True)
    process.start()
    theirs.close()
    if not ours.poll(JUDGE_LIMIT):
        process.kill()
        raise TimeoutError("the judge came to no verdict")
    verdict: Verdict = ours.recv()
    process.join(JUDGE_LIMIT)
    return verdict


def _send_verdict(by: Callable[[Any], Verdict], evidence: Any, connection: Connection) -> None:
    connection.send(by(evidence))


def of_commands(evidence: Evidence) -> Verdict:
    """What became of the commands, by the replies of the service and its listeners and by the stream."""
    with redis.Redis.from_url(evidence.redis_url) as client:
        standing: list[tuple[bytes, Fields]] = client.xrange(stream_of(service.name))  # type: ignore[assignment]
    entries_told = {**evidence.trimmed, **{id.decode(): fields for id, fields in standing}}
    verdict = Verdict(len(evidence.acknowledged))
    told = _told(evidence, entries_told, verdict)
    shown = _shown(evidence.address, service.name)
    rows = Rows(set(shown["applied"]), *(dict(shown[table]) for table in ("effects", "latest", "tallies")))
    _judge_commands(evidence, told, rows, verdict)
    _judge_dead_letters(evidence, shown["dead_letters"], verdict)
    for address, whole in evidence.listeners:
        shown = _shown(address, observer.service.name)
        newest = {subject: (sequence, data) for subject, sequence, data in shown["newest"]}
        _judge_listener(told, dict(shown["heard"]), newest, whole, verdict)
        _judge_dead_letters(evidence, shown["dead_letters"], verdict)
    return verdict


def _shown(address: Path, name: str) -> Any:
    reply = call(address, "GET", f"/api/{name}/witness", limit=JUDGE_LIMIT)
    assert reply.status == 200, reply
    return reply.body


def _told(evidence: Evidence, entries_told: Mapping[str, Fields], verdict: Verdict) -> dict[str, Told]:
    # What a fact says must be the same however often it stands on the stream.
    facts: dict[str, set[Told]] = defaultdict(set)
    for entry_id, fields in entries_told.items():
        if entry_id not in evidence.poison:
            fact = entries.read(fields)
            facts[fact.id].add(Told(fact.subject, fact.type, fact.sequence, fact.body))
    verdict.twice += [f"one id, several facts: {id}" for id, said in facts.items() if len(said) > 1]
    return {id: next(iter(said)) for id, said in facts.items()}


def _judge_commands(evidence: Evidence, everything: Mapping[str, Told], rows: Rows, verdict: Verdict) -> None:
    told = {id: fact for id, fact in everything.items() if fact.type in OWN}
    applied = rows.applied
    verdict.lost += [f"acknowledged, but without a row: {name}" for name in evidence.acknowledged - applied]
    verdict.twice += [f"undone, and yet there: {name}" for name in evidence.refused & applied]

    firsts = {name for name in applied if "+" not in name}
    changes = [name.partition("+")[0] for name in applied if "+" in name] + list(firsts)  # each first is answered by a change
    first = [fact.subject for fact in told.values() if fact.type == LoanAsked.type]
    overdue = {id: fact.subject for id, fact in told.items() if fact.type == LoanOverdue.type}
    change = {id: fact.subject for id, fact in told.items() if fact.type == LoanChanged.type}
    verdict.compare("fact that somebody asked", firsts, first)
    verdict.compare("fact of a timer", firsts, overdue.values())
    verdict.compare("fact that somebody changed", changes, change.values())

    happened = [name for name, times in rows.effects.items() for _ in range(times)]
    verdict.compare("effect", [*first, *(f"changed {id}" for id in [*change, *overdue])], happened)
    touched = [subject for subject, times in rows.tallies.items() for _ in range(times)]
    verdict.compare("touch", [name.partition("+")[0] for name in applied if name.endswith(TOGETHER)], touched)

    for subject, given in _sequences(told).items():
        verdict.compare(f"sequence of {subject}", range(1, len(given) + 1), given)
        if rows.latest.get(subject) != max(given):
            verdict.lost.append(f"projection of {subject}: {rows.latest.get(subject)} of {max(given)}")


def _judge_listener(
    told: Mapping[str, Told], heard: dict[str, int], shown: dict[str, tuple[int, str]], whole: bool, verdict: Verdict
) -> None:
    happened = [id for id, times in heard.items() for _ in range(times)]
    verdict.compare("effect at a listener", list(told if whole else heard), happened)
    newest: dict[str, Told] = {}
    for fact in told.values():
        if fact.subject not in newest or newest[fact.subject].sequence < fact.sequence:
            newest[fact.subject] = fact
    for subject, fact in newest.items():
        if shown.get(subject) != (fact.sequence, fact.data):
            verdict.lost.append(f"a listener's read model of {subject}: {shown.get(subject)}, not {fact.sequence}")


def _judge_dead_letters(evidence: Evidence, dead: list[dict[str, Any]], verdict: Verdict) -> None:
    """A good fact's dead letter is none any more once it was replayed."""
    causes = {letter["entry"]: letter["cause"] for letter in dead}
    verdict.lost += [f"a dead letter without a cause: {id}" for id, cause in causes.items() if not cause]
    verdict.lost += [
        f"dead letter of a good fact: {letter['entry']} ({letter['cause']})"
        for letter in dead
        if letter["entry"] not in evidence.poison and not letter["replayed"]
    ]
    verdict.lost += [f"no dead letter: {id}" for id in evidence.poison if id not in causes]


def _sequences(told: Mapping[str, Told]) -> dict[str, list[int]]:
    sequences: dict[str, list[int]] = defaultdict(list)
    for fact in told.values():
        sequences[fact.subject].append(fact.sequence)
    return sequences
