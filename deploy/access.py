"""Who may call what, and whose it must be: read from the route tables. `docs/access.md` is written from it, and a test tries
every route with every role on what is the caller's own and on what is another's."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from fastapi.routing import APIRoute

from shared import openapi, operations
from shared.access import ROLES, Role
from shared.service import Service

Bound = Literal["own community", "own organization", "own request"]
FIELDS = frozenset({"community", "organization", "request"})
"""The names of parameters and fields that say whose something is."""

ALIASES: Mapping[str, str] = {"into": "request", "parent": "organization", "guarantor": "organization"}
"""Other names for them."""

BOUND: Mapping[Role, tuple[Bound, ...]] = {
    "resident": ("own community", "own request"),
    "organization": ("own community", "own organization"),
    "station": ("own community",),
    "expert": ("own community",),
    "system": ("own community",),
    "operator": (),
    "anyone": (),
}
"""What a caller of a role is bound to: what belongs to another is refused with 403 or 404."""

WIDER: Mapping[tuple[str, str, Role], tuple[Bound, str]] = {
    ("matching", "POST /projects/{id}/claims", "organization"): (
        "own organization",
        "it claims, for itself, a project that is nobody's yet",
    ),
    ("matching", "POST /projects/{id}/claim-withdrawal", "organization"): (
        "own organization",
        "it withdraws its own claim of a project that is nobody's yet",
    ),
}
"""What does not hold at a route (service, method and path, role), and why."""


def thing_of(plural: str) -> str:
    """What a table or a part of a path holds: `evaluation_sessions` and `sessions` hold a `session`."""
    plural = plural.replace("-", "_").removeprefix("evaluation_")
    if plural in ("bodies", "activities", "communities", "taxonomies", "categories"):
        return plural.removesuffix("ies") + "y"
    return ALIASES.get(plural.removesuffix("s"), plural.removesuffix("s"))


def routes(service: Service) -> Iterator[tuple[APIRoute, str]]:
    """Every route of a service with each of its methods."""
    for route in openapi.routes((operations.router(service), *service.routers)):
        yield from ((route, method) for method in sorted(route.methods or ()) if route.include_in_schema)


def bound_to(service: Service, route: APIRoute, method: str, role: Role) -> list[Bound]:
    """What a caller of a role is bound to at a route: as far as what the call names, in its path, its parameters or its body,
    is somebody's."""
    if "anyone" in openapi.roles(route):
        return []
    named = _named(service, route)
    wider = WIDER.get((service.name, f"{method} {route.path}", role))
    return [bound for bound in BOUND[role] if bound.removeprefix("own ") in named and (wider is None or bound != wider[0])]


def _named(service: Service, route: APIRoute) -> set[str]:
    """Whose the things are that a call of a route names: a community's, an organization's, a request's."""
    fields = {parameter.name for parameter in route.dependant.query_params}
    for body in route.dependant.body_params:
        fields |= set(getattr(body.field_info.annotation, "model_fields", ()))
    named = set(FIELDS & {ALIASES.get(field, field) for field in fields})
    columns = {thing_of(name): set(table.columns.keys()) for name, table in service.metadata.tables.items()}
    for plural in re.findall(r"/([\w-]+)/{", route.path):
        thing = thing_of(plural)
        named |= FIELDS & (columns.get(thing, set()) | {thing})
    return named | {"community"} if named else named


def document(services: Iterable[Service]) -> str:
    """`docs/access.md`: every operation, every role, whose it must be."""
    lines = [
        "# Who may do what",
        "",
        "Written by `python -m deploy.documents` from the route tables (`deploy/access.py`).",
        "`tests/architecture/test_routes.py` tries every role at every operation, `tests/architecture/test_owners.py` each of",
        "these on what is the caller's own and on what is another's, which is refused with 403 or 404; a list of it is empty.",
        "",
        "`yes`: whatever is named. `community`, `organization`, `request`: only what is of the caller's own, which stands in",
        "the token. `–`: refused with 403, without a token with 401. What anyone may call is below each table.",
    ]
    named: tuple[Role, ...] = tuple(role for role in ROLES if role != "anyone")
    for service in services:
        lines += ["", f"## {service.name}", "", f"| operation | {' | '.join(named)} |", "|---" * (len(named) + 1) + "|"]
        public = []
        for route, method in sorted(routes(service), key=lambda one: (one[0].path, one[1])):
            operation = f"`{method} /api/{service.name}{route.path}`"
            if "anyone" in openapi.roles(route):
                public.append(operation)
                continue
            lines.append(f"| {operation} | {' | '.join(_cell(service, route, method, role) for role in named)} |")
        lines += ["", f"Anyone: {', '.join(public)}."]
    if WIDER:
        lines += ["", "## Wider than the rule", ""]
        lines += [
            f"- `{what}` ({name}), {role}: not bound to the {b}: {why}." for (name, what, role), (b, why) in WIDER.items()
        ]
    return "\n".join(lines) + "\n"


def _cell(service: Service, route: APIRoute, method: str, role: Role) -> str:
    if role not in openapi.roles(route):
        return "–"
    bounds = [bound.removeprefix("own ") for bound in bound_to(service, route, method, role)]
    # Whoever is bound to an organization or a request is bound to its community by that.
    return bounds[-1] if bounds else "yes"
