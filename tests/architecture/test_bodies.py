"""What people send is of the JSON type that the document names: no truth value and no text is taken for a number, no number for
a day."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, get_args

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from deploy import access
from deploy.services import load_all

TRIED: Mapping[str, tuple[Any, ...]] = {
    "boolean": (False, True),
    "integer": (0, 1, 7),
    "number": (0.5,),
    "string": ("0", "1", "7", "0.5", "true", "2026-01-01"),
}
"""Values by their JSON type."""


def models(annotation: Any) -> Iterator[type[BaseModel]]:
    """The models in an annotation, and in their fields."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
        for field in annotation.model_fields.values():
            yield from models(field.annotation)
    for argument in get_args(annotation):
        yield from models(argument)


def sent() -> set[type[BaseModel]]:
    """The models of every body."""
    routes = (route for service in load_all() for route, _ in access.routes(service))
    bodies = (parameter for route in routes for parameter in route.dependant.body_params)
    return {model for parameter in bodies for model in models(parameter.field_info.annotation)}


def types_in(schema: Mapping[str, Any], definitions: Mapping[str, Any]) -> set[str]:
    """The JSON types that a schema lets pass; "any" where it says nothing of types."""
    if "$ref" in schema:
        return types_in(definitions[schema["$ref"].rpartition("/")[2]], definitions)
    if choices := schema.get("anyOf") or schema.get("oneOf"):
        return {type for choice in choices for type in types_in(choice, definitions)}
    if "const" in schema or "enum" in schema:
        return {"string"}
    return {schema.get("type", "any")}


def taken_wrongly(field: FieldInfo) -> Iterator[Any]:
    """What a field takes that is of no type its schema names."""
    adapter: TypeAdapter[Any] = TypeAdapter(Annotated[field.annotation, None, *field.metadata])  # type: ignore[valid-type]
    schema = adapter.json_schema()
    named = types_in(schema, schema.get("$defs", {}))
    if "any" in named:
        return
    for type, values in TRIED.items():
        if type in named or (type == "integer" and "number" in named):
            continue
        for value in values:
            try:
                adapter.validate_python(value)
            except ValidationError:
                continue
            yield value


def test_a_body_takes_no_other_types_than_its_document_names() -> None:
    found = sent()
    assert len(found) > 40
    lax = {
        f"{model.__qualname__}.{name}": wrongly
        for model in sorted(found, key=lambda one: one.__qualname__)
        for name, field in model.model_fields.items()
        if (wrongly := list(taken_wrongly(field)))
    }
    assert lax == {}
