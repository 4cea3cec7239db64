"""The judge: a process of its own that is told what clients were acknowledged, and looks at the deployment from outside.

It reads the streams with redis-cli, what the services answer over HTTP, and rows with psql, once everything is quiet:

- I1: every acknowledged step has its state and exactly one fact; every fact committed stands on its stream.
- I2: a request has one organization that accepted it.
- I3: each rating counts once; the kept satisfaction equals the one recomputed from rows; registry shows what feedback told.
- I4: every fact took effect once at every listener; no projection is behind the newest fact; the public feed has each public
  fact once; every resident has the same notices.
- I5: no fact lies with the dead letters.
"""

from __future__ import annotations

import json
import multiprocessing
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NamedTuple

from deploy.services import load_all
from shared.events import fact_class
from tests.drills.deployment import SERVICES, Compose
from tests.drills.traffic import Life, Traffic

LIMIT = 240.0
CLOCKS_APART = 60.0
"""Seconds by which the server's clock may be behind ours."""
STEPS = ("submitted", "accepted", "served", "rated", "closed")
OF_A_REQUEST = ("submitted", "classified", "matched", "accepted", "served", "closed")
"""What is told of a request that goes its way without a detour, once each."""
SATISFACTION = """
from services.feedback import queries
from shared.database import Database
from shared.settings import from_environment
with Database(from_environment().database_url).reading() as session:
    kept, counted = queries.kept(session, {community!r}), queries.recompute(session, {community!r})
print(len(kept), sum(kept.get(key) != counted.get(key) for key in kept.keys() | counted.keys()))
"""


class Told(NamedTuple):
    """A fact as it stands on a stream."""

    id: str
    source: str
    type: str
    subject: str
    sequence: int
    data: str


@dataclass(frozen=True)
class Evidence:
    """What the driver knows: where the deployment is, the community, when it was opened (Unix time), its ledger."""

    project: str
    settings: Path
    port: int
    community: str
    station_token: str
    opened_at: float
    lives: Sequence[Life]

    @classmethod
    def of(cls, compose: Compose, traffic: Traffic) -> Evidence:
        """As it stands now."""
        place = (compose.project, compose.settings, compose.port)
        return cls(*place, traffic.community, traffic.opened.station, traffic.began, tuple(traffic.lives))


@dataclass
class Verdict:
    """What was lost and what happened twice, in sentences; how many steps were acknowledged, how many facts told; of each
    type, how many facts named each of these fields."""

    acknowledged: int = 0
    facts: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    fields: dict[str, Counter[str]] = field(default_factory=dict)

    def compare(self, what: str, wanted: Iterable[Any], found: Iterable[Any]) -> None:
        """What is wanted and not found is lost; what is found more often than wanted happened twice."""
        want, have = Counter(iter(wanted)), Counter(iter(found))  # of a mapping, the keys
        self.lost += [f"{what}: {key}" for key in (want - have).elements()]
        self.twice += [f"{what}: {key}" for key in (have - want).elements()]


def judge(evidence: Evidence) -> Verdict:
    """Judge in another process. Raises TimeoutError, or what the judge raised."""
    context = multiprocessing.get_context("forkserver")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_process, args=(evidence, theirs), daemon=True)
    process.start()
    theirs.close()
    try:
        if not ours.poll(LIMIT):
            raise TimeoutError("the judge came to no verdict")
        said: Verdict | str = ours.recv()
    finally:
        process.kill()
        process.join()
    if isinstance(said, str):
        raise AssertionError(f"the judge failed: {said}")
    return said


def _process(evidence: Evidence, connection: Connection) -> None:
    try:
        connection.send(_judge(evidence))
    except Exception as error:
        connection.send(f"{type(error).__name__}: {error}")


