"""Feedback, put together."""

from pathlib import Path

from services.feedback import api, handlers, models
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="feedback",
    title="Fenghe feedback",
    summary="Evaluations by residents, station and experts, the satisfaction that follows, the evaluation body, outcomes.",
    title_zh="评价",
    summary_zh="居民、服务站和专家三方的评价，由此得出的满意度，评估机构的结论，以及服务成效。",
    routers=[api.router],
    handlers=[handlers.on, clocks.handlers],
    timers=[handlers.timers],
    metadata=models.Table.metadata,
    group="feedback",
    migrations=Path(__file__).parent / "migrations",
)
