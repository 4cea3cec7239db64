"""项目研讨和认领大会: projects are presented and discussed, organizations claim by their nature and strength, nobody is given
what it did not claim, and the result can be checked by anybody (M10). Over HTTP only."""

from __future__ import annotations

from datetime import timedelta

from services.matching import allocate
from tests.system.station_desk import Desk


def test_the_claim_meeting_from_its_announcement_to_the_delivered_project(desk: Desk) -> None:
    requests = [desk.request() for _ in range(2)]
    lunch = desk.project("老人午餐到家", [id for id, _ in requests], deadline=str(desk.now().date() + timedelta(days=5)))
    visits = desk.project("陪伴独居老人", [])
    chunhui, mulin, nuanxin = (desk.registered(name) for name in ("春晖助老服务中心", "睦邻互助社", "暖心小厨"))
    by_name = {"春晖助老服务中心": chunhui, "睦邻互助社": mulin, "暖心小厨": nuanxin}

    # Announced, with the seed by which ties are settled; presented and discussed.
    meeting = desk.meeting(lunch, visits, seed=2016)
    assert desk.see(f"/meetings/{meeting}", {})["seed"] == 2016
    question = desk.do(f"/meetings/{meeting}/questions", {"project": lunch, "text": "有厨房可用吗？"}, desk.of(mulin))
    assert "question.asked" in desk.told(desk.headers)
    desk.do(f"/questions/{question['id']}/answer", {"text": "社区食堂可用。"})
    assert "question.answered" in desk.told(desk.of(mulin))
    (read,) = desk.see(f"/meetings/{meeting}", {})["questions"]
    assert (read["text"], read["answer"]) == ("有厨房可用吗？", "社区食堂可用。")
    # The station was mistaken: it says so, and what it had said stays to be read.
    desk.do(f"/questions/{question['id']}/correction", {"text": "社区食堂只有上午可用。"})
    assert desk.told(desk.of(mulin))[-1] == "question.corrected"
    (read,) = desk.see(f"/meetings/{meeting}", {})["questions"]
    assert (read["answer"], [one["answer"] for one in read["earlier"]]) == ("社区食堂只有上午可用。", ["社区食堂可用。"])
    assert desk.kind_of_problem(f"/projects/{lunch}/claims", {"wish": 1}, desk.of(mulin)) == "meeting-scheduled"

    # Claimed in the order of wishes, withdrawn until the bell.
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(chunhui, lunch, wish=1)
    desk.claim(chunhui, visits, wish=2)
    desk.claim(mulin, lunch, wish=1)
    desk.claim(nuanxin, visits)
    desk.do(f"/projects/{visits}/claim-withdrawal", None, desk.of(nuanxin))
    desk.do(f"/meetings/{meeting}/conclusion")
    assert desk.kind_of_problem(f"/projects/{lunch}/claim-withdrawal", None, desk.of(mulin)) == "meeting-concluded"

    # The result, with a reason for every winner and loser; anybody can do the sum again.
    result = desk.see(f"/meetings/{meeting}", {})
    won = {one["project"]: one["organization"] for one in result["outcomes"] if one["won"]}
    assert won == {lunch: mulin, visits: chunhui}
    assert len(result["outcomes"]) == 3
    assert all(one["reason_zh"] and one["reason_en"] for one in result["outcomes"])
    for organization in (chunhui, mulin):
        assert "meeting.concluded" in desk.told(desk.of(organization))
    assert "meeting.concluded" not in desk.told(desk.of(nuanxin))
    stored = desk.see(f"/meetings/{meeting}/allocation", {})
    assert allocate.solve(stored["instance"])["assignment"] == stored["result"]["assignment"]
    claimed = {(one["project"], one["organization"]) for one in result["outcomes"]}
    ids = [one["id"] for one in stored["instance"]["organizations"]]
    arcs = stored["instance"]["arcs"]
    assert {
        (stored["instance"]["needs"][n], ids[o]) for n, o in zip(arcs["need"], arcs["organization"], strict=True)
    } == claimed
    assert by_name["暖心小厨"] not in ids

    # An objection is looked into; after the published time the result holds.
    objection = desk.do(f"/meetings/{meeting}/objections", {"project": lunch, "reason": "我们离得更近"}, desk.of(chunhui))
    assert desk.kind_of_problem(f"/meetings/{meeting}/confirmation") == "objections-open"
    desk.days_pass(3)
    assert desk.kind_of_problem(f"/meetings/{meeting}/confirmation") == "objections-undecided"
    desk.do(f"/objections/{objection['id']}/decision", {"upheld": False, "reason": "距离不在公布的标准里"})
    assert "objection.rejected" in desk.told(desk.of(chunhui))
    desk.do(f"/meetings/{meeting}/confirmation")
    assert "project.assigned" in desk.told(desk.of(mulin))
    assert {desk.see(f"/requests/{id}", link)["organization"] for id, link in requests} == {mulin}

    # The deadline passes: seen by all, and the station asks; the work is done, the project evaluated in its time.
    desk.days_pass(4)
    assert desk.see(f"/projects/{lunch}", {})["overdue"]
    assert "project.overdue" in desk.told(desk.of(mulin))
    desk.do(f"/projects/{lunch}/delivery", None, desk.of(mulin))
    assert {desk.see(f"/requests/{id}", link)["status"] for id, link in requests} == {"served"}
    assert desk.do(f"/projects/{lunch}/closing", {"reason": "办好了"})["status"] == "closed"

    # The other gives its project back; it is opened for the next meeting.
    assert desk.do(f"/projects/{visits}/reopening", {"reason": "人手不够，主动退回"})["organization"] is None
    assert "project.reopened" in desk.told(desk.of(chunhui))


