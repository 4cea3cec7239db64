"""A resident rates a service: once, after it was received, over the own link."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest

from services.feedback.models import Evaluation, Rating
from shared.events.matching import (
    RequestClosed,
    RequestDisputed,
    RequestMatched,
    RequestReopened,
    RequestSubmitted,
    RequestWithdrawn,
)
from shared.identifiers import new_id
from tests.feedback.given import SERVED_AT, offer_published, organization_registered, request_served, request_told


def rate(feedback, community, request, /, **body):
    headers = feedback.as_("resident", community=community, request=request)
    return feedback.client.post("/api/feedback/ratings", json={"stars": 4, "purpose": "service"} | body, headers=headers)


def test_a_rating_is_recorded_counted_and_told(feedback):
    community, organization, offer, request = new_id(), new_id(), new_id(), new_id()
    feedback.hear(
        organization_registered(community, organization),
        offer_published(community, organization, offer),
        request_served(community, request, organization, offer),
    )
    answer = rate(feedback, community, request, stars=4, comment=" 很热乎 ")
    assert answer.status_code == 201, answer.text
    view = answer.json()
    assert (view["request"], view["organization"], view["stars"], view["purpose"]) == (
        request,
        organization,
        4,
        "service",
    )
    feedback.drain()

    (evaluation,) = feedback.rows(Evaluation)
    assert (evaluation.party, evaluation.evaluator, evaluation.score) == ("resident", None, 75)
    assert (evaluation.organization, evaluation.offer, evaluation.item) == (organization, offer, "meal-service")
    (rating,) = feedback.rows(Rating)
    assert (rating.request, rating.stars, rating.comment, rating.evaluation) == (request, 4, "很热乎", evaluation.id)

    (recorded,) = feedback.told("fenghe.evaluation.recorded.v1")
    assert (recorded.subject, recorded.data.score, recorded.data.party) == (evaluation.id, 75, "resident")
    changed = feedback.told("fenghe.satisfaction.changed.v1")
    season = evaluation.season
    assert sorted((event.data.kind, event.data.of, event.data.season or "") for event in changed) == sorted(
        [
            *(("community", community, when) for when in ("", season)),
            *(("category", "elderly", when) for when in ("", season)),
            *(("class", "public-welfare", when) for when in ("", season)),
            *(("organization", organization, when) for when in ("", season)),
            ("offer", offer, ""),
            ("item", "meal-service", ""),
        ]
    )
    assert all((event.data.ratings, event.data.evaluations, event.data.stars) == (1, 1, None) for event in changed)
    assert len(feedback.told()) == 1 + len(changed) == 11
    assert all(request not in event.data.model_dump_json() for event in feedback.told())


@pytest.mark.parametrize("fact", [RequestSubmitted, RequestMatched, RequestWithdrawn])
def test_what_was_not_served_cannot_be_rated(feedback, fact):
    community, request = new_id(), new_id()
    assert rate(feedback, community, request).status_code == 409
    feedback.hear(request_told(fact, community, request, organization=new_id()))
    answer = rate(feedback, community, request)
    assert answer.status_code == 409
    assert answer.json()["type"].endswith(":not-served")
    assert "try again once it is" in answer.json()["detail"]
    assert feedback.told() == []


def test_a_service_is_rated_once(feedback):
    community, request = new_id(), new_id()
    feedback.hear(request_served(community, request, new_id()))
    assert rate(feedback, community, request, stars=5).status_code == 201
    again = rate(feedback, community, request, stars=1)
    assert again.status_code == 409
    assert again.json()["type"].endswith(":already-rated")
    assert [evaluation.score for evaluation in feedback.rows(Evaluation)] == [100]


def test_of_many_ratings_at_once_one_counts(feedback):
    community, request = new_id(), new_id()
    feedback.hear(request_served(community, request, new_id()))
    together = Barrier(8)

    def rate_together(stars):
        together.wait()
        return rate(feedback, community, request, stars=stars)

    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(rate_together, [1, 2, 3, 4, 5, 1, 2, 3]))
    assert sorted(answer.status_code for answer in answers) == [201] + [409] * 7
    assert {a.json()["type"].rpartition(":")[2] for a in answers if a.status_code == 409} == {"already-rated"}
    assert len(feedback.rows(Evaluation)) == len(feedback.rows(Rating)) == 1
    feedback.drain()
    assert len(feedback.told("fenghe.evaluation.recorded.v1")) == 1


def test_the_same_idempotency_key_is_answered_twice_and_counts_once(feedback):
    community, request = new_id(), new_id()
    feedback.hear(request_served(community, request, new_id()))
    headers = feedback.as_("resident", community=community, request=request) | {"Idempotency-Key": new_id()}
    first, second = (
        feedback.client.post("/api/feedback/ratings", json={"stars": 3, "purpose": "service"}, headers=headers)
        for _ in range(2)
    )
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert len(feedback.rows(Evaluation)) == 1


def test_a_link_is_good_for_its_own_request_and_community_only(feedback):
    community, served, other = new_id(), new_id(), new_id()
    feedback.hear(
        request_served(community, served, new_id()),
        request_told(RequestSubmitted, community, other),
    )
    assert rate(feedback, community, other).status_code == 409
    assert rate(feedback, new_id(), served).status_code == 403
    naming_another = rate(feedback, community, other, request=served)
    assert naming_another.status_code == 422
    assert naming_another.json()["errors"][0]["field"] == "request"
    assert feedback.rows(Evaluation) == []


@pytest.mark.parametrize("role", ["organization", "station", "expert", "operator"])
def test_only_residents_rate(feedback, role):
    headers = feedback.as_(role, community=new_id(), organization=new_id())
    body = {"stars": 5, "purpose": "service"}
    assert feedback.client.post("/api/feedback/ratings", json=body, headers=headers).status_code == 403
    assert feedback.client.post("/api/feedback/ratings", json=body).status_code == 401


@pytest.mark.parametrize("stars", [0, 6, 4.5, "4", True, None])
def test_stars_are_whole_numbers_from_one_to_five(feedback, stars):
    answer = rate(feedback, new_id(), new_id(), stars=stars)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["field"] == "stars"


def test_a_disputed_service_cannot_be_rated_and_the_next_one_can(feedback):
    community, request, first, second = new_id(), new_id(), new_id(), new_id()
    later = SERVED_AT + timedelta(days=3)
    feedback.hear(request_served(community, request, first))
    assert rate(feedback, community, request, stars=1).status_code == 201

    feedback.hear(request_told(RequestDisputed, community, request, organization=first, served_at=SERVED_AT))
    disputed = rate(feedback, community, request)
    assert (disputed.status_code, disputed.json()["type"].rpartition(":")[2]) == (409, "disputed")

    feedback.hear(request_told(RequestReopened, community, request, status="classified"))
    reopened = rate(feedback, community, request)
    assert (reopened.status_code, reopened.json()["type"].rpartition(":")[2]) == (409, "not-served")

    feedback.hear(request_served(community, request, second, served_at=later))
    assert rate(feedback, community, request, stars=5).status_code == 201
    assert rate(feedback, community, request, stars=5).status_code == 409
    assert {(e.organization, e.score) for e in feedback.rows(Evaluation)} == {(first, 0), (second, 100)}


def test_a_closed_request_that_was_served_may_still_be_rated(feedback):
    community, served, never = new_id(), new_id(), new_id()
    feedback.hear(
        request_told(RequestClosed, community, served, organization=new_id(), served_at=SERVED_AT),
        request_told(RequestClosed, community, never),
    )
    assert rate(feedback, community, served).status_code == 201
    assert rate(feedback, community, never).status_code == 409


def test_a_late_older_fact_takes_nothing_back(feedback):
    community, request = new_id(), new_id()
    feedback.hear(request_served(community, request, new_id()), sequence=5)
    feedback.hear(request_told(RequestSubmitted, community, request), sequence=1)
    assert rate(feedback, community, request).status_code == 201


def test_a_comment_stays_here(feedback, capfd):
    community, request, canary = new_id(), new_id(), "canary-13804310000"
    feedback.hear(request_served(community, request, new_id()))
    answer = rate(feedback, community, request, comment=canary)
    assert answer.status_code == 201
    rate(feedback, community, request, comment=canary)
    feedback.drain()
    assert canary not in answer.text
    assert [rating.comment for rating in feedback.rows(Rating)] == [canary]
    assert all(canary not in event.data.model_dump_json() for event in feedback.told())
    assert canary not in str(feedback.redis.xrange("fenghe:feedback"))
    assert canary not in "".join(capfd.readouterr())

    station = feedback.as_("station", community=community)
    listed = feedback.client.get(f"/api/feedback/evaluations?community={community}", headers=station)
    assert [item["note"] for item in listed.json()["items"]] == [canary]
    assert request not in listed.text
