"""Every fault for a moment: nothing acknowledged is lost, nothing happens twice. `make faults` runs them for longer."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from pathlib import Path

import pytest
import redis
from faststream.redis.subscriber.usecases import stream_subscriber

from tests.faults.fault import Fault
from tests.faults.strikes import FAULTS
from tests.faults.substrates import Substrate, available
from tests.faults.suite import run
from tests.messaging.child import Table


def chosen() -> Iterator[tuple[Fault, Substrate]]:
    """Every fault once, on each database and each Redis in turn: on all of them it takes more than four minutes. `make faults`
    runs all combinations."""
    substrates, _ = available()
    for number, fault in enumerate(FAULTS):
        fitting = [substrate for substrate in substrates if substrate.database in fault.databases]
        if fitting:
            yield fault, fitting[number % len(fitting)]


@pytest.mark.parametrize(("fault", "substrate"), list(chosen()), ids=str)
def test_it_holds_under(fault: Fault, substrate: Substrate) -> None:
    row = run(fault, substrate, seed=1, seconds=1, small=True)
    assert row.holds, (row.notes, row)
    assert row.times >= 1
    assert row.acknowledged > 0


@pytest.mark.parametrize("substrate", available()[0], ids=str)
def test_a_substrate_is_what_it_says(substrate: Substrate, tmp_path: Path) -> None:
    with substrate.new(tmp_path) as ground, redis.Redis.from_url(ground.server.url) as client:
        assert ground.database("child", Table.metadata).startswith(substrate.database)
        assert client.info("server").get("server_name", "redis") == substrate.redis


def test_faststream_still_has_the_pause_that_the_kit_shortens() -> None:
    assert isinstance(stream_subscriber.CONSUME_ERROR_BACKOFF_SECONDS, float)
    assert "CONSUME_ERROR_BACKOFF_SECONDS" in inspect.getsource(stream_subscriber._StreamHandlerMixin._consume)
