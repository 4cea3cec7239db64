"""Tokens."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field, StrictInt

from services.registry.views.base import Terms

IssuedRole = Literal["organization", "station", "expert", "operator", "system"]


class TokenTerms(Terms):
    """Whom a token is for. A resident's token is not issued here: matching gives it with the request.

    `subject` is an id that tells apart those of one role: an expert's or a station's evaluations are counted by it. A person
    whose token is renewed is given the same one.
    """

    role: IssuedRole
    community: str | None = Field(default=None, max_length=80)
    organization: str | None = Field(default=None, max_length=80)
    subject: str | None = Field(
        default=None, min_length=1, max_length=100, description="An opaque id, no name; made for an expert or a station."
    )
    days: StrictInt = Field(default=90, ge=1, le=400)


class TokenHolder(BaseModel):
    """Whom a token stands for, checked against the tables."""

    role: IssuedRole
    community: str | None
    organization: str | None
    subject: str | None


class TokenView(TokenHolder):
    """A token. It is shown this once and stored nowhere."""

    token: str
    expires_at: datetime
