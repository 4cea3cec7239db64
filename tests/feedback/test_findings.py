"""The residents' voice in the findings of a session: those who were served and rated, and the body's members, each once."""

from __future__ import annotations

from shared.identifiers import new_id
from tests.feedback.given import request_served
from tests.feedback.town import CRITERIA, FINDINGS


def rate(feedback, town, stars, *requests):
    for request in requests:
        feedback.hear(request_served(town.community, request, town.organization))
        assert town.post("ratings", {"stars": stars}, "resident", request=request).status_code == 201


def residents(town, session):
    published = town.post(f"sessions/{session}/publication", FINDINGS)
    assert published.status_code == 200, published.text
    (finding,) = [finding for finding in published.json()["findings"] if finding["party"] == "resident"]
    return finding["scores"], finding["mean"]


def test_a_resident_of_the_body_who_rated_what_was_served_speaks_once(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    assert town.post("ratings", {"stars": 1}, "resident", request=town.request).status_code == 201
    rate(feedback, town, 5, *(new_id() for _ in range(5)))
    town.score_by_all(session)
    assert residents(town, session) == (6, round((78 + 5 * 100) / 6, 2)), "the score stands in the place of the rating"


def test_a_resident_of_the_body_who_gave_no_score_is_heard_by_the_rating(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    assert town.post("ratings", {"stars": 1}, "resident", request=town.request).status_code == 201
    rate(feedback, town, 5, *(new_id() for _ in range(4)))
    for who in ({"role": "station"}, {"role": "expert", "subject": town.expert}):
        assert town.score(session, criteria=CRITERIA, **who).status_code == 201
    assert residents(town, session) == (5, 80)


def test_ratings_that_are_too_few_without_the_members_own_stay_hidden(feedback, town):
    town.appoint()
    session = town.open().json()["id"]
    assert town.post("ratings", {"stars": 1}, "resident", request=town.request).status_code == 201
    rate(feedback, town, 5, *(new_id() for _ in range(4)))
    town.score_by_all(session)
    assert residents(town, session) == (1, 78)