def _judge(evidence: Evidence) -> Verdict:
    compose = Compose(evidence.project, evidence.settings, evidence.port)
    verdict = Verdict(sum(len(life.steps) for life in evidence.lives))
    told = {service: _told(compose, service, evidence, verdict) for service in SERVICES}
    facts = [fact for facts in told.values() for fact in facts.values()]
    verdict.facts = len(facts)
    _judge_telling(compose, evidence, told, verdict)
    _judge_lives(compose, evidence, facts, verdict)
    _judge_satisfaction(compose, evidence, facts, verdict)
    _judge_listeners(compose, evidence, facts, verdict)
    _judge_notify(compose, evidence, facts, verdict)
    for service in SERVICES:
        dead = compose.sql(service, "SELECT entry_id, cause FROM dead_letters WHERE replayed_at IS NULL")
        verdict.lost += [f"a dead letter of {service}: {' '.join(letter)}" for letter in dead]
    return verdict


def _told(compose: Compose, service: str, evidence: Evidence, verdict: Verdict) -> dict[str, Told]:
    """The community's facts on a teller's stream, by their ids. One that was sent again stands there twice and says the same.
    What stood there before the community was opened, by the server's clock, is of others."""
    told: dict[str, Told] = {}
    since = str(round((evidence.opened_at - CLOCKS_APART) * 1000))
    for fields in compose.entries(service, since):
        if fields.get("community") != evidence.community:
            continue
        names = ("id", "source", "type", "subject")
        fact = Told(*(fields[name] for name in names), int(fields["sequence"]), fields["data"])  # type: ignore[call-arg]
        if told.setdefault(fact.id, fact) != fact:
            verdict.twice.append(f"one id, several facts: {fact.id}")
        verdict.fields.setdefault(fact.type, Counter()).update(json.loads(fact.data).keys())
    return told


def _judge_telling(compose: Compose, evidence: Evidence, told: Mapping[str, Mapping[str, Told]], verdict: Verdict) -> None:
    for service, facts in told.items():
        own = f"community = '{evidence.community}' AND stream = 'fenghe:{service}'"
        committed = [row[0] for row in compose.sql(service, f"SELECT id FROM outbox WHERE {own}")]
        verdict.compare(f"fact committed by {service}", committed, facts)
        sequences: dict[tuple[str, str], list[int]] = defaultdict(list)
        for fact in facts.values():
            sequences[fact.source, fact.subject].append(fact.sequence)
        for (_, subject), given in sequences.items():
            verdict.compare(f"sequence of {subject}", range(1, len(given) + 1), given)


def _judge_lives(compose: Compose, evidence: Evidence, facts: Sequence[Told], verdict: Verdict) -> None:
    lives = {life.id: life for life in evidence.lives if life.steps}
    verdict.compare("request", lives, {fact.subject for fact in facts if fact.type == "fenghe.request.submitted.v1"})
    told: dict[str, Counter[str]] = defaultdict(Counter)
    accepted: Counter[str] = Counter()
    for fact in facts:
        if fact.type.startswith("fenghe.request."):
            told[fact.subject][fact.type.split(".")[2]] += 1
        if fact.type == "fenghe.referral.accepted.v1":
            accepted[json.loads(fact.data)["request"]] += 1
    page = {"community": evidence.community, "limit": 200}
    states = {one["id"]: one for one in _pages(compose, evidence, "/api/matching/requests", **page)}
    for id, life in lives.items():
        if life.ended is None:
            continue
        verdict.compare(f"fact of request {id}", OF_A_REQUEST, told[id].elements())
        verdict.compare(f"organization that accepted {id}", [id], [id] * accepted[id])
        status = states.get(id, {}).get("status")
        if status != "closed":
            verdict.lost.append(f"request {id} was closed, and is {status}")


def _judge_satisfaction(compose: Compose, evidence: Evidence, facts: Sequence[Told], verdict: Verdict) -> None:
    rated = Counter(life.organization for life in evidence.lives if life.stars)
    evaluated = [json.loads(fact.data)["organization"] for fact in facts if fact.type == "fenghe.evaluation.recorded.v1"]
    verdict.compare("rating of an organization", rated.elements(), evaluated)
    page = {"community": evidence.community, "kind": "organization", "limit": 200}
    shown = {one["of"]: one["ratings"] for one in _pages(compose, evidence, "/api/feedback/satisfaction", **page)}
    verdict.compare("rating that counts", rated.elements(), Counter({of: shown.get(of, 0) for of in rated}).elements())
    feedback = compose.containers("feedback")[0]
    said = compose.inside(feedback, "python", "-c", SATISFACTION.format(community=evidence.community)).stdout.split()
    if rated and said[0] == "0":
        verdict.lost.append("feedback keeps no satisfaction at all")
    if said[1] != "0":
        verdict.lost.append(f"{said[1]} sums of satisfaction are not what the rows say")


