"""Satisfaction: kept incrementally, shown to the public from five residents' ratings on."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from services.feedback import queries, rules
from services.feedback.rules import Sums, satisfaction_level
from shared.identifiers import new_id
from tests.feedback.given import community_opened, expert_told, offer_published, organization_registered, request_served

SCORES = st.lists(st.integers(0, 100), min_size=1, max_size=30)


def sums(scores):
    return Sums(len(scores), sum(scores), sum(score * score for score in scores))


def test_one_voice_is_held_by_the_prior():
    level = satisfaction_level({"resident": sums([100])})
    assert level.score == round((4 * 70 + 100) / 5, 2) == 76.0
    assert (level.ratings, level.evaluations, level.stars) == (1, 1, None)


def test_an_example_computed_by_hand():
    level = satisfaction_level({"resident": sums([100, 100, 75, 75, 100]), "station": sums([60])})
    resident = (280 + 450) / 9
    station = (280 + 60) / 5
    assert level.score == round((0.5 * resident + 0.25 * station) / 0.75, 2)
    resident_variance = (4 * 625 + 750 + 4 * 5 / 9 * 400) / 81
    station_variance = (4 * 625 + 0 + 4 * 1 / 5 * 100) / 25
    margin = 1.959964 * (0.25 * resident_variance + 0.0625 * station_variance) ** 0.5 / 0.75
    assert (level.low, level.high) == (round(level.score - margin, 2), round(level.score + margin, 2))
    assert (level.stars, level.ratings, level.evaluations) == (round(level.score / 20, 1), 5, 6)


def test_there_is_none_without_evaluations():
    with pytest.raises(ValueError, match="without an evaluation"):
        satisfaction_level({})


@given(st.dictionaries(st.sampled_from(sorted(rules.WEIGHTS)), SCORES, min_size=1))
def test_a_level_lies_within_its_interval(scores):
    level = satisfaction_level({party: sums(given) for party, given in scores.items()})
    assert 0 <= level.low <= level.score <= level.high <= 100
    assert (level.stars is None) == (level.ratings < 5)


@given(SCORES, st.integers(0, 100))
def test_more_of_the_same_narrows_the_interval(scores, score):
    few = satisfaction_level({"resident": sums([score] * len(scores))})
    many = satisfaction_level({"resident": sums([score] * (len(scores) + 20))})
    assert many.high - many.low <= few.high - few.low + 0.02 or few.low == 0 or few.high == 100
    assert abs(many.score - score) <= abs(few.score - score) + 0.01


def test_kept_sums_equal_recomputed_ones(feedback):
    """Whatever is evaluated, in whatever order, and however often it is sent."""
    voice = st.tuples(
        st.sampled_from(["resident", "resident", "station", "expert"]),
        st.integers(0, 1),
        st.sampled_from([None, 0, 1]),
        st.integers(1, 5),
        st.booleans(),
    )

    @settings(max_examples=12, deadline=None)
    @given(st.lists(voice, min_size=1, max_size=8).flatmap(lambda v: st.tuples(st.just(v), st.permutations(v))))
    def check(orders):
        results = [live_through(feedback, voices) for voices in orders]
        residents = [{key: value for key, value in result.items() if key[3] == "resident"} for result in results]
        assert residents[0] == residents[1]

    check()


def live_through(feedback, voices):
    """One community in which these voices speak; returns its sums with the ids replaced by what they stand for."""
    community = new_id()
    organizations = [new_id(), new_id()]
    offers = {(organization, number): new_id() for organization in (0, 1) for number in (0, 1)}
    projects = [new_id(), new_id()]
    requests = [new_id() for _ in voices]
    served = [
        request_served(community, request, organizations[organization], offers.get((organization, offer))).model_copy(
            update={"project": projects[organization] if offer is None else None}
        )
        for request, (_, organization, offer, _, _) in zip(requests, voices, strict=True)
    ]
    feedback.hear(
        community_opened(community),
        expert_told(community, f"expert of {community}"),
        *(organization_registered(community, organization) for organization in organizations),
        *(offer_published(community, organizations[o], offer, f"item-{n}") for (o, n), offer in offers.items()),
        *served,
    )
    told = len(feedback.told())
    counted = 0
    for request, (party, organization, offer, stars, twice) in zip(requests, voices, strict=True):
        for _ in range(1 + twice):
            if party == "resident":
                headers = feedback.as_("resident", community=community, request=request)
                body = {"stars": stars, "purpose": "service"}
                answer = feedback.client.post("/api/feedback/ratings", json=body, headers=headers)
            else:
                body = {"community": community, "organization": organizations[organization], "score": stars * 20}
                if offer is not None:
                    body["offer"] = offers[organization, offer]
                subject = f"expert of {community}" if party == "expert" else None
                headers = feedback.as_(party, community=community, subject=subject)
                answer = feedback.client.post("/api/feedback/evaluations", json=body, headers=headers)
            assert answer.status_code in (201, 409), answer.text
            counted += answer.status_code == 201
    feedback.drain()
    with feedback.session() as session:
        kept = queries.kept(session, community)
        assert kept == queries.recompute(session, community)
    assert sum(value.n for (kind, _, season, _), value in kept.items() if (kind, season) == ("community", "")) == counted

    last = {
        event.subject: event.data for event in feedback.told("fenghe.satisfaction.changed.v1") if event.community == community
    }
    for fact in last.values():
        subject = (fact.kind, fact.of, fact.season or "")
        parties = {party: value for (*of, party), value in kept.items() if tuple(of) == subject}
        level = satisfaction_level(parties)
        assert (fact.score, fact.low, fact.high, fact.stars) == (level.score, level.low, level.high, level.stars)
        assert (fact.ratings, fact.evaluations) == (level.ratings, level.evaluations)
    assert {(fact.kind, fact.of, fact.season or "") for fact in last.values()} == {tuple(of) for *of, _ in kept}
    assert len(feedback.told()) > told
    meaning = {community: "community", **{id: f"organization-{n}" for n, id in enumerate(organizations)}}
    meaning |= {id: f"offer-{o}-{n}" for (o, n), id in offers.items()}
    meaning |= {id: f"project-{n}" for n, id in enumerate(projects)}
    return {(kind, meaning.get(of, of), season, party): value for (kind, of, season, party), value in kept.items()}


def give_ratings(feedback, community, organization, stars):
    requests = [new_id() for _ in stars]
    feedback.hear(*(request_served(community, request, organization) for request in requests))
    for request, given_stars in zip(requests, stars, strict=True):
        headers = feedback.as_("resident", community=community, request=request)
        body = {"stars": given_stars, "purpose": "service"}
        assert feedback.client.post("/api/feedback/ratings", json=body, headers=headers).status_code == 201


def test_scores_appear_from_five_ratings_on(feedback):
    community, organization = new_id(), new_id()
    mine = feedback.as_("organization", community=community, organization=organization)
    station = feedback.as_("station", community=community)
    elsewhere = feedback.as_("station", community=new_id())

    def shown(headers=None, kind="organization"):
        answer = feedback.client.get(
            "/api/feedback/satisfaction", params={"community": community, "kind": kind}, headers=headers
        )
        assert answer.status_code == 200, answer.text
        (entry,) = answer.json()["items"]
        return entry

    def figures():
        return feedback.client.get(f"/api/feedback/communities/{community}/figures").json()

    assert figures() == {"ratings": 0, "evaluations": 0, "satisfaction": None}
    give_ratings(feedback, community, organization, [5, 5, 4, 4])
    for headers in (None, mine, elsewhere):
        hidden = shown(headers)
        assert (hidden["score"], hidden["low"], hidden["high"], hidden["stars"]) == (None, None, None, None)
        assert (hidden["of"], hidden["ratings"]) == (organization, 4)
    seen = shown(station)
    assert (seen["score"], seen["stars"]) == (78.75, None)
    assert figures() == {"ratings": 4, "evaluations": 4, "satisfaction": None}

    give_ratings(feedback, community, organization, [5])
    for headers in (None, mine, station):
        entry = shown(headers)
        assert (entry["score"], entry["stars"], entry["ratings"]) == (81.11, 4.1, 5)
        assert entry["low"] < entry["score"] < entry["high"]
    assert shown(kind="community")["of"] == community
    assert figures() == {"ratings": 5, "evaluations": 5, "satisfaction": 81.1}
    feedback.drain()
    last = [event.data for event in feedback.told("fenghe.satisfaction.changed.v1")][-1]
    assert (last.stars, last.ratings) == (4.1, 5)


def test_one_id_and_rising_sequence_for_a_subject(feedback):
    community, organization = new_id(), new_id()
    give_ratings(feedback, community, organization, [1, 3, 5])
    feedback.drain()
    told = feedback.told("fenghe.satisfaction.changed.v1")
    of_organization = [event for event in told if (event.data.kind, event.data.season) == ("organization", None)]
    assert len({event.subject for event in of_organization}) == 1
    assert [event.sequence for event in of_organization] == [1, 2, 3]
    assert [event.data.evaluations for event in of_organization] == [1, 2, 3]


def test_of_ratings_at_once_the_last_fact_counts_all(feedback):
    community, organization = new_id(), new_id()
    requests = [new_id() for _ in range(12)]
    feedback.hear(
        community_opened(community),
        organization_registered(community, organization),
        expert_told(community, "e-1"),
        *(request_served(community, request, organization) for request in requests),
    )
    together = Barrier(len(requests) + 2)

    def speak(speaker):
        together.wait()
        if speaker in requests:
            headers = feedback.as_("resident", community=community, request=speaker)
            body = {"stars": 1 + requests.index(speaker) % 5, "purpose": "service"}
            return feedback.client.post("/api/feedback/ratings", json=body, headers=headers)
        headers = feedback.as_(speaker, community=community, subject="e-1" if speaker == "expert" else None)
        body = {"community": community, "organization": organization, "score": 60}
        return feedback.client.post("/api/feedback/evaluations", json=body, headers=headers)

    with ThreadPoolExecutor(len(requests) + 2) as threads:
        answers = list(threads.map(speak, [*requests, "station", "expert"]))
    assert {answer.status_code for answer in answers} == {201}
    with feedback.session() as session:
        kept = queries.kept(session, community)
        assert kept == queries.recompute(session, community)
    of_all_time = [e for e in feedback.told("fenghe.satisfaction.changed.v1") if e.data.season is None]
    told = [e for e in of_all_time if e.data.kind == "organization"]
    told.sort(key=lambda event: event.sequence)
    assert [event.data.evaluations for event in told] == list(range(1, 15))
    parties = {party: value for (kind, _, season, party), value in kept.items() if (kind, season) == ("organization", "")}
    level = satisfaction_level(parties)
    assert (told[-1].data.score, told[-1].data.ratings, told[-1].data.stars) == (level.score, 12, level.stars)


def test_the_method_is_published(feedback):
    method = feedback.client.get("/api/feedback/method").json()
    assert method["weights"] == {"resident": 0.5, "expert": 0.25, "station": 0.25}
    assert (method["prior_mean"], method["prior_strength"], method["ratings_floor"]) == (70, 4, 5)
    assert method["description"]["zh"]
    assert method["description"]["en"]
    assert method["formula"]
    assert any("Efron" in source["reference"] for source in method["sources"])
