"""The list of the services; each is imported when it is asked for, so that a service's image needs its own alone."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # a command that asks for no service does not load what services are made of
    from shared.service import Service

NAMES = ("registry", "matching", "feedback", "notify")


def load(name: str) -> Service:
    """The service of that name."""
    service: Service = importlib.import_module(f"services.{name}.app").service
    return service


def load_all() -> list[Service]:
    """All four."""
    return [load(name) for name in NAMES]
