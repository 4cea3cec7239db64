"""Notify's pages, on the server alone and without JavaScript: what the public feed says, for whoever writes a subscriber.

The gateway, and the front of an all-in-one, show them under `/docs/events`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, JSONResponse
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from shared.access import Caller, allow
from shared.asyncapi import fact_schema, feed_document, inlined, public_facts
from shared.events import Fact
from shared.events.changes import changes
from shared.events.chinese import SAYS
from shared.events.examples import example
from shared.version import VERSION

router = APIRouter()

Language = Literal["zh", "en"]
TEMPLATES = Environment(
    loader=FileSystemLoader(Path(__file__).parent / "templates"), autoescape=True, undefined=StrictUndefined, trim_blocks=True
)
TYPES: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "string": "文本",
        "integer": "整数",
        "number": "数字",
        "boolean": "是或否",
        "null": "空（null）",
        "object": "对象",
        "date-time": "时刻",
        "date": "日期",
        "list": "列表：",
        "or": "，或 ",
        "map": "对象，每一项是",
    },
    "en": {
        "string": "text",
        "integer": "whole number",
        "number": "number",
        "boolean": "true or false",
        "null": "null",
        "object": "object",
        "date-time": "moment",
        "date": "day",
        "list": "list of ",
        "or": ", or ",
        "map": "object, each value ",
    },
}
WORDS: Mapping[Language, Mapping[str, str]] = {
    "zh": {
        "types": "事件类型",
        "schema": "JSON Schema",
        "fields": "数据字段",
        "field": "字段",
        "kind": "内容",
        "sometimes": "（可能没有）",
        "example": "完整示例",
        "changes": "变更记录",
        "released": "发布",
        "gained": "新增字段",
        "made-public": "改为公开",
        "promise": "已发布的类型只会增加可有可无的字段，不会删改；要改就另立新类型，新旧并行一段时间。",
    },
    "en": {
        "types": "Types",
        "schema": "JSON Schema",
        "fields": "Fields of the data",
        "field": "field",
        "kind": "what it is",
        "sometimes": "(may be missing)",
        "example": "A whole example",
        "changes": "Changes",
        "released": "released",
        "gained": "gained",
        "made-public": "made public",
        "promise": "A released type only ever gains optional fields. Anything else is a new type, told beside the old one.",
    },
}


@router.get("/docs/events", response_class=HTMLResponse, include_in_schema=False)
def events_page_zh(request: Request, caller: Caller = allow("anyone")) -> HTMLResponse:
    """What the public feed says, in Chinese."""
    return HTMLResponse(page("zh", request.app.state.host.settings.public_url))


@router.get("/docs/events/en", response_class=HTMLResponse, include_in_schema=False)
def events_page_en(request: Request, caller: Caller = allow("anyone")) -> HTMLResponse:
    """What the public feed says, in English."""
    return HTMLResponse(page("en", request.app.state.host.settings.public_url))


@router.get("/docs/events/asyncapi.json", tags=["feed"])
def feed_asyncapi(request: Request, caller: Caller = allow("anyone")) -> JSONResponse:
    """The public feed as one AsyncAPI 3 document: every public fact, on the Redis stream and as Server-Sent Events."""
    return JSONResponse(feed_document(VERSION, request.app.state.host.settings.public_url))


@lru_cache
def page(language: Language, public_url: str) -> str:
    """The whole page; it changes with the version alone."""
    facts = [_described(fact, language, public_url) for fact in public_facts()]
    subjects: dict[str, list[dict[str, Any]]] = {}
    for fact in facts:
        subjects.setdefault(fact["type"].split(".")[1], []).append(fact)
    days: dict[str, list[Any]] = {}
    for change in sorted((one for one in changes() if one.public), key=lambda one: one.on, reverse=True):
        days.setdefault(change.on, []).append(change)
    return TEMPLATES.get_template(f"events.{language}.html").render(
        language=language, t=WORDS[language], url=public_url, version=VERSION, subjects=subjects, days=days
    )


def _described(fact: type[Fact], language: Language, public_url: str) -> dict[str, Any]:
    schema = inlined(fact_schema(fact))
    return {
        "type": fact.type,
        "says": SAYS.get(fact.type, "") if language == "zh" else " ".join((fact.__doc__ or "").split()),
        "schema": public_url + fact.schema_path(),
        "fields": list(_fields(schema, language)),
        "example": json.dumps(example(fact).as_json(), ensure_ascii=False, indent=2),
    }


def _fields(schema: Mapping[str, Any], language: Language, path: str = "") -> Iterator[tuple[str, str, bool]]:
    """Every field with its path, what it is, and whether it is always there; those of objects in it after it."""
    for name, field in schema.get("properties", {}).items():
        here = f"{path}.{name}" if path else name
        yield here, _kind(field, language), name in schema.get("required", ())
        for inner, within in _objects(field):
            yield from _fields(within, language, here + inner)


def _objects(field: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The objects with fields of their own in a field, and how to come to them."""
    for one in field.get("anyOf", [field]):
        if "properties" in one:
            yield "", one
        elif isinstance(one.get("items"), Mapping):
            for inner, within in _objects(one["items"]):
                yield "[]" + inner, within


def _kind(field: Mapping[str, Any], language: Language) -> str:
    words = TYPES[language]
    if "anyOf" in field:
        return words["or"].join(_kind(one, language) for one in field["anyOf"])
    if "enum" in field or "const" in field:
        return " · ".join(str(value) for value in field.get("enum", [field.get("const")]))
    if field.get("type") == "array":
        return words["list"] + _kind(field.get("items", {}), language)
    if isinstance(field.get("additionalProperties"), Mapping):
        return words["map"] + _kind(field["additionalProperties"], language)
    kind = str(field.get("format") or field.get("type", "object"))
    return words.get(kind) or words.get(str(field.get("type")), kind)
