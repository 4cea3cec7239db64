"""项目式: needs come in over many channels and count equally, similar ones are gathered into projects made to measure, and
every resident follows what becomes of the own need (M6, M8, M9, M11). Over HTTP only."""

from __future__ import annotations

from tests.system.station_desk import LUNCH, Desk

CHANNELS = ("website", "mailbox", "party-member", "questionnaire", "home-visit", "discussion")


def test_needs_from_six_channels_become_a_project_and_are_served_and_rated(desk: Desk) -> None:
    # 网站、民情信箱、党员提案、问卷、入户走访、座谈: one intake. Who has no computer gets the link on paper.
    # On paper, by phone or by themselves: they count the same.
    intakes = ("web", "paper", "paper", "paper", "phone", "paper")
    came_in = [
        desk.request(LUNCH + "啊" * n, channel=channel, intake=intake)
        for n, (channel, intake) in enumerate(zip(CHANNELS, intakes, strict=True))
    ]
    seen = [desk.see(f"/requests/{id}", link) for id, link in came_in]
    assert [one["channel"] for one in seen] == list(CHANNELS)
    assert {one["status"] for one in seen} == {"unmatched"}

    # Two neighbours ask for the very same: "+1".
    (first, first_link), (second, second_link) = came_in[:2]
    assert first in [one["request"]["id"] for one in desk.see(f"/requests/{second}/similar")]
    desk.do(f"/requests/{second}/merging", {"into": first})
    assert desk.see(f"/requests/{first}")["supporters"] == 2
    assert desk.see(f"/requests/{second}", second_link)["follows"]["id"] == first
    assert "request.merged" in desk.told(second_link)

    # 量身定做: nobody serves it, so a project of one of the ten types is suggested.
    method = desk.see("/method", {})
    assert len(method["project_kinds"]) == 10
    (suggestion,) = desk.see(f"/project-suggestions?community={desk.community}")
    assert (suggestion["kind"], suggestion["beneficiaries"]) == ("elderly-care", 6)
    assert method["project_kinds"][suggestion["kind"]]["name"]["zh"] == "养老"

    # The station edits it: 低偿, with a price, a budget and a deadline; splits it, merges it again, and opens it.
    del suggestion["beneficiaries"]
    terms = {"fee_mode": "low", "price": "8.00", "budget": "6000.00", "deadline": "2099-12-31"}
    project = desk.do("/projects", suggestion | terms | {"community": desk.community})
    id = project["id"]
    aside = {"requests": [came_in[5][0]], "title_zh": "另一处", "title_en": "Elsewhere"}
    other = desk.do(f"/projects/{id}/splitting", aside)
    assert (other["beneficiaries"], desk.see(f"/projects/{id}")["beneficiaries"]) == (1, 5)
    assert desk.do(f"/projects/{other['id']}/merging", {"into": id})["beneficiaries"] == 6
    assert desk.ask("PATCH", f"/projects/{id}", {"title_zh": "老人午餐到家"}).json()["title_zh"] == "老人午餐到家"
    assert desk.ask("GET", f"/projects/{id}", headers={}).status_code == 403
    desk.do(f"/projects/{id}/opening")
    assert desk.see(f"/projects/{id}", {})["price"] == "8.00"
    assert "request.gathered" in desk.told(first_link)

    # It is claimed, assigned, delivered; whoever asked is told, and rates over the own link.
    carrier = desk.registered("春晖助老服务中心")
    meeting = desk.meeting(id, objection_days=0)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(carrier, id)
    desk.do(f"/meetings/{meeting}/conclusion")
    desk.do(f"/meetings/{meeting}/confirmation")
    for _, link in came_in:
        assert "request.accepted" in desk.told(link)
    desk.do(f"/projects/{id}/delivery", None, desk.of(carrier))
    for request, link in came_in:
        followed = desk.see(f"/requests/{request}", link)
        assert (followed["status"], followed["organization"]) == ("served", carrier)
        rated = desk.client.post("/api/feedback/ratings", json={"stars": 5}, headers=link)
        assert rated.status_code == 201, rated.text
    desk.system.quiet()
    assert desk.do(f"/projects/{id}/closing", {"reason": "全部办好"})["status"] == "closed"
    figures = desk.see(f"/communities/{desk.community}/figures", {})
    assert (figures["requests"], figures["served"], figures["merged"]) == (6, 6, 1)

    # One of them is not content after all: another serves them, and the community's outcomes count them once.
    assert reached(desk) == 6
    last, last_link = came_in[4]
    desk.do(f"/requests/{last}/dispute", {"reason": "只送了一天"}, last_link)
    assert reached(desk) == 5
    desk.do(f"/requests/{last}/reopening")
    helper = desk.registered("睦邻互助社")
    desk.offer(helper)
    desk.system.quiet()
    referral = desk.referral(last)["id"]
    for step in ("acceptance", "delivery"):
        desk.do(f"/referrals/{referral}/{step}", None, desk.of(helper))
    assert desk.see(f"/requests/{last}", last_link)["organization"] == helper
    assert reached(desk) == 6


