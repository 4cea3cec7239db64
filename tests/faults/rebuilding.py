"""I6 on the four services: whoever lost what it had heard, and is told the last fact of every subject again, shows what it
showed when it had lived through everything.

matching, feedback and notify get empty databases and groups of their own, on streams that were trimmed to nothing; registry,
whose own rows nobody else has, loses its satisfaction. What each shows over HTTP is judged in another process.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from deploy.season.deployment import SERVICES
from services.registry.models import Satisfaction
from shared.database import Database
from shared.messaging import tables
from tests.faults.calling import call
from tests.faults.judge import JUDGE_LIMIT, Verdict, judge
from tests.faults.lives import AT_ONCE, PATIENCE, TEXT, Streets, Town
from tests.faults.replica import ANEW, Replica
from tests.faults.row import Row
from tests.faults.substrates import Substrate

REQUESTS, FEW = 24, 8
"""Enough ratings for stars on the menu."""
LONGEST = 300

Shown = Mapping[str, Any]


@dataclass(frozen=True)
class Rebuilt:
    """What was shown by those who had lived through it; whom to ask now; as whom; the requests that both were asked."""

    before: Shown
    community: str
    tokens: Mapping[str, str]
    addresses: Mapping[str, Path]
    request: str


def rebuild_the_four(substrate: Substrate, seed: int, small: bool) -> Row:
    """Requests are made, served and rated; then who heard of them is emptied, and everything is republished."""
    row = Row("republish", "the four services, emptied, are rebuilt", str(substrate))
    count = FEW if small else REQUESTS
    row.tried.append(f"{count} requests served and rated; then everybody loses what was heard, and all is republished")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder))
        streets = stack.enter_context(Streets(ground, folder, f"{seed}"))
        town = Town(streets, f"{seed} {substrate} rebuilt")
        stack.callback(town.leave)
        town.open()
        with ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda number: town.request(number, 1 + number % 5), range(count)))
        tokens = {"station": town.station, **town.organizations}
        asked = town.ask("lived", TEXT)
        town.quiet()
        addresses = {name: replica.address for name, replica in streets.replicas.items()}
        before = shown(town.community, tokens, addresses, asked)

        for one in streets.replicas.values():
            one.ask("trim", time.time())
        registry = streets.settings["registry"]
        streets.replicas["registry"].terminate()
        _forget(registry.database_url)
        streets.start("registry")
        for name, service in ANEW.items():
            lived = streets.settings[service.name]
            fresh = lived.model_copy(update={"database_url": ground.database(f"{service.name}_anew", service.metadata)})
            new = Replica(fresh, "", f"{seed} {name}", folder, name)
            stack.callback(new.kill)
            new.wait()
            addresses[service.name] = new.address
        since = time.monotonic()
        row.times = sum(one.ask("republish") for one in streets.replicas.values())
        addresses["registry"] = streets.replicas["registry"].address
        town.quiet()
        _until_quiet(addresses)
        row.recovery = round(time.monotonic() - since, 2)
        for name in ANEW.values():
            streets.replicas[name.name].terminate()  # or both would answer for what comes now
        streets.send_to(addresses)
        seen = Rebuilt(before, town.community, tokens, addresses, town.ask("rebuilt", TEXT))
        verdict = judge(seen, of_rebuilt)
    row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
    row.client_errors = town.repeats
    row.remarks.append(f"{row.times} facts republished; {sum(map(len, before.values()))} entries compared")
    row.notes += [sentence[:LONGEST] for sentence in (*verdict.lost[:3], *verdict.twice[:3])]
    return row


def shown(community: str, tokens: Mapping[str, str], addresses: Mapping[str, Path], request: str) -> Shown:
    """What each service shows of what it heard: the menu with its stars, who would serve a request and why, what was done for
    residents, notices and feed."""

    def get(path: str, token: str = "") -> Any:
        headers = {"Authorization": f"Bearer {tokens[token or 'station']}"}
        reply = call(addresses[path.split("/")[2]], "GET", path, None, JUDGE_LIMIT, headers)
        assert reply.status == 200, (path, reply)
        return reply.body

    def following(path: str, token: str = "") -> Iterator[dict[str, Any]]:
        page = get(f"{path}limit=200", token)
        while page["items"]:
            yield from page["items"]
            page = get(f"{path}limit=200&after={page['next']}", token)

    kinds = ("category", "class", "organization")
    return {
        "menu": get(f"/api/registry/offers?community={community}&limit=200")["items"],
        "candidates": get(f"/api/matching/requests/{request}")["candidates"],
        "outcomes": [get(f"/api/feedback/outcomes?community={community}&by={by}") for by in kinds],
        "notices": [{**notice, "id": whose} for whose in tokens for notice in following("/api/notify/inbox?", whose)],
        "feed": list(following(f"/api/notify/events?community={community}&")),
    }


def of_rebuilt(rebuilt: Rebuilt) -> Verdict:
    """Menu, candidates and outcomes are the same. The inboxes and the feed are lists of what happened: of them the last about
    each subject is there again, in the same words. (The last fact of a request that is closed is not public.)"""
    now = shown(rebuilt.community, rebuilt.tokens, rebuilt.addresses, rebuilt.request)
    verdict = Verdict(sum(map(len, rebuilt.before.values())))
    for what in ("menu", "candidates", "outcomes"):
        if not now[what]:
            verdict.lost.append(f"{what}: nothing is shown")
        verdict.compare(what, map(repr, rebuilt.before[what]), map(repr, now[what]))
    if not any(entry["stars"] for entry in now["menu"]):
        verdict.lost.append("menu: there are no stars to compare")
    lived, heard = (
        [event for event in feed if not event["type"].startswith("fenghe.request.")]
        for feed in (rebuilt.before["feed"], now["feed"])
    )
    last = {event["subject"]: event for event in sorted(lived, key=lambda event: event["sequence"])}
    verdict.compare("feed", map(repr, last.values()), map(repr, heard))
    noticed = {repr(notice) for notice in rebuilt.before["notices"]}
    own = [repr(notice) for notice in now["notices"] if notice["parameters"].get("request") != rebuilt.request]
    verdict.lost += [f"a notice in other words: {notice}" for notice in own if notice not in noticed]
    verdict.lost += ["notices: none is shown"] * (not own)
    return verdict


def _forget(database_url: str) -> None:
    """registry loses what it heard, and that it did."""
    database = Database(database_url)
    for table in (Satisfaction.__table__, tables.inbox):  # type: ignore[attr-defined]
        database.transact(lambda session, table=table: session.execute(sa.delete(table)))  # type: ignore[misc]
    database.close()


def _until_quiet(addresses: Mapping[str, Path]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not all(call(addresses[name], "GET", f"/api/{name}/quiet").body.get("quiet") for name in SERVICES):
        if time.monotonic() > deadline:
            raise TimeoutError(f"the rebuilt services were not quiet within {PATIENCE:.0f} s")
        time.sleep(0.05)
