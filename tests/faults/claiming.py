"""T20: two hundred organizations claim one project at once, over HTTP, at two replicas of matching; the bell rings eight times.

Judged by the replies and the stream alone: every claim that was acknowledged is told once, and one organization gets the
project.
"""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import httpx
import redis

from services.matching.app import service
from shared.access import make_keys
from shared.messaging import entries
from shared.messaging.streams import stream_of
from shared.messaging.testing import Harness
from shared.settings import Settings
from tests.faults.row import Row
from tests.faults.substrates import Substrate
from tests.matching.given import PLUMBING, Town

ROOT = Path(__file__).parent.parent.parent
CLAIMANTS, FEW = 200, 40
BELLS = 8
REPLICAS = 2
PATIENCE = 90.0
API = "/api/matching"


def claim_at_once(substrate: Substrate, seed: int, small: bool) -> Row:
    """Claim, ring the bell and confirm, all of it at once; `small`: with fewer organizations."""
    row = Row("T20", "organizations claim one project", str(substrate))
    chance = random.Random(f"{seed} T20 {substrate}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder))
        make_keys(folder / "keys")
        url = ground.empty("matching")
        keys = str(folder / "keys" / "tokens.jwks.json")
        settings = Settings(database_url=url, redis_url=ground.server.url, token_keys=keys)
        replicas = [stack.enter_context(_replica(folder, settings)) for _ in range(REPLICAS)]
        client = stack.enter_context(httpx.Client(timeout=PATIENCE, trust_env=False))
        stream = stack.enter_context(redis.Redis.from_url(ground.server.url))
        town, harness = Town(), Harness(service, settings)
        names = [f"组织{number}" for number in range(FEW if small else CLAIMANTS)]
        _tell(stream, harness, [town.opened(), town.taxonomy()])
        _tell(stream, harness, [f for name in names for f in (town.organization(name), town.agreement(name, PLUMBING))])
        _until(lambda: all(client.get(f"{one}{API}/quiet").json()["quiet"] for one in replicas))

        station = harness.as_("station", community=town.community, subject="station")
        headers = {name: harness.as_("organization", community=town.community, organization=town.id_of(name)) for name in names}

        def post(path: str, headers: dict[str, str], body: Any = None) -> httpx.Response:
            return client.post(chance.choice(replicas) + API + path, headers=headers, json=body)

        described = {"title_zh": "水电维修", "title_en": "Repairs", "scope_zh": "上门维修", "scope_en": "Repairs at home"}
        terms = {"community": town.community, "category": "housing", "items": [PLUMBING], **described}
        project = post("/projects", station, terms).json()["id"]
        post(f"/projects/{project}/opening", station)
        named = {"title_zh": "认领大会", "title_en": "Claim meeting", "starts_at": "2020-01-01T09:00:00+08:00"}
        meeting_terms = {"community": town.community, "projects": [project], "seed": seed, "objection_days": 0, **named}
        meeting = post("/meetings", station, meeting_terms).json()["id"]
        post(f"/meetings/{meeting}/opening", station)

        since = time.monotonic()
        with ThreadPoolExecutor(32) as pool:
            claims = pool.map(lambda name: post(f"/projects/{project}/claims", headers[name], {"wish": 1}), names)
            answers = dict(zip(names, claims, strict=True))
            bells = list(pool.map(lambda _: post(f"/meetings/{meeting}/conclusion", station), range(BELLS)))
            confirmed = list(pool.map(lambda _: post(f"/meetings/{meeting}/confirmation", station), range(BELLS)))
        _until(lambda: all(client.get(f"{one}{API}/quiet").json()["quiet"] for one in replicas))
        row.recovery = round(time.monotonic() - since, 2)
        row.times = len(names)
        acknowledged = {town.id_of(name) for name, answer in answers.items() if answer.status_code == 200}
        row.acknowledged = len(acknowledged)
        row.client_errors = len(names) - len(acknowledged) + _refused(bells, row) + _refused(confirmed, row)
        told = [entries.read(fields) for _, fields in stream.xrange(stream_of("matching"))]
        counted = Counter(event.type for event in {event.id: event for event in told}.values())
        named_in = {claim.organization for event in told for claim in getattr(event.data, "claims", ())}
        row.lost = len(acknowledged - named_in) + (counted["fenghe.project.assigned.v1"] == 0)
        row.twice = max(0, counted["fenghe.project.claimed.v1"] - len(acknowledged))
        row.twice += max(0, counted["fenghe.project.assigned.v1"] - 1)
        winners = {client.get(f"{one}{API}/projects/{project}").json()["organization"] for one in replicas}
        if len(winners) != 1 or not winners <= acknowledged:
            row.notes.append(f"the project was given to {sorted(map(str, winners))}")
        if row.client_errors:
            row.notes.append("a client saw an error")
    return row


def _refused(answers: list[httpx.Response], row: Row) -> int:
    """One of those that came at once is done, the others are told that it is; how many were answered otherwise."""
    codes = Counter(answer.status_code for answer in answers)
    if codes[200] != 1:
        row.notes.append(f"done {codes[200]} times")
    return len(answers) - codes[200] - codes[409]


@contextmanager
def _replica(folder: Path, settings: Settings) -> Iterator[str]:
    """A process of its own that runs matching; its address."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FENGHE_")}
    given = {
        "FENGHE_DATABASE_URL": settings.database_url,
        "FENGHE_REDIS_URL": settings.redis_url,
        "FENGHE_TOKEN_KEYS": settings.token_keys,
        "FENGHE_SIGNING_KEY": str(folder / "keys" / "matching.key.json"),
        "FENGHE_HOST": "127.0.0.1",
        "FENGHE_PORT": str(port),
        "FENGHE_LOG_LEVEL": "ERROR",
    }
    for command in ("migrate", "run"):
        line = [sys.executable, "-m", "deploy.cli", command, "matching"]
        process = subprocess.Popen(line, cwd=ROOT, env=clean | given, stdout=subprocess.DEVNULL)
        if command == "migrate":
            process.wait(PATIENCE)
    try:
        address = f"http://127.0.0.1:{port}"
        _until(lambda: httpx.get(f"{address}{API}/health/ready", trust_env=False).status_code == 200)
        yield address
    finally:
        process.terminate()
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _tell(stream: Any, harness: Harness, facts: list[Any]) -> None:
    with stream.pipeline(transaction=False) as pipeline:
        for fact in facts:
            event = harness.event(fact)
            row = {**event.as_json(), "data": event.data.model_dump_json(), "sequence": event.sequence}
            pipeline.xadd(stream_of(fact.teller), entries.fields_of(row))
        pipeline.execute()


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            if condition():
                return
        except (httpx.TransportError, KeyError):
            pass
        if time.monotonic() > deadline:
            raise TimeoutError(f"it did not come to rest within {PATIENCE:.0f} s")
        time.sleep(0.05)