def reached(desk: Desk) -> int:
    """The beneficiaries in the community's outcomes."""
    return int(desk.client.get(f"/api/feedback/outcomes?community={desk.community}").json()["total"]["beneficiaries"])


def test_an_unclaimed_project_gives_its_needs_back_and_their_residents_are_told(desk: Desk) -> None:
    requests = [desk.request(), desk.request()]
    project = desk.project("没人认领的项目", [id for id, _ in requests])
    meeting = desk.meeting(project, objection_days=0)
    for step in ("opening", "conclusion", "confirmation"):
        desk.do(f"/meetings/{meeting}/{step}")
    assert desk.see(f"/projects/{project}")["status"] == "opened"
    helper = desk.registered("睦邻互助社")
    desk.offer(helper)
    desk.do(f"/projects/{project}/closing", {"reason": "没有组织认领，改为单独办理"})
    for request, link in requests:
        assert desk.see(f"/requests/{request}", link)["organization"] == helper
        assert desk.told(link)[-2:] == ["request.released", "request.matched"]


def test_whoever_joined_a_need_is_told_what_becomes_of_its_project_and_counted_once(desk: Desk) -> None:
    # "+1" before the project, and to one that is in it already; of two inside one joins the other.
    asked, inside = desk.request(), desk.request(LUNCH + "啊")
    joined = desk.request(LUNCH + "呀", compound="heping-lane")
    desk.do(f"/requests/{joined[0]}/merging", {"into": asked[0]})
    (suggestion,) = desk.see(f"/project-suggestions?community={desk.community}")
    assert (suggestion["beneficiaries"], set(suggestion["requests"])) == (3, {asked[0], inside[0]})
    project = desk.project("午餐到家", suggestion["requests"])
    assert desk.see(f"/projects/{project}")["beneficiaries"] == 3
    late = desk.request(LUNCH + "哦")
    desk.do(f"/requests/{late[0]}/merging", {"into": asked[0]})
    assert desk.see(f"/projects/{project}")["beneficiaries"] == 4
    desk.do(f"/requests/{inside[0]}/merging", {"into": asked[0]})
    seen = desk.see(f"/projects/{project}")
    assert (seen["beneficiaries"], seen["requests"]) == (4, [asked[0]])
    assert [desk.told(link).count("request.gathered") for _, link in (asked, joined, inside, late)] == [1, 1, 1, 0]
    (news,) = [one for one in desk.inbox(joined[1]) if one["kind"] == "request.gathered"]
    assert news["parameters"]["request"] == joined[0] and "丰和花园" not in news["zh"], "the other lives elsewhere"
    assert desk.see(f"/requests/{joined[0]}", joined[1])["follows"]["project"] == project

    # It is assigned, and its organization leaves: all are told that, and that it goes on.
    carrier = desk.registered("春晖助老服务中心")
    meeting = desk.meeting(project, objection_days=0)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(carrier, project)
    for step in ("conclusion", "confirmation"):
        desk.do(f"/meetings/{meeting}/{step}")
    followers = (joined, late, inside)
    assert {desk.told(link)[-1] for _, link in (asked, *followers)} == {"request.accepted"}
    desk.post(f"/organizations/{carrier}/leaving", {"reason": "迁往外地"})
    desk.system.quiet()
    assert [desk.inbox(link)[-1]["kind"] for _, link in (asked, *followers)] == ["request.gathered"] + ["request.merged"] * 3
    for _, link in (asked, *followers):
        assert "不再承办" in desk.inbox(link)[-1]["zh"]
        assert "no longer" in desk.inbox(link)[-1]["en"]

    # Nobody takes it on: it is closed, and each is told that the need is looked after by itself, and who is asked.
    desk.do(f"/projects/{project}/closing", {"reason": "没有组织认领，改为单独办理"})
    assert {desk.told(link)[-1] for _, link in (asked, *followers)} == {"request.released"}
    desk.offer(desk.registered("睦邻互助社"))
    desk.system.quiet()
    for _, link in (asked, *followers):
        assert desk.told(link)[-1] == "request.matched" and "睦邻互助社" in desk.inbox(link)[-1]["zh"]


