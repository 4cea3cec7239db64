"""The released facts are a contract: every old sample is read by today's code, every new sample fits the old schema."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent as ReferenceCloudEvent

from deploy.services import NAMES
from shared.asyncapi import fact_schema
from shared.events import Fact, catalogue
from shared.events.examples import example
from shared.messaging import entries
from tests.contracts import release
from tests.contracts.compatibility import breaks

FACTS = [fact for fact in catalogue() if fact.teller in NAMES]
"""Those of the four services."""


def golden(folder: Path, fact: type[Fact]) -> Any:
    path = folder / f"{fact.type}.json"
    assert path.exists(), f"{fact.type} has no golden file yet; write it with: python -m tests.contracts.release"
    return json.loads(path.read_text())


def fields(event: dict[str, Any]) -> dict[bytes, bytes]:
    """An event in the JSON format as a stream entry."""
    attributes = {name.encode(): str(value).encode() for name, value in event.items() if name != "data"}
    return attributes | {b"data": json.dumps(event["data"]).encode()}


def holds(read: Any, told: Any) -> bool:
    """Whether what was read says all that was told. A fact, and each part of it, may have gained fields since."""
    if isinstance(told, dict):
        return isinstance(read, dict) and all(name in read and holds(read[name], value) for name, value in told.items())
    if isinstance(told, list):
        return len(read) == len(told) and all(map(holds, read, told))
    return bool(read == told)


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_an_old_sample_is_read_by_new_code(fact: type[Fact]) -> None:
    sample = golden(release.SAMPLES, fact)
    event = entries.read(fields(sample))
    assert type(event.data) is fact
    assert holds(event.data.model_dump(mode="json"), sample["data"])


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_new_sample_fits_the_old_schema(fact: type[Fact]) -> None:
    jsonschema.validate(example(fact).as_json()["data"], golden(release.SCHEMAS, fact))


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_released_schema_only_ever_gains_optional_fields(fact: type[Fact]) -> None:
    broken = breaks(golden(release.SCHEMAS, fact), fact_schema(fact))
    assert not broken, f"{fact.type} is released and would break its listeners; make it a new type, told beside this one"


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_field_from_the_future_is_ignored(fact: type[Fact]) -> None:
    sample = example(fact).as_json()
    sample["data"]["a_field_from_the_future"] = {"nested": [1]}
    assert entries.read(fields(sample)).data == example(fact).data


@pytest.mark.parametrize("fact", FACTS, ids=lambda fact: fact.type)
def test_a_fact_is_a_strict_cloudevent(fact: type[Fact]) -> None:
    line = json.dumps(example(fact).as_json())
    event = JSONFormat().read(ReferenceCloudEvent, line)
    assert (event.get_id(), event.get_type()) == (example(fact).id, fact.type)


def test_no_released_fact_has_gone() -> None:
    assert {path.stem for path in release.SCHEMAS.glob("*.json")} == {fact.type for fact in FACTS}


def test_every_fact_says_what_it_is() -> None:
    for fact in FACTS:
        assert (fact.__doc__ or "").strip().endswith("."), fact
        assert fact.about in fact.model_fields, fact
