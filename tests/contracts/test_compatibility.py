"""A breaking change of a released fact fails the checks, whatever it is; an optional field does not."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from deploy.services import NAMES
from shared.asyncapi import fact_schema, public_facts
from shared.events import catalogue, fact_class
from shared.events.changes import changes
from shared.events.chinese import SAYS
from shared.events.registry import CommunityOpened, OrganizationRegistered
from tests.contracts import release, test_facts
from tests.contracts.compatibility import breaks, gained

Schema = dict[str, Any]


def without(schema: Schema, name: str) -> None:
    del schema["properties"][name]
    schema["required"] = [other for other in schema["required"] if other != name]


def new_required(schema: Schema) -> None:
    schema["properties"]["motto"] = {"type": "string"}
    schema["required"].append("motto")


def in_compound(change: Callable[[Schema], None]) -> Callable[[Schema], None]:
    return lambda schema: change(schema["$defs"]["Compound"])


def set_in(*path: str, to: Any) -> Callable[[Schema], None]:
    def change(schema: Schema) -> None:
        for step in path[:-1]:
            schema = schema[step]
        schema[path[-1]] = to

    return change


BREAKING = {
    "a field is removed": (lambda schema: without(schema, "name_en"), "name_en is gone"),
    "a required field is new": (new_required, "motto is new and required"),
    "a field may be missing": (lambda schema: schema["required"].remove("slug"), "slug may be missing now"),
    "an optional field is required": (lambda schema: schema["required"].append("clock_ahead"), "clock_ahead is required now"),
    "a type is another": (set_in("properties", "slug", "type", to="integer"), "slug: type was string and is integer"),
    "a type is narrower": (set_in("properties", "slug", "maxLength", to=5), "slug: maxLength was not there and is 5"),
    "values are listed": (set_in("properties", "slug", "enum", to=["a"]), "slug: enum was not there"),
    "a field may be null": (
        set_in("properties", "slug", to={"anyOf": [{"type": "string"}, {"type": "null"}]}),
        "slug: anyOf was",
    ),
    "a field in a list is removed": (in_compound(lambda schema: without(schema, "name_zh")), "compounds[].name_zh is gone"),
    "a field in a list is required": (in_compound(new_required), "compounds[].motto is new and required"),
    "a list is something else": (set_in("properties", "compounds", to={"type": "string"}), "compounds: items was"),
    "unknown fields are forbidden": (set_in("additionalProperties", to=False), "the data: additionalProperties was not there"),
}


@pytest.mark.parametrize("change", BREAKING.values(), ids=BREAKING.keys())
def test_a_breaking_change_is_found_and_named(change: tuple[Callable[[Schema], None], str]) -> None:
    make, sentence = change
    old = fact_schema(CommunityOpened)
    new = copy.deepcopy(old)
    make(new)
    assert new != old
    assert any(found.startswith(sentence) for found in breaks(old, new)), breaks(old, new)


def test_what_a_type_may_gain_breaks_nothing() -> None:
    old = fact_schema(CommunityOpened)
    new = copy.deepcopy(old)
    new["properties"]["motto"] = {"type": "string", "default": ""}
    new["$defs"]["Compound"]["properties"]["storeys"] = {"type": "integer", "default": 0}
    new["properties"]["slug"]["description"] = "said better"
    assert breaks(old, new) == []
    assert gained(old, new) == ["compounds[].storeys", "motto"]


@pytest.fixture
def released(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[[str, Schema], None]:
    """Makes the checks believe that a type was released with a schema."""
    monkeypatch.setattr(release, "SCHEMAS", tmp_path)

    def write(type: str, schema: Schema) -> None:
        (tmp_path / f"{type}.json").write_text(json.dumps(schema))

    for fact in test_facts.FACTS:
        write(fact.type, fact_schema(fact))
    return write


def test_make_check_fails_on_a_change_that_breaks(released: Callable[[str, Schema], None]) -> None:
    test_facts.test_a_released_schema_only_ever_gains_optional_fields(OrganizationRegistered)
    test_facts.test_no_released_fact_has_gone()
    before = fact_schema(OrganizationRegistered)
    new_required(before)  # as if the class had lost `motto` since
    released(OrganizationRegistered.type, before)
    with pytest.raises(AssertionError, match="would break its listeners"):
        test_facts.test_a_released_schema_only_ever_gains_optional_fields(OrganizationRegistered)
    released("fenghe.org.dreamt.v1", before)
    with pytest.raises(AssertionError):
        test_facts.test_no_released_fact_has_gone()


def test_the_changelog_says_every_release_and_every_gain() -> None:
    known = changes()
    assert release.unwritten(known) == [], "write it: python -m tests.contracts.release"
    assert known == sorted(known, key=lambda change: (change.on, change.type, change.change, change.field))
    types = [change.type for change in known if change.change == "released"]
    assert sorted(types) == sorted(fact.type for fact in catalogue() if fact.teller in NAMES)
    for change in known:
        if change.change == "gained":
            fact = fact_class(change.type)
            assert fact is not None
            assert change.field.replace("[]", "").partition(".")[0] in fact.model_fields, change


def test_what_was_public_stays_public() -> None:
    promised = {change.type for change in changes() if change.public}
    assert promised == {fact.type for fact in public_facts()}


def test_every_public_fact_is_said_in_chinese() -> None:
    assert SAYS.keys() == {fact.type for fact in public_facts()}