def _judge_listeners(compose: Compose, evidence: Evidence, facts: Sequence[Told], verdict: Verdict) -> None:
    ended = [life for life in evidence.lives if life.ended is not None]
    for service in load_all():
        types = {fact.type for fact in service.hears}
        heard = {fact.id: fact for fact in facts if fact.type in types}
        handled = {row[0] for row in compose.sql(service.name, "SELECT id FROM inbox")}
        verdict.lost += [f"{heard[id].type} {id} had no effect in {service.name}" for id in heard.keys() - handled]
        satisfaction: dict[str, int] = {}
        for fact in heard.values():
            if fact.type == "fenghe.satisfaction.changed.v1":
                satisfaction[fact.subject] = max(satisfaction.get(fact.subject, 0), fact.sequence)
        for table in _projections(compose, service.name):
            rows = {id: int(at) for id, at in compose.sql(service.name, f'SELECT id, sequence FROM "{table}"')}
            for ids in ({life.id for life in ended}, {life.referral for life in ended}):
                # Every life is told alike, so what is kept of it has come as far.
                usual = Counter(rows[id] for id in ids & rows.keys()).most_common(1)
                for id in ids if usual else ():
                    _compare_place(f"{service.name}'s {table} {id}", rows.get(id, 0), usual[0][0], verdict)
            for id in satisfaction.keys() & rows.keys():
                _compare_place(f"{service.name}'s {table} {id}", rows[id], satisfaction[id], verdict)


def _compare_place(what: str, at: int, told: int, verdict: Verdict) -> None:
    if at < told:
        verdict.lost.append(f"{what} is at {at} of {told}")
    if at > told:
        verdict.twice.append(f"{what} is at {at}, told were {told}")


def _projections(compose: Compose, service: str) -> list[str]:
    """The tables that keep the newest fact of each subject: they have an `id` and its `sequence`."""
    statement = (
        "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name IN ('id', 'sequence')"
        " AND table_name <> 'outbox' GROUP BY table_name HAVING count(*) = 2 ORDER BY table_name"
    )
    return [row[0] for row in compose.sql(service, statement)]


def _judge_notify(compose: Compose, evidence: Evidence, facts: Sequence[Told], verdict: Verdict) -> None:
    public = [fact.id for fact in facts if (known := fact_class(fact.type)) and known.public]
    page = {"community": evidence.community, "limit": 200}
    verdict.compare("fact on the feed", public, [one["id"] for one in _pages(compose, evidence, "/api/notify/events", **page)])
    statement = (
        "SELECT recipient, string_agg(kind, ' ' ORDER BY kind) FROM notices WHERE recipient_kind = 'resident'"
        f" AND community = '{evidence.community}' GROUP BY recipient"
    )
    found = dict(compose.sql("notify", statement))
    ended = [life.id for life in evidence.lives if life.ended is not None]
    if ended:
        usual = Counter(found.get(id, "") for id in ended).most_common(1)[0][0]
        for id in ended:
            verdict.compare(f"notice to the resident of {id}", usual.split(), found.get(id, "").split())


def _pages(compose: Compose, evidence: Evidence, path: str, **query: Any) -> list[dict[str, Any]]:
    """Every entry of a list, page by page."""
    items: list[dict[str, Any]] = []
    after: str | None = None
    headers = {"Authorization": f"Bearer {evidence.station_token}"}
    while True:
        given = query if after is None else {**query, "after": after}
        answer = compose.client.get(path, params=given, headers=headers)
        assert answer.status_code == 200, f"{path} was answered {answer.status_code}: {answer.text[:300]}"
        page = answer.json()
        items += page["items"]
        if not page["items"] or page["next"] in (None, after):
            return items
        after = page["next"]
