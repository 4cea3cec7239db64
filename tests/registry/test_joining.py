"""Joining the community and leaving it: what is refused, what ends with what, and who may see it."""

from __future__ import annotations

from typing import Any

import pytest
from httpx import Response

from services.registry.models import Agreement, Decision, Incubation, Organization
from shared.events import registry as facts
from shared.messaging.testing import Harness
from tests.registry.given import BASE, MET, TAXONOMY, Town, open_town, refused

REASON = {"reason": "服务站研究决定"}


def scored(town: Town, incubation: str, **scores: int) -> Any:
    return town.registry.client.put(f"{BASE}/incubations/{incubation}/scores", json={"scores": scores}, headers=town.station)


def green_channel(town: Town, organization: str, standards: int = 2) -> str:
    wanted = [{"name_zh": f"条件{n}", "name_en": f"Standard {n}"} for n in range(standards)]
    return town.post("/green-channels", {"organization": organization, "standards": wanted})["id"]


def test_a_gate_needs_every_score_a_reason_and_a_person(registry: Harness, town: Town) -> None:
    group = town.organization()
    with town.telling("incubation.applied"):
        id = town.post("/incubations", {"organization": group})["id"]
    path = f"/incubations/{id}/advancement"
    with town.telling():
        assert scored(town, id, need=90, people=70).json()["scores"] == {"need": 90, "people": 70}
        refused(town.try_post(path, REASON), 409, "scores-missing", "scores")
        refused(scored(town, id, charter=50), 422, "criterion-unknown", "scores.charter")
        refused(scored(town, id, need=101), 422, "invalid", "scores.need")
        assert scored(town, id, purpose=65).is_success
        refused(town.try_post(path, {"reason": " "}), 422, "invalid", "reason")
        refused(town.try_post(path, REASON, registry.as_("station", town.id)), 403, "forbidden")
        refused(town.try_post(path, REASON, registry.as_("organization", town.id, group)), 403, "forbidden")
        refused(town.try_post("/incubations", {"organization": group}), 409, "incubation-open", "organization")
        refused(town.try_post(f"/organizations/{group}/registration"), 409, "incubation-open", "status")
    with town.telling("incubation.advanced", "org.incubating"):
        advanced = town.post(path, REASON)
    assert (advanced["step"], advanced["score"], advanced["scores"]) == ("initial-assessment", 75.0, {})
    [decision] = registry.rows(Decision)
    assert (decision.decided_by, decision.step, decision.scores["need"]) == ("station-1", "application", 90)
    [event] = registry.told(facts.OrganizationIncubating)
    assert (event.data.origin, event.data.status) == ("incubated", "incubating")
    assert REASON["reason"] not in "".join(fact.data.model_dump_json() for fact in registry.told())


def test_an_expert_scores_a_gate_who_is_enrolled_and_has_no_interest_in_the_group(registry: Harness, town: Town) -> None:
    group = town.organization()
    id = town.post("/incubations", {"organization": group})["id"]
    person = {"community": town.id, "name": "专家", "categories": ["elderly"]}
    expert = town.post("/experts", person)["id"]
    elsewhere = open_town(registry, "elsewhere")
    stranger = elsewhere.post("/experts", person | {"community": elsewhere.id})["id"]

    def score(subject: str) -> Response:
        headers = registry.as_("expert", town.id, subject=subject)
        return registry.client.put(f"{BASE}/incubations/{id}/scores", json={"scores": {"need": 90}}, headers=headers)

    assert score(expert).json()["scores"] == {"need": 90}
    for unknown in ("nobody", stranger):
        refused(score(unknown), 403, "forbidden")
    assert town.try_patch(f"/experts/{expert}", {"conflicts": [group]}).is_success
    refused(score(expert), 403, "forbidden")
    assert town.try_patch(f"/experts/{expert}", {"conflicts": []}).is_success
    assert score(expert).is_success
    town.post(f"/experts/{expert}/leaving")
    refused(score(expert), 403, "forbidden")


