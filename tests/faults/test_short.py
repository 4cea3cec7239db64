"""Every fault for a moment: nothing acknowledged is lost, nothing happens twice. `make faults` runs them for longer."""

from __future__ import annotations

import inspect

import pytest
from faststream.redis.subscriber.usecases import stream_subscriber

from tests.faults.strikes import FAULTS, Fault
from tests.faults.substrates import Substrate, available
from tests.faults.suite import run

SUBSTRATES, _ = available(small=True)


@pytest.mark.parametrize("substrate", SUBSTRATES, ids=str)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_it_holds_under(fault: Fault, substrate: Substrate) -> None:
    row = run(fault, substrate, seed=1, seconds=1)
    assert row.holds, row
    assert row.times >= 1
    assert row.acknowledged > 0


def test_faststream_still_has_the_pause_that_the_kit_shortens() -> None:
    assert isinstance(stream_subscriber.CONSUME_ERROR_BACKOFF_SECONDS, float)
    assert "CONSUME_ERROR_BACKOFF_SECONDS" in inspect.getsource(stream_subscriber._StreamHandlerMixin._consume)
