"""AsyncAPI 3: the facts a service tells and hears, made from the catalogue of facts."""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from shared.events import Fact, catalogue
from shared.events.examples import STATES, example
from shared.messaging.streams import FEED, stream_of
from shared.service import Service

JSON_SCHEMA = "https://json-schema.org/draft/2020-12/schema"


def fact_schema(fact: type[Fact]) -> dict[str, Any]:
    """The JSON Schema of a fact's data. Additional properties are allowed: readers ignore what they do not know."""
    schema = fact.model_json_schema(mode="serialization")
    _open(schema)
    return {"$schema": JSON_SCHEMA, **schema, "title": fact.type, "description": fact.__doc__}


def _open(schema: Any) -> None:
    if isinstance(schema, dict):
        schema.pop("additionalProperties", None) if schema.get("additionalProperties") is False else None
        for value in schema.values():
            _open(value)
    elif isinstance(schema, list):
        for value in schema:
            _open(value)


ATTRIBUTES: dict[str, Any] = {
    "type": "object",
    "description": "The CloudEvents 1.0 attributes, one field of the stream entry each.",
    "required": ["specversion", "id", "source", "type", "subject", "time", "community", "sequence"],
    "properties": {
        "specversion": {"const": "1.0"},
        "id": {"type": "string", "format": "uuid", "description": "with `source` the idempotency key"},
        "source": {"type": "string", "format": "uri-reference"},
        "type": {"type": "string"},
        "subject": {"type": "string", "description": "opaque id of what the fact is about"},
        "time": {"type": "string", "format": "date-time", "description": "when it was decided"},
        "datacontenttype": {"const": "application/json"},
        "dataschema": {"type": "string", "format": "uri"},
        "community": {"type": "string", "description": "the tenant"},
        "sequence": {"type": "string", "pattern": "^[0-9]{10}$", "description": "counts a subject's facts from 1"},
        "traceparent": {"type": "string", "description": "W3C trace context"},
    },
}


def document(service: Service, version: str) -> dict[str, Any]:
    """The AsyncAPI 3 document of a service."""
    facts = sorted({*service.tells, *service.hears}, key=lambda fact: fact.type)
    tellers = sorted({fact.teller for fact in facts})
    operations: dict[str, Any] = {}
    for action, chosen in (("send", service.tells), ("receive", service.hears)):
        for teller in tellers:
            own = [fact for fact in chosen if fact.teller == teller]
            if own:
                operations[f"{action}-{teller}"] = {
                    "action": action,
                    "channel": {"$ref": f"#/channels/{teller}"},
                    "summary": f"Facts that {service.name} {'tells' if action == 'send' else 'hears'}.",
                    "messages": [{"$ref": f"#/channels/{teller}/messages/{fact.__name__}"} for fact in own],
                }
    return {
        "asyncapi": "3.0.0",
        "info": {"title": service.title, "version": version, "description": service.summary},
        "defaultContentType": "application/json",
        "channels": {
            teller: {
                "address": stream_of(teller),
                "description": f"The Redis stream on which {teller} tells its facts: one entry a fact, one field an attribute.",
                "messages": {
                    fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"} for fact in facts if fact.teller == teller
                },
            }
            for teller in tellers
        },
        "operations": operations,
        "components": {"messages": {fact.__name__: _message(fact) for fact in facts}},
    }


LIST, STREAM = "/api/notify/events", "/api/notify/events/stream"
"""Where notify serves the public feed over HTTP: page by page, and as Server-Sent Events."""
FILTERS: dict[str, Any] = {
    "type": "object",
    "properties": {
        "type": {"type": "array", "items": {"type": "string"}, "description": "only facts of these types"},
        "subject": {"type": "string", "description": "only facts about this thing"},
        "community": {"type": "string", "description": "only facts of this community"},
    },
}


def public_facts() -> list[type[Fact]]:
    """What outsiders hear, by type."""
    return [fact for fact in catalogue() if fact.public]


def feed_document(version: str, public_url: str) -> dict[str, Any]:
    """The AsyncAPI 3 document of the public feed: the same facts on a Redis stream and as Server-Sent Events."""
    facts = public_facts()
    address = urlsplit(public_url)
    messages = {fact.__name__: {"$ref": f"#/components/messages/{fact.__name__}"} for fact in facts}
    channels = {
        "feed": {
            "address": FEED,
            "servers": [{"$ref": "#/servers/redis"}],
            "description": "A Redis stream: one entry a fact, one plain field an attribute, `data` in JSON. An entry may come"
            " again; `id` stays the same. Entries go after some days (FENGHE_STREAM_DAYS); whoever does not find the entry read"
            f" last any more catches up at {LIST}?after=, with the `id` of the last fact.",
            "messages": messages,
        },
        "stream": {
            "address": STREAM,
            "servers": [{"$ref": "#/servers/http"}],
            "description": "Server-Sent Events: `data` is the fact as a CloudEvent in JSON, `event` its type, `id` its place."
            f" `Last-Event-ID` resumes without a gap or a repetition. {LIST} has the same, page by page.",
            "messages": messages,
        },
    }
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Fenghe: the public feed",
            "version": version,
            "description": "Every public fact, unchanged, for anybody; no personal data. A released type only ever gains"
            " optional fields: ignore what you do not know. Apply each `id` once, and never a lower `sequence` of a subject"
            " over a higher one; it has gaps where a fact was not public.",
        },
        "defaultContentType": "application/json",
        "servers": {
            "redis": {
                "host": "{host}:{port}",
                "protocol": "redis",
                "description": "As the operator gave it: fenghe subscriber add NAME",
                "variables": {"host": {"default": "127.0.0.1"}, "port": {"default": "6390"}},
                "security": [{"type": "userPassword"}],
            },
            "http": {"host": address.netloc, "protocol": address.scheme},
        },
        "channels": channels,
        "operations": {
            f"send-{name}": {
                "action": "send",
                "channel": {"$ref": f"#/channels/{name}"},
                "summary": "Public facts, as they were told.",
                "messages": [{"$ref": f"#/channels/{name}/messages/{fact.__name__}"} for fact in facts],
                **({"bindings": {"http": {"method": "GET", "query": FILTERS}}} if name == "stream" else {}),
            }
            for name in channels
        },
        "components": {"messages": {fact.__name__: _message(fact) for fact in facts}},
    }


def _message(fact: type[Fact]) -> dict[str, Any]:
    told = example(fact).as_json() if fact.about in STATES else None
    return {
        "name": fact.type,
        "title": fact.__name__,
        "summary": " ".join((fact.__doc__ or "").split()),
        "contentType": "application/json",
        "headers": {**ATTRIBUTES, "properties": {**ATTRIBUTES["properties"], "type": {"const": fact.type}}},
        "payload": inlined(fact_schema(fact)),
        **({"examples": [_example(told)]} if told else {}),
        "x-public": fact.public,
    }


def _example(told: dict[str, Any]) -> dict[str, Any]:
    headers = {name: value for name, value in told.items() if name != "data"}
    return {"name": "told", "headers": headers, "payload": told["data"]}


def inlined(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its `$defs` put in place, for a reference inside a message would be resolved against the document."""
    definitions = schema.pop("$defs", {})
    schema.pop("$schema", None)

    def resolve(node: Any) -> Any:
        if isinstance(node, dict):
            if "$ref" in node:
                return resolve(definitions[node["$ref"].rpartition("/")[2]])
            return {name: resolve(value) for name, value in node.items()}
        if isinstance(node, list):
            return [resolve(value) for value in node]
        return node

    resolved: dict[str, Any] = resolve(schema)
    return resolved