def test_a_group_that_withdraws_leaves_nothing_open_behind(registry: Harness, town: Town) -> None:
    guarantor = town.registered(name_zh="春晖")
    town.agreement(guarantor)
    group = town.organization(name_zh="银发队")
    incubation = town.post("/incubations", {"organization": group})["id"]
    channel = green_channel(town, group)
    agreement = town.agreement(group, guarantor=guarantor)
    town.offer(group)
    town.post("/activities", town.activity_terms(group))
    own = registry.as_("organization", town.id, group)
    with town.telling(
        *("incubation.withdrawn", "green-channel.closed", "agreement.ended", "offer.withdrawn"),
        *("activity.cancelled", "org.withdrawn"),
    ):
        town.post(f"/organizations/{group}/withdrawal", REASON, own)
    assert town.get(f"/incubations/{incubation}", own)["status"] == "withdrawn"
    assert town.get(f"/green-channels/{channel}", own)["status"] == "closed"
    assert town.get(f"/agreements/{agreement}")["ended_because"] == "left"
    with town.telling("org.applied"):
        town.post(f"/organizations/{group}/application", headers=own)
    assert town.post("/incubations", {"organization": group}, own)["attempt"] == 2
    assert {row.status for row in registry.rows(Incubation)} == {"withdrawn", "open"}


def test_a_guarantor_answers_only_while_it_may_serve_itself(registry: Harness, town: Town) -> None:
    guarantor, group = town.registered(name_zh="春晖"), town.organization(name_zh="银发队")
    terms = town.agreement_terms(group)
    with town.telling():
        refused(town.try_post("/agreements", terms), 409, "organization-applied", "organization")
        refused(town.try_post("/agreements", terms | {"guarantor": guarantor}), 409, "channel-missing", "guarantor")
    green_channel(town, group)
    elsewhere = open_town(registry, "elsewhere").registered()
    with town.telling():
        for unfit, status, kind in [
            (guarantor, 409, "guarantor-unfit"),
            (group, 409, "guarantor-unfit"),
            ("nobody", 404, "organization-unknown"),
            (elsewhere, 404, "organization-unknown"),
        ]:
            refused(town.try_post("/agreements", terms | {"guarantor": unfit}), status, kind, "guarantor")
    own = town.agreement(guarantor)
    provisional = town.agreement(group, guarantor=guarantor)
    offer = town.offer(group)
    assert [entry["id"] for entry in town.menu()] == [offer]
    [event] = [event for event in registry.told(facts.AgreementSigned) if event.subject == provisional]
    assert (event.data.provisional, event.data.guarantor) == (True, guarantor)
    # Where the station sees one of the two it sees the other, and how it stands.
    seen, answered = town.get(f"/organizations/{guarantor}"), town.get(f"/organizations/{group}")
    [one] = seen["answers_for"]
    assert (one["agreement"], one["name_zh"], one["status"]) == (provisional, "银发队", "incubating")
    assert [(one["organization"], one["status"]) for one in answered["answered_for_by"]] == [(guarantor, "registered")]
    assert (seen["answered_for_by"], answered["answers_for"]) == ([], [])
    with town.telling("org.suspended"):
        town.post(f"/organizations/{guarantor}/suspension", REASON)
    [event] = registry.told(facts.OrganizationSuspended)
    assert event.data.answers_for == (group,)
    assert [one["status"] for one in town.get(f"/organizations/{group}")["answered_for_by"]] == ["suspended"]
    assert [entry["id"] for entry in town.menu()] == [offer], "the group serves on, and the station decides"
    town.post(f"/organizations/{guarantor}/reinstatement", REASON)
    with town.telling("agreement.ended", "agreement.ended", "offer.withdrawn"):
        town.post(f"/agreements/{own}/ending", REASON)
    assert [row.status for row in registry.rows(Agreement)] == ["ended", "ended"]
    ended = {event.subject: event.data for event in registry.told(facts.AgreementEnded)}
    assert (ended[own].with_guarantor, ended[provisional].with_guarantor) == (False, True)
    assert town.get(f"/organizations/{group}")["answered_for_by"] == []
    assert "担保" in town.get(f"/agreements/{provisional}", registry.as_("station", town.id))["reason"]
    with town.telling("org.suspended"):
        town.post(f"/organizations/{guarantor}/suspension", REASON)
    assert registry.told(facts.OrganizationSuspended)[-1].data.answers_for == ()


