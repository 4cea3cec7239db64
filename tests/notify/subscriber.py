"""A system that subscribes to public facts by webhooks: what it calls, and what it is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from services.notify.models import Delivery
from shared.events import CloudEvent, Fact
from shared.events import registry as r
from shared.identifiers import new_id
from shared.messaging.testing import Harness
from tests.feedback.given import organization_registered
from tests.messaging.test_supervision import until
from tests.notify.given import Neighbourhood
from tests.notify.receiver import Receiver

REGISTERED = r.OrganizationRegistered.type
ALLOWED = {"webhook_public": False, "webhook_allow": "127.0.0.0/8", "webhook_timeout": 30}
"""The settings with which a receiver on this machine may be called, and nobody else."""


class Subscriber:
    """One community, whose station subscribes to organizations that were registered."""

    def __init__(self, notify: Harness, receiver: Receiver) -> None:
        self.notify = notify
        self.receiver = receiver
        self.fenghe = Neighbourhood()
        self.community = self.fenghe.community
        self.headers = notify.as_("station", community=self.community)
        notify.hear(self.fenghe.opened())
        self._ahead = timedelta()

    def call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        """Call a route of webhooks; returns what it answers. Raises AssertionError where that is a problem."""
        answer = self.try_call(method, path, body, **query)
        assert answer.is_success, answer.text
        return answer.json() if answer.content else None

    def try_call(self, method: str, path: str, body: Any = None, **query: Any) -> Any:
        return self.notify.client.request(method, f"/api/notify/webhooks{path}", json=body, params=query, headers=self.headers)

    def subscribe(self, path: str = "/", **terms: Any) -> dict[str, Any]:
        """A new webhook."""
        given = {"community": self.community, "url": self.receiver.url(path), "types": [REGISTERED]}
        made: dict[str, Any] = self.call("POST", "", given | terms)
        return made

    def happen(self, count: int = 1, about: str | None = None, community: str | None = None) -> list[CloudEvent[Fact]]:
        """So many organizations are registered, or the same one so often; returns the facts."""
        subjects = [about or new_id() for _ in range(count)]
        return self.notify.hear(*(organization_registered(community or self.community, subject) for subject in subjects))

    def keep_happening(self, subjects: Sequence[str], times: int) -> list[CloudEvent[Fact]]:
        """Each of these organizations is registered so often, in turn; returns the facts."""
        facts = [organization_registered(self.community, subject) for _ in range(times) for subject in subjects]
        return self.notify.hear(*facts)

    def later(self, **by: float) -> None:
        """The community's clock moves on."""
        self._ahead += timedelta(**by)
        state = self.fenghe.opened().model_dump() | {"clock_ahead": int(self._ahead.total_seconds())}
        self.notify.hear(r.CommunityClockMoved(**state))

    def arrived(self, count: int, path: str | None = None) -> Sequence[Any]:
        """Wait until so many requests have arrived; they are returned."""
        until(lambda: len(self._at(path)) >= count)
        return self._at(path)

    def settled(self, webhook: dict[str, Any], **counts: int) -> list[dict[str, Any]]:
        """Wait until so many deliveries of a webhook were attempted and stand so (`delivered=3`); returns the log, oldest
        first."""

        def stand() -> bool:
            attempted = Counter(one["status"] for one in self.log(webhook) if one["attempts"])
            return all(attempted[status] == count for status, count in counts.items())

        until(stand)
        return self.log(webhook)

    def attempted(self, webhook: dict[str, Any], attempts: int) -> None:
        """Wait until the log of a webhook has so many attempts, or more."""
        until(lambda: sum(len(one["attempts"]) for one in self.log(webhook)) >= attempts)

    def log(self, webhook: dict[str, Any]) -> list[dict[str, Any]]:
        """The log of a webhook, oldest first."""
        items: list[dict[str, Any]] = self.call("GET", f"/{webhook['id']}/deliveries", limit=200)["items"]
        return items[::-1]

    def show(self, webhook: dict[str, Any]) -> dict[str, Any]:
        shown: dict[str, Any] = self.call("GET", f"/{webhook['id']}")
        return shown

    def rows(self) -> list[Delivery]:
        return self.notify.rows(Delivery)

    def _at(self, path: str | None) -> Sequence[Any]:
        return self.receiver.received if path is None else self.receiver.at(path)
