"""Ranking at a city's size: 1,000 requests against 50,000 organizations and their 200,000 offers, on both databases.

In a city the organizations belong to many communities, and a batch has requests of many of them; beside it the hardest
case that can be made of the same numbers, one community that has them all. Measured is what the set of requests costs, from
rows to ranked candidates with their reasons, in batches as they are paired; the statements are counted at the database.
"""

from __future__ import annotations

import random
import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session

from services.matching import rank
from services.matching.app import service
from services.matching.models import Agreement, Community, Offer, Organization, Request, Satisfaction, Taxonomy
from services.matching.pairing import AT_ONCE, Ranking
from shared.clock import now
from shared.database import Database
from shared.messaging import Transaction, clocks
from shared.messaging.sets import insert
from shared.migrations import upgrade
from tests.benchmarks.ground import Ground, databases
from tests.benchmarks.measure import Row

REQUESTS, ORGANIZATIONS, OFFERS = 1000, 50_000, 200_000
COMMUNITIES = 1000
ITEMS = [f"item-{n:02d}" for n in range(68)]
COMPOUNDS = [f"compound-{n}" for n in range(7)]
FEES: list[tuple[str, str | None]] = [("free", None), ("low", "15.00"), ("paid", "60.00")]


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: requests a second, processor seconds, statements a batch; by database and by how many communities."""
    with Ground() as ground:
        for kind in databases():
            for communities in (COMMUNITIES, 1):
                with ground.database(kind) as url:
                    yield from _measured(url, kind, max(1, round(communities * scale)), runs, scale)


def _measured(url: str, kind: str, communities: int, runs: int, scale: float) -> Iterator[Row]:
    database = Database(url)
    upgrade(service, database)
    database.transact(lambda session: _fill(session, communities, scale))
    if kind == "PostgreSQL":
        with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.exec_driver_sql("ANALYZE")
    requests = _requests(communities, max(1, round(REQUESTS * scale)))
    rates, spent, statements, found = [], [], [], []
    for _ in range(runs + 1):
        began, used = time.perf_counter(), time.process_time()
        counted, candidates = database.transact(lambda session: _rank(session, requests))
        rates.append(len(requests) / (time.perf_counter() - began))
        spent.append(1000 * (time.process_time() - used) / len(requests))
        statements.append(counted)
        found.append(candidates / len(requests))
    database.close()
    name = f"{kind}, {communities:,} communit{'y' if communities == 1 else 'ies'}"
    # The first one fills the caches of the database and of this process.
    yield Row.of(f"{name}: ranked", "requests/s", rates[1:])
    yield Row.of(f"{name}: this process's own time", "ms a request", spent[1:])
    yield Row.of(f"{name}: statements for a batch of {min(AT_ONCE, len(requests))}", "statements", statements[1:])
    yield Row.of(f"{name}: candidates", "a request", found[1:])


def _rank(session: Session, requests: list[Request]) -> tuple[float, int]:
    """How many statements a batch took, and how many candidates there were."""
    tx = Transaction(session, "matching", "")
    # A transaction reads the clocks once, in one statement, whatever it is about.
    clocks.expect(session, {request.community for request in requests})
    tx.now(requests[0].community)
    counted: list[str] = []

    def count(connection: Any, cursor: Any, statement: str, *_: Any) -> None:
        counted.append(statement)

    engine = session.get_bind()
    sa.event.listen(engine, "before_cursor_execute", count)
    candidates = batches = 0
    try:
        for start in range(0, len(requests), AT_ONCE):
            some = requests[start : start + AT_ONCE]
            ranking = Ranking(tx, some, are_new=True)
            candidates += sum(len(ranking.candidates(request)) for request in some)
            batches += 1
    finally:
        sa.event.remove(engine, "before_cursor_execute", count)
    return len(counted) / batches, candidates


def _requests(communities: int, count: int) -> list[Request]:
    chance = random.Random(1)
    return [
        Request(
            id=f"request-{n}",
            community=f"community-{chance.randrange(communities)}",
            channel="website",
            compound=chance.choice(COMPOUNDS),
            language="zh",
            text=f"想请人帮忙，第{n}件",
            submitted_at=now(),
            status="classified",
            item=chance.choice(ITEMS),
            confidence=0.9,
        )
        for n in range(count)
    ]


def _fill(session: Session, communities: int, scale: float) -> None:
    chance = random.Random(2)
    organizations, offers = round(ORGANIZATIONS * scale), round(OFFERS * scale)
    today = date.today()
    places = {compound: [43.87 + n / 1000, 125.26] for n, compound in enumerate(COMPOUNDS)}
    names = {item: [item, item] for item in ITEMS}
    here = [f"community-{n}" for n in range(communities)]
    _insert(session, Community, [(one, COMPOUNDS, places, None, 1) for one in here])
    _insert(session, Taxonomy, [(f"taxonomy-{one}", one, "city", 1, [], names, 1) for one in here])
    own = [here[n % communities] for n in range(organizations)]
    based = [chance.choice(COMPOUNDS) for _ in range(organizations)]
    _insert(
        session,
        Organization,
        [
            (f"org-{n}", own[n], f"组织{n}", f"Organization {n}", "registered", False, [], based[n], 1)
            for n in range(organizations)
        ],
    )
    term = (today - timedelta(days=100), today + timedelta(days=100))
    _insert(
        session,
        Agreement,
        [(f"agreement-{n}", own[n], f"org-{n}", ITEMS, *term, "in-force", 1) for n in range(organizations)],
    )
    satisfaction: dict[int, tuple[float, float, float | None]] = {}
    for n in range(organizations):
        score = chance.uniform(50, 98)
        satisfaction[n] = (score, score - 8, score / 20 if chance.random() < 0.7 else None)
    _insert(
        session,
        Satisfaction,
        [(f"s-{n}", own[n], f"org-{n}", score, low, score + 5, stars, 9, 1) for n, (score, low, stars) in satisfaction.items()],
    )
    rows = []
    for n in range(offers):
        by = n % organizations
        fee, price = chance.choice(FEES)
        score, low, stars = satisfaction[by]
        standing = rank.standing(*((None, None) if stars is None else (score / 100, low / 100)), fee_mode=fee)
        area = None if chance.random() < 0.5 else chance.sample(COMPOUNDS, 3)
        item = chance.choice(ITEMS)
        rows.append(
            (
                *(f"offer-{n}", own[by], f"org-{by}", item, f"服务{n}", f"Offer {n}", fee, price, "visit", area),
                *("Mo-Sa 08:00-18:00", 20, ["zh"], "published", standing, 1),
            )
        )
    _insert(session, Offer, rows)


def _insert(session: Session, table: Any, rows: list[tuple[Any, ...]]) -> None:
    insert(session, table.__table__, [column.name for column in table.__table__.columns], rows)
