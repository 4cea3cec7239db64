"""Documents that come from the code. `python -m deploy.documents` writes `docs/events.md`, `docs/access.md` and the Redis users
of the compose deployment; a test keeps them in step."""

from __future__ import annotations

import typing
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from deploy import access
from deploy.services import load_all
from shared.events import Fact
from shared.messaging import permissions
from shared.messaging.streams import FEED, stream_of

DOCS = Path(__file__).parent.parent / "docs"
PATH = DOCS / "events.md"
ACCESS = DOCS / "access.md"
USERS = Path(__file__).parent / "redis" / "users.acl"


def events_document() -> str:
    """`docs/events.md`: every fact, from the docstring and the fields of its class."""
    services = load_all()
    facts = sorted((fact for service in services for fact in service.tells), key=lambda fact: fact.type)
    lines = [
        "# Facts",
        "",
        "Written by `python -m deploy.documents` from `shared/events/`; change it there.",
        "",
        "A fact is one entry of a Redis stream, with one plain field for each CloudEvents 1.0 attribute:",
        "`specversion`, `id`, `source`, `type`, `subject`, `time`, `datacontenttype`, `dataschema`, `community`,",
        "`sequence`, `traceparent`, and `data` (JSON). `id` with `source` is the idempotency key. `sequence` counts the",
        "facts of a subject from 1, in ten digits. `data` is the whole public state of the subject. Deliveries may",
        "repeat and come in any order: apply each id once, and never a",
        f"lower `sequence` over a higher one. Public facts are told again, unchanged, on `{FEED}`. On its teller's own",
        "stream an entry may also carry `heardby`: the group in which the fact took effect in the transaction that told it.",
        "",
        "| type | told on | public | heard by |",
        "|---|---|---|---|",
    ]
    for fact in facts:
        heard = ", ".join(service.name for service in services if fact in service.hears) or "–"
        anchor = fact.type.replace(".", "")
        lines.append(
            f"| [`{fact.type}`](#{anchor}) | `{stream_of(fact.teller)}` | {'yes' if fact.public else 'no'} | {heard} |"
        )
    described: set[str] = set()
    for fact in facts:
        state = fact.__mro__[1]
        lines += ["", f"## {fact.type}", "", _text(fact)]
        if state.__name__ in described:
            lines += ["", f"Its data is that of {state.__name__}, above."]
            continue
        described.add(state.__name__)
        lines += ["", f"{state.__name__}: {_text(state)}", "", "| field | type |", "|---|---|"]
        lines += [f"| `{name}` | {_type(field.annotation)} |" for name, field in _fields(fact).items()]
    return "\n".join(lines) + "\n"


def _fields(fact: type[Fact]) -> dict[str, Any]:
    return dict(fact.model_fields)


def _text(cls: type) -> str:
    return " ".join((cls.__doc__ or "").split())


def _type(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return " · ".join(f"`{value}`" for value in arguments)
    if origin is tuple:
        return f"list of {_type(arguments[0])}"
    if origin is dict:
        return f"object of {_type(arguments[1])}"
    if arguments:
        return ", or ".join(_type(argument) for argument in arguments)
    if annotation is type(None):
        return "null"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return "{" + ", ".join(f"`{name}`: {_type(field.annotation)}" for name, field in annotation.model_fields.items()) + "}"
    return str(getattr(annotation, "__name__", annotation))


def redis_users() -> str:
    """`deploy/redis/users.acl`: a Redis user for each service, with a place for its password's hash."""
    lines = [
        "# Written by `python -m deploy.documents` from shared/messaging/permissions.py; change it there.",
        "# deploy/redis/start puts the passwords' hashes in, and keeps the users that were made later.",
    ]
    for service in load_all():
        hears = [stream_of(teller) for teller in service.dispatch.tellers]
        rules = permissions.rules(service.writes, hears)
        lines.append(f"user {service.name} on #{service.name.upper()}_PASSWORD {rules}")
    return "\n".join(lines) + "\n"


def main() -> None:
    """Write the documents."""
    USERS.write_text(redis_users())
    PATH.write_text(events_document())
    ACCESS.write_text(access.document(load_all()))


if __name__ == "__main__":
    main()
