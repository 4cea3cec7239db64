"""Notify, put together."""

from pathlib import Path

from services.notify import api, handlers, models, pages
from services.notify.webhooks.api import router as webhooks
from services.notify.webhooks.couriers import Couriers
from shared.messaging import clocks
from shared.service import Service

service = Service(
    name="notify",
    title="Fenghe notify",
    summary="Notices in sentences for everybody concerned, the public feed, and webhooks.",
    title_zh="通知",
    summary_zh="给每一位相关者的通知，面向公众的事件，以及推送给其他系统的 webhook。",
    feeds=models.FeedFact.__table__,  # type: ignore[attr-defined]
    routers=[api.router, pages.router, webhooks],
    handlers=[handlers.on, clocks.handlers],
    loops=[Couriers],
    metadata=models.Table.metadata,
    group="notify",
    migrations=Path(__file__).parent / "migrations",
)