def test_a_standard_is_asked_about_answered_and_met(registry: Harness, town: Town) -> None:
    group = town.organization()
    with town.telling("green-channel.opened", "org.incubating"):
        channel = green_channel(town, group)
    path = f"/green-channels/{channel}/standards"
    with town.telling():
        refused(town.try_patch(f"{path}/1", {"answer": "可以"}), 422, "asked-missing", "answer")
        refused(town.try_patch(f"{path}/1", {"asked_on": "2026-01-01"}), 422, "asked-missing", "asked_on")
        refused(town.try_patch(f"{path}/3", MET), 404, "standard-unknown")
        refused(town.try_patch(f"{path}/99999999999999999999", MET), 422, "invalid", "position")
        refused(town.try_patch(f"{path}/first", MET), 422, "invalid", "position")
        refused(town.try_patch(f"{path}/1", {"met": True}), 422, "asked-missing", "met")
        refused(town.try_patch(f"{path}/1", {"asked": "民政局", "met": True}), 422, "answer-missing", "met")
        assert town.try_patch(f"{path}/1", {}).is_success
        refused(
            town.try_post("/green-channels", {"organization": group, "standards": [{"name_zh": "a", "name_en": "a"}]}),
            *(409, "channel-open", "organization"),
        )
    with town.telling("green-channel.advanced"):
        assert town.try_patch(f"{path}/1", MET).is_success
    [event] = registry.told(facts.GreenChannelAdvanced)
    assert (event.data.standards, event.data.asked, event.data.met) == (2, 1, 1)
    assert "民政局" not in event.data.model_dump_json()
    with town.telling():
        for change in ({"met": True}, {"answer": "又说不行"}):
            refused(town.try_patch(f"{path}/1", change), 409, "standard-met", "met")
    # Ticked by mistake: as long as others are not met, it is taken back.
    with town.telling("green-channel.advanced", "green-channel.advanced"):
        assert town.try_patch(f"{path}/1", {"met": False}).json()["standards"][0]["met"] is False
        assert town.try_patch(f"{path}/1", {"met": True}).json()["standards"][0]["met"] is True
    with town.telling("green-channel.completed", "org.registered"):
        assert town.try_patch(f"{path}/2", MET).json()["status"] == "completed"
    with town.telling():
        refused(town.try_patch(f"{path}/2", {"met": False}), 409, "channel-completed", "status")


def test_who_is_asked_in_anothers_place_has_not_answered_and_nothing_on_record_is_lost(registry: Harness, town: Town) -> None:
    channel = green_channel(town, town.organization())
    path = f"/green-channels/{channel}/standards/1"

    def see_to(**changes: Any) -> Any:
        answer = town.try_patch(path, changes)
        assert answer.is_success, answer.text
        return answer.json()["standards"][0]

    see_to(asked="街道办事处", asked_on="2026-01-05", answer="我们没有场地", answered_on="2026-01-09")
    now = see_to(asked="区民政局", asked_on="2026-02-02")
    assert (now["asked"], now["answer"], now["answered_on"]) == ("区民政局", None, None)
    first = {"asked": "街道办事处", "asked_on": "2026-01-05", "answer": "我们没有场地", "answered_on": "2026-01-09"}
    assert now["earlier"] == [first]
    with town.telling():
        refused(town.try_patch(path, {"met": True}), 422, "answer-missing", "met")
        refused(town.try_patch(path, {"asked": "园区", "met": True}), 422, "answer-missing", "met")
        early = {"answer": "可以", "answered_on": "2026-02-01"}
        refused(town.try_patch(path, early), 422, "answered-before-asked", "answered_on")
        refused(town.try_patch(path, {"asked_on": "2990-01-01"}), 422, "day-ahead", "asked_on")
    with town.telling("green-channel.advanced", "green-channel.advanced"):
        see_to(answer="再等等", answered_on="2026-02-05")
        now = see_to(answer="可以借用二楼", answered_on="2026-03-01", met=True)
    second = {"asked": "区民政局", "asked_on": "2026-02-02", "answer": "再等等", "answered_on": "2026-02-05"}
    assert (now["answer"], now["met"], now["earlier"]) == ("可以借用二楼", True, [first, second])
    assert all("民政局" not in event.data.model_dump_json() for event in registry.told())


