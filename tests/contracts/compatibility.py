"""What a change of a fact's JSON Schema does to those who wrote a program against the released one.

A released type only ever gains optional fields. Anything else breaks somebody: a reader who needs what is gone or meets what
was never there, or our own new code that reads old facts.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from shared.asyncapi import inlined

ANNOTATIONS = {"title", "description", "default", "examples", "$schema", "deprecated"}
"""What says something about values and forbids none."""


def breaks(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """What of a new schema breaks the old one, a sentence each."""
    return [sentence for kind, sentence in _compare(_plain(old), _plain(new), "") if kind == "break"]


def gained(old: dict[str, Any], new: dict[str, Any]) -> list[str]:
    """The optional fields that the new schema has beyond the old one: their paths, such as `compounds[].id`."""
    return [path for kind, path in _compare(_plain(old), _plain(new), "") if kind == "gained"]


def _plain(schema: dict[str, Any]) -> dict[str, Any]:
    return inlined({**schema})


def _compare(old: Any, new: Any, path: str) -> Iterator[tuple[str, str]]:
    where = path or "the data"
    old_fields, new_fields = old.get("properties", {}), new.get("properties", {})
    old_required, new_required = set(old.get("required", ())), set(new.get("required", ()))
    for name in sorted(old_fields.keys() | new_fields.keys()):
        field = f"{path}.{name}" if path else name
        if name not in new_fields:
            yield "break", f"{field} is gone"
        elif name not in old_fields and name in new_required:
            yield "break", f"{field} is new and required: facts told before have none"
        elif name not in old_fields:
            yield "gained", field
        elif name in new_required - old_required:
            yield "break", f"{field} is required now: facts told before may have none"
        elif name in old_required - new_required:
            yield "break", f"{field} may be missing now: readers count on it"
        else:
            yield from _compare(old_fields[name], new_fields[name], field)
    for keyword in sorted((old.keys() | new.keys()) - ANNOTATIONS - {"properties", "required"}):
        before, after = old.get(keyword), new.get(keyword)
        inner = f"{path}[]" if keyword == "items" else path
        if isinstance(before, dict) and isinstance(after, dict):
            yield from _compare(before, after, inner)
        elif keyword in ("anyOf", "oneOf", "allOf", "prefixItems") and before and after and len(before) == len(after):
            for one, other in zip(before, after, strict=True):
                yield from _compare(one, other, path)
        elif before != after:
            yield "break", f"{where}: {keyword} was {_short(before)} and is {_short(after)}"


def _short(value: Any) -> str:
    return "not there" if value is None else str(value)
