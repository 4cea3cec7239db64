"""What a service's OpenAPI document says beyond its routes' own words: which operations need a token, and how one leads to
the next: what was made by `POST /things` is shown, changed and ended under `/things/{id}`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute

from shared.access import Allowed, Role

TOKEN = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "A token of registry, or a resident's link of matching.",
}


def routes(routers: Sequence[APIRouter]) -> Iterator[APIRoute]:
    """The routes of a service, without its prefix."""
    for router in routers:
        yield from (route for route in router.routes if isinstance(route, APIRoute))


def allowed(dependant: Dependant) -> list[Allowed]:
    """Who may call a route, as its dependencies say; the one there should be, or none, or several."""
    own = [dependant.call] if isinstance(dependant.call, Allowed) else []
    return own + [found for inner in dependant.dependencies for found in allowed(inner)]


def roles(route: APIRoute) -> tuple[Role, ...]:
    """The roles that may call a route."""
    return tuple(role for found in allowed(route.dependant) for role in found.roles)


def methods(routers: Sequence[APIRouter], path: str) -> list[str]:
    """What may be done at a path (without the service's prefix), over all of its routes."""
    return sorted({method for route in routes(routers) if route.path_regex.match(path) for method in route.methods or ()})


def complete(app: FastAPI, base: str, routers: Sequence[APIRouter]) -> None:
    """Let the application's document say what is written at the top of this file."""
    plain = app.openapi

    def document() -> dict[str, Any]:
        if app.openapi_schema is None:
            written = plain()
            written.setdefault("components", {}).setdefault("securitySchemes", {})["token"] = TOKEN
            for route in routes(routers):
                for method in route.methods or ():
                    operation = written["paths"].get(base + route.path, {}).get(method.lower())
                    if operation is not None:
                        anyone: list[dict[str, list[str]]] = [{}] if "anyone" in roles(route) else []
                        operation["security"] = [*anyone, {"token": []}]
            _link(written["paths"])
        return app.openapi_schema or plain()

    app.openapi = document  # type: ignore[method-assign]  # the way FastAPI documents


def _link(paths: dict[str, Any]) -> None:
    for path, operations in paths.items():
        made = operations.get("post", {}).get("responses", {}).get("201")
        if made is None:
            continue
        links = {}
        for other, following in paths.items():
            parameter = other.removeprefix(f"{path}/{{").partition("}")[0]
            if other.startswith(f"{path}/{{") and other.count("{") == 1:
                for operation in following.values():
                    links[operation["operationId"]] = {
                        "operationId": operation["operationId"],
                        "parameters": {parameter: "$response.body#/id"},
                    }
        if links:
            made["links"] = links
