"""A city quarter: communities that play side by side in one all-in-one have the figures they have alone, and nothing of one
is found with another."""

from __future__ import annotations

import re
import sqlite3
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest
import redis

from deploy.sample_community import load_sample
from deploy.season import SeasonError, SeasonReport, play, play_quarter
from deploy.season.together import Together
from deploy.services import NAMES
from tests.system.conftest import AllInOne

OF_THE_RUN = {"facts", "notices", "seconds"}
"""Figures that may differ between two seasons of one seed."""
ID = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b")
REQUESTS = 24


def found(report: SeasonReport) -> Any:
    figures = {name: value for name, value in report.figures.items() if name not in OF_THE_RUN}
    return figures, report.standings, report.accuracy


@pytest.mark.timeout(900)
def test_communities_side_by_side_have_the_figures_they_have_alone_and_nothing_crosses_over(
    all_in_one: Callable[[], AllInOne],
) -> None:
    system = all_in_one()
    system.start()
    sample = load_sample()
    token = system.token("operator")["Authorization"].removeprefix("Bearer ")
    with httpx.Client(base_url=system.address, timeout=30) as client:
        alone = play(client, token, sample, 1, REQUESTS)
        same, other = play_quarter(client, token, sample, (1, 2), REQUESTS)
    assert found(same) == found(alone)
    assert found(other) != found(alone)
    assert [report.figures["dead_letters"] for report in (alone, same, other)] == [0, 0, 0]
    for report in (same, other):
        assert report.figures["projects"] >= 12 and report.figures["served"]
        of_time = [report.figures[name] for name in ("incubations", "expired", "renewed")]
        assert of_time == [2, 1, 1], "what falls due falls due in each community, by its own clock"

    communities = {report.community for report in (alone, same, other)}
    of_communities: dict[str, set[str]] = defaultdict(set)
    for where, community, text in [*told(system), *kept(system)]:
        assert community in communities, where
        for id in ID.findall(text):
            of_communities[id].add(community)
    assert len(of_communities) > 1000
    assert {id: found_in for id, found_in in of_communities.items() if len(found_in) > 1} == {}


def told(system: AllInOne) -> Iterator[tuple[str, str, str]]:
    """Every fact on the streams: the stream, its community, all that it says."""
    with redis.Redis(unix_socket_path=str(system.data / "valkey" / "valkey.sock"), decode_responses=True) as client:
        for stream in (*(f"fenghe:{name}" for name in NAMES), "fenghe:feed"):
            for _, fact in client.xrange(stream):  # type: ignore[union-attr]
                yield stream, fact["community"], f"{fact['subject']} {fact['data']}"


def kept(system: AllInOne) -> Iterator[tuple[str, str, str]]:
    """Every row that says whose it is: its table, its community, all its values."""
    for name in NAMES:
        with sqlite3.connect(f"file:{system.data / f'{name}.db'}?mode=ro", uri=True) as database:
            database.row_factory = sqlite3.Row
            tables = [row["name"] for row in database.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
            for table in tables:
                for row in database.execute(f'SELECT * FROM "{table}"'):
                    if "community" in row.keys() and row["community"]:  # noqa: SIM118 (a Row iterates over its values)
                        texts = (value for value in row if isinstance(value, str))
                        yield f"{name}: {table}", row["community"], " ".join(texts)


def test_where_one_season_of_a_quarter_fails_the_others_end() -> None:
    together = Together()
    with pytest.raises(RuntimeError, match="the first"), together.playing():
        raise RuntimeError("the first")
    with pytest.raises(SeasonError, match="beside this one has failed"), together.playing():
        pass
