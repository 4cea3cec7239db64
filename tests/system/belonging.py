"""Whose a fact or a row is: everything a deployment has told and keeps, and whether an id is found with two communities."""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

import redis

from deploy.services import NAMES
from tests.drills.deployment import Compose
from tests.system.conftest import AllInOne

ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
STREAMS = (*(f"fenghe:{name}" for name in NAMES), "fenghe:feed")
PAGE = 10_000

Found = tuple[str, str, str]
"""Where it was found, the community it belongs to, all that it says."""


@dataclass
class Belonging:
    """What was looked at, and the ids that were found with more than one community, or with one that is not there."""

    facts: int = 0
    rows: int = 0
    ids: int = 0
    crossed: list[tuple[str, str]] = field(default_factory=list)
    strange: list[tuple[str, str]] = field(default_factory=list)


def examine(communities: set[str], told: Iterable[Found], kept: Iterable[Found]) -> Belonging:
    """Look at all that was told and is kept by a deployment of these communities, by their ids."""
    found = Belonging()
    owner: dict[str, str] = {}
    for kind, source in (("facts", told), ("rows", kept)):
        for where, community, text in source:
            setattr(found, kind, getattr(found, kind) + 1)
            if community not in communities:
                found.strange.append((where, community))
            for id in ID.findall(text):
                if owner.setdefault(id, community) != community:
                    found.crossed.append((where, id))
    found.ids = len(owner)
    return found


def told(system: AllInOne) -> Iterator[Found]:
    """Every fact on the streams of an all-in-one."""
    with redis.Redis(unix_socket_path=str(system.data / "valkey" / "valkey.sock"), decode_responses=True) as client:
        for stream in STREAMS:
            after = "-"
            while entries := client.xrange(stream, min=after, count=PAGE):
                for _, fact in entries:  # type: ignore[union-attr]
                    yield stream, fact["community"], f"{fact['subject']} {fact['data']}"
                after = f"({entries[-1][0]}"  # type: ignore[index]


def kept(system: AllInOne) -> Iterator[Found]:
    """Every row of an all-in-one that says whose it is."""
    for name in NAMES:
        with sqlite3.connect(f"file:{system.data / f'{name}.db'}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            tables = [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    if "community" in row.keys() and row["community"]:  # noqa: SIM118 (a Row iterates over its values)
                        texts = (value for value in row if isinstance(value, str))
                        yield f"{name}: {table}", row["community"], " ".join(texts)


def told_in_containers(deployment: Compose) -> Iterator[Found]:
    """Every fact on the streams of a compose deployment."""
    for stream in STREAMS:
        after = "-"
        while entries := deployment.redis("XRANGE", stream, after, "+", "COUNT", str(PAGE)):
            for _, pairs in entries:
                fact = pairs if isinstance(pairs, dict) else dict(zip(pairs[::2], pairs[1::2], strict=True))
                yield stream, fact["community"], f"{fact['subject']} {fact['data']}"
            after = f"({entries[-1][0]}"


def kept_in_containers(deployment: Compose) -> Iterator[Found]:
    """Every row of a compose deployment that says whose it is."""
    tables = "SELECT table_name FROM information_schema.columns WHERE table_schema = 'public' AND column_name = 'community'"
    rows = "SELECT '{0}', community, row_to_json(one)::text FROM \"{0}\" AS one WHERE community IS NOT NULL"
    for name in NAMES:
        each = (rows.format(table) for (table,) in deployment.sql(name, tables))
        for table, community, row in deployment.sql(name, " UNION ALL ".join(each)):
            yield f"{name}: {table}", community, row
