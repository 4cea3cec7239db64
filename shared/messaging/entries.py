"""Stream entries: a fact as plain fields, one per CloudEvents attribute, and back."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from pydantic import ValidationError

from shared.events import CloudEvent, Fact, fact_class
from shared.events.base import SPECVERSION

Fields = Mapping[bytes, bytes]

MAX_DATA_BYTES = 1_048_576
MAX_ATTRIBUTE_LENGTH = 255
HEARD_BY = "heardby"
"""The attribute that names the group in which the fact took effect in the transaction that told it. It spares that group a look
into its inbox, which knows; so it may be missing."""


class Unreadable(Exception):
    """An entry that is not a fact anybody could handle; the message is the cause."""


def fields_of(row: Mapping[str, Any]) -> dict[str, str]:
    """The fields of the stream entry of an outbox row."""
    fields = {
        "specversion": SPECVERSION,
        "id": row["id"],
        "source": row["source"],
        "type": row["type"],
        "subject": row["subject"],
        "time": row["time"],
        "datacontenttype": "application/json",
        "dataschema": row["dataschema"],
        "community": row["community"],
        "sequence": f"{row['sequence']:010d}",
        "traceparent": row["traceparent"],
        "data": row["data"],
    }
    if HEARD_BY in row:
        fields[HEARD_BY] = row[HEARD_BY]
    return fields


def type_of(fields: Fields) -> str:
    """The type an entry says it has; empty where it says none that can be read."""
    return fields.get(b"type", b"").decode("utf-8", "replace")


def heard_by(fields: Fields) -> str:
    """The group in which the fact of an entry took effect when it was told; empty where there is none."""
    return fields.get(HEARD_BY.encode(), b"").decode("utf-8", "replace")


def read(fields: Fields) -> CloudEvent[Fact]:
    """The fact of an entry. Unknown fields of its data are ignored. Raises Unreadable."""
    try:
        text = {name.decode(): value.decode() for name, value in fields.items() if name != b"data"}
    except UnicodeDecodeError:
        raise Unreadable("an attribute is not valid UTF-8") from None
    _check(text)
    cls = fact_class(text["type"])
    if cls is None:
        raise Unreadable(f"the type {text['type']!r} is unknown to this version")
    try:
        sequence = int(text["sequence"])
        time = datetime.fromisoformat(text["time"])
    except ValueError as error:
        raise Unreadable(f"sequence or time cannot be read: {error}") from None
    if sequence < 1 or time.tzinfo is None:
        raise Unreadable("sequence must be 1 or more, time must have a time zone")
    return CloudEvent(
        id=text["id"],
        source=text["source"],
        type=text["type"],
        subject=text["subject"],
        time=time,
        community=text["community"],
        sequence=sequence,
        traceparent=text.get("traceparent", ""),
        dataschema=text.get("dataschema", ""),
        data=_data(cls, fields.get(b"data", b""), text),
        body=fields[b"data"].decode(),
    )


_REQUIRED = ("id", "source", "type", "subject", "time", "community", "sequence")


def _check(text: Mapping[str, str]) -> None:
    values = [text.get(name, "") for name in _REQUIRED]
    if text.get("specversion") != SPECVERSION:
        raise Unreadable(f"specversion is {text.get('specversion')!r}, not {SPECVERSION!r}")
    if all(values) and len(max(values, key=len)) <= MAX_ATTRIBUTE_LENGTH and "\x00" not in "".join(values):
        return
    for name, value in zip(_REQUIRED, values, strict=True):
        if not value:
            raise Unreadable(f"the attribute {name!r} is missing")
        if len(value) > MAX_ATTRIBUTE_LENGTH:
            raise Unreadable(f"the attribute {name!r} has more than {MAX_ATTRIBUTE_LENGTH} characters")
        if "\x00" in value:
            raise Unreadable(f"the attribute {name!r} contains a NUL character")


def _data(cls: type[Fact], data: bytes, text: Mapping[str, str]) -> Fact:
    if len(data) > MAX_DATA_BYTES:
        raise Unreadable(f"data has {len(data)} bytes, more than {MAX_DATA_BYTES}")
    if b"\\u0000" in data or b"\x00" in data:
        raise Unreadable("data contains a NUL character")
    try:
        fact = cls.model_validate_json(data, extra="ignore")
    except ValidationError as error:
        # Where and what, never the value: it may be anybody's words.
        causes = (f"{'.'.join(map(str, problem['loc'])) or 'data'}: {problem['msg']}" for problem in error.errors()[:5])
        raise Unreadable("data does not fit the type: " + "; ".join(causes)) from None
    except RecursionError:
        raise Unreadable("data is nested too deeply") from None
    if (fact.subject, fact.community, fact.source()) != (text["subject"], text["community"], text["source"]):
        raise Unreadable("subject, community or source is not that of the data")
    return fact


def storable(fields: Fields) -> dict[str, str]:
    """An entry's fields as a JSON object that loses nothing: text as it is, whatever is not storable text in base64 with
    `;base64` behind the field's name, and a name that is not storable in base64 with `;name` behind it."""
    stored = {}
    for name, value in fields.items():
        label, text = _text(name), _text(value)
        if label is None:
            label = base64.b64encode(name).decode() + ";name"
        if text is None:
            stored[label + ";base64"] = base64.b64encode(value).decode()
        else:
            stored[label] = text
    return stored


def _text(value: bytes) -> str | None:
    """As text that a database can store, without the marks that `storable` itself sets; None where it is none."""
    try:
        text = value.decode()
    except UnicodeDecodeError:
        return None
    return None if "\x00" in text or text.endswith((";base64", ";name")) else text


def restored(stored: Mapping[str, str]) -> dict[bytes, bytes]:
    """The entry's fields again, from what `storable` made of them."""
    fields = {}
    for label, value in stored.items():
        name = label.removesuffix(";base64")
        content = base64.b64decode(value) if name != label else value.encode()
        plain = name.removesuffix(";name")
        fields[base64.b64decode(plain) if plain != name else plain.encode()] = content
    return fields


def json_line(fields: Fields) -> str:
    """An entry as one line of CloudEvents JSON. Raises Unreadable."""
    read(fields)
    event = {name.decode(): value.decode() for name, value in fields.items()}
    return json.dumps({**event, "data": json.loads(event["data"])}, ensure_ascii=False)
