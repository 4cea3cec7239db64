"""A running registry with one community in it."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from services.registry.app import service
from shared.messaging.testing import Harness
from shared.service import Service
from tests.registry.given import Town, open_town


@pytest.fixture
def registry(harness: Callable[[Service], Harness]) -> Harness:
    return harness(service)


@pytest.fixture
def town(registry: Harness) -> Town:
    return open_town(registry)
