"""What the running system hands out: facts that any CloudEvents reader accepts, documents that any tool reads, a page."""

from __future__ import annotations

import json
from typing import Any

import jsonschema
import pytest
import redis
from cloudevents.core.formats.json import JSONFormat
from cloudevents.core.v1.event import CloudEvent
from openapi_spec_validator import validate

from shared.asyncapi import public_facts
from tests.system.conftest import HTTP, AllInOne, fenghe

SERVICES = ("registry", "matching", "feedback", "notify")


def lines(system: AllInOne, *arguments: str) -> list[dict[str, Any]]:
    outcome = fenghe("events", "--data", str(system.data), *arguments)
    assert outcome.returncode == 0, outcome.stderr
    return [json.loads(line) for line in outcome.stdout.splitlines()]


def test_every_line_of_events_is_accepted_by_the_strict_reader(sample_system: AllInOne) -> None:
    sample_system.quiet()
    outcome = fenghe("events", "--data", str(sample_system.data))
    read = [JSONFormat().read(CloudEvent, line) for line in outcome.stdout.splitlines()]
    assert len(read) > 150
    assert len({(event.get_source(), event.get_id()) for event in read}) == len(read)


def test_events_are_chosen_by_type_and_community(sample_system: AllInOne) -> None:
    (opened,) = lines(sample_system, "--type", "fenghe.community.opened.v1")
    assert opened["data"]["slug"] == "fenghe"
    assert {event["community"] for event in lines(sample_system, "--community", opened["community"])} == {opened["community"]}
    assert lines(sample_system, "--community", "another") == []


def test_a_stream_entry_has_one_plain_field_an_attribute(sample_system: AllInOne) -> None:
    with redis.Redis.from_url(f"unix://{sample_system.data}/valkey/valkey.sock", decode_responses=True) as client:
        ((_, entry),) = client.xrange("fenghe:registry", count=1)
    assert {"specversion", "id", "source", "type", "subject", "time", "community", "sequence", "data"} <= entry.keys()
    assert entry["type"] == "fenghe.community.opened.v1"
    assert entry["sequence"] == "0000000001"
    assert json.loads(entry["data"])["name_zh"] == "丰和社区"


@pytest.mark.parametrize("service", SERVICES)
def test_openapi_and_asyncapi_are_documents_that_tools_read(sample_system: AllInOne, service: str) -> None:
    base = f"{sample_system.address}/api/{service}"
    validate(HTTP.get(f"{base}/openapi.json").json())
    asyncapi = HTTP.get(f"{base}/asyncapi.json").json()
    assert asyncapi["asyncapi"] == "3.0.0"
    for message in asyncapi["components"]["messages"].values():
        assert message["payload"]["properties"]
        assert message["examples"]


def test_the_schema_of_a_fact_is_where_the_fact_says(sample_system: AllInOne) -> None:
    fact = lines(sample_system, "--type", "fenghe.offer.published.v1")[0]
    schema = HTTP.get(fact["dataschema"]).json()
    assert schema["title"] == "fenghe.offer.published.v1"
    assert fact["data"].keys() == schema["properties"].keys()


@pytest.mark.parametrize(("path", "language", "word"), [("/", "zh-CN", "运行正常"), ("/en", "en", "ready")])
def test_the_page_says_what_runs_here(sample_system: AllInOne, path: str, language: str, word: str) -> None:
    page = HTTP.get(sample_system.address + path)
    assert page.status_code == 200
    assert f'<html lang="{language}">' in page.text
    assert page.text.count(word) >= 4
    for service in SERVICES:
        assert f"/api/{service}/openapi.json" in page.text


@pytest.mark.parametrize("service", SERVICES)
def test_health_and_metrics(sample_system: AllInOne, service: str) -> None:
    base = f"{sample_system.address}/api/{service}"
    assert HTTP.get(f"{base}/health/live").json()["service"] == service
    assert HTTP.get(f"{base}/health/ready").json() == {"ready": True, "missing": []}
    assert "fenghe_http_requests_total" in HTTP.get(f"{base}/metrics").text


@pytest.mark.parametrize(("path", "language", "words"), [("", "zh-CN", "收到一位居民的需求"), ("/en", "en", "was taken in")])
def test_the_page_of_the_feed_has_every_public_fact_with_its_fields_an_example_and_the_changelog(
    sample_system: AllInOne, path: str, language: str, words: str
) -> None:
    page = HTTP.get(f"{sample_system.address}/docs/events{path}")
    assert page.status_code == 200 and page.headers["content-type"] == "text/html; charset=utf-8"
    assert f'<html lang="{language}">' in page.text and words in page.text
    assert "<script" not in page.text
    for fact in public_facts():
        assert f'<article id="{fact.type}">' in page.text
        assert f'<a href="{sample_system.address}{fact.schema_path()}">' in page.text
    assert "<code>compounds[].name_zh</code>" in page.text and "<code>clock_ahead</code>" in page.text
    assert page.text.count("<pre>") == len(public_facts()) + 2
    assert f'href="/docs/events{"/en" if not path else ""}"' in page.text


def test_the_feed_has_one_document_of_its_public_facts_and_no_others(sample_system: AllInOne) -> None:
    document = HTTP.get(f"{sample_system.address}/docs/events/asyncapi.json").json()
    assert document["asyncapi"] == "3.0.0"
    messages = document["components"]["messages"].values()
    assert {message["name"] for message in messages} == {fact.type for fact in public_facts()}
    assert all(message["x-public"] for message in messages)
    assert [channel["address"] for channel in document["channels"].values()] == ["fenghe:feed", "/api/notify/events/stream"]
    for event in HTTP.get(f"{sample_system.address}/api/notify/events", params={"limit": 200}).json()["items"]:
        (payload,) = (message["payload"] for message in messages if message["name"] == event["type"])
        jsonschema.validate(event["data"], payload)
    for fact in public_facts():
        assert HTTP.get(f"{sample_system.address}{fact.schema_path()}").json()["title"] == fact.type