def test_an_incubation_waits_for_the_green_channel_and_the_channel_for_it(town: Town) -> None:
    group = town.organization()
    incubation = town.post("/incubations", {"organization": group})["id"]
    channel = green_channel(town, group, standards=1)
    for gate in town.get("/incubation-gates"):
        assert scored(town, incubation, **{criterion["id"]: 70 for criterion in gate["criteria"]}).is_success
        if gate["step"] != "conclusion":
            town.post(f"/incubations/{incubation}/advancement", REASON)
    with town.telling():
        refused(town.try_post(f"/incubations/{incubation}/advancement", REASON), 409, "standards-unmet", "status")
    with town.telling("green-channel.completed"):
        assert town.try_patch(f"/green-channels/{channel}/standards/1", MET).is_success
    with town.telling("incubation.completed", "org.registered"):
        town.post(f"/incubations/{incubation}/advancement", REASON)


def test_what_is_formed_around_talents_is_registered_once_one_of_them_founded_it(town: Town) -> None:
    alone, incubated, lacking = (town.organization(name_zh=f"互助社{n}", origin="formed") for n in range(3))
    incubation = town.post("/incubations", {"organization": incubated})["id"]
    for gate in town.get("/incubation-gates"):
        assert scored(town, incubation, **{criterion["id"]: 70 for criterion in gate["criteria"]}).is_success
        if gate["step"] != "conclusion":
            town.post(f"/incubations/{incubation}/advancement", REASON)
    channel = green_channel(town, lacking, standards=1)
    talent = town.post("/talents", {"community": town.id, "name": "老领班", "skills": ["elderly"]})["id"]
    for how in ("joined", "led"):
        town.post(f"/talents/{talent}/links", {"organization": alone, "how": how})

    def go_on() -> list[Response]:
        return [
            town.try_post(f"/organizations/{alone}/registration"),
            town.try_post(f"/incubations/{incubation}/advancement", REASON),
            town.try_patch(f"/green-channels/{channel}/standards/1", MET),
        ]

    with town.telling():
        for answer in go_on():
            refused(answer, 409, "founder-missing", "origin")
    for organization in (alone, incubated, lacking):
        town.post(f"/talents/{talent}/links", {"organization": organization, "how": "founded"})
    with town.telling("org.registered", "incubation.completed", "org.registered", "green-channel.completed", "org.registered"):
        assert all(answer.is_success for answer in go_on())
    assert {town.get(f"/organizations/{one}")["origin"] for one in (alone, incubated, lacking)} == {"formed"}


def test_a_name_is_free_when_its_organization_is_gone(registry: Harness, town: Town) -> None:
    rejected, left = town.organization(), town.registered(name_zh="律师协会")
    town.post(f"/organizations/{rejected}/rejection", REASON)
    town.post(f"/organizations/{left}/leaving", REASON)
    taken = town.organization()
    town.organization(name_zh="律师协会")
    with town.telling():
        for id in (rejected, left):
            refused(town.try_post(f"/organizations/{id}/application"), 409, "name-taken", "name_zh")
    town.post(f"/organizations/{taken}/withdrawal", REASON)
    town.post(f"/organizations/{rejected}/application")
    statuses = {row.id: row.status for row in registry.rows(Organization)}
    assert [statuses[id] for id in (rejected, left, taken)] == ["applied", "left", "withdrawn"]


