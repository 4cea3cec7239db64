"""Beneficiaries are counted without duplicates, as far as it is known whose requests they are."""

from __future__ import annotations

import pytest

from shared.events.matching import ProjectChanged
from tests.matching.given import LEAK, PESTS, PLUMBING, REQUESTS, holder

PIPE = "卫生间的水管也漏水，想修一修"


def suggested(desk, town):
    (suggestion,) = desk.ask(f"project-suggestions?community={town.community}", method="GET").json()
    return suggestion


def submitted(matching, town, headers, **terms):
    answer = matching.client.post(REQUESTS, json=town.body(**terms), headers=headers)
    matching.drain()
    return answer


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def test_a_resident_who_asks_again_with_the_link_of_an_earlier_request_counts_once(matching, town, desk):
    town.open_with(matching)
    first, other = town.submit(matching), town.submit(matching)
    again = submitted(matching, town, holder(first), text=PIPE)
    assert again.status_code == 201, again.text
    # The third is known by the second's link; it is the first's resident all the same.
    third = submitted(matching, town, holder(again.json()), text=LEAK, asked_before=again.json()["id"])
    assert third.status_code == 201, third.text
    suggestion = suggested(desk, town)
    assert (len(suggestion["requests"]), suggestion["beneficiaries"]) == (4, 2)
    project = desk.done("projects", suggestion)
    assert (len(project["requests"]), project["beneficiaries"]) == (4, 2)
    desk.done(f"projects/{project['id']}/requests", {"remove": [other["id"]]})
    assert desk.project(project["id"])["beneficiaries"] == 1


def test_the_station_says_that_it_writes_down_a_further_request_of_the_same_household(matching, town, desk):
    town.open_with(matching)
    first = submitted(matching, town, desk.station, intake="paper").json()
    again = submitted(matching, town, desk.station, intake="phone", text=PIPE, asked_before=first["id"])
    assert again.status_code == 201, again.text
    assert suggested(desk, town)["beneficiaries"] == 1


def test_who_follows_several_requests_counts_once_among_those_that_were_merged(matching, town, desk):
    town.open_with(matching)
    first, second = town.submit(matching), town.submit(matching)
    for into in (first, second):
        follower = submitted(matching, town, holder(first), text=LEAK).json()
        assert desk.do(follower, "merging", {"into": into["id"]}, station=True).status_code == 200
    follower = submitted(matching, town, holder(second), text=LEAK).json()
    desk.do(follower, "merging", {"into": first["id"]}, station=True)
    stranger = town.submit(matching)
    desk.do(stranger, "merging", {"into": second["id"]}, station=True)
    suggestion = suggested(desk, town)
    assert (sorted(suggestion["requests"]), suggestion["beneficiaries"]) == (sorted([first["id"], second["id"]]), 3)
    project = desk.done("projects", suggestion)
    assert project["beneficiaries"] == 3
    assert desk.do(stranger, "withdrawal").status_code == 200
    assert desk.project(project["id"])["beneficiaries"] == 2


def test_whose_earlier_request_it_was_is_proved_or_said_by_the_station(matching, town, desk):
    town.open_with(matching)
    first, other = town.submit(matching), town.submit(matching)
    named = {"asked_before": first["id"]}
    assert problem(submitted(matching, town, {}, **named)) == (403, "forbidden")
    assert problem(submitted(matching, town, holder(other), **named)) == (403, "forbidden")
    elsewhere = matching.as_("station", community="another")
    assert problem(submitted(matching, town, elsewhere, **named)) == (403, "forbidden")
    unknown = submitted(matching, town, desk.station, asked_before="nobody")
    assert (unknown.status_code, [one["field"] for one in unknown.json()["errors"]]) == (422, ["asked_before"])
    assert suggested(desk, town)["beneficiaries"] == 2


def test_a_link_from_another_community_says_nothing(matching, town, desk):
    town.open_with(matching)
    link = matching.as_("resident", community="another", request="elsewhere")
    assert submitted(matching, town, link).status_code == 201
    assert submitted(matching, town, link).status_code == 201
    assert suggested(desk, town)["beneficiaries"] == 2


@pytest.fixture
def delivered(matching, town, desk):
    """A delivered project of three requests, one of which another follows: the requests, the follower, the project's id."""
    town.open_with(matching)
    matching.hear(town.organization("甲"), town.agreement("甲", PLUMBING, PESTS))
    requests = [town.submit(matching) for _ in range(3)]
    follower = town.submit(matching)
    desk.do(follower, "merging", {"into": requests[0]["id"]}, station=True)
    project = desk.opened()
    desk.assigned(project, "甲")
    desk.done(f"projects/{project}/delivery", of="甲")
    assert desk.project(project)["beneficiaries"] == 4
    return requests, follower, project


def test_who_disputes_is_no_beneficiary_of_a_delivered_project_and_is_one_again_where_that_is_rejected(desk, delivered):
    (first, second, _), _, project = delivered
    told = len(desk.told())
    assert desk.do(first, "dispute").status_code == 200
    assert desk.told()[told:] == ["request.disputed", "project.changed"]
    # Whoever followed the first was served all the same.
    assert desk.project(project)["beneficiaries"] == 3
    assert desk.do(second, "closing").status_code == 200
    assert desk.project(project)["beneficiaries"] == 3, "who is content and closes it was reached"
    told = len(desk.told())
    assert desk.do(first, "dispute-rejection", {"reason": "看过了"}, station=True).status_code == 200
    assert desk.told()[told:] == ["request.dispute-rejected", "project.changed"]
    assert desk.project(project)["beneficiaries"] == 4


def test_what_is_opened_again_out_of_a_delivered_project_is_counted_where_it_is_served(matching, town, desk, delivered):
    (first, *_), follower, project = delivered
    matching.hear(*town.member("乙"))
    desk.do(first, "dispute")
    assert desk.do(first, "reopening", station=True).status_code == 200
    assert desk.project(project)["beneficiaries"] == 3
    # The request it followed has left the project; it is known all the same with which one it was served.
    desk.do(follower, "dispute")
    assert desk.project(project)["beneficiaries"] == 2
    desk.do(follower, "reopening", station=True)
    for request in (first, follower):
        desk.decide(request["id"], "acceptance")
        desk.decide(request["id"], "delivery")
    assert (desk.seen(first["id"])["status"], desk.project(project)["beneficiaries"]) == ("served", 2)
    # Who is not content with the second service either was none of the project's any more.
    told = len(desk.told())
    desk.do(first, "dispute")
    assert desk.told()[told:] == ["request.disputed"]
    assert [event.data.beneficiaries for event in matching.told(ProjectChanged)[-2:]] == [3, 2]


def test_a_household_that_was_served_twice_and_disputes_once_was_reached(matching, town, desk):
    town.open_with(matching)
    matching.hear(town.organization("甲"), town.agreement("甲", PLUMBING, PESTS))
    first = town.submit(matching)
    again = submitted(matching, town, holder(first), text=PIPE).json()
    project = desk.opened()
    desk.assigned(project, "甲")
    desk.done(f"projects/{project}/delivery", of="甲")
    told = len(desk.told())
    desk.do(again, "dispute")
    assert desk.told()[told:] == ["request.disputed"]
    assert desk.project(project)["beneficiaries"] == 1
