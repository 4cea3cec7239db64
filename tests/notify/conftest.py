"""What tests of webhooks may use: a receiver, and a system that subscribes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

from services.notify.app import service
from shared.messaging.testing import Harness
from shared.service import Service
from shared.settings import Settings
from tests.notify.receiver import Receiver
from tests.notify.subscriber import ALLOWED, Subscriber


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as running:
        yield running


@pytest.fixture
def subscribing(settings: Callable[[Service], Settings], receiver: Receiver) -> Iterator[Callable[..., Subscriber]]:
    """Starts notify with other settings of webhooks than those by which a receiver on this machine may be called."""
    with ExitStack() as stack:

        def start(**other: Any) -> Subscriber:
            given = settings(service).model_copy(update={**ALLOWED, **other})
            return Subscriber(stack.enter_context(Harness(service, given)), receiver)

        yield start


@pytest.fixture
def subscriber(subscribing: Callable[..., Subscriber]) -> Subscriber:
    return subscribing()
