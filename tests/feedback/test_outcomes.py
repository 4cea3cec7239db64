"""Outcomes: what was done for residents, counted from facts that may come in any order and more than once."""

from __future__ import annotations

import random
from datetime import UTC, datetime
from types import SimpleNamespace

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.events.matching import (
    ProjectAssigned,
    ProjectChanged,
    ProjectEvaluated,
    RequestClosed,
    RequestDisputed,
    RequestMatched,
    RequestMerged,
    RequestReopened,
)
from shared.events.registry import ActivityAnnounced, ActivityCancelled, ActivityHeld
from shared.identifiers import new_id
from tests.feedback.given import (
    SERVED_AT,
    activity_told,
    community_opened,
    organization_registered,
    project_told,
    request_served,
    request_told,
    taxonomy_published,
)

SUMMER = datetime(2026, 7, 10, 3, 0, tzinfo=UTC)


def followed(community, request, organization, into, offer="offer"):
    """A request that was served with the one it follows; in a project there is no offer."""
    return request_served(community, request, organization, offer).model_copy(update={"merged_into": into})


class Year:
    """What happened in a community, fact by fact."""

    def __init__(self):
        self.community, self.team, self.club = new_id(), new_id(), new_id()
        requests = [new_id() for _ in range(7)]
        dance, cancelled, announced = new_id(), new_id(), new_id()
        bathing, unfinished = new_id(), new_id()
        served = request_served(self.community, requests[0], self.team)
        gathered = request_served(self.community, requests[3], self.team)
        gathered = gathered.model_copy(update={"project": bathing})
        merged = [
            fact
            for follower in requests[4:6]
            for fact in (
                request_told(RequestMerged, self.community, follower, merged_into=requests[0]),
                followed(self.community, follower, self.team, requests[0]),
            )
        ]
        inside = followed(self.community, requests[6], self.team, requests[3], offer=None)
        self.facts = [
            community_opened(self.community),
            taxonomy_published(self.community, "meal-service"),
            organization_registered(self.community, self.team, "mutual-aid"),
            organization_registered(self.community, self.club, "culture"),
            request_told(RequestMatched, self.community, requests[0], organization=self.team),
            served.model_copy(update={"supporters": 3}),
            RequestClosed(**served.model_copy(update={"supporters": 3, "status": "closed"}).model_dump()),
            request_served(self.community, requests[1], self.team, served_at=SUMMER),
            request_served(self.community, requests[2], self.team),
            request_told(RequestReopened, self.community, requests[2], status="classified", organization=self.team),
            gathered,
            *merged,
            inside,
            activity_told(self.community, dance, self.club, ActivityAnnounced),
            activity_told(self.community, dance, self.club, ActivityHeld, beneficiaries=40),
            activity_told(self.community, cancelled, self.club, ActivityAnnounced),
            activity_told(self.community, cancelled, self.club, ActivityCancelled),
            activity_told(self.community, announced, self.club, ActivityAnnounced),
            project_told(self.community, bathing, self.team, ProjectAssigned),
            project_told(self.community, bathing, self.team),
            project_told(self.community, bathing, self.team, ProjectEvaluated),
            project_told(self.community, unfinished, self.team, ProjectAssigned),
        ]


def read(feedback, year, by="category", **query):
    params = {"community": year.community, "by": by} | query
    answer = feedback.client.get("/api/feedback/outcomes", params=params)
    assert answer.status_code == 200, answer.text
    outcomes = answer.json()
    figures = ("activities", "requests", "projects", "beneficiaries")
    rows = {row["key"]: tuple(row[name] for name in figures) for row in outcomes["rows"]}
    return rows, tuple(outcomes["total"][name] for name in figures)


def test_outcomes_by_every_heading(feedback):
    year = Year()
    feedback.hear(*year.facts)
    # 3 who asked for one thing, 1 in summer, 12 in the project, 40 at the dance.
    total = (1, 3, 1, 56)
    assert read(feedback, year) == ({"elderly": (0, 3, 1, 16), "leisure": (1, 0, 0, 40)}, total)
    by_class, whole = read(feedback, year, "class")
    assert list(by_class) == ["public-welfare", "harmony", "culture", "emergency", "mutual-aid"]
    assert (by_class["mutual-aid"], by_class["culture"], by_class["harmony"]) == ((0, 3, 1, 16), (1, 0, 0, 40), (0, 0, 0, 0))
    assert whole == total
    assert read(feedback, year, "organization") == ({year.team: (0, 3, 1, 16), year.club: (1, 0, 0, 40)}, total)
    assert read(feedback, year, "season") == ({"2026-Q3": (0, 1, 0, 1), "2026-Q4": (1, 2, 1, 55)}, total)
    assert read(feedback, year, season="2026-Q3")[1] == (0, 1, 0, 1)
    names = feedback.client.get("/api/feedback/outcomes", params={"community": year.community, "by": "class"}).json()
    assert (names["rows"][4]["name_zh"], names["rows"][4]["name_en"]) == ("互助类", "Mutual aid")
    assert (
        feedback.client.get("/api/feedback/outcomes", params={"community": year.community, "by": "colour"}).status_code == 422
    )


