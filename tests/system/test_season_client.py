"""The season's client against a server that stumbles: repeats under one key, clear errors, waiting until quiet."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from datetime import date
from typing import Any

import httpx
import pytest

from deploy.cli import demo
from deploy.demo import run_demo
from deploy.sample_community import Sample, load_sample
from deploy.season import Deployment, Refused, SeasonError, first_requests, play
from deploy.season.chance import Chance
from deploy.season.joining import agreement_term


@pytest.fixture(scope="module")
def sample() -> Sample:
    return load_sample()


def deployment(answer: Callable[[httpx.Request], httpx.Response], **limits: Any) -> Deployment:
    client = httpx.Client(base_url="http://fenghe.test", transport=httpx.MockTransport(answer))
    return Deployment(client, "run", **limits)


def test_a_call_is_repeated_under_the_same_key_while_the_server_is_away() -> None:
    keys = []

    def answer(request: httpx.Request) -> httpx.Response:
        keys.append(request.headers["Idempotency-Key"])
        if len(keys) == 1:
            raise httpx.ReadError("the server was killed")
        return httpx.Response(503) if len(keys) == 2 else httpx.Response(201, json={"id": "r1"})

    client = deployment(answer)
    assert client.post("/api/matching/requests", "request 1", {"text": "…"})["id"] == "r1"
    assert len(keys) == 3 and len(set(keys)) == 1
    assert [(call.natural_key, call.id) for call in client.ledger] == [("request 1", "r1")]
    client.post("/api/matching/requests", "request 2", {"text": "…"})
    assert keys[3] != keys[0]


def test_a_server_that_stays_away_is_given_up_with_its_last_words() -> None:
    client = deployment(lambda request: httpx.Response(502, text="bad gateway"), patience=0.1)
    with pytest.raises(SeasonError, match=r"GET /api/x: no answer within 0\.1 s.*bad gateway"):
        client.get("/api/x")


def test_a_problem_is_told_with_method_path_and_detail() -> None:
    problem = {
        "type": "urn:fenghe:problem:not-served",
        "detail": "Request 'r1' was not served.",
        "errors": [{"field": "stars", "detail": "too many"}],
    }
    client = deployment(lambda request: httpx.Response(409, json=problem))
    with pytest.raises(Refused) as error:
        client.post("/api/feedback/ratings", "request 1")
    assert str(error.value) == (
        "POST /api/feedback/ratings (request 1) was answered 409: Request 'r1' was not served. [stars: too many]"
    )
    assert (error.value.status, error.value.kind) == (409, "not-served")
    assert client.ledger == []


def test_pages_are_read_to_the_end() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        after = request.url.params.get("after")
        return httpx.Response(200, json={"items": [{"id": after or "0"}], "next": {None: "1", "1": "2"}.get(after)})

    assert [entry["id"] for entry in deployment(answer).pages("/api/x")] == ["0", "1", "2"]


def test_results_come_in_order_and_the_first_error_ends_it() -> None:
    client = deployment(lambda request: httpx.Response(200, json={"path": request.url.path}))
    paths = [f"/{n}" for n in range(50)]
    assert [answer["path"] for answer in client.each("walk", paths, client.get)] == paths

    def fail(path: str) -> None:
        raise SeasonError(path)

    with pytest.raises(SeasonError):
        client.each("fail", paths, fail)


def test_quiet_means_twice_quiet_with_the_same_last_facts() -> None:
    looks = [(False, "1"), (True, "1"), (True, "2"), (True, "2")]
    rounds: dict[str, int] = {}

    def answer(request: httpx.Request) -> httpx.Response:
        seen = rounds[request.url.path] = rounds.get(request.url.path, -1) + 1
        is_quiet, last = looks[min(seen, len(looks) - 1)]
        return httpx.Response(200, json={"quiet": is_quiet, "unsent": 0, "pending": 1, "streams": {"s": last}})

    deployment(answer).quiet()
    assert set(rounds.values()) == {3}


def test_who_is_never_quiet_is_named() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        is_quiet = "notify" not in request.url.path
        return httpx.Response(200, json={"quiet": is_quiet, "unsent": 0, "pending": 7, "streams": {}})

    with pytest.raises(SeasonError, match=r"Not quiet within 0\.2 s: notify has 0 unsent and 7 pending\."):
        deployment(answer, quiet_within=0.2).quiet()


def test_chance_depends_on_the_seed_and_natural_keys_alone(sample: Sample) -> None:
    request, organization = sample.requests[0], sample.quality["银龄互助社"]
    assert Chance(7).rating(request, organization) == Chance(7).rating(request, organization)
    ratings = [Chance(1).rating(request, organization) for request in sample.requests]
    stars = [rating.stars for rating in ratings if rating is not None]
    assert 0.04 < ratings.count(None) / len(ratings) < 0.12
    assert abs(sum(stars) / len(stars) - (1 + 4 * organization.quality)) < 0.25
    assert 0 < sum(Chance(1).disputes(request) for request in sample.requests) < 20


def test_the_agreements_hold_on_any_day(sample: Sample) -> None:
    for today in (date(2020, 1, 1), date(2026, 7, 1), date(2040, 12, 31)):
        for organization in sample.organizations:
            starts_on, ends_on = agreement_term(organization, today)
            assert starts_on <= today < ends_on


def test_more_requests_than_the_sample_has_are_refused(sample: Sample) -> None:
    with pytest.raises(SeasonError, match=f"The sample has {len(sample.requests)} requests, 100000 were asked for"):
        first_requests(sample, 100000)


def test_a_season_is_of_the_whole_sample_unless_told_otherwise(sample: Sample) -> None:
    assert first_requests(sample) == sample.requests
    assert first_requests(sample, 3) == sample.requests[:3]
    for plays in (play, run_demo, demo):
        assert inspect.signature(plays).parameters["requests"].default is None, plays
