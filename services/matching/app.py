"""Matching as a value: wiring only."""

from __future__ import annotations

from pathlib import Path

from services.matching import api, handlers, imports, models, timers
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="matching",
    title="Fenghe matching",
    summary="Residents' requests and who serves them, projects made to measure, and claim meetings.",
    title_zh="对接",
    summary_zh="居民的需求、由谁来办，量身定做的项目，以及认领大会。",
    routers=api.routers,
    handlers=[handlers.on, clocks.handlers],
    timers=[timers.timers],
    metadata=models.Table.metadata,
    group="matching",
    imports=imports.imports,
    migrations=Path(__file__).parent / "migrations",
)