def test_what_no_organization_can_do_comes_to_an_end_and_the_resident_reads_why(desk: Desk) -> None:
    (odd, link), (alarm, alarm_link) = desk.request("zzzz qqqq"), desk.request("楼下有人晕倒了，快来")
    assert desk.told(link)[-1] == "request.unmatched"
    # The station reads it: it is nothing that is served here. The resident is not told that it waits to be read.
    desk.do(f"/requests/{odd}/correction", {"item": None})
    desk.do(f"/requests/{odd}/dismissal", {"reason": "这件事归供热公司管，已把电话给您"})
    desk.do(f"/requests/{alarm}/dismissal", {"reason": "已打120，家属陪同送医"})
    for request, whose, said in ((odd, link, "供热公司"), (alarm, alarm_link, "120")):
        seen = desk.see(f"/requests/{request}", whose)
        assert (seen["status"], said in seen["remarks"][-1]["reason"]) == ("closed", True)
        news = desk.inbox(whose)[-1]
        assert news["kind"] == "request.closed" and "专属链接" in news["zh"] and "personal link" in news["en"]
        assert desk.client.post("/api/feedback/ratings", json={"stars": 5}, headers=whose).status_code == 409
    assert not desk.see(f"/requests?community={desk.community}&status=unmatched")["items"]
    assert desk.see(f"/communities/{desk.community}/figures", {})["served"] == 0
    totals = desk.client.get(f"/api/feedback/outcomes?community={desk.community}&by=category").json()["total"]
    assert (totals["requests"], totals["beneficiaries"]) == (0, 0)


def test_what_was_put_together_by_mistake_is_taken_apart_again(desk: Desk) -> None:
    helper = desk.registered("春晖助老服务中心")
    desk.offer(helper)
    desk.system.quiet()
    (first, first_link), (second, link) = desk.request(), desk.request(LUNCH + "啊")
    desk.do(f"/requests/{second}/merging", {"into": first})
    assert desk.see(f"/requests/{first}", first_link)["supporters"] == 2
    apart = desk.do(f"/requests/{second}/separation", {"reason": "看错了，不是同一件事"})
    assert (apart["status"], apart["merged_into"], apart["organization"]) == ("matched", None, helper)
    assert desk.see(f"/requests/{first}", first_link)["supporters"] == 1
    assert desk.told(link)[-3:] == ["request.merged", "request.released", "request.matched"]
    assert desk.see(f"/requests/{second}", link)["remarks"][-1]["reason"] == "看错了，不是同一件事"
    # A resident who joined a neighbour may leave again, too; both are served, each by itself.
    desk.do(f"/requests/{second}/merging", {"into": first}, link)
    assert desk.do(f"/requests/{second}/separation", None, link)["status"] == "matched"
    for request in (first, second):
        for verb in ("acceptance", "delivery"):
            desk.do(f"/referrals/{desk.referral(request)['id']}/{verb}", None, desk.of(helper))
    assert desk.kind_of_problem(f"/requests/{second}/separation", None, link) == "request-served"


