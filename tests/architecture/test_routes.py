"""Every route says who may call it, and answers accordingly: role × route."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from deploy.services import load_all
from shared.access import ROLES, Allowed
from shared.messaging.testing import Harness
from shared.operations import router
from shared.service import Service

SERVICES = load_all()


def routes(service: Service) -> Iterator[APIRoute]:
    for part in (router(service), *service.routers):
        yield from (route for route in part.routes if isinstance(route, APIRoute))


def allowed(dependant: Dependant) -> list[Allowed]:
    own = [dependant.call] if isinstance(dependant.call, Allowed) else []
    return own + [found for inner in dependant.dependencies for found in allowed(inner)]


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_route_says_who_may_call_it_and_what_it_does(service: Service) -> None:
    for route in routes(service):
        assert len(allowed(route.dependant)) == 1, f"{route.methods} {route.path} does not say who may call it"
        assert route.description or route.summary, f"{route.methods} {route.path} does not say what it does"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_route_answers_the_roles_it_names_and_no_others(harness: Callable[[Service], Harness], service: Service) -> None:
    running = harness(service)
    tried = 0
    for route in routes(service):
        roles = allowed(route.dependant)[0].roles
        path = f"/api/{service.name}" + route.path.replace("{type}", "x")
        for parameter in route.param_convertors:
            path = path.replace("{" + parameter + "}", "nothing")
        for method in route.methods:
            for role in ROLES:
                response = running.client.request(method, path, headers=headers(running, role), json={})
                tried += 1
                if role in roles or "anyone" in roles:
                    assert response.status_code not in (401, 500), f"{role} at {method} {path}: {response.text}"
                    # A 403 here can only be an owner's: never the role's.
                    assert response.status_code != 403 or "the token's role is" not in response.text
                else:
                    expected = 401 if role == "anyone" else 403
                    assert response.status_code == expected, f"{role} at {method} {path}: {response.text}"
    assert tried >= 7 * len(ROLES)


def headers(running: Harness, role: Any) -> dict[str, str]:
    if role == "anyone":
        return {}
    bound = {"community": "c"} if role != "operator" else {}
    return running.as_(role, **bound, **{name: "x" for name in ("organization", "request") if name == role})
