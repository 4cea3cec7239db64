"""What a fault is: how it strikes, and on what it needs to strike."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.faults.arena import Arena
from tests.faults.row import Row
from tests.faults.substrates import Substrate

SOLE: Mapping[str, Any] = {"sole": True, "claim_idle": 1.0}
SHARED: Mapping[str, Any] = {"sole": False, "claim_idle": 1.0}
NOW = (0.0, 0.0)
STRIKE_LIMIT = 60.0
"""Seconds within which a strike must have hit."""

Struck = tuple[int, float]
"""How often it struck, and the moment from which recovery counts."""


@dataclass(frozen=True)
class Fault:
    """A way to attack: either a `strike` at the arena, again and again, or a `scene` of its own. `pace`: the shortest and
    longest pause before a strike. `rounds`: strikes it needs to be whole. `takes`: about how many seconds one run needs
    whatever it is given. `proxied`: what a proxy stands before, "redis" or "database". `databases`: those it makes sense on,
    `because`: why not on the others. `own`: it needs a database server that it may stop. `errors`: whether a client may see
    any."""

    id: str
    what: str
    strike: Callable[[Arena], Struck] | None = None
    scene: Callable[[Substrate, int, bool], Row] | None = None
    replicas: int = 1
    settings: Mapping[str, Any] = field(default_factory=lambda: SOLE)
    pace: tuple[float, float] = (0.05, 0.4)
    rounds: int = 1
    takes: float = 0.0
    variant: str = ""
    proxied: str = ""
    databases: tuple[str, ...] = ("sqlite", "postgresql")
    because: str = ""
    own: bool = False
    errors: bool = True

    def __str__(self) -> str:
        return f"{self.id} {self.what}"
