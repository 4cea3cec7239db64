"""The station and experts evaluate organizations."""

from __future__ import annotations

import pytest

from shared.events.registry import ExpertChanged, ExpertLeft
from shared.identifiers import new_id
from tests.feedback.given import (
    community_opened,
    expert_told,
    offer_published,
    organization_registered,
    taxonomy_published,
)


@pytest.fixture
def known(feedback):
    """A community with an organization and its offer."""
    community, organization, offer = new_id(), new_id(), new_id()
    feedback.hear(
        community_opened(community),
        taxonomy_published(community, "meal-service", "bathing-help"),
        organization_registered(community, organization),
        offer_published(community, organization, offer, "meal-service"),
        *(expert_told(community, expert) for expert in ("e-1", "e-2")),
    )
    return {"community": community, "organization": organization, "offer": offer}


def evaluate(feedback, body, role="station", community=None):
    headers = feedback.as_(role, community=community or body["community"], subject="e-1" if role == "expert" else None)
    return feedback.client.post("/api/feedback/evaluations", json={"score": 80} | body, headers=headers)


def test_station_and_expert_evaluate_once_a_season_each(feedback, known):
    station = evaluate(feedback, known | {"score": 85, "note": "按时，干净"})
    assert station.status_code == 201, station.text
    assert (station.json()["party"], station.json()["score"], station.json()["item"]) == ("station", 85, "meal-service")
    assert station.json()["note"] == "按时，干净"
    again = evaluate(feedback, known | {"score": 90})
    assert (again.status_code, again.json()["type"].rpartition(":")[2]) == (409, "already-evaluated")
    assert evaluate(feedback, known | {"score": 60}, role="expert").status_code == 201
    feedback.drain()
    told = feedback.told("fenghe.evaluation.recorded.v1")
    assert [(event.data.party, event.data.score) for event in told] == [("station", 85), ("expert", 60)]
    assert all("按时" not in event.data.model_dump_json() for event in feedback.told())


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("community", "nowhere"),
        ("organization", "nobody"),
        ("offer", "nothing"),
        ("item", "bathing-help"),
        ("score", 101),
        ("score", -1),
        ("score", 50.5),
        ("stars", 5),
    ],
)
def test_what_does_not_fit_is_refused_by_name(feedback, known, field, value):
    answer = evaluate(feedback, known | {field: value}, community=value if field == "community" else None)
    assert answer.status_code == 422, answer.text
    assert answer.json()["errors"][0]["field"] == field
    assert feedback.told() == []


def test_an_item_must_be_in_the_taxonomy(feedback, known):
    body = {name: known[name] for name in ("community", "organization")}
    assert evaluate(feedback, body | {"item": "juggling"}).json()["errors"][0]["field"] == "item"
    assert evaluate(feedback, body | {"item": "bathing-help"}).status_code == 201


def test_an_organization_of_another_community_is_refused(feedback, known):
    elsewhere = new_id()
    feedback.hear(community_opened(elsewhere))
    answer = evaluate(feedback, {"community": elsewhere, "organization": known["organization"]})
    assert answer.json()["errors"][0]["field"] == "organization"
    assert evaluate(feedback, known, community=elsewhere).status_code == 403


@pytest.mark.parametrize("role", ["resident", "organization", "operator"])
def test_others_do_not_evaluate_or_read_evaluations(feedback, known, role):
    headers = feedback.as_(role, community=known["community"], organization=known["organization"], request=new_id())
    body = known | {"score": 100}
    assert feedback.client.post("/api/feedback/evaluations", json=body, headers=headers).status_code == 403
    listing = f"/api/feedback/evaluations?community={known['community']}"
    assert feedback.client.get(listing, headers=headers).status_code == 403
    assert feedback.client.get(listing).status_code == 401
    assert feedback.client.get(listing, headers=feedback.as_("station", community=new_id())).status_code == 403


def test_the_station_lists_evaluations_page_by_page(feedback, known):
    community, another = known["community"], new_id()
    feedback.hear(organization_registered(community, another))
    assert evaluate(feedback, known).status_code == 201
    assert evaluate(feedback, known, role="expert").status_code == 201
    assert evaluate(feedback, {"community": community, "organization": another}).status_code == 201
    headers = feedback.as_("station", community=community)

    def listed(**query):
        query = {"community": community} | query
        return feedback.client.get("/api/feedback/evaluations", params=query, headers=headers).json()

    first = listed(limit=2)
    second = listed(limit=2, after=first["next"])
    assert [item["party"] for item in first["items"] + second["items"]] == ["station", "expert", "station"]
    assert second["next"] is None
    assert [item["organization"] for item in listed(organization=another)["items"]] == [another]


def test_two_experts_evaluate_the_same_organization_in_one_season(feedback, known):
    def by(subject):
        headers = feedback.as_("expert", community=known["community"], subject=subject)
        return feedback.client.post("/api/feedback/evaluations", json={"score": 80} | known, headers=headers).status_code

    assert [by("e-1"), by("e-2"), by("e-1")] == [201, 201, 409]


def test_an_expert_with_an_interest_in_the_organization_is_refused(feedback, known):
    community, organization = known["community"], known["organization"]
    feedback.hear(expert_told(community, "e-1", ExpertChanged, organization))
    refused = evaluate(feedback, known, role="expert")
    assert refused.status_code == 403
    assert "interest" in refused.json()["detail"]
    feedback.hear(expert_told(community, "e-1", ExpertChanged))
    assert evaluate(feedback, known, role="expert").status_code == 201


def test_an_expert_who_is_not_enrolled_here_is_refused(feedback, known):
    community = known["community"]
    elsewhere = new_id()
    feedback.hear(expert_told(elsewhere, "e-3"), expert_told(community, "e-1", ExpertLeft))
    for subject in ("e-1", "e-3", "nobody", None):
        headers = feedback.as_("expert", community=community, subject=subject)
        answer = feedback.client.post("/api/feedback/evaluations", json={"score": 80} | known, headers=headers)
        assert answer.status_code == 403, answer.text
    assert feedback.told() == []


def test_a_score_follows_from_the_published_criteria(feedback, known):
    criteria = {"results": 90, "reliability": 80, "care": 71, "conduct": 60}
    answer = evaluate(feedback, known | {"score": None, "criteria": criteria})
    assert answer.status_code == 201, answer.text
    assert answer.json()["criteria"] == criteria
    method = feedback.client.get("/api/feedback/method").json()
    weights = {criterion["id"]: criterion["weight"] for criterion in method["criteria"]}
    assert sum(weights.values()) == 100
    assert answer.json()["score"] == round(sum(weights[name] * score for name, score in criteria.items()) / 100)
    assert evaluate(feedback, known | {"criteria": criteria}).json()["errors"][0]["field"] == "score"
    assert evaluate(feedback, known | {"score": None}).json()["errors"][0]["field"] == "score"
    partial = evaluate(feedback, known | {"score": None, "criteria": {"results": 90}})
    assert partial.status_code == 422
