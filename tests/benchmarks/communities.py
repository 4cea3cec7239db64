"""A city quarter beside one community: what a resident's request costs from its submission to its rating, what reading costs,
idleness, memory and room on disk, with a hundred communities in one all-in-one and with one."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from deploy.sample_community import load_sample
from deploy.season import KEEP_ALL, Deployment, SeasonReport, play, play_quarter
from tests.benchmarks.ground import cpu_seconds, memory
from tests.benchmarks.measure import Row
from tests.system.belonging import examine, kept, told
from tests.system.conftest import AllInOne

COMMUNITIES, REQUESTS = 100, 400
FIRST_SEED, SEED = 2, 1
READS = (
    "registry/offers?community={}&limit=50",
    "registry/communities/{}/figures",
    "matching/requests?community={}&limit=50",
    "matching/projects?community={}",
    "feedback/satisfaction?community={}&kind=organization",
    "feedback/outcomes?community={}&by=category",
    *(f"{name}/quiet" for name in ("registry", "matching", "feedback", "notify")),
)
ROUNDS = 20
IDLE = 10.0
"""Seconds for which nothing is asked."""
OF_THE_RUN = ("facts", "notices", "seconds")
"""Figures that may differ between two seasons of one seed."""


class Town:
    """An all-in-one and what it costs."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.system = AllInOne(folder / "data")
        self.community = ""

    @contextmanager
    def running(self) -> Iterator[Town]:
        """Started, with an operator's client; ended afterwards."""
        self.system.start()
        self.token = self.system.token("operator")["Authorization"].removeprefix("Bearer ")
        with httpx.Client(base_url=self.system.address, timeout=30, limits=KEEP_ALL) as self.client:
            try:
                yield self
            finally:
                self.system.end()

    def spent(self) -> float:
        """The processor seconds that services and Valkey have used."""
        assert self.system.process is not None
        return cpu_seconds(self.system.process.pid) + cpu_seconds(self.system.valkey_pid)

    def season(self, requests: int) -> tuple[SeasonReport, float, float]:
        """A season in a new community: its report, its seconds, the processor seconds it took."""
        began, spent = time.perf_counter(), self.spent()
        report = play(self.client, self.token, load_sample(), SEED, requests)
        self.community = report.community
        return report, time.perf_counter() - began, self.spent() - spent

    def read(self) -> float:
        """The processor seconds that a call takes which reads of the community played last."""
        headers = self.system.token("station", self.community)
        spent = self.spent()
        for path in READS * ROUNDS:
            answer = self.client.get(f"/api/{path.format(self.community)}", headers=headers)
            assert answer.status_code == 200, answer.text
        return (self.spent() - spent) / (len(READS) * ROUNDS)

    def communities(self) -> list[dict[str, Any]]:
        """All communities that are there."""
        return list(Deployment(self.client, "").pages("/api/registry/communities", self.token))

    def idle(self, seconds: float) -> float:
        """The processor seconds that a second of idleness takes."""
        self.system.quiet()
        spent = self.spent()
        time.sleep(seconds)  # what is measured
        return (self.spent() - spent) / seconds

    def megabytes(self) -> dict[str, float]:
        """The memory of the services and of Valkey, and the room their files take."""
        assert self.system.process is not None
        files = [file for file in self.system.data.rglob("*") if file.is_file()]
        return {
            "memory of the services": memory(self.system.process.pid)[0],
            "memory of Valkey": memory(self.system.valkey_pid)[0],
            "on disk": sum(file.stat().st_size for file in files) / 1e6,
        }


def run(runs: int, scale: float = 1) -> Iterator[Row]:
    """Rows: one community and a quarter, and the ratios of the quarter's cost to one community's."""
    communities, requests = max(2, round(COMMUNITIES * scale)), max(8, round(REQUESTS * scale))
    idle = max(1.0, IDLE * scale)
    measured: dict[str, tuple[list[float], list[float]]] = {}

    def note(what: str, of_one: float, of_many: float) -> None:
        one, many = measured.setdefault(what, ([], []))
        one.append(of_one)
        many.append(of_many)

    with tempfile.TemporaryDirectory(prefix="fenghe-bench-") as folder, Town(Path(folder) / "quarter").running() as quarter:
        began = time.perf_counter()
        seeds = range(FIRST_SEED, FIRST_SEED + communities - 1)
        played = play_quarter(quarter.client, quarter.token, load_sample(), seeds, requests, quiet_within=600)
        filled = time.perf_counter() - began
        assert all(_is_right(report, requests) for report in played)
        for number in range(runs):
            with Town(Path(folder) / f"one{number}").running() as one:
                reports = []
                costs: dict[str, list[float]] = {}
                for town in (one, quarter):
                    report, seconds, spent = town.season(requests)
                    reports.append({name: value for name, value in report.figures.items() if name not in OF_THE_RUN})
                    costs.setdefault("seconds of a season", []).append(seconds)
                    costs.setdefault("processor time of a request, ms", []).append(spent / requests * 1e3)
                    costs.setdefault("processor time of a call that reads, ms", []).append(town.read() * 1e3)
                    costs.setdefault("processor time of an idle second, ms", []).append(town.idle(idle) * 1e3)
                    for what, megabytes in town.megabytes().items():
                        costs.setdefault(f"{what}, MB", []).append(megabytes)
                assert reports[0] == reports[1], "a community in the quarter has other figures than one alone"
                for what, (of_one, of_many) in costs.items():
                    note(what, of_one, of_many)
        communities_there = {one["id"] for one in quarter.communities()}
        looked_at = examine(communities_there, told(quarter.system), kept(quarter.system))
        assert len(communities_there) == communities + runs - 1
        assert not looked_at.crossed and not looked_at.strange, (looked_at.crossed[:5], looked_at.strange[:5])
    yield Row.of("facts and rows looked at, nothing of one community with another", "", [looked_at.facts + looked_at.rows])
    yield Row.of(f"{communities - 1} seasons, some side by side: each", "s", [filled / (communities - 1)])
    for what, (of_one, of_many) in measured.items():
        name, _, unit = what.partition(", ")
        alone = Row.of(f"one community: {name}", unit or "s", of_one)
        yield alone
        yield Row.of(f"{communities} communities: {name}", unit or "s", of_many, alone)
        if name.endswith(("a request", "reads")):
            yield Row.ratios(f"{name}: {communities} communities to one (aim: 0.9 to 1.1)", of_many, of_one)


def _is_right(report: SeasonReport, requests: int) -> bool:
    figures: dict[str, Any] = report.figures
    return (figures["dead_letters"], figures["requests"], figures["organizations"]) == (0, requests, 26)
