"""No question grows with the number of communities: whatever a route or a fact asks of the database, it finds by an index."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from deploy import access
from deploy.services import load_all
from shared import openapi
from shared.events.examples import example
from shared.messaging.testing import Harness
from shared.service import Service
from tests.architecture import owners
from tests.architecture.plans import plans

SERVICES = load_all()


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