def test_a_need_goes_to_a_hub_which_hands_it_on_and_nothing_is_dropped(desk: Desk) -> None:
    # 综合服务网: the hub is on the menu, its members do the work.
    hub, member = desk.registered("律师协会"), desk.registered("午餐志愿队")
    assert desk.client.patch(f"/api/registry/organizations/{hub}", json={"hub": True}, headers=desk.headers).is_success
    belongs = desk.client.put(f"/api/registry/organizations/{member}/parents/{hub}", headers=desk.headers)
    assert belongs.is_success, belongs.text
    desk.offer(hub)
    desk.system.quiet()
    request, link = desk.request()
    referral = desk.referral(request)
    assert [one["organization"] for one in desk.see(f"/referrals/{referral['id']}/members", desk.of(hub))] == [member]
    desk.do(f"/referrals/{referral['id']}/handing-on", {"member": member}, desk.of(hub))
    trail = desk.see(f"/requests/{request}", link)["trail"]
    assert [(step["organization"], step["status"]) for step in trail] == [(hub, "handed-on"), (member, "made")]
    assert trail[1]["hub"] == hub

    # The member does not answer in time: the next one is asked.
    other = desk.registered("邻里餐桌")
    desk.offer(other)
    desk.days_pass(4)
    assert desk.referral(request)["organization"] == other
    assert "referral.expired" in desk.told(desk.of(member))
    desk.do(f"/referrals/{desk.referral(request)['id']}/acceptance", None, desk.of(other))

    # The other is suspended: what it had accepted is handed on, not dropped, and the resident sees it all.
    last = desk.registered("暖心小厨")
    desk.offer(last)
    desk.post(f"/organizations/{other}/suspension", {"reason": "食品许可过期"})
    desk.system.quiet()
    referral = desk.referral(request)
    assert referral["organization"] == last
    for verb in ("acceptance", "delivery"):
        desk.do(f"/referrals/{referral['id']}/{verb}", None, desk.of(last))
    statuses = [step["status"] for step in desk.see(f"/requests/{request}", link)["trail"]]
    assert statuses == ["handed-on", "expired", "handed-on", "delivered"]

    # The resident is not content, the station looks into it, and says why it closes the matter.
    desk.do(f"/requests/{request}/dispute", {"reason": "送晚了"}, link)
    desk.do(f"/requests/{request}/dispute-rejection", {"reason": "已核实，按时送达"})
    seen = desk.see(f"/requests/{request}", link)
    assert (seen["status"], seen["remarks"][-1]["reason"]) == ("closed", "已核实，按时送达")
    assert desk.told(link)[-1] == "request.dispute-rejected"


def test_when_an_agreement_ends_its_open_referrals_are_handed_on_and_not_dropped(desk: Desk) -> None:
    goes, stays = desk.registered("春晖助老服务中心", days=20), desk.registered("睦邻互助社")
    desk.offer(goes)
    desk.system.quiet()
    asked, accepted, followed = (desk.request(LUNCH + "啊" * n, channel="home-visit") for n in range(3))
    desk.do(f"/requests/{followed[0]}/merging", {"into": accepted[0]})
    desk.do(f"/referrals/{desk.referral(accepted[0])['id']}/acceptance", None, desk.of(goes))
    desk.offer(stays)

    # The term is over: what waited for an answer and what had been accepted go to who may serve.
    desk.days_pass(2)
    assert {desk.referral(id)["organization"] for id, _ in (asked, accepted)} == {goes}
    (agreement,) = [one["id"] for one in desk.get("/agreements", community=desk.community, organization=goes)["items"]]
    desk.post(f"/agreements/{agreement}/ending", {"reason": "双方商定不再续签"})
    desk.system.quiet()
    for id, link in (asked, accepted):
        trail = desk.see(f"/requests/{id}", link)["trail"]
        assert [(step["organization"], step["status"]) for step in trail] == [(goes, "handed-on"), (stays, "made")]
    assert desk.told(desk.of(goes)).count("referral.handed-on") == 2
    news = desk.client.get("/api/notify/inbox?limit=200", headers=accepted[1]).json()["items"][-1]
    assert news["kind"] == "request.matched" and "睦邻互助社" in news["zh"]

    # Nobody else is left when the other goes by its term: the need stands unmatched, and is not forgotten.
    for id, _ in (asked, accepted):
        referral = desk.referral(id)["id"]
        desk.do(f"/referrals/{referral}/acceptance", None, desk.of(stays))
    assert desk.see(f"/requests/{followed[0]}", followed[1])["status"] == "accepted"
    desk.days_pass(301)
    assert {desk.see(f"/requests/{id}", link)["status"] for id, link in (asked, accepted)} == {"unmatched"}
    assert desk.told(accepted[1])[-1] == "request.unmatched"
    assert len(desk.see(f"/project-suggestions?community={desk.community}")) == 1