def test_decisions_are_between_the_station_and_whom_they_concern(registry: Harness, town: Town) -> None:
    id, other = town.registered(), town.registered(name_zh="别家")
    elsewhere = open_town(registry, "elsewhere")
    town.post(f"/organizations/{id}/suspension", REASON)
    incubation = town.post("/incubations", {"organization": town.organization(name_zh="小组")})["id"]
    for headers in (town.station, registry.as_("operator"), registry.as_("organization", town.id, id)):
        [decision] = town.get(f"/organizations/{id}/decisions", headers)["items"]
        assert (decision["verdict"], decision["reason"]) == ("suspend", REASON["reason"])
    stranger = registry.as_("organization", town.id, other)
    for headers in (stranger, elsewhere.station):
        refused(registry.client.get(f"{BASE}/organizations/{id}/decisions", headers=headers), 403, "forbidden")
        refused(registry.client.get(f"{BASE}/incubations/{incubation}", headers=headers), 403, "forbidden")
    assert town.get("/incubations", stranger, community=town.id)["items"] == []
    assert len(town.get("/incubations", town.station, community=town.id, status="open")["items"]) == 1


def test_a_suspended_organization_has_no_open_offers(registry: Harness, town: Town) -> None:
    id = town.registered()
    town.agreement(id)
    offer = town.offer(id)
    town.post(f"/organizations/{id}/suspension", REASON)
    assert town.menu() == []
    with town.telling():
        refused(town.try_post("/offers", town.offer_terms(id)), 409, "organization-suspended", "organization")
        refused(town.try_patch(f"/offers/{offer}", {"title_en": "New"}), 409, "organization-suspended", "organization")
        refused(town.try_post("/activities", town.activity_terms(id)), 409, "organization-suspended", "organization")
        refused(town.try_post("/agreements", town.agreement_terms(id)), 409, "organization-suspended", "organization")
    with town.telling("org.reinstated"):
        town.post(f"/organizations/{id}/reinstatement", REASON)
    assert [entry["id"] for entry in town.menu()] == [offer]


def test_hubs_have_members_of_their_own_community_and_no_circles(registry: Harness, town: Town) -> None:
    hub, inner, club = (town.registered(name_zh=name) for name in ("协会", "分会", "队"))
    elsewhere = open_town(registry, "elsewhere").registered()

    def belong(organization: str, parent: str, method: str = "PUT") -> Any:
        return registry.client.request(method, f"{BASE}/organizations/{organization}/parents/{parent}", headers=town.station)

    with town.telling():
        refused(belong(club, hub), 409, "parent-no-hub", "parent")
        refused(belong(club, "nobody"), 404, "organization-unknown", "parent")
        refused(belong(club, elsewhere), 422, "organization-elsewhere", "parent")
        refused(
            town.try_patch(f"/organizations/{hub}", {"hub": True}, registry.as_("organization", town.id, hub)), 403, "forbidden"
        )
    for id in (hub, inner):
        with town.telling("org.changed"):
            assert town.try_patch(f"/organizations/{id}", {"hub": True}).json()["hub"] is True
    with town.telling("org.changed", "org.changed"):
        assert belong(inner, hub).json()["parents"] == [hub]
        assert belong(club, inner).json()["parents"] == [inner]
        assert belong(club, inner).json()["parents"] == [inner]
    with town.telling():
        refused(belong(hub, inner), 409, "parents-circular", "parent")
        refused(belong(hub, hub), 409, "parents-circular", "parent")
        refused(belong(club, hub, "DELETE"), 404, "parent-unknown", "parent")
        refused(town.try_patch(f"/organizations/{inner}", {"hub": False}), 409, "hub-has-members", "hub")
    assert [one["id"] for one in town.get("/organizations", community=town.id, parent=inner)["items"]] == [club]
    with town.telling("org.left", "org.changed"):
        town.post(f"/organizations/{inner}/leaving", REASON)
    assert town.get(f"/organizations/{club}")["parents"] == []


