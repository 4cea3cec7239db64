"""The short form of `make fuzz`: few calls of each operation, all checks, stateful."""

from __future__ import annotations

from collections.abc import Callable

from deploy.services import NAMES
from tests.fuzz import fuzz
from tests.system.conftest import AllInOne


def test_few_calls_of_every_operation_find_nothing(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start("--sample")
    system.quiet()
    for service in NAMES:
        outcome = fuzz(system, service, examples=2, phases="fuzzing,stateful", seed=1)
        assert not outcome.failed, outcome.output
        assert outcome.cases > 5
