"""The claim meeting: nobody is given what it did not claim, everybody is told why, and anybody can do the sum again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from services.matching import allocate, queries
from services.matching.models import Allocation, Assignment, Claim, Meeting
from services.matching.rules import MEETING
from shared.events.matching import MeetingConcluded, MeetingScheduled, ProjectAssigned, ProjectClaimed, QuestionCorrected
from shared.identifiers import new_id
from tests.matching.given import CHOIR, PLUMBING
from tests.matching.test_projects import carriers, problem, statuses, unmatched


def outcomes(meeting, town):
    return {(town.name_of(one["organization"]), one["project"]): one["won"] for one in meeting["outcomes"]}


def test_an_answer_is_corrected_and_the_one_before_stays_to_be_read(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    unmatched(matching, town)
    project = desk.opened()
    meeting = desk.schedule(project)
    asked = desk.done(f"meetings/{meeting}/questions", {"project": project, "text": "包周末吗？"}, of="甲")
    path = f"questions/{asked['id']}"
    assert problem(desk.ask(f"{path}/correction", {"text": "包"})) == (409, "question-asked")
    first = desk.done(f"{path}/answer", {"text": "只包工作日。"})
    assert problem(desk.ask(f"{path}/correction", {"text": "只包工作日。"})) == (409, "answer-unchanged")
    assert desk.ask(f"{path}/correction", {"text": "包"}, of="甲").status_code == 403
    told = len(desk.told())
    for text in ("周六也包。", "周末都包。"):
        assert desk.done(f"{path}/correction", {"text": text})["answer"] == text
    assert desk.told()[told:] == ["question.corrected"] * 2
    assert matching.told(QuestionCorrected)[-1].data.status == "answered"
    (read,) = matching.client.get(f"/api/matching/meetings/{meeting}").json()["questions"]
    assert [one["answer"] for one in read["earlier"]] == ["只包工作日。", "周六也包。"]
    assert read["earlier"][0]["answered_at"] == first["answered_at"] <= read["answered_at"]


def test_from_the_announcement_to_the_assignment(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙", "丙")
    unmatched(matching, town)
    meals, repairs = desk.opened("助餐"), desk.opened("家电")
    meeting = desk.schedule(meals, seed=11)
    assert matching.told(MeetingScheduled)[0].data.seed == 11
    desk.done(f"meetings/{meeting}", {"projects": [meals, repairs]}, method="PATCH")
    assert sorted(desk.meeting(meeting)["projects"]) == sorted([meals, repairs])

    question = desk.done(f"meetings/{meeting}/questions", {"project": meals, "text": "包周末吗？"}, of="甲")
    assert desk.done(f"questions/{question['id']}/answer", {"text": "只包工作日。"})["answer"] == "只包工作日。"
    assert problem(desk.ask(f"questions/{question['id']}/answer", {"text": "改口"})) == (409, "question-answered")
    (read,) = matching.client.get(f"/api/matching/meetings/{meeting}").json()["questions"]
    assert (read["text"], read["answer"], read["earlier"]) == ("包周末吗？", "只包工作日。", [])

    assert problem(desk.claim("甲", meals)) == (409, "meeting-scheduled")
    desk.done(f"meetings/{meeting}/opening")
    assert desk.claim("甲", meals, wish=1).status_code == 200
    assert desk.claim("乙", meals, wish=2).status_code == 200
    assert desk.claim("乙", repairs, wish=1).status_code == 200
    assert desk.claim("丙", repairs).status_code == 200
    assert desk.done(f"projects/{repairs}/claim-withdrawal", of="丙")["claimed"] == 1
    assert len(matching.told(ProjectClaimed)) == 4

    result = desk.done(f"meetings/{meeting}/conclusion")
    assert outcomes(result, town) == {("甲", meals): True, ("乙", meals): False, ("乙", repairs): True}
    assert all(one["reason_zh"] and one["reason_en"] and one["score"] for one in result["outcomes"])
    (told,) = matching.told(MeetingConcluded)
    assert len(told.data.outcomes) == 3
    assert matching.rows(Assignment) == []
    assert problem(desk.claim("丙", repairs)) == (409, "meeting-concluded")
    assert problem(desk.ask(f"projects/{meals}/claim-withdrawal", of="甲")) == (409, "meeting-concluded")

    assert desk.done(f"meetings/{meeting}/confirmation")["status"] == "confirmed"
    assert {desk.project(project)["organization"] for project in (meals, repairs)} == {town.id_of("甲"), town.id_of("乙")}
    assert len(matching.told(ProjectAssigned)) == 2
    assert statuses(matching) == ["accepted"] * 3


def test_the_stored_arcs_are_the_claims_at_the_bell_and_the_sum_can_be_done_again(matching, town, desk):
    town.open_with(matching)
    names = ("甲", "乙", "丙", "丁")
    carriers(matching, town, *names)
    projects = [desk.opened(f"项目{n}") for n in range(3)]
    meeting = desk.meet(*projects)
    for name in names:
        for wish, project in enumerate(projects, start=1):
            assert desk.claim(name, project, wish=wish, capacity=2).status_code == 200
    desk.done(f"projects/{projects[0]}/claim-withdrawal", of="丁")
    pin = {"project": projects[1], "organization": town.id_of("丙"), "kind": "pinned", "reason": "居民代表表决"}
    ban = {"project": projects[2], "organization": town.id_of("甲"), "kind": "forbidden", "reason": "利益关系"}
    for pair in (pin, ban):
        desk.done(f"meetings/{meeting}/pairs", pair)
    assert problem(desk.ask(f"meetings/{meeting}/pairs", pin | {"kind": "forbidden"})) == (409, "pair-recorded")
    unasked = pin | {"project": projects[0], "organization": town.id_of("丁")}
    assert problem(desk.ask(f"meetings/{meeting}/pairs", unasked)) == (409, "claim-missing")
    desk.done(f"meetings/{meeting}/conclusion")

    stored = matching.client.get(f"/api/matching/meetings/{meeting}/allocation").json()
    instance = stored["instance"]
    arcs = {
        (instance["needs"][need], instance["organizations"][organization]["id"])
        for need, organization in zip(instance["arcs"]["need"], instance["arcs"]["organization"], strict=True)
    }
    standing = {(row.project, row.organization) for row in matching.rows(Claim) if row.status == "standing"}
    assert arcs == standing
    assert len(arcs) == 11
    again = allocate.solve(instance)
    assert again["assignment"] == stored["result"]["assignment"]
    files = [
        matching.client.get(f"/api/matching/meetings/{meeting}/allocation/{name}.json").json()
        for name in ("instance", "result")
    ]
    assert files == [instance, stored["result"]]
    assert allocate.check(*files).startswith("Proved")
    other = f"/api/matching/meetings/{meeting}/allocation/result.json?round=2"
    assert problem(matching.client.get(other)) == (404, "round-unknown")
    organizations = [one["id"] for one in instance["organizations"]]
    awarded = {(project, organizations[place]) for project, place in zip(instance["needs"], again["assignment"], strict=True)}
    assert awarded <= standing
    assert (projects[1], town.id_of("丙")) in awarded
    assert (projects[2], town.id_of("甲")) not in awarded
    said = {(one["project"], one["organization"]): one["reason_zh"] for one in desk.meeting(meeting)["outcomes"]}
    assert "居民代表表决" in said[projects[1], town.id_of("丙")]
    assert "利益关系" in said[projects[2], town.id_of("甲")]


def test_a_claim_needs_an_agreement_a_wish_of_its_own_and_one_capacity(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    matching.hear(town.organization("乙"), town.agreement("乙", CHOIR), town.organization("丙"))
    one, two = desk.opened("一"), desk.opened("二")
    other = desk.opened("三")
    desk.meet(one, two)
    before = desk.told()
    assert problem(desk.claim("乙", one)) == (409, "agreement-missing")
    assert problem(desk.claim("丙", one)) == (409, "agreement-missing")
    assert problem(desk.claim("甲", other)) == (409, "meeting-missing")
    assert problem(desk.claim("甲", new_id())) == (404, "project-unknown")
    assert problem(desk.claim("甲", one, wish=0)) == (422, "invalid")
    stranger = matching.as_("organization", community=new_id(), organization=town.id_of("甲"))
    path = f"/api/matching/projects/{one}/claims"
    assert matching.client.post(path, headers=stranger, json={"wish": 1}).status_code == 403
    assert problem(desk.ask(f"projects/{one}/claims", {"wish": 1})) == (403, "forbidden")
    assert desk.told() == before
    assert desk.claim("甲", one, wish=1, capacity=2).status_code == 200
    assert problem(desk.claim("甲", one, wish=2, capacity=2)) == (409, "claim-standing")
    assert problem(desk.claim("甲", two, wish=1, capacity=2)) == (409, "wish-taken")
    assert problem(desk.claim("甲", two, wish=2, capacity=3)) == (409, "capacity-differs")
    assert desk.claim("甲", two, wish=2, capacity=2).status_code == 200
    desk.done(f"projects/{one}/claim-withdrawal", of="甲")
    assert problem(desk.ask(f"projects/{one}/claim-withdrawal", of="甲")) == (409, "claim-missing")


def test_others_claims_are_read_only_after_the_result(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙")
    project = desk.opened()
    meeting = desk.meet(project)
    desk.claim("甲", project)
    desk.claim("乙", project)
    own = desk.done(f"projects/{project}", of="甲", method="GET")
    assert (own["claimed"], [one["organization_name_zh"] for one in own["claims"]]) == (2, ["甲"])
    assert len(desk.project(project)["claims"]) == 2
    assert matching.client.get(f"/api/matching/projects/{project}").json()["claims"] == []
    assert matching.client.get(f"/api/matching/meetings/{meeting}/allocation").status_code == 409
    desk.done(f"meetings/{meeting}/conclusion")
    assert len(matching.client.get(f"/api/matching/projects/{project}").json()["claims"]) == 2


def test_an_objection_upheld_allocates_the_same_claims_anew(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙")
    project = desk.opened()
    meeting = desk.meet(project, objection_days=2)
    desk.claim("甲", project, wish=1)
    desk.claim("乙", project, wish=2)
    desk.done(f"meetings/{meeting}/conclusion")
    assert problem(desk.ask(f"meetings/{meeting}/confirmation")) == (409, "objections-open")
    outsider = desk.ask(f"meetings/{meeting}/objections", {"project": project, "reason": "不公"}, of="丙")
    assert problem(outsider) == (422, "claim-missing")
    terms = {"project": project, "reason": "甲与物业有关联"}
    objection = desk.done(f"meetings/{meeting}/objections", terms, of="乙")
    assert problem(desk.ask(f"meetings/{meeting}/objections", terms, of="乙")) == (409, "objection-raised")
    path = f"objections/{objection['id']}/decision"
    decided = desk.done(path, {"upheld": True, "reason": "查实，甲回避"})
    assert (decided["status"], decided["decision"]) == ("upheld", "查实，甲回避")
    assert problem(desk.ask(path, {"upheld": False, "reason": "改口"})) == (409, "objection-upheld")
    assert desk.told()[-3:] == ["objection.raised", "objection.upheld", "meeting.concluded"]
    result = desk.meeting(meeting)
    assert {town.name_of(one["organization"]): one["won"] for one in result["outcomes"]} == {"甲": False, "乙": True}
    assert any("查实，甲回避" in one["reason_zh"] for one in result["outcomes"])
    first, second = matching.rows(Allocation)
    assert (first.round, second.round) == (1, 2)
    assert first.instance["arcs"] == second.instance["arcs"]
    again = desk.done(f"meetings/{meeting}/objections", {"project": project, "reason": "不服"}, of="甲")
    matching.hear(town.clock_moved(timedelta(days=3)))
    assert problem(desk.ask(f"meetings/{meeting}/confirmation")) == (409, "objections-undecided")
    assert desk.done(f"objections/{again['id']}/decision", {"upheld": False, "reason": "维持"})["status"] == "rejected"
    late = desk.ask(f"meetings/{meeting}/objections", {"project": project, "reason": "迟了"}, of="甲")
    assert problem(late) == (409, "objections-closed")
    desk.done(f"meetings/{meeting}/confirmation")
    assert desk.project(project)["organization"] == town.id_of("乙")
    assert all("甲与物业有关联" not in event.data.model_dump_json() for event in matching.told())


def test_a_winner_without_an_agreement_at_confirmation_gets_nothing(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    unmatched(matching, town)
    project = desk.opened()
    meeting = desk.meet(project)
    desk.claim("甲", project)
    desk.done(f"meetings/{meeting}/conclusion")
    matching.hear(town.agreement_ended("甲", PLUMBING))
    result = desk.done(f"meetings/{meeting}/confirmation")
    assert [one["won"] for one in result["outcomes"]] == [False]
    view = desk.project(project)
    assert (view["status"], view["meeting"], view["organization"]) == ("opened", None, None)
    assert statuses(matching) == ["gathered"] * 3


def test_a_cancelled_meeting_sets_its_projects_free(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    project = desk.opened()
    meeting = desk.meet(project)
    desk.claim("甲", project)
    assert problem(desk.ask(f"projects/{project}/closing", {"reason": "x"})) == (409, "meeting-under-way")
    assert problem(desk.ask(f"projects/{project}", {"title_zh": "改"}, method="PATCH")) == (409, "meeting-under-way")
    desk.done(f"meetings/{meeting}/cancellation")
    assert (desk.project(project)["meeting"], desk.project(project)["claimed"]) == (None, 0)
    desk.assigned(project, "甲")


def test_a_meeting_is_not_opened_before_its_time_or_without_a_project(matching, town, desk):
    town.open_with(matching)
    starts_at = (datetime.now(UTC) + timedelta(days=1)).isoformat()
    assert problem(desk.ask("meetings", {"community": town.community, "starts_at": 0})) == (422, "invalid")
    meeting = desk.schedule(starts_at=starts_at)
    assert problem(desk.ask(f"meetings/{meeting}/opening")) == (409, "meeting-too-early")
    matching.hear(town.clock_moved(timedelta(days=2)))
    assert problem(desk.ask(f"meetings/{meeting}/opening")) == (409, "meeting-empty")
    project = desk.propose(items=[])["id"]
    answer = desk.ask(f"meetings/{meeting}", {"projects": [project]}, method="PATCH")
    assert problem(answer) == (409, "project-proposed")
    desk.done(f"projects/{project}/opening")
    desk.done(f"meetings/{meeting}", {"projects": [project]}, method="PATCH")
    other = desk.ask(
        "meetings",
        {
            "community": town.community,
            "title_zh": "另",
            "title_en": "other",
            "starts_at": starts_at,
            "projects": [project],
        },
    )
    assert problem(other) == (409, "project-published")
    assert desk.done(f"meetings/{meeting}/opening")["status"] == "opened"


STEPS = {"open": "opening", "conclude": "conclusion", "confirm": "confirmation", "cancel": "cancellation"}


@pytest.mark.parametrize("status", ["scheduled", "opened", "concluded", "confirmed", "cancelled"])
def test_every_wrong_step_of_a_meeting_is_refused_and_tells_nothing(matching, town, desk, status):
    town.open_with(matching)
    carriers(matching, town, "甲")
    project = desk.opened()
    meeting = desk.schedule(project)
    for step in {
        "scheduled": [],
        "opened": ["opening"],
        "concluded": ["opening", "conclusion"],
        "confirmed": ["opening", "conclusion", "confirmation"],
        "cancelled": ["cancellation"],
    }[status]:
        desk.done(f"meetings/{meeting}/{step}")
    before, rows = desk.told(), matching.rows(Meeting)
    for verb, step in STEPS.items():
        if (status, verb) not in MEETING:
            assert problem(desk.ask(f"meetings/{meeting}/{step}")) == (409, f"meeting-{status}"), verb
    assert desk.told() == before
    assert matching.rows(Meeting) == rows


def test_the_database_forbids_two_assignments_of_a_project(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲")
    project = desk.opened()
    desk.assigned(project, "甲")
    (held,) = matching.rows(Assignment)
    second = held.model_dump() | {"id": new_id(), "organization": new_id()}
    with pytest.raises(IntegrityError):
        matching.host.database.transact(lambda session: session.execute(sa.insert(Assignment), [second]))


def test_a_rehearsal_shows_what_would_come_out_and_binds_nobody(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙", "丙")
    one, two = desk.opened("一"), desk.opened("二")
    meeting = desk.meet(one, two)
    for name in ("甲", "乙"):
        desk.claim(name, one)
    path = f"meetings/{meeting}/rehearsal"
    before, claims = desk.told(), matching.rows(Claim)
    rehearsed = desk.done(path, method="GET")
    assert rehearsed["binding"] is False and "不作数" in rehearsed["notice"]["zh"]
    assert [claim["would_win"] for claim in rehearsed["claims"]].count(True) == 1
    assert all(claim["reason_zh"] and claim["reason_en"] for claim in rehearsed["claims"])
    assert allocate.check(rehearsed["instance"], rehearsed["result"])
    assert (desk.told(), matching.rows(Claim), matching.rows(Allocation)) == (before, claims, [])
    assert problem(desk.ask(path, of="甲", method="GET")) == (403, "forbidden")
    # Nothing is settled: the one who would have won withdraws.
    (first,) = [claim["organization"] for claim in rehearsed["claims"] if claim["would_win"]]
    desk.done(f"projects/{one}/claim-withdrawal", of=town.name_of(first))
    result = desk.done(f"meetings/{meeting}/conclusion")
    (won,) = [claim["organization"] for claim in result["outcomes"] if claim["won"]]
    assert {first, won} == {town.id_of("甲"), town.id_of("乙")}
    assert problem(desk.ask(path, method="GET")) == (409, "meeting-concluded")


def test_a_pin_ends_with_its_claim_and_a_pair_can_be_lifted(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙")
    project = desk.opened()
    meeting = desk.meet(project)
    desk.claim("甲", project, wish=3)
    desk.claim("乙", project, wish=1)
    pin = {"project": project, "organization": town.id_of("甲"), "kind": "pinned", "reason": "居民代表表决"}
    ban = {"project": project, "organization": town.id_of("乙"), "kind": "forbidden", "reason": "利益关系"}
    for pair in (pin, ban):
        desk.done(f"meetings/{meeting}/pairs", pair)
    desk.done(f"projects/{project}/claim-withdrawal", of="甲")
    desk.claim("甲", project, wish=3)
    named = {"project": project, "organization": town.id_of("乙")}
    assert desk.done(f"meetings/{meeting}/pair-lifting", named)["lifted_at"]
    assert problem(desk.ask(f"meetings/{meeting}/pair-lifting", named)) == (409, "pair-missing")
    assert all(pair["lifted_at"] for pair in desk.meeting(meeting)["pairs"])
    desk.done(f"meetings/{meeting}/conclusion")
    stored = matching.client.get(f"/api/matching/meetings/{meeting}/allocation").json()
    assert (stored["instance"]["options"]["pins"], stored["instance"]["options"]["forbidden"]) == ([], [])
    assert outcomes(desk.meeting(meeting), town) == {("甲", project): False, ("乙", project): True}


def test_fairness_is_published_with_the_meeting_and_scarce_capacity_has_its_price(matching, town, desk):
    town.open_with(matching)
    carriers(matching, town, "甲", "乙")
    one, two, three = (desk.opened(title) for title in ("一", "二", "三"))
    meeting = desk.meet(one, two, three, fairness={"first_project_bonus": 300, "fairness_cap": 0.5})
    published = desk.meeting(meeting)["fairness"]
    assert (published["first_project_bonus"], published["load_cost"], published["fairness_cap"]) == (300, 0, 0.5)
    assert matching.told(MeetingScheduled)[0].data.fairness.first_project_bonus == 300
    for wish, project in enumerate((one, two), 1):
        desk.claim("甲", project, wish=wish, capacity=2)
    desk.claim("乙", two, wish=3, capacity=2)
    desk.claim("乙", three, wish=1, capacity=2)
    desk.done(f"meetings/{meeting}/conclusion")
    with matching.session() as session:
        assert queries.meetings.last_prices(session, [town.community]) == {}
    desk.done(f"meetings/{meeting}/confirmation")
    with matching.session() as session:
        prices = queries.meetings.last_prices(session, [town.community])
    assert prices.keys() == {town.id_of("甲"), town.id_of("乙")}
    assert all(price == 0 for price in prices.values())
    # At the next one somebody can carry less than it is wanted for; its capacity has a price now.
    four, five = desk.opened("四"), desk.opened("五")
    meeting = desk.meet(four, five)
    desk.claim("甲", four, wish=1)
    desk.claim("甲", five, wish=2)
    desk.done(f"meetings/{meeting}/conclusion")
    desk.done(f"meetings/{meeting}/confirmation")
    with matching.session() as session:
        prices = queries.meetings.last_prices(session, [town.community])
    assert prices.keys() == {town.id_of("甲")} and 0 < prices[town.id_of("甲")] <= 1