def test_an_activity_needs_an_agreement_for_it(registry: Harness, town: Town) -> None:
    organization = town.registered()
    terms = town.activity_terms(organization)
    with town.telling():
        refused(town.try_post("/activities", terms), 409, "agreement-missing", "category")
    town.agreement(organization, categories=[], items=["meal-service"])
    with town.telling():
        for change, status, kind, field in [
            ({"item": "home-care"}, 409, "agreement-missing", "item"),
            ({"category": "leisure"}, 409, "agreement-missing", "category"),
            ({"category": "cooking"}, 422, "category-unknown", "category"),
            ({"item": "choir"}, 422, "item-unknown", "item"),
            ({"ends_at": terms["starts_at"]}, 422, "term-reversed", "ends_at"),
            ({"starts_at": "2026-01-01T10:00:00"}, 422, "invalid", "starts_at"),
            ({"starts_at": "0001-01-01T00:00:00+12:00"}, 422, "term-far", "starts_at"),
            ({"ends_at": "9999-12-31T23:59:59-12:00"}, 422, "term-far", "ends_at"),
            ({"capacity": 0}, 422, "invalid", "capacity"),
        ]:
            refused(town.try_post("/activities", terms | change), status, kind, field)
    with town.telling("activity.announced"):
        id = town.post("/activities", terms | {"item": "meal-service"}, registry.as_("organization", town.id, organization))[
            "id"
        ]
    with town.telling():
        refused(town.try_post(f"/activities/{id}/holding", {"beneficiaries": -1}), 422, "invalid", "beneficiaries")
        other = registry.as_("organization", town.id, "another")
        refused(town.try_post(f"/activities/{id}/holding", {"beneficiaries": 1}, other), 403, "forbidden")
    with town.telling("activity.held"):
        town.post(f"/activities/{id}/holding", {"beneficiaries": 84})
    figures = town.get(f"/communities/{town.id}/figures")
    assert (figures["activities"], figures["beneficiaries"]) == (1, 84)


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ({"q": "合唱"}, ["choir"]),
        ({"q": "CHOIR"}, ["choir"]),
        ({"q": "chunhui lunch"}, ["lunch"]),
        ({"q": "春晖 送餐"}, ["lunch"]),
        ({"q": "咋整"}, ["lunch"]),
        ({"q": "Leisure"}, ["choir"]),
        ({"q": "老有所依 合唱"}, []),
        ({"q": " "}, ["lunch", "choir"]),
        ({"q": "午餐"}, ["lunch"]),
        ({"q": "老人午餐"}, ["lunch"]),
        ({"q": "唱班 choirs"}, ["choir"]),
        ({"q": "午餐", "compound": "jinhui-court"}, ["lunch"]),
        ({"q": "火锅"}, []),
        ({"compound": "heping-lane"}, ["lunch", "choir"]),
        ({"compound": "jinhui-court"}, ["lunch"]),
        ({"open_now": True}, ["lunch"]),
        ({"open_now": True, "q": "合唱"}, []),
    ],
)
def test_the_menu_is_looked_through_as_people_look(town: Town, query: dict[str, Any], found: list[str]) -> None:
    id = town.registered()
    town.agreement(id, categories=["elderly", "leisure"])
    ids = {
        "lunch": town.offer(id, hours="24/7"),
        "choir": town.offer(
            id, item="choir", title_zh="唱歌班", title_en="Singing", hours="24/7 off", area=["heping-lane", "fenghe-garden"]
        ),
    }
    assert [entry["id"] for entry in town.menu(**query)] == [ids[name] for name in found]
    assert TAXONOMY["categories"][0]["items"][0]["phrases"]["zh"] == ["老人中午吃饭咋整"]