def test_an_objection_that_is_upheld_allocates_the_same_claims_anew(desk: Desk) -> None:
    project = desk.project("小区改造监督", [])
    one, two = desk.registered("甲社"), desk.registered("乙社")
    meeting = desk.meeting(project, seed=7)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(one, project, wish=1)
    desk.claim(two, project, wish=3)
    desk.do(f"/meetings/{meeting}/conclusion")
    objection = desk.do(f"/meetings/{meeting}/objections", {"project": project, "reason": "有利益关系"}, desk.of(two))
    desk.do(f"/objections/{objection['id']}/decision", {"upheld": True, "reason": "查实，应当回避"})
    outcomes = {entry["organization"]: entry for entry in desk.see(f"/meetings/{meeting}", {})["outcomes"]}
    assert (outcomes[one]["won"], outcomes[two]["won"]) == (False, True)
    assert "查实，应当回避" in outcomes[one]["reason_zh"]
    assert desk.see(f"/meetings/{meeting}/allocation", {})["round"] == 2
    desk.days_pass(3)
    desk.do(f"/meetings/{meeting}/confirmation")
    assert desk.see(f"/projects/{project}", {})["organization"] == two

    # Who leaves the community carries nothing on: the project is open to the others again, and the station knows.
    desk.post(f"/organizations/{two}/leaving", {"reason": "社团解散"})
    desk.system.quiet()
    seen = desk.see(f"/projects/{project}")
    assert (seen["status"], seen["organization"]) == ("opened", None)
    assert desk.told(desk.headers)[-1] == "project.reopened"


def test_a_pin_is_recorded_for_all_to_read_and_gives_nobody_what_it_did_not_claim(desk: Desk) -> None:
    project = desk.project("小区花园认养", [])
    far, near, silent = (desk.registered(name) for name in ("甲社", "乙社", "丙社"))
    meeting = desk.meeting(project, seed=11)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(near, project, wish=1)
    desk.claim(far, project, wish=3)
    pin = {"project": project, "kind": "pinned", "reason": "居民代表会议表决通过"}
    assert desk.kind_of_problem(f"/meetings/{meeting}/pairs", pin | {"organization": silent}) == "claim-missing"
    desk.do(f"/meetings/{meeting}/pairs", pin | {"organization": far})
    (read,) = desk.see(f"/meetings/{meeting}", {})["pairs"]
    assert (read["organization"], read["reason"]) == (far, "居民代表会议表决通过")
    desk.do(f"/meetings/{meeting}/conclusion")
    outcomes = {entry["organization"]: entry for entry in desk.see(f"/meetings/{meeting}", {})["outcomes"]}
    assert {organization: entry["won"] for organization, entry in outcomes.items()} == {far: True, near: False}
    assert all("居民代表会议表决通过" in entry["reason_zh"] for entry in outcomes.values())
    instance = desk.see(f"/meetings/{meeting}/allocation", {})["instance"]
    assert sorted(one["id"] for one in instance["organizations"]) == sorted((far, near))


