"""No question grows with the number of communities: whatever a route or a fact asks of the database, it finds by an index."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from deploy import access
from deploy.services import load_all
from shared import openapi
from shared.events.examples import example
from shared.messaging.testing import Harness
from shared.service import Service
from tests.architecture import owners

SERVICES = load_all()
LOOKS = re.compile(r"\s*(?:SELECT|WITH|UPDATE|DELETE)\b")
GOES_THROUGH = re.compile(
    r"AUTOMATIC|^SCAN (?!given\b|\(|CONSTANT ROW|\d+ CONSTANT ROW|\w+ VIRTUAL)"
    r"|^SEARCH .*\((?:stream|source|consumer|kind|type|status|scope)=\?\)"
)
"""Steps of a plan that go through a whole table, or all that is of one kind, or build an index over it for one question; not
what was just found, nor rows that are sent along."""
FEW = re.compile(
    r"^(?:SCAN|SEARCH) (?:communities|bodies|webhooks|clocks|dead_letters|trimmed)\b"
    r"|^SCAN outbox USING INDEX ix_outbox_unsent|^SCAN timers USING INDEX \w+timers_1"
)
"""Of these there are few beside what happens: communities and their evaluation bodies, subscriptions of systems, clocks that
were moved, streams, what is unsent or failed."""


@contextmanager
def plans() -> Iterator[dict[str, list[str]]]:
    """By statement, how SQLite goes about it where it goes through a whole table."""
    found: dict[str, list[str]] = {}

    def explain(connection: Any, cursor: Any, statement: str, parameters: Any, context: Any, many: bool) -> None:
        if many or statement in found or not LOOKS.match(statement):
            return
        asking = cursor.connection.cursor()
        asking.execute(f"EXPLAIN QUERY PLAN {statement}", parameters)
        steps = [str(step[3]) for step in asking.fetchall()]
        asking.close()
        found[statement] = [step for step in steps if GOES_THROUGH.search(step) and not FEW.search(step)]

    sa.event.listen(sa.Engine, "after_cursor_execute", explain)
    try:
        yield found
    finally:
        sa.event.remove(sa.Engine, "after_cursor_execute", explain)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_no_route_goes_through_a_whole_table(harness: Callable[[Service], Harness], service: Service) -> None:
    running = harness(service)
    owners.furnish(running, service)
    document = running.client.get(f"/api/{service.name}/openapi.json").json()
    with plans() as found:
        for route, method in access.routes(service):
            if route.path.endswith("/stream"):
                continue  # it answers without end
            for role in openapi.roles(route):
                asked = owners.call(document, service, route, method, owners.OWN)
                headers = {} if role == "anyone" else owners.headers(running, role)
                running.client.request(method, asked.path, params=asked.params, json=asked.body, headers=headers)
    assert len(found) > 10
    assert [f"{steps}: {statement}" for statement, steps in found.items() if steps] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_hearing_and_sending_goes_through_no_table(harness: Callable[[Service], Harness], service: Service) -> None:
    """What a service does by itself: it hears facts, fires timers, sends what it told and marks it as sent."""
    running = harness(service)
    owners.furnish(running, service)
    with plans() as found:
        running.deliver([example(fact) for fact in service.hears])
    assert any("FROM outbox" in statement for statement in found)
    assert [f"{steps}: {statement}" for statement, steps in found.items() if steps] == []
