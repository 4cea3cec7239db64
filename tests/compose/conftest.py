"""One compose deployment for all tests of this folder: built, brought up, and taken down again, whatever happened."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator

import pytest

from tests.drills.deployment import Compose, engine_answers

PROJECT = os.environ.get("FENGHE_TEST_COMPOSE", "")
"""The name of a compose project that the tests may bring up and take down."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if "/tests/compose/" in str(item.path):
            item.add_marker(pytest.mark.timeout(2400))


@pytest.fixture(scope="session")
def deployment(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    """The deployment, up and ready, with two replicas of matching."""
    if not PROJECT:
        pytest.skip("containers: set FENGHE_TEST_COMPOSE to the name of a compose project to be made")
    if "PYTEST_XDIST_WORKER" in os.environ:
        pytest.skip("containers: one deployment, one process; run without -n")
    if not engine_answers():
        pytest.skip("containers: no docker engine answers")
    compose = Compose.new(PROJECT, tmp_path_factory.mktemp("compose") / "env", "test")
    began = time.monotonic()
    try:
        compose.build()
        built = time.monotonic()
        compose.up()
        print(f"\ncompose: built in {built - began:.0f} s, up in {time.monotonic() - built:.0f} s", flush=True)
        yield compose
    finally:
        compose.down()
