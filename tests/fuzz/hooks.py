"""What schemathesis is told of Fenghe: which token each operation takes, and ids of things that are there.

It runs in schemathesis' own process; `FENGHE_FUZZ` names a file with the data folder, the address and the community.
"""

from __future__ import annotations

import json
import os
import random
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import schemathesis

from deploy.access import ALIASES
from deploy.services import load_all
from shared import openapi
from shared.access import Role, Signer, load_signer
from shared.operations import router

GIVEN = json.loads(Path(os.environ["FENGHE_FUZZ"]).read_text())
KEYS = Path(GIVEN["keys"])
LISTS = {
    "organization": "registry/organizations",
    "offer": "registry/offers",
    "agreement": "registry/agreements",
    "expert": "registry/experts",
    "activity": "registry/activities",
    "talent": "registry/talents",
    "incubation": "registry/incubations",
    "green-channel": "registry/green-channels",
    "request": "matching/requests",
    "referral": "matching/referrals",
    "project": "matching/projects",
    "meeting": "matching/meetings",
    "body": "feedback/bodies",
    "session": "feedback/sessions",
}
"""Where the ids of things are listed."""
NOBODY = "http://127.0.0.1:9/hooks"
"""An address that webhooks may be sent to, where nobody listens."""
STREAM = "/api/notify/events/stream"
ENDLESS = (True, "true", "True", "1", "on", "t", "y", "yes")
"""What `follow` may say for an answer that has no end."""
HTTP = httpx.Client(timeout=60, trust_env=False)
"""One for all: each new client reads every certificate of the machine."""
chance = random.Random(20261124)


@cache
def signer(issuer: str) -> Signer:
    return load_signer(str(KEYS / f"{issuer}.key.json"))


def token(role: Role) -> str | None:
    """A token of a role: the community's own, of an organization and a request that are there."""
    if role == "anyone":
        return None
    if role == "operator":
        return signer("registry").sign(role=role)
    who: dict[str, str | None] = {"community": GIVEN["community"]}
    if role == "organization":
        who["organization"] = known("organization")
    if role == "resident":
        who["request"] = known("request") or "none"
    if role == "expert":
        who["subject"] = known("expert")
    return signer("matching" if role == "resident" else "registry").sign(role=role, **who)  # type: ignore[arg-type]


@cache
def listed(thing: str) -> list[str]:
    """The ids of things of a kind, as the station finds them."""
    headers = {"Authorization": f"Bearer {signer('registry').sign(role='station', community=GIVEN['community'])}"}
    params = {"community": GIVEN["community"], "limit": 200}
    answer = HTTP.get(f"{GIVEN['address']}/api/{LISTS[thing]}", params=params, headers=headers)
    return [item["id"] for item in answer.json()["items"]] if answer.status_code == 200 else []


@cache
def in_community() -> dict[str, list[str]]:
    """The ids that are given with a community: its compounds, categories and items."""
    address = f"{GIVEN['address']}/api/registry/communities/{GIVEN['community']}"
    compounds = HTTP.get(address).json()["compounds"]
    categories = HTTP.get(f"{address}/taxonomy").json()["categories"]
    return {
        "compound": [compound["id"] for compound in compounds],
        "category": [category["id"] for category in categories],
        "item": [item["id"] for category in categories for item in category["items"]],
    }


def known(thing: str) -> str | None:
    """The id of something that is there."""
    if thing == "community":
        return str(GIVEN["community"])
    ids = listed(thing) if thing in LISTS else in_community().get(thing, [])
    return chance.choice(ids) if ids else None


@cache
def roles() -> dict[tuple[str, str], tuple[Role, ...]]:
    """Who may call which operation, from the route tables."""
    return {
        (method, f"/api/{service.name}{route.path}"): openapi.roles(route)
        for service in load_all()
        for route in openapi.routes((router(service), *service.routers))
        for method in route.methods or ()
    }


@schemathesis.auth(refresh_interval=None)
class Tokens:
    """Every call comes with the token of a role that may make it."""

    def get(self, case: schemathesis.Case, context: schemathesis.AuthContext) -> str | None:
        operation = context.operation
        allowed = roles()[operation.method.upper(), operation.path]
        # What is there is not shown to everybody: whoever looks for what was just made sees all.
        return token("operator" if allowed == ("anyone",) and "{" in operation.path else chance.choice(allowed))

    def set(self, case: schemathesis.Case, data: str | None, context: schemathesis.AuthContext) -> None:
        if data is not None:
            case.headers["Authorization"] = f"Bearer {data}"


@schemathesis.hook
def before_call(context: schemathesis.HookContext, case: schemathesis.Case, kwargs: dict[str, Any]) -> None:
    """In three of four valid calls ids are those of things that are there: otherwise nothing would be found. The stream, which
    answers for as long as somebody listens, is asked for what is there and no more."""
    if case.operation.path == STREAM and isinstance(case.query, dict) and case.query.get("follow", True) in ENDLESS:
        case.query["follow"] = "false"
    meta = case.meta
    if meta is None or meta.generation.mode.value != "positive" or chance.random() < 0.25:
        return
    thing = case.operation.path.split("{")[0].rstrip("/").rpartition("/")[2]
    for part in (case.path_parameters, case.query, case.body):
        if isinstance(part, dict):
            if isinstance(part.get("url"), str):
                part["url"] = NOBODY
            for name in part:
                id = known({"id": SINGULAR.get(thing, thing.removesuffix("s"))}.get(name, ALIASES.get(name, name)))
                if isinstance(part[name], str) and id is not None:
                    part[name] = id
                several = known(SINGULAR.get(name, name.removesuffix("s")))
                if several is not None and part[name] and isinstance(part[name], list) and isinstance(part[name][0], str):
                    part[name] = [several]


SINGULAR = {"activities": "activity", "bodies": "body", "communities": "community", **ALIASES}