def test_what_has_no_category_has_a_row_of_its_own_and_the_rows_add_up(feedback):
    community, team = new_id(), new_id()
    first, second = new_id(), new_id()
    year = SimpleNamespace(community=community)
    feedback.hear(
        community_opened(community),
        taxonomy_published(community, "meal-service"),
        organization_registered(community, team, "mutual-aid"),
        request_served(community, first, team, "offer"),
    )
    assert list(read(feedback, year)[0]) == ["elderly"]
    # Nobody could tell what the second asks for, until the station found that it asks for the same as the first; and a
    # project for whatever was left over is of no one category.
    feedback.hear(
        followed(community, second, team, first).model_copy(update={"category": None, "item": None}),
        project_told(community, new_id(), team, category=None, beneficiaries=5),
    )
    rows, total = read(feedback, year)
    assert rows == {"elderly": (0, 1, 0, 1), None: (0, 0, 1, 6)}
    assert total == (0, 1, 1, 7) == tuple(sum(column) for column in zip(*rows.values(), strict=True))
    assert list(read(feedback, year, "organization")[0]) == [team]
    last = feedback.client.get("/api/feedback/outcomes", params={"community": community}).json()["rows"][-1]
    assert (last["key"], last["name_zh"], last["name_en"]) == (None, "没有类别", "No category")


def test_any_order_and_any_repetition_give_the_same_outcomes(feedback):
    @settings(max_examples=6, deadline=None)
    @given(st.integers(0, 2**32))
    def check(seed):
        year = Year()
        events = [feedback.event(fact) for fact in year.facts]
        shuffled = events * 2
        random.Random(seed).shuffle(shuffled)
        feedback.deliver(shuffled)
        assert read(feedback, year, "season") == ({"2026-Q3": (0, 1, 0, 1), "2026-Q4": (1, 2, 1, 55)}, (1, 3, 1, 56))
        assert read(feedback, year, "class")[0]["mutual-aid"] == (0, 3, 1, 16)

    check()
    assert feedback.dead_letters() == []


def test_another_communitys_outcomes_do_not_cross_over(feedback):
    here, there = Year(), Year()
    feedback.hear(*here.facts, *there.facts)
    assert read(feedback, here)[1] == read(feedback, there)[1] == (1, 3, 1, 56)
    assert set(read(feedback, here, "organization")[0]) == {here.team, here.club}


def test_whoever_disputes_is_not_reached_and_whoever_was_served_with_them_is(feedback):
    community, team, other = new_id(), new_id(), new_id()
    first, second, third = (new_id() for _ in range(3))
    feedback.hear(
        community_opened(community),
        taxonomy_published(community, "meal-service"),
        *(organization_registered(community, one) for one in (team, other)),
        request_served(community, first, team).model_copy(update={"supporters": 3}),
        *(followed(community, one, team, first) for one in (second, third)),
    )
    year = SimpleNamespace(community=community)
    assert read(feedback, year)[1] == (0, 1, 0, 3)
    # The first is not content: it is opened again, and counted once another has served it; the other two were reached.
    feedback.hear(request_told(RequestDisputed, community, first, organization=team, served_at=SUMMER), sequence=2)
    assert read(feedback, year)[1] == (0, 0, 0, 2)
    # One of those who followed disputes, too, and is served by itself; nobody is counted twice.
    feedback.hear(request_told(RequestReopened, community, second, status="classified"), sequence=2)
    assert read(feedback, year)[1] == (0, 0, 0, 1)
    for again in (first, second):
        feedback.hear(request_served(community, again, other), sequence=3)
    assert read(feedback, year)[1] == (0, 2, 0, 3)


def test_who_leaves_a_delivered_project_is_counted_where_it_is_served_again(feedback):
    community, team, other, bathing, first = (new_id() for _ in range(5))
    feedback.hear(
        community_opened(community),
        taxonomy_published(community, "meal-service"),
        *(organization_registered(community, one) for one in (team, other)),
        project_told(community, bathing, team),
        request_served(community, first, team).model_copy(update={"project": bathing}),
    )
    year = SimpleNamespace(community=community)
    assert read(feedback, year)[1] == (0, 1, 1, 12)
    changed = project_told(
        community, bathing, team, ProjectChanged, status="delivered", delivered_at=SERVED_AT, beneficiaries=11
    )
    feedback.hear(request_told(RequestReopened, community, first, status="classified"), changed, sequence=2)
    assert read(feedback, year)[1] == (0, 0, 1, 11)
    feedback.hear(request_served(community, first, other, "offer"), sequence=3)
    assert read(feedback, year)[1] == (0, 1, 1, 12)
