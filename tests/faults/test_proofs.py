"""The suite can fail: with the kit broken on purpose, it shows what is lost, and what happens in a hot loop. That it shows what
happens twice, with the inbox off, is in `test_command.py`."""

from __future__ import annotations

from tests.faults.row import Row
from tests.faults.strikes import FAULTS
from tests.faults.substrates import Substrate
from tests.faults.suite import run

SQLITE = Substrate("sqlite", "valkey")


def attack(fault: str, broken: str, **limits: float) -> Row:
    chosen = next(one for one in FAULTS if one.id == fault)
    return run(chosen, SQLITE, seed=1, seconds=1, small=True, broken=broken, **limits)


def test_with_the_acknowledgement_before_the_transaction_facts_are_lost() -> None:
    assert attack("T2", "acknowledged first").lost


def test_without_the_sweeper_facts_are_lost() -> None:
    assert attack("T2", "sweeper off", rest=3).lost


def test_with_reading_from_0_facts_are_lost() -> None:
    assert attack("T1", "read from 0", patience=5, rest=3).lost


def test_with_faststream_left_alone_redis_is_asked_in_a_hot_loop() -> None:
    assert any("more than" in note for note in attack("T10", "impatient").notes)
