"""Two of everything, and calls that ask for the one or the other: made from the tables, the routes and the bodies' schemas, so
that a new route is tried without a word here."""

from __future__ import annotations

import itertools
import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import Any

import sqlalchemy as sa
from fastapi.routing import APIRoute
from sqlmodel import SQLModel

from deploy.access import ALIASES, FIELDS, Bound, thing_of
from shared.access import Role
from shared.database import UTCDateTime
from shared.messaging.testing import Harness
from shared.service import Service


@dataclass(frozen=True)
class Owner:
    """Whose something is."""

    community: str
    organization: str
    request: str

    @property
    def ids(self) -> dict[str, str]:
        return {"community": self.community, "organization": self.organization, "request": self.request}


OWN = Owner("c1", "o1", "r1")
OTHERS: Mapping[Bound, Owner] = {
    "own community": Owner("c2", "o2", "r2"),
    "own organization": Owner("c1", "o3", "r3"),
    "own request": Owner("c1", "o1", "r4"),
}
"""Whose a thing is that a caller bound like this may not touch."""


def furnish(running: Harness, service: Service) -> None:
    """A row of every table for every owner. Only what is asked for by its owner counts here: the rows break the rules of the
    tables, and the foreign keys lead nowhere."""
    connection = running.host.database.engine.raw_connection()
    for pragma in ("ignore_check_constraints=ON", "foreign_keys=OFF"):
        connection.execute(f"PRAGMA {pragma}")  # type: ignore[attr-defined]
    for owner, table in itertools.product((OWN, *OTHERS.values()), service.metadata.tables.values()):
        row = {column.name: _value(column, owner, table.name) for column in table.columns}
        names, marks = ", ".join(f'"{name}"' for name in row), ", ".join("?" * len(row))
        connection.execute(f'INSERT OR IGNORE INTO "{table.name}" ({names}) VALUES ({marks})', tuple(row.values()))  # type: ignore[attr-defined]
    connection.commit()
    connection.close()


def identity(thing: str, owner: Owner) -> str:
    """The id of an owner's thing."""
    thing = ALIASES.get(thing, thing)
    return owner.ids.get(thing) or f"{thing}-of-{owner.request}"


def _value(column: sa.Column[Any], owner: Owner, table: str) -> Any:
    thing = thing_of(table)
    if isinstance(column.type, sa.Boolean | sa.Integer | sa.Float) and not column.nullable:
        return 1
    if column.name == "id" or (column.primary_key and column.name == thing):
        return identity(thing, owner)
    if column.name in owner.ids:
        return owner.ids[column.name]
    if column.name == "requests":
        return f'["{owner.request}"]'
    if (allowed := _first_allowed(column)) is not None:
        return allowed
    if column.primary_key or column.foreign_keys:
        return identity(column.name, owner)
    if column.nullable:
        return None
    match column.type:
        case sa.JSON():
            return "{}" if "dict" in _annotations(column.table).get(column.name, "").partition("[")[0] else "[]"
        case UTCDateTime():
            return datetime(2026, 11, 22, 9, 30, tzinfo=UTC).strftime("%Y-%m-%d %H:%M:%S.%f")
        case sa.Date():
            return date(2026, 11, 22).isoformat()
    return f"{column.name}-{owner.request}"


def _annotations(table: Any) -> dict[str, str]:
    """What the model of a table says its columns hold."""
    models = SQLModel.__subclasses__()
    for model in models:
        models.extend(model.__subclasses__())
        if getattr(model, "__table__", None) is table:
            return {name: str(field.annotation) for name, field in model.model_fields.items()}
    return {}


def _first_allowed(column: sa.Column[Any]) -> str | None:
    """The first of the values that a CHECK lets a column have."""
    for constraint in column.table.constraints:
        if isinstance(constraint, sa.CheckConstraint):
            found = re.match(rf"{column.name} IN \('([a-z-]+)'", str(constraint.sqltext))
            if found:
                return found[1]
    return None


@dataclass(frozen=True)
class Call:
    """A call of a route about things of one owner."""

    method: str
    path: str
    params: dict[str, str]
    body: Any


def call(document: dict[str, Any], service: Service, route: APIRoute, method: str, owner: Owner) -> Call:
    """A call that names things of an owner wherever it names things; everything else is what the schema asks for at least."""
    operation = document["paths"][f"/api/{service.name}{route.path}"][method.lower()]
    path = f"/api/{service.name}{route.path}"
    for parameter in operation.get("parameters", ()):
        if parameter["in"] == "path" and parameter["schema"].get("type") == "integer":
            path = path.replace("{" + parameter["name"] + "}", "1")
    for before, parameter in re.findall(r"/([\w-]+)/{(\w+)}", route.path):
        path = path.replace("{" + parameter + "}", identity(thing_of(before), owner), 1)
    params = {
        one["name"]: str(_least(one["schema"], document, one["name"], owner))
        for one in operation.get("parameters", ())
        if one["in"] == "query" and (one["name"] in FIELDS or one.get("required"))
    }
    content = operation.get("requestBody", {}).get("content", {}).get("application/json")
    return Call(method, path, params, _least(content["schema"], document, "", owner) if content else None)


def _least(schema: dict[str, Any], document: dict[str, Any], name: str, owner: Owner) -> Any:
    """The least that fits a schema, with the owner's ids."""
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    for several in ("anyOf", "oneOf"):
        if several in schema:
            return _least(next(one for one in schema[several] if one.get("type") != "null"), document, name, owner)
    if "const" in schema or "enum" in schema:
        return schema.get("const", schema.get("enum", [None])[0])
    match schema.get("type"):
        case "object":
            wanted = set(schema.get("required", ())) | (FIELDS & schema.get("properties", {}).keys())
            if not wanted and schema.get("properties"):
                wanted = {next(iter(schema["properties"]))}
            if schema.get("minProperties") and not schema.get("properties"):
                return {"x": _least(schema["additionalProperties"], document, "", owner)}
            return {
                one: _least(schema["properties"][one], document, one, owner)
                for one in schema.get("properties", {})
                if one in wanted
            }
        case "array":
            return [_least(schema["items"], document, name.removesuffix("s"), owner)] * max(1, schema.get("minItems", 1))
        case "string":
            return _text(schema, name, owner)
        case "integer" | "number":
            return int(schema.get("minimum", schema.get("exclusiveMinimum", 0) + 1))
        case "boolean":
            return True
    return "x"


def _text(schema: dict[str, Any], name: str, owner: Owner) -> str:
    if name in FIELDS or name in ALIASES:
        return identity(name, owner)
    if schema.get("format") == "date-time":
        return "2027-01-01T09:00:00+08:00"
    if schema.get("format") == "date":
        return "2027-01-01"
    if schema.get("examples"):
        return str(schema["examples"][0])
    return "x" * schema.get("minLength", 1)


def headers(running: Harness, role: Role) -> dict[str, str]:
    """The token of OWN in a role."""
    who: dict[str, str] = {} if role == "operator" else {"community": OWN.community}
    if role in ("organization", "resident"):
        name = "organization" if role == "organization" else "request"
        who[name] = OWN.ids[name]
    if role in ("expert", "station"):
        who["subject"] = identity("expert", OWN)
    return running.as_(role, **who)
