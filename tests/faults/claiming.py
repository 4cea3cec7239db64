"""T20: two hundred organizations claim one project at once, over HTTP, at two replicas of matching; the bell rings eight times.

Judged in another process, by the replies and the stream alone: every claim that was acknowledged is told once, and one
organization gets the project (I2).
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import redis

from services.matching.app import service
from shared.access import make_keys
from shared.messaging import entries
from shared.messaging.streams import stream_of
from shared.messaging.testing import Harness
from shared.settings import Settings
from tests.faults.calling import Gone, Reply, call
from tests.faults.judge import Verdict, judge
from tests.faults.replica import Replica
from tests.faults.row import Row
from tests.faults.substrates import Substrate
from tests.matching.given import PLUMBING, Town

CLAIMANTS, FEW = 200, 40
BELLS = 8
REPLICAS = 2
AT_ONCE = 32
PATIENCE = 120.0


@dataclass(frozen=True)
class Claims:
    """What the clients saw: the organizations whose claims were acknowledged, the statuses of the answers to the bells and to
    the confirmations; whom to ask."""

    acknowledged: frozenset[str]
    bells: tuple[int, ...]
    confirmed: tuple[int, ...]
    project: str
    addresses: tuple[Path, ...]
    redis_url: str


def claim_at_once(substrate: Substrate, seed: int, small: bool) -> Row:
    """Claim, ring the bell and confirm, all of it at once; `small`: with fewer organizations."""
    row = Row("T20", "organizations claim one project", str(substrate))
    chance = random.Random(f"{seed} T20 {substrate}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder))
        make_keys(folder / "keys")
        settings = Settings(
            database_url=ground.database("matching", service.metadata),
            redis_url=ground.server.url,
            token_keys=str(folder / "keys" / "tokens.jwks.json"),
            signing_key=str(folder / "keys" / "matching.key.json"),
        )
        replicas = [Replica(settings, "", f"{seed} {place}", folder, service.name) for place in range(REPLICAS)]
        for replica in replicas:
            stack.callback(replica.kill)
            replica.wait()
        stream = stack.enter_context(redis.Redis.from_url(ground.server.url))
        town, harness = Town(), Harness(service, settings)
        names = [f"组织{number}" for number in range(FEW if small else CLAIMANTS)]
        chance.shuffle(names)
        turns = {name: chance.randrange(REPLICAS) for name in names}
        row.tried = [f"{len(names)} organizations claim, {BELLS} bells and {BELLS} confirmations, {AT_ONCE} at once"]
        _tell(stream, harness, [town.opened(), town.taxonomy()])
        _tell(stream, harness, [f for name in names for f in (town.organization(name), town.agreement(name, PLUMBING))])
        _until(lambda: all(one.call("GET", "/quiet").body["quiet"] for one in replicas))

        station = harness.as_("station", community=town.community, subject="station")

        def post(path: str, headers: dict[str, str], body: Any = None, replica: int = 0) -> Reply:
            return replicas[replica].call("POST", path, body, PATIENCE, headers=headers)

        def claim(name: str) -> Reply:
            headers = harness.as_("organization", community=town.community, organization=town.id_of(name))
            return post(f"/projects/{project}/claims", headers, {"wish": 1}, turns[name])

        described = {"title_zh": "水电维修", "title_en": "Repairs", "scope_zh": "上门维修", "scope_en": "Repairs at home"}
        terms = {"community": town.community, "category": "housing", "items": [PLUMBING], **described}
        project = post("/projects", station, terms).body["id"]
        post(f"/projects/{project}/opening", station)
        named = {"title_zh": "认领大会", "title_en": "Claim meeting", "starts_at": "2020-01-01T09:00:00+08:00"}
        meeting_terms = {"community": town.community, "projects": [project], "seed": seed, "objection_days": 0, **named}
        meeting = post("/meetings", station, meeting_terms).body["id"]
        post(f"/meetings/{meeting}/opening", station)

        since = time.monotonic()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            claims = pool.map(claim, names)
            answers = dict(zip(names, claims, strict=True))
            bells, confirmed = (
                list(pool.map(lambda n, path=path: post(path, station, None, n % REPLICAS), range(BELLS)))  # type: ignore[misc]
                for path in (f"/meetings/{meeting}/conclusion", f"/meetings/{meeting}/confirmation")
            )
        _until(lambda: all(one.call("GET", "/quiet").body["quiet"] for one in replicas))
        row.recovery = round(time.monotonic() - since, 2)
        row.times = len(names)
        seen = Claims(
            acknowledged=frozenset(town.id_of(name) for name, answer in answers.items() if answer.status == 200),
            bells=tuple(answer.status for answer in bells),
            confirmed=tuple(answer.status for answer in confirmed),
            project=project,
            addresses=tuple(replica.address for replica in replicas),
            redis_url=ground.server.url,
        )
        verdict = judge(seen, of_claims)
        row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
        row.client_errors = len(names) - len(seen.acknowledged)
        row.client_errors += sum(status not in (200, 409) for status in (*seen.bells, *seen.confirmed))
        row.notes = [*verdict.lost[:3], *verdict.twice[:3]]
        if row.client_errors:
            row.notes.append("a client saw an error")
    return row


def of_claims(claims: Claims) -> Verdict:
    """What became of the claims. Of the bells and confirmations that came at once one is done, the others are told that it
    is."""
    verdict = Verdict(len(claims.acknowledged))
    with redis.Redis.from_url(claims.redis_url) as stream:
        found: Any = stream.xrange(stream_of(service.name))
    told = list({event.id: event for event in (entries.read(fields) for _, fields in found)}.values())
    named_in = {claim.organization for event in told for claim in getattr(event.data, "claims", ())}
    counted = Counter(event.type for event in told)
    verdict.lost += [f"a claim that no fact names: {organization}" for organization in claims.acknowledged - named_in]
    verdict.compare("claim told", ["claimed"] * len(claims.acknowledged), ["claimed"] * counted["fenghe.project.claimed.v1"])
    verdict.compare("assignment told", ["assigned"], ["assigned"] * counted["fenghe.project.assigned.v1"])
    for what, statuses in (("conclusion", claims.bells), ("confirmation", claims.confirmed)):
        verdict.compare(what, [200], [status for status in statuses if status == 200])
    for address in claims.addresses:
        winner = call(address, "GET", f"/api/{service.name}/projects/{claims.project}").body["organization"]
        if winner not in claims.acknowledged:
            verdict.lost.append(f"the project was given to {winner}, who claimed nothing")
    return verdict


def _tell(stream: Any, harness: Harness, facts: list[Any]) -> None:
    with stream.pipeline(transaction=False) as pipeline:
        for fact in facts:
            event = harness.event(fact)
            row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
            pipeline.xadd(stream_of(fact.teller), entries.fields_of(row))
        pipeline.execute()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if condition():
                return
        except (Gone, KeyError):
            pass
        time.sleep(0.02)
    raise TimeoutError(f"it did not come to rest within {PATIENCE:.0f} s")
