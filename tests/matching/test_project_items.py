"""What a project asks for goes with the requests inside: whoever claims it has an agreement for that."""

from __future__ import annotations

from datetime import date

from services.matching.gathering import Unmatched, suggest
from tests.matching.given import CHOIR, LEAK, PESTS, PLUMBING
from tests.matching.test_projects import carriers, problem


def mixed(matching, town, desk):
    """A proposed project of two requests for plumbing and one for pest control, and the ids of these."""
    town.open_with(matching)
    requests = [town.submit(matching, text=text)["id"] for text in (LEAK, LEAK, "家里有蟑螂")]
    return desk.propose(items=[PLUMBING, PESTS], requests=requests)["id"], requests


def test_a_project_that_is_split_leaves_each_part_the_items_of_its_own_requests(matching, town, desk):
    project, (_, second, pests) = mixed(matching, town, desk)
    split = {"requests": [pests], "title_zh": "除虫", "title_en": "Pests"}
    other = desk.done(f"projects/{project}/splitting", split)
    assert (other["items"], desk.project(project)["items"]) == ([PESTS], [PLUMBING])
    # What both of them need stays with both.
    third = desk.done(f"projects/{project}/splitting", split | {"requests": [second]})
    assert (third["items"], desk.project(project)["items"]) == ([PLUMBING], [PLUMBING])
    # Who may serve the one has no claim to the other.
    matching.hear(town.organization("甲"), town.agreement("甲", PESTS))
    for one in (project, other["id"]):
        desk.done(f"projects/{one}/opening")
    desk.meet(project, other["id"])
    assert problem(desk.claim("甲", project)) == (409, "agreement-missing")
    assert desk.claim("甲", other["id"]).status_code == 200


def test_what_is_added_is_the_projects_concern_too(matching, town, desk):
    town.open_with(matching)
    leak, pests = (town.submit(matching, text=text)["id"] for text in (LEAK, "家里有蟑螂"))
    project = desk.propose(requests=[leak])["id"]
    assert desk.done(f"projects/{project}/requests", {"add": [pests]})["items"] == [PLUMBING, PESTS]
    # One that asks for no item in particular goes on doing so.
    late = town.submit(matching)["id"]
    anything = desk.propose(items=[], requests=[])["id"]
    assert desk.done(f"projects/{anything}/requests", {"add": [late]})["items"] == []


def test_the_station_edits_what_a_project_asks_for(matching, town, desk):
    project, _ = mixed(matching, town, desk)
    changed = desk.done(f"projects/{project}", {"items": [PESTS]}, method="PATCH")
    assert changed["items"] == [PESTS]
    assert problem(desk.ask(f"projects/{project}", {"items": ["flying-carpets"]}, method="PATCH")) == (422, "item-unknown")
    assert problem(desk.ask(f"projects/{project}", {"items": None}, method="PATCH")) == (422, "invalid")
    assert desk.project(project)["items"] == [PESTS]
    carriers(matching, town, "甲")
    desk.done(f"projects/{project}/opening")
    desk.assigned(project, "甲")
    assert problem(desk.ask(f"projects/{project}", {"items": [CHOIR]}, method="PATCH")) == (409, "project-assigned")


def test_what_is_said_of_a_suggestion_stays_true_when_requests_come_and_go():
    some = [Unmatched(f"r{n}", PLUMBING, "housing", frozenset({f"r{n}"}), LEAK) for n in range(3)]
    (one,) = suggest("here", some, {PLUMBING: ("水电维修", "Plumbing")}, date(2026, 11, 25))
    assert (one.scope_zh, one.scope_en) == ("为提出“水电维修”需求的居民提供服务。", "For the residents who asked for plumbing.")
    assert one.beneficiaries == 3
