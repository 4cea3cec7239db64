"""A city quarter: communities that play side by side in one all-in-one have the figures they have alone, nothing of one is
found with another, and nothing that happens in one goes through what is kept of all."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import httpx
import pytest

from deploy.sample_community import load_sample
from deploy.season import KEEP_ALL, SeasonError, SeasonReport, play, play_quarter
from deploy.season.together import Together
from tests.system.belonging import examine, kept, told
from tests.system.conftest import AllInOne

OF_THE_RUN = {"facts", "notices", "seconds"}
"""Figures that may differ between two seasons of one seed."""
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
    system.end()
    plans = system.data.parent / "plans.json"
    system.program = ("-m", "tests.system.explained", str(plans))
    system.start()
    sample = load_sample()
    token = system.token("operator")["Authorization"].removeprefix("Bearer ")
    with httpx.Client(base_url=system.address, timeout=30, limits=KEEP_ALL) as client:
        alone = play(client, token, sample, 1, REQUESTS)
        same, other = play_quarter(client, token, sample, (1, 2), REQUESTS)
    assert found(same) == found(alone)
    assert found(other) != found(alone)
    assert [report.figures["dead_letters"] for report in (alone, same, other)] == [0, 0, 0]
    for report in (same, other):
        assert report.figures["projects"] >= 12 and report.figures["served"]
        of_time = [report.figures[name] for name in ("incubations", "expired", "renewed")]
        assert of_time == [2, 1, 1], "what falls due falls due in each community, by its own clock"

    looked_at = examine({report.community for report in (alone, same, other)}, told(system), kept(system))
    assert looked_at.facts > 1000 and looked_at.ids > 1000, looked_at
    assert (looked_at.crossed, looked_at.strange) == ([], [])

    system.end()
    assert json.loads(plans.read_text()) == {}


def test_where_one_season_of_a_quarter_fails_the_others_end() -> None:
    together = Together()
    with pytest.raises(RuntimeError, match="the first"), together.playing():
        raise RuntimeError("the first")
    with pytest.raises(SeasonError, match="beside this one has failed"), together.playing():
        pass
