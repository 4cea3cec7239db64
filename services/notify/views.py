"""What notify's API gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from pydantic import BaseModel


class NoticeView(BaseModel):
    """A notice: the sentence in Chinese and English, when what it says happened, and the ids of what it is about."""

    id: str
    kind: str
    zh: str
    en: str
    occurred_at: datetime
    parameters: dict[str, str]


class FeedFactView(BaseModel):
    """A public fact in the CloudEvents JSON format, as its service told it."""

    specversion: str
    id: str
    source: str
    type: str
    subject: str
    time: str
    datacontenttype: str
    dataschema: str
    community: str
    sequence: str
    traceparent: str
    data: dict[str, Any]


class Figures(BaseModel):
    """Notify's part of a community's figures."""

    notices: int
