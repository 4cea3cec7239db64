"""Matching as a value: wiring only."""

from __future__ import annotations

from pathlib import Path

from services.matching import api, handlers, imports, models, timers
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="matching",
    title="Fenghe matching",
    summary="Residents' requests, who could serve them, and the referrals that put them before organizations.",
    title_zh="对接",
    summary_zh="居民的需求、可以承接的组织，以及转给各组织的单子。",
    routers=api.routers,
    handlers=[handlers.on, clocks.handlers],
    timers=[timers.timers],
    metadata=models.Table.metadata,
    group="matching",
    imports=imports.imports,
    migrations=Path(__file__).parent / "migrations",
)
