"""A season in a minute: in a rehearsal community agreements are renewed and expire, a referral is overdue and a project passes
its deadline, by the community's clock, each told once, while the machine's clock goes on by seconds. Over HTTP only."""

from __future__ import annotations

from datetime import timedelta

from tests.system.station_desk import Desk


def test_a_season_with_an_expiry_a_renewal_an_overdue_referral_and_a_deadline(desk: Desk) -> None:
    opened = desk.now()
    stays, goes, works = (desk.registered(name, days=70) for name in ("春晖助老服务中心", "睦邻互助社", "暖心小厨"))
    desk.offer(stays)
    leaving = desk.offer(goes)

    # Nobody answers in time: the request goes to the next, and nothing is dropped.
    request, link = desk.request()
    first = desk.referral(request)["organization"]
    desk.days_pass(4)
    second = desk.referral(request)["organization"]
    assert {first, second} == {stays, goes}
    assert desk.told(desk.of(first)).count("referral.expired") == 1
    desk.do(f"/referrals/{desk.referral(request)['id']}/acceptance", None, desk.of(second))
    desk.do(f"/referrals/{desk.referral(request)['id']}/delivery", None, desk.of(second))

    # An activity is announced for a day on which nobody answers for it any more.
    begin = desk.now() + timedelta(days=90)
    times = {"starts_at": begin.isoformat(), "ends_at": (begin + timedelta(hours=2)).isoformat()}
    named = {"title_zh": "重阳敬老饭", "title_en": "A meal for the elders", "place_zh": "社区食堂", "place_en": "Canteen"}
    activity = desk.post("/activities", {"organization": goes, "category": "elderly", **named, **times})["id"]

    # A project is claimed, assigned, and not done by its deadline.
    project = desk.project("陪伴独居老人", [], deadline=str(desk.now().date() + timedelta(days=20)))
    meeting = desk.meeting(project, objection_days=0)
    desk.do(f"/meetings/{meeting}/opening")
    desk.claim(works, project)
    for verb in ("conclusion", "confirmation"):
        desk.do(f"/meetings/{meeting}/{verb}")
    assert not desk.see(f"/projects/{project}", {})["overdue"]
    desk.days_pass(22)
    assert desk.see(f"/projects/{project}", {})["overdue"]
    assert desk.told(desk.of(works)).count("project.overdue") == 1

    # Both agreements are warned of a month before their end; one is renewed, the other expires and leaves the menu.
    desk.days_pass(20)
    agreements = desk.get("/agreements", community=desk.community)["items"]
    by_organization = {agreement["organization"]: agreement["id"] for agreement in agreements}
    for organization in (stays, goes):
        assert desk.told(desk.of(organization)).count("agreement.expiring") == 1
    desk.post(f"/agreements/{by_organization[stays]}/renewal", {"ends_on": str(desk.now().date() + timedelta(days=365))})
    desk.days_pass(30)
    assert leaving not in desk.menu() and len(desk.menu()) == 1
    assert desk.get(f"/offers/{leaving}")["status"] == "withdrawn"
    assert desk.told(desk.of(goes)).count("agreement.ended") == 1
    assert desk.told(desk.headers).count("agreement.ended") == 2
    assert desk.get(f"/activities/{activity}")["status"] == "cancelled"
    assert desk.told(desk.of(goes)).count("activity.cancelled") == 1

    figures = desk.get(f"/communities/{desk.community}/figures")
    assert (figures["renewed"], figures["expired"]) == (1, 2)
    assert desk.client.get(f"/api/matching/communities/{desk.community}/figures").json()["overdue"] == 1
    assert desk.see(f"/requests/{request}", link)["status"] == "served"
    assert desk.now() - opened >= timedelta(days=75)
