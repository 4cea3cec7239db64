"""`make faults`, as it is called: what it prints, how it ends; one seed gives one schedule."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from functools import partial
from itertools import islice
from typing import Any
from unittest.mock import Mock

import pytest

from shared import logs
from tests.faults import __main__ as command
from tests.faults.arena import names_of
from tests.faults.fault import Fault
from tests.faults.row import Row
from tests.faults.strikes import FAULTS
from tests.faults.substrates import Substrate, available
from tests.faults.suite import run, schedule

ASKED = {"T1", "T2", "T3", "T4", "T6", "T7", "T8", "T10", "T11", "T12", "T13", "T14", "T15", "T16", "T20"}
BESIDE = {"republish", "relays", "stop", "rollback", "bug", "deadlock"}


@pytest.fixture
def make_faults(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., int]]:
    """The command, on SQLite and Valkey; what it does to its process is undone."""
    monkeypatch.setattr(command, "available", lambda: ([Substrate("sqlite", "valkey")], ["PostgreSQL is left out"]))
    monkeypatch.setattr(command, "signal", Mock())
    yield lambda *arguments: command.main(arguments)
    logs.configure(level="ERROR", format="text")


def test_it_prints_what_it_tried_and_a_row_with_the_figures_and_ends_with_0(
    make_faults: Callable[..., int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert make_faults("--only", "T3", "--minutes", "0.02", "--seed", "7", "--json") == 0
    said = capsys.readouterr()
    (row,) = (document := json.loads(said.out.splitlines()[-1]))["rows"]
    assert (document["seed"], document["held"], document["left_out"]) == (7, True, ["PostgreSQL is left out"])
    assert (row["fault"], row["times"], row["lost"], row["twice"]) == ("T3", len(row["tried"]), 0, 0)
    assert "SIGKILL to Redis" in said.err
    for column in ("times", "lost", "twice", "slowest recovery (s)", "client errors"):
        assert column in said.err


def test_it_ends_with_1_when_something_happens_twice(
    make_faults: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "run", partial(run, small=True, broken="inbox off"))
    assert make_faults("--only", "T11", "--minutes", "0.01", "--json") == 1
    said = json.loads(capsys.readouterr().out.splitlines()[-1])
    assert not said["held"]
    assert said["rows"][0]["twice"] > 0


def test_whoever_ends_it_early_sees_what_was_tried_until_then(
    make_faults: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    rows = iter([Row("T3", "kill -9 of Redis", "here", times=7)])

    def run_one(*_: Any) -> Row:
        for row in rows:
            return row
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "run", run_one)
    with pytest.raises(KeyboardInterrupt):
        make_faults("--only", "T3,T4")
    said = capsys.readouterr().out
    assert "client errors" in said
    assert "It was ended before 4 of 5 rows." in said


def test_a_run_that_comes_to_no_end_does_not_hold_and_ends_no_other(
    make_faults: Callable[..., int], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scene = Mock(side_effect=TimeoutError("the judge came to no verdict"))
    monkeypatch.setattr(command, "FAULTS", [Fault("T3", "first", scene=scene), Fault("T3", "second", scene=scene)])
    assert make_faults("--only", "T3") == 1
    said = capsys.readouterr().out
    assert said.count("it came to no end: TimeoutError: the judge came to no verdict") == 2
    assert "It did not hold." in said


def test_a_substrate_may_be_tried_alone(make_faults: Callable[..., int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        make_faults("--on", "postgresql")
    assert "there is no postgresql here; PostgreSQL is left out" in capsys.readouterr().err


def test_an_unknown_fault_is_answered_with_those_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        command.main(["--only", "T99"])
    there_are = ", ".join(fault.id for fault in FAULTS)
    assert f"there is no fault T99; there are {there_are}" in capsys.readouterr().err


def test_every_fault_is_a_row_on_every_substrate() -> None:
    assert {fault.id for fault in FAULTS} == ASKED | BESIDE
    commits = ["T7 replies of COMMIT lost", "T7 replies of COMMIT lost; effects at once"]
    assert [str(fault) for fault in FAULTS if fault.databases != ("sqlite", "postgresql")] == commits
    assert [str(fault) for fault in FAULTS if fault.because] == commits
    substrates, missing = available()
    databases, servers = {one.database for one in substrates}, {one.redis for one in substrates}
    assert {str(one) for one in substrates} == {f"{database} × {server}" for database in databases for server in servers}
    assert len(databases) + len(servers) + len(missing) == 4, "what is left out is said"


@pytest.mark.parametrize("fault", FAULTS, ids=str)
def test_one_seed_gives_one_schedule(fault: Any) -> None:
    def drawn(seed: int) -> list[Any]:
        return [(pause, chance.random()) for pause, chance in islice(schedule(fault, f"{seed} {fault}"), 20)]

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_one_seed_gives_each_client_its_commands() -> None:
    first = [list(islice(names_of("1", client), 50)) for client in (0, 0, 1)]
    assert first[0] == first[1] != first[2]
    assert set(islice(names_of("2", 0), 50)) != set(first[0])
    assert 10 < sum("+" in name for name in first[0]) < 30