def test_an_organization_that_leaves_before_the_bell_takes_no_project_from_those_who_stay(desk: Desk) -> None:
    goes, stays = desk.registered("春晖助老服务中心"), desk.registered("睦邻互助社")
    project = desk.project("老人午餐到家", [desk.request()[0]])
    meeting = desk.meeting(project, objection_days=0)
    desk.do(f"/meetings/{meeting}/opening")
    for organization in (goes, stays):
        desk.claim(organization, project)
    desk.post(f"/organizations/{goes}/leaving", {"reason": "社团解散"})
    desk.system.quiet()
    claims = {one["organization"]: one for one in desk.see(f"/projects/{project}")["claims"]}
    assert (claims[goes]["status"], claims[stays]["status"]) == ("withdrawn", "standing")
    assert claims[goes]["reason_zh"] and claims[goes]["reason_en"]
    for whose in (desk.headers, desk.of(goes)):
        (news,) = [one for one in desk.inbox(whose) if one["kind"] == "project.claim-withdrawn"]
        assert "不能承接" in news["zh"] and "carry" in news["en"]
    (outcome,) = desk.do(f"/meetings/{meeting}/conclusion")["outcomes"]
    assert (outcome["organization"], outcome["won"]) == (stays, True)


def test_whoever_claimed_is_told_that_the_meeting_was_called_off_and_claims_again_at_the_next(desk: Desk) -> None:
    project = desk.project("小区花园认养", [])
    claimant, other = desk.registered("甲社"), desk.registered("乙社")
    meeting = desk.meeting(project)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(claimant, project)
    desk.do(f"/meetings/{meeting}/cancellation")
    (news,) = [one for one in desk.inbox(desk.of(claimant)) if one["kind"] == "project.claim-withdrawn"]
    assert "取消" in news["zh"] and "小区花园认养" in news["zh"] and "called off" in news["en"]
    assert "project.claim-withdrawn" not in desk.told(desk.of(other)) + desk.told(desk.headers)
    (claim,) = desk.see(f"/projects/{project}", desk.of(claimant))["claims"]
    assert (claim["status"], "取消" in claim["reason_zh"]) == ("withdrawn", True)
    again = desk.meeting(project, objection_days=0)
    desk.do(f"/meetings/{again}/opening")
    desk.claim(claimant, project)
    for verb in ("conclusion", "confirmation"):
        desk.do(f"/meetings/{again}/{verb}")
    assert desk.see(f"/projects/{project}", {})["organization"] == claimant


def test_of_a_project_whose_organization_has_no_agreement_any_more_the_station_is_told_and_decides(desk: Desk) -> None:
    carrier, other = desk.registered("甲社", days=40), desk.registered("乙社")
    request, link = desk.request()
    meals, visits = desk.project("老人午餐到家", [request]), desk.project("陪伴独居老人", [])
    meeting = desk.meeting(meals, visits, objection_days=0)
    desk.do(f"/meetings/{meeting}/opening")
    for wish, project in enumerate((meals, visits), 1):
        desk.claim(carrier, project, wish=wish, capacity=2)
    for verb in ("conclusion", "confirmation"):
        desk.do(f"/meetings/{meeting}/{verb}")

    # The term is over and nobody renewed it: station and organization know, and nothing is served without an agreement.
    desk.days_pass(42)
    for whose in (desk.headers, desk.of(carrier)):
        news = [one for one in desk.inbox(whose) if one["kind"] == "project.uncovered"]
        assert len(news) == 2
        assert all("协议" in one["zh"] and "agreement" in one["en"] for one in news)
    assert desk.see(f"/projects/{meals}", {})["uncovered"]
    assert desk.kind_of_problem(f"/projects/{meals}/delivery", None, desk.of(carrier)) == "agreement-missing"
    assert desk.see(f"/requests/{request}", link)["status"] == "accepted"

    # One it takes back, for others to claim; for the other it signs again, and the work is done.
    desk.do(f"/projects/{visits}/reopening", {"reason": "协议到期，另请组织认领"})
    assert desk.see(f"/projects/{visits}", {})["uncovered"] is False
    desk.agree(carrier)
    desk.system.quiet()
    assert not desk.see(f"/projects/{meals}", {})["uncovered"]
    desk.do(f"/projects/{meals}/delivery", None, desk.of(carrier))
    assert desk.see(f"/requests/{request}", link)["status"] == "served"
    assert desk.told(desk.headers).count("project.uncovered") == 2
    assert "project.uncovered" not in desk.told(desk.of(other))
