"""Moments and days in what people send, taken only as they are written; which characters are Chinese."""

from __future__ import annotations

from datetime import date
from typing import Annotated, Any

from pydantic import AwareDatetime, BeforeValidator

CHINESE = r"\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""The CJK ideographs of Unicode, for within the brackets of a regular expression."""


def _written(value: Any) -> Any:
    if isinstance(value, int | float):
        raise ValueError("a moment or day is written in words, like 2026-11-22T09:30:00+08:00 or 2026-11-22")
    return value


Moment = Annotated[AwareDatetime, BeforeValidator(_written)]
"""A moment with its offset. A number is none, though pydantic would take it for seconds since 1970."""
Day = Annotated[date, BeforeValidator(_written)]
