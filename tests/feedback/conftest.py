"""Feedback alone, and a town for its evaluation body."""

from __future__ import annotations

import pytest

from services.feedback.app import service
from tests.feedback.town import Town


@pytest.fixture
def feedback(harness):
    return harness(service)


@pytest.fixture
def town(feedback):
    return Town(feedback)
