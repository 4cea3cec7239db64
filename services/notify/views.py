"""What notify's API gives."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

T = TypeVar("T")


class Following(BaseModel, Generic[T]):
    """A stretch of a list that grows. `next` is the cursor to go on with (`?after=…`), on the last stretch too: kept, it
    gives only what is new. With nothing new `items` is empty and `next` the cursor that was given."""

    items: list[T]
    next: str | None


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
