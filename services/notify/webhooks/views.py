"""What the API of webhooks takes and gives."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt

from shared.written import Moment

Id = Annotated[str, Field(min_length=1, max_length=100)]
Address = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        examples=["https://example.org/hooks/fenghe"],
        description="Where facts are sent: https, to a public address. Redirects are not followed.",
    ),
]
Type = Annotated[str, Field(min_length=1, max_length=100, examples=["fenghe.request.submitted.v1"])]
Types = Annotated[list[Type], Field(max_length=100, description="Only facts of these types; none: of every public type.")]
Description = Annotated[str, Field(max_length=500, description="For people: whose it is, what for.")]
Subject = Annotated[Id | None, Field(description="Only facts about this thing, by its id; null: about anything.")]
Everywhere = Annotated[StrictBool, Field(description="Facts of every community of this deployment, not only of its own.")]
Cursor = Annotated[str, Field(max_length=400, description="`next` of `/events`, or the id of an event of its stream.")]


def _without_default(schema: dict[str, Any]) -> None:
    """For a field that may be left out but not be null."""
    schema.pop("default", None)


UNCHANGED: Any = Field(default=None, json_schema_extra=_without_default)


class Terms(BaseModel):
    """Base of what is sent: an unknown field is refused, blanks around text are dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class WebhookTerms(Terms):
    """A webhook to be made: which public facts are sent to which address. With `after` it begins after that place in the
    feed, otherwise with the facts to come."""

    community: Id
    url: Address
    description: Description = ""
    types: Types = []
    subject: Subject = None
    everywhere: Everywhere = False
    after: Cursor | None = None


class WebhookChanges(Terms):
    """What is to change of a webhook. Other filters hold for the facts that it has not come to yet."""

    url: Address = UNCHANGED
    description: Description = UNCHANGED
    types: Types = UNCHANGED
    subject: Subject = None
    everywhere: Everywhere = UNCHANGED


class RotationTerms(Terms):
    """For how many hours the old secret stays valid beside the new one."""

    overlap_hours: Annotated[StrictInt, Field(ge=0, le=168)] = 24


class ReplayTerms(Terms):
    """Which facts are sent again: those after and up to a place in the feed, those that notify heard in a time, those whose
    delivery failed, or what all of these have in common. At least one is given."""

    after: Cursor | None = None
    up_to: Cursor | None = None
    since: Moment | None = None
    until: Moment | None = None
    failed_only: StrictBool = False


class Words(BaseModel):
    """A text in Chinese and English."""

    zh: str
    en: str


class WebhookView(BaseModel):
    """A webhook: what it wants, and how it stands. `because` says why it is disabled, `waiting` how many deliveries it has
    before it, `next_attempt_at` when the next of them is due, `failing_since` since when nothing arrives. `cursor` is how far
    the feed was looked through for it. `old_secret_until` is set while two secrets are valid."""

    id: str
    community: str
    url: str
    description: str
    types: list[str]
    subject: str | None
    everywhere: bool
    status: Literal["active", "paused", "disabled"]
    because: Literal["failing", "gone"] | None
    state: Words
    waiting: int
    next_attempt_at: datetime | None
    failing_since: datetime | None
    old_secret_until: datetime | None
    cursor: str
    created_at: datetime


class WebhookSecret(WebhookView):
    """A webhook with its new secret, which is shown this once."""

    secret: str


class AttemptError(Words):
    """Why an attempt failed: a kind that a program can tell apart, and a sentence for people."""

    kind: str


class Attempt(BaseModel):
    """An attempt to deliver: when, what the receiver answered, after how many milliseconds. `status_code` is null where there
    was no answer, `error` where it was taken."""

    at: datetime
    status_code: int | None
    milliseconds: int
    error: AttemptError | None


class DeliveryView(BaseModel):
    """A fact on its way to a webhook, and every attempt (the last twenty). `fact` is the `webhook-id` of its message."""

    fact: str
    type: str
    subject: str
    community: str
    cursor: str
    status: Literal["waiting", "delivered", "failed"]
    attempts: list[Attempt]
    next_attempt_at: datetime | None
    ended_at: datetime | None


class Replay(BaseModel):
    """How many deliveries were set going again. Where there were more than can be at once, `next` is the cursor to go on with
    (`after`); otherwise null."""

    deliveries: int
    next: str | None
