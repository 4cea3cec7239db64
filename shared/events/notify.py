"""What notify tells of its own: how webhooks stand, and what could not be delivered to them. It tells the public facts of the
others again on the feed, unchanged."""

from __future__ import annotations

from typing import Literal

from shared.events.base import Fact


class WebhookState(Fact, about="webhook"):
    """A webhook: which facts it gets (of `types`, or all; about `only_subject`, or anything; of its own community, or
    `everywhere`), and whether it gets them. Never its address or secret."""

    webhook: str
    types: tuple[str, ...]
    only_subject: str | None
    everywhere: bool
    status: Literal["active", "paused", "disabled", "deleted"]
    because: Literal["failing", "gone"] | None


class WebhookCreated(WebhookState, type="fenghe.webhook.created.v1"):
    """A system or the station subscribed an address to public facts."""


class WebhookChanged(WebhookState, type="fenghe.webhook.changed.v1"):
    """A webhook got another address, other filters or a new secret."""


class WebhookPaused(WebhookState, type="fenghe.webhook.paused.v1"):
    """A webhook gets nothing until it is resumed; then it goes on where it stopped."""


class WebhookResumed(WebhookState, type="fenghe.webhook.resumed.v1"):
    """A webhook that was paused or disabled goes on where it stopped."""


class WebhookDisabled(WebhookState, type="fenghe.webhook.disabled.v1"):
    """A webhook gets nothing any more: nothing arrived for three days (`failing`), or its receiver answered 410 (`gone`)."""


class WebhookDeleted(WebhookState, type="fenghe.webhook.deleted.v1"):
    """A webhook was deleted, with its log."""


class DeliveryState(Fact, about="delivery"):
    """The delivery of a fact to a webhook: how often it was attempted, and what came of the last attempt, its status code or,
    where there was none, the kind of error."""

    delivery: str
    webhook: str
    fact: str
    attempts: int
    status_code: int | None
    error: str


class DeliveryFailed(DeliveryState, type="fenghe.delivery.failed.v1"):
    """The delivery of a fact was given up after three days. It can be replayed."""
