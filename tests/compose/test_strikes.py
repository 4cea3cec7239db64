"""The short form of the drills (`make drills` does all of them), on the deployment that the other tests have used."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from rich.console import Console

from tests.drills.__main__ import lacking
from tests.drills.deployment import SERVICES, Compose
from tests.drills.faults import FAULTS, Fault
from tests.drills.row import Row, table
from tests.drills.suite import Before, drill
from tests.drills.traffic import Traffic

before = Before()


@pytest.fixture(scope="module")
def traffic(deployment: Compose) -> Iterator[Traffic]:
    if missing := lacking():
        pytest.skip(f"drills: {missing}")
    deployment.up(**dict.fromkeys(SERVICES, 2))
    clients = Traffic(deployment.url, deployment.token())
    yield clients
    clients.close()


@pytest.fixture(scope="module")
def rows() -> Iterator[list[Row]]:
    done: list[Row] = []
    yield done
    Console(width=150).print(table(done))


@pytest.mark.parametrize("fault", [fault for fault in FAULTS if fault.short], ids=lambda fault: fault.id)
def test_nothing_is_lost(deployment: Compose, traffic: Traffic, rows: list[Row], fault: Fault) -> None:
    rows.append(drill(fault, deployment, traffic, before, short=True))
    assert rows[-1].acknowledged > 0
    assert rows[-1].holds, rows[-1]
