"""Every route says who may call it, and answers accordingly: role × route."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from fastapi.routing import APIRoute

from deploy.services import load_all
from shared import openapi
from shared.access import ROLES
from shared.messaging.testing import Harness
from shared.operations import router
from shared.service import Service
from tests.architecture import owners

SERVICES = load_all()


def routes(service: Service) -> Iterator[APIRoute]:
    return openapi.routes((router(service), *service.routers))


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_route_says_who_may_call_it_and_what_it_does(service: Service) -> None:
    for route in routes(service):
        assert len(openapi.allowed(route.dependant)) == 1, f"{route.methods} {route.path} does not say who may call it"
        assert route.description or route.summary, f"{route.methods} {route.path} does not say what it does"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_route_answers_the_roles_it_names_and_no_others(harness: Callable[[Service], Harness], service: Service) -> None:
    running = harness(service)
    tried = 0
    for route in routes(service):
        roles = openapi.allowed(route.dependant)[0].roles
        path = f"/api/{service.name}" + route.path.replace("{type}", "x")
        for parameter in route.param_convertors:
            path = path.replace("{" + parameter + "}", "nothing")
        for method in route.methods:
            for role in ROLES:
                # A stream of events is asked for no more than there is.
                query = {"follow": "false"} if path.endswith("/stream") else {}
                response = running.client.request(method, path, headers=headers(running, role), json={}, params=query)
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


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_refused_method_is_told_every_method_there_is(harness: Callable[[Service], Harness], service: Service) -> None:
    running = harness(service)
    there: dict[str, set[str]] = {}
    for route in routes(service):
        path = f"/api/{service.name}" + route.path
        for parameter in route.param_convertors:
            path = path.replace("{" + parameter + "}", "nothing")
        there.setdefault(path, set()).update(route.methods or ())
    for path, methods in there.items():
        refused = running.client.request("TRACE", path)
        assert refused.status_code == 405
        assert {method.strip() for method in refused.headers["allow"].split(",")} >= methods, path


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_the_document_says_which_operations_need_a_token(harness: Callable[[Service], Harness], service: Service) -> None:
    document = harness(service).client.get(f"/api/{service.name}/openapi.json").json()
    assert document["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    for route in routes(service):
        for method in route.methods if route.include_in_schema else ():
            operation = document["paths"][f"/api/{service.name}{route.path}"][method.lower()]
            assert ({} in operation["security"]) == ("anyone" in openapi.roles(route)), operation["operationId"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_without_a_token_nothing_else_is_looked_at(harness: Callable[[Service], Harness], service: Service) -> None:
    running = harness(service)
    nonsense = {"params": {"after": "!", "limit": "x"}, "json": ["nonsense"]}
    for route in routes(service):
        if "anyone" in openapi.roles(route):
            continue
        path = f"/api/{service.name}" + re.sub(r"{\w+}", "nothing", route.path)
        for method in route.methods:
            assert running.client.request(method, path, **nonsense).status_code == 401, f"{method} {path}"


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_misspelt_parameter_is_refused_by_its_name(harness: Callable[[Service], Harness], service: Service) -> None:
    """Passed over, it would show more than was asked for."""
    running = harness(service)
    owners.furnish(running, service)
    document = running.client.get(f"/api/{service.name}/openapi.json").json()
    tried = 0
    for route in routes(service):
        for method in route.methods if route.include_in_schema else ():
            asked = owners.call(document, service, route, method, owners.OWN)
            role = openapi.roles(route)[0]
            who = {} if role == "anyone" else owners.headers(running, role)
            params = {**asked.params, "comunity": "c1", **({"follow": "false"} if asked.path.endswith("/stream") else {})}
            response = running.client.request(method, asked.path, params=params, json=asked.body, headers=who)
            tried += 1
            assert response.status_code == 422, f"{method} {asked.path}: {response.text}"
            assert "comunity" in [error["field"] for error in response.json()["errors"]], response.text
    assert tried >= 10


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_misspelt_parameter_is_answered_with_the_likely_one(harness: Callable[[Service], Harness]) -> None:
    running = harness(next(service for service in SERVICES if service.name == "registry"))
    refused = running.client.get("/api/registry/offers", params={"community": "c1", "categry": "medical"}).json()
    assert refused["errors"] == [{"field": "categry", "detail": "There is no such parameter here; did you mean `category`?"}]
