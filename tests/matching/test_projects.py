"""Needs nobody serves are gathered into projects, and follow their fate; their residents are told of every step."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from services.matching.duplicates import ALIKE, Compared, alike
from services.matching.gathering import FEW, KINDS, Unmatched, kind_of, suggest
from services.matching.models import Project, Request
from services.matching.rules import PROJECT
from shared.clock import civil_date
from shared.events.feedback import EvaluationSessionPublished
from shared.events.matching import (
    ProjectClosed,
    ProjectOverdue,
    ProjectProposed,
    ProjectReopened,
    RequestAccepted,
    RequestServed,
)
from shared.identifiers import new_id
from tests.matching.given import CHOIR, GIBBERISH, LEAK, PESTS, PLUMBING, holder


def problem(answer):
    return answer.status_code, answer.json()["type"].rpartition(":")[2]


def unmatched(matching, town, count=3, text=LEAK):
    """Requests nobody can serve."""
    return [town.submit(matching, text=text) for _ in range(count)]


def statuses(matching):
    return sorted(row.status for row in matching.rows(Request))


def carriers(matching, town, *names):
    """Organizations with an agreement but nothing on the menu: they serve no request, and may claim projects."""
    for name in names:
        matching.hear(town.organization(name), town.agreement(name, PLUMBING, PESTS))


def carried(matching, town, desk, *names):
    """A project of three requests that is assigned to the first of these organizations; the others might carry it, too."""
    town.open_with(matching)
    carriers(matching, town, *names)
    unmatched(matching, town)
    project = desk.opened()
    desk.assigned(project, names[0])
    return project


def test_there_are_ten_kinds_and_every_category_has_one():
    assert len(KINDS) == 10
    categories = [category for _, some in KINDS.values() for category in some]
    assert len(categories) == len(set(categories)) == 12
    assert kind_of("elderly") == "elderly-care"
    assert kind_of("rights") == "legal-aid"
    assert kind_of("no-such-category") in KINDS


def test_unmatched_requests_are_suggested_and_a_suggestion_becomes_a_project(matching, town, desk):
    town.open_with(matching)
    requests = unmatched(matching, town, 3)
    desk.do(requests[1], "merging", {"into": requests[0]["id"]}, station=True)
    town.submit(matching, text=GIBBERISH)
    town.submit(matching, text="家里有蟑螂")
    (suggestion,) = desk.ask(f"project-suggestions?community={town.community}", method="GET").json()
    assert (suggestion["kind"], suggestion["items"]) == ("housekeeping", [PLUMBING])
    # Two requests inside, three residents who asked: the merged one is counted, and counted once.
    assert sorted(suggestion["requests"]) == sorted([requests[0]["id"], requests[2]["id"]])
    assert suggestion["beneficiaries"] == 3
    assert suggestion["deadline"] == str(civil_date(datetime.now(UTC)) + timedelta(days=60))
    project = desk.done("projects", suggestion)
    assert (project["status"], project["beneficiaries"]) == ("proposed", 3)
    assert (project["fee_mode"], project["deadline"]) == ("free", suggestion["deadline"])
    assert desk.ask(f"project-suggestions?community={town.community}", method="GET").json() == []
    assert desk.told()[-3:] == ["request.gathered", "request.gathered", "project.proposed"]
    (told,) = matching.told(ProjectProposed)
    assert set(told.data.requests) == {requests[0]["id"], requests[2]["id"]}
    assert desk.seen(requests[0]["id"])["project"] == project["id"]
    # What is gathered waits for its project, whoever comes along meanwhile.
    matching.hear(*town.member("甲"))
    assert desk.seen(requests[0]["id"])["status"] == "gathered"


def test_a_single_request_that_says_much_the_same_is_suggested_with_them():
    def one(request, item, text, category="housing"):
        return Unmatched(request, item, category, frozenset({request}), text)

    names = {PLUMBING: ("水电维修", "Plumbing"), PESTS: ("除虫灭鼠", "Pest control"), CHOIR: ("合唱", "Choir")}
    some = [one("a", PLUMBING, LEAK), one("b", PLUMBING, "马桶堵了"), one("c", PESTS, LEAK + "，还有虫子")]
    alone = one("d", CHOIR, "想加入合唱团唱歌", "leisure")
    today = date(2026, 11, 25)
    (together,) = suggest("here", [*some, alone], names, today)
    assert (together.items, together.requests, together.beneficiaries) == ([PLUMBING, PESTS], ["a", "b", "c"], 3)
    assert together.title_zh == "水电维修、除虫灭鼠项目"
    assert (together.category, together.deadline) == ("housing", date(2027, 1, 24))
    # Two of different items, alone each, that say the same.
    (pair,) = suggest("here", [some[0], some[2], alone], names, today)
    assert pair.requests == ["a", "c"]
    assert suggest("here", [some[0], alone], names, today) == []


def test_a_few_requests_most_of_which_say_the_same_as_others_are_suggested_with_them():
    def group(item, *texts):
        return [Unmatched(f"{item}-{n}", item, "housing", frozenset({f"{item}-{n}"}), text) for n, text in enumerate(texts)]

    today = date(2026, 11, 25)
    leaks = group(PLUMBING, LEAK, LEAK + "，急", "厨房的" + LEAK)
    same = group(PESTS, LEAK + "，引来了虫子", "厨房" + LEAK + "，有虫子")
    (together,) = suggest("here", [*same, *leaks], {}, today)
    assert (together.items, together.beneficiaries) == ([PLUMBING, PESTS], 5)
    # Half of them alone stand for themselves.
    half = [same[0], *group(PESTS + "x", "蟑螂太多了")]
    half = [Unmatched(f"h{n}", PESTS, "housing", one.residents, one.text) for n, one in enumerate(half)]
    assert [one.items for one in suggest("here", [*half, *leaks], {}, today)] == [[PLUMBING], [PESTS]]


def test_larger_groups_that_say_the_same_are_suggested_together():
    def group(item, *texts):
        return [Unmatched(f"{item}-{n}", item, "housing", frozenset({f"{item}-{n}"}), text) for n, text in enumerate(texts)]

    today = date(2026, 11, 25)
    floors = [f"{floor}楼" for floor in "一二三四五六七八九"]
    assert len(floors) > FEW
    leaks = group(PLUMBING, *(f"{floor}{LEAK}" for floor in floors))
    same = group(PESTS, *(f"{floor}的{LEAK}，急" for floor in floors[1:]))
    (together,) = suggest("here", [*same, *leaks], {}, today)
    assert (together.items, together.beneficiaries) == ([PLUMBING, PESTS], 17)
    # What is more like itself than like the others is something else, however many words they share.
    pests = group(PESTS, *(f"{floor}{LEAK}的地方有蟑螂，请来灭一灭蟑螂，家里到处是蟑螂" for floor in floors))
    assert [one.items for one in suggest("here", [*pests, *leaks], {}, today)] == [[PESTS], [PLUMBING]]


def test_what_comes_later_may_join_what_is_proposed(matching, town, desk):
    town.open_with(matching)
    unmatched(matching, town, 2)
    (suggestion,) = desk.ask(f"project-suggestions?community={town.community}", method="GET").json()
    assert suggestion["joins"] is None
    project = desk.done("projects", suggestion)
    (late,) = unmatched(matching, town, 1)
    (suggestion,) = desk.ask(f"project-suggestions?community={town.community}", method="GET").json()
    assert (suggestion["joins"], suggestion["requests"]) == (project["id"], [late["id"]])
    added = desk.done(f"projects/{suggestion['joins']}/requests", {"add": suggestion["requests"]})
    assert added["beneficiaries"] == 3
    unmatched(matching, town, 1)
    (suggestion,) = desk.ask(f"project-suggestions?community={town.community}", method="GET").json()
    assert desk.done("projects", suggestion)["beneficiaries"] == 1, "sent back as it is, it is a project of its own"


def test_texts_are_as_like_each_other_however_they_are_compared():
    texts = [LEAK, LEAK + "，急", "厨房的" + LEAK, "蟑螂太多了", "想唱歌", "", "our tap is leaking", "the tap leaks"]
    nearest = Compared(texts).nearest(range(len(texts)), len(texts))
    for place, text in enumerate(texts):
        others = {n: cosine for n, cosine in alike(text, texts) if n != place}
        assert {n: cosine for n, cosine in enumerate(nearest[place]) if cosine >= ALIKE} == pytest.approx(others, abs=2e-4)
        assert nearest[place][place] == 0
    grouped = Compared(texts).nearest([0, 0, 0, 1, 1, 1, 2, 2], 3)
    assert grouped[0].tolist() == [nearest[0][:3].max(), nearest[0][3:6].max(), nearest[0][6:].max()]


def test_the_station_edits_merges_splits_and_opens(matching, town, desk):
    town.open_with(matching)
    requests = unmatched(matching, town, 4)
    project = desk.propose(requests=[request["id"] for request in requests[:3]])
    edited = {"title_zh": "水电便民", "fee_mode": "low", "price": "5.00", "budget": "900.00", "deadline": "2030-01-01"}
    changed = desk.done(f"projects/{project['id']}", edited, method="PATCH")
    assert {name: changed[name] for name in edited} == edited
    split = {"requests": [requests[2]["id"]], "title_zh": "另一个", "title_en": "Another"}
    other = desk.done(f"projects/{project['id']}/splitting", split)
    assert (other["beneficiaries"], desk.project(project["id"])["beneficiaries"]) == (1, 2)
    desk.done(f"projects/{other['id']}/requests", {"add": [requests[3]["id"]]})
    merged = desk.done(f"projects/{other['id']}/merging", {"into": project["id"]})
    assert (merged["id"], merged["beneficiaries"]) == (project["id"], 4)
    assert desk.project(other["id"])["merged_into"] == project["id"]
    left = desk.done(f"projects/{project['id']}/requests", {"remove": [requests[0]["id"]]})
    assert left["beneficiaries"] == 3
    assert desk.seen(requests[0]["id"])["status"] == "unmatched"
    assert desk.done(f"projects/{project['id']}/opening")["status"] == "opened"
    assert desk.told()[-3:] == ["project.changed", "request.released", "project.opened"] or desk.told()[-1] == "project.opened"
    answer = desk.ask(f"projects/{project['id']}/requests", {"add": [requests[0]["id"]]})
    assert problem(answer) == (409, "project-opened")


def test_proposed_projects_are_the_stations_and_opened_ones_everybodys(matching, town, desk):
    town.open_with(matching)
    unmatched(matching, town)
    project = desk.propose()["id"]
    path = f"/api/matching/projects/{project}"
    assert problem(matching.client.get(path)) == (403, "forbidden")
    listed = f"/api/matching/projects?community={town.community}"
    assert matching.client.get(listed).json()["items"] == []
    assert len(matching.client.get(listed, headers=desk.station).json()["items"]) == 1
    desk.done(f"projects/{project}/opening")
    seen = matching.client.get(path).json()
    assert (seen["beneficiaries"], seen["requests"], seen["claims"]) == (3, [], [])


def test_requests_follow_their_project_to_the_end(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    requests = unmatched(matching, town)
    desk.do(requests[2], "merging", {"into": requests[0]["id"]}, station=True)
    project = desk.opened()
    desk.assigned(project, "甲")
    assert desk.project(project)["organization"] == town.id_of("甲")
    assert statuses(matching) == ["accepted"] * 3
    assert {event.data.organization for event in matching.told(RequestAccepted)} == {town.id_of("甲")}
    assert problem(desk.ask(f"projects/{project}/delivery", of="乙")) == (403, "forbidden")
    assert desk.done(f"projects/{project}/delivery", of="甲")["status"] == "delivered"
    assert statuses(matching) == ["served"] * 3
    assert len(matching.told(RequestServed)) == 3
    published = EvaluationSessionPublished(
        community=town.community,
        session=new_id(),
        body=new_id(),
        organization=town.id_of("甲"),
        project=project,
        season="2026-Q4",
        status="published",
        opened_at=datetime.now(UTC),
        published_at=datetime.now(UTC),
        score=90,
    )
    matching.hear(published, published.model_copy(update={"session": new_id()}))
    assert desk.project(project)["status"] == "evaluated"
    assert desk.told().count("project.evaluated") == 1
    assert desk.done(f"projects/{project}/closing", {"reason": "办好了"})["status"] == "closed"
    assert statuses(matching) == ["served"] * 3
    # One of them was not content, and goes its own way.
    desk.do(requests[0], "dispute")
    reopened = desk.do(requests[0], "reopening", station=True).json()
    assert (reopened["status"], reopened["project"]) == ("unmatched", None)


def test_closed_unclaimed_it_gives_its_requests_back(matching, town, desk):
    town.open_with(matching)
    unmatched(matching, town)
    project = desk.opened()
    matching.hear(*town.member("甲"))
    assert desk.done(f"projects/{project}/closing", {"reason": "没有组织认领"})["reason"] == "没有组织认领"
    # They are released, and somebody can serve them by now.
    assert statuses(matching) == ["matched"] * 3
    (told,) = matching.told(ProjectClosed)
    assert "没有组织认领" not in told.data.model_dump_json()
    assert desk.told().count("request.released") == 3


def test_an_assigned_project_is_taken_back_and_assigned_to_another(matching, town, desk):
    project = carried(matching, town, desk, "甲", "乙")
    assert desk.done(f"projects/{project}/reopening", {"reason": "甲队解散"})["status"] == "opened"
    assert statuses(matching) == ["gathered"] * 3
    desk.assigned(project, "乙")
    assert desk.project(project)["organization"] == town.id_of("乙")
    assert statuses(matching) == ["accepted"] * 3


def test_what_was_assigned_to_an_organization_that_goes_is_open_to_others(matching, town, desk):
    project = carried(matching, town, desk, "甲", "乙")
    # Suspended it may come back; the station decides.
    matching.hear(town.suspended("甲"))
    assert desk.project(project)["status"] == "assigned"
    matching.hear(town.left("甲"))
    seen = desk.project(project)
    assert (seen["status"], seen["organization"], seen["beneficiaries"]) == ("opened", None, 3)
    assert "退出" in seen["reason"]
    assert statuses(matching) == ["gathered"] * 3
    (told,) = matching.told(ProjectReopened)
    assert told.data.relieved == town.id_of("甲")
    assert problem(desk.ask(f"projects/{project}/delivery", of="甲"))[0] in (403, 409)
    desk.assigned(project, "乙")
    assert statuses(matching) == ["accepted"] * 3


def test_a_closed_project_is_reopened_with_what_still_waits(matching, town, desk):
    town.open_with(matching)
    requests = unmatched(matching, town)
    project = desk.opened()
    desk.done(f"projects/{project}/closing", {"reason": "再等等"})
    desk.do(requests[0], "withdrawal")
    again = desk.done(f"projects/{project}/reopening", {"reason": "可以了"})
    assert (again["status"], again["beneficiaries"]) == ("opened", 2)
    assert statuses(matching) == ["gathered", "gathered", "withdrawn"]


def test_a_withdrawn_or_merged_request_is_counted_out_of_its_project(matching, town, desk):
    town.open_with(matching)
    requests = unmatched(matching, town)
    project = desk.opened()
    desk.do(requests[0], "withdrawal")
    assert desk.project(project)["beneficiaries"] == 2
    late = town.submit(matching)
    desk.do(late, "merging", {"into": requests[1]["id"]}, station=True)
    assert desk.project(project)["beneficiaries"] == 3
    assert desk.told()[-1] == "project.changed"
    desk.do(late, "withdrawal")
    assert desk.project(project)["beneficiaries"] == 2
    desk.do(requests[2], "merging", {"into": requests[1]["id"]}, station=True)
    view = desk.project(project)
    assert (view["beneficiaries"], view["requests"]) == (2, [requests[1]["id"]])


def test_an_overdue_project_is_seen_and_its_deadline_may_be_moved(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    unmatched(matching, town)
    today = civil_date(datetime.now(UTC))
    project = desk.opened(deadline=str(today + timedelta(days=1)))
    desk.assigned(project, "甲")
    matching.hear(town.clock_moved(timedelta(days=1)))
    assert not desk.project(project)["overdue"]
    matching.hear(town.clock_moved(timedelta(days=2)))
    assert desk.project(project)["overdue"]
    (told,) = matching.told(ProjectOverdue)
    assert (told.data.status, told.data.organization) == ("assigned", town.id_of("甲"))
    moved = desk.done(f"projects/{project}", {"deadline": str(today + timedelta(days=30))}, method="PATCH")
    assert not moved["overdue"]
    desk.done(f"projects/{project}/delivery", of="甲")
    matching.hear(town.clock_moved(timedelta(days=40)))
    assert len(matching.told(ProjectOverdue)) == 1


def test_what_cannot_be_gathered_is_refused_and_tells_nothing(matching, town, desk):
    town.open_with(matching, "甲")
    matched = town.submit(matching)
    before = desk.told()
    described = {"title_zh": "x", "title_en": "x", "scope_zh": "x", "scope_en": "x", "community": town.community}
    refused = {
        (409, "request-matched"): {"requests": [matched["id"]]},
        (422, "request-unknown"): {"requests": [new_id()]},
        (422, "item-unknown"): {"items": ["no-such-item"]},
        (422, "price-missing"): {"fee_mode": "low"},
        (422, "invalid"): {"kind": "no-such-kind"},
    }
    for expected, terms in refused.items():
        assert problem(desk.ask("projects", described | terms)) == expected
    elsewhere = matching.as_("station", community=new_id())
    assert matching.client.post("/api/matching/projects", json=described, headers=elsewhere).status_code == 403
    assert matching.client.post("/api/matching/projects", json=described, headers=holder(matched)).status_code == 403
    assert desk.told() == before
    assert matching.rows(Project) == []


VERBS = {
    "open": ("opening", None),
    "close": ("closing", {"reason": "x"}),
    "reopen": ("reopening", {"reason": "x"}),
    "deliver": ("delivery", None),
}


def bring_to(desk, status):
    project = desk.propose()["id"]
    if status != "proposed":
        desk.done(f"projects/{project}/opening")
    if status in ("assigned", "delivered", "closed"):
        desk.assigned(project, "甲")
    if status in ("delivered", "closed"):
        desk.done(f"projects/{project}/delivery")
    if status == "closed":
        desk.done(f"projects/{project}/closing", {"reason": "x"})
    return project


@pytest.mark.parametrize("status", ["proposed", "opened", "assigned", "delivered", "closed"])
def test_every_wrong_step_of_a_project_is_refused_and_tells_nothing(matching, town, desk, status):
    town.open_with(matching)
    carriers(matching, town, "甲")
    unmatched(matching, town, 2)
    project = bring_to(desk, status)
    before, rows = desk.told(), matching.rows(Project)
    wrong = [verb for verb in VERBS if (status, verb) not in PROJECT or (status, verb) == ("closed", "reopen")]
    for verb in wrong:
        path, body = VERBS[verb]
        answer = desk.ask(f"projects/{project}/{path}", body)
        expected = "project-delivered" if (status, verb) == ("closed", "reopen") else f"project-{status}"
        assert problem(answer) == (409, expected), verb
    assert wrong
    assert desk.told() == before
    assert matching.rows(Project) == rows


def test_a_deadline_is_a_day_where_the_community_lives(matching, town, desk):
    town.open_with(matching)
    assert desk.propose(deadline="2031-02-03")["deadline"] == date(2031, 2, 3).isoformat()
