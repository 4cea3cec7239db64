"""Every fault for a moment: nothing acknowledged is lost, nothing happens twice. `make faults` runs them for longer."""

from __future__ import annotations

import pytest

from tests.faults.strikes import FAULTS, Fault
from tests.faults.substrates import Substrate, available
from tests.faults.suite import run

RECOVERED = 4.0
"""Seconds. A reader that rests for FastStream's five after a lost connection takes longer."""

SUBSTRATES, _ = available(small=True)


@pytest.mark.parametrize("substrate", SUBSTRATES, ids=str)
@pytest.mark.parametrize("fault", FAULTS, ids=lambda fault: fault.id)
def test_it_holds_under(fault: Fault, substrate: Substrate) -> None:
    row = run(fault, substrate, seed=1, seconds=1)
    assert row.holds, row
    assert row.times >= 1
    assert row.acknowledged > 0
    assert row.recovery < RECOVERED, row
