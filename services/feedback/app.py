"""Feedback, put together."""

from pathlib import Path

from services.feedback import api, handlers, models
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="feedback",
    title="Fenghe feedback",
    summary="Evaluations by residents, station and experts, and the satisfaction that follows from them.",
    title_zh="评价",
    summary_zh="居民、服务站和专家的评价，以及由此得出的满意度。",
    routers=[api.router],
    handlers=[handlers.on, clocks.handlers],
    timers=[handlers.timers],
    metadata=models.Table.metadata,
    group="feedback",
    migrations=Path(__file__).parent / "migrations",
)
