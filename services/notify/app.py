"""Notify, put together."""

from pathlib import Path

from services.notify import api, handlers, models, pages
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="notify",
    title="Fenghe notify",
    summary="Notices in sentences for everybody concerned, and the public feed.",
    title_zh="通知",
    summary_zh="给每一位相关者的通知，以及面向公众的事件。",
    feeds=True,
    routers=[api.router, pages.router],
    handlers=[handlers.on, clocks.handlers],
    metadata=models.Table.metadata,
    group="notify",
    migrations=Path(__file__).parent / "migrations",
)
