"""How a community comes by its social organizations, in the article's three ways (孵化式、组建式、吸纳式), and what they
do then; over HTTP alone, on a rehearsal community whose clock is moved."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from shared.clock import civil_date
from tests.registry.given import COMPOUNDS, TAXONOMY
from tests.system.conftest import AllInOne

REGISTRY = "/api/registry"
MADE_UP = "金丝雀女士13800138000"
"""A made-up person, who must be found nowhere but at the station."""


class Station:
    """The service station (社会组织服务站) of a community that was just opened, and the people who come to it."""

    def __init__(self, system: AllInOne, slug: str) -> None:
        self.system = system
        self.client = httpx.Client(base_url=system.address, timeout=30)
        self.operator = system.token("operator")
        opened = {"slug": slug, "name_zh": "丰和社区", "name_en": "Fenghe Community", "rehearsal": True, "compounds": COMPOUNDS}
        self.community: str = self.post("/communities", opened, self.operator)["id"]
        wanted = {"role": "station", "community": self.community, "subject": "station-director"}
        self.headers = {"Authorization": f"Bearer {self.post('/tokens', wanted, self.operator)['token']}"}
        taxonomy = self.client.put(f"{REGISTRY}/communities/{self.community}/taxonomy", json=TAXONOMY, headers=self.headers)
        assert taxonomy.is_success, taxonomy.text

    def post(self, path: str, body: Any = None, headers: dict[str, str] | None = None) -> Any:
        answer = self.client.post(REGISTRY + path, json=body, headers=self.headers if headers is None else headers)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def refused(self, path: str, body: Any, kind: str) -> str:
        answer = self.client.post(REGISTRY + path, json=body, headers=self.headers)
        problem = answer.json()
        assert problem["type"] == f"urn:fenghe:problem:{kind}", answer.text
        return str(problem["detail"])

    def get(self, path: str, **query: Any) -> Any:
        answer = self.client.get(REGISTRY + path, params=query, headers=self.headers)
        assert answer.is_success, f"{path}: {answer.text}"
        return answer.json()

    def apply(self, name_zh: str, **terms: Any) -> str:
        application = {
            "community": self.community,
            "name_zh": name_zh,
            "name_en": "A group of neighbours",
            "organization_class": "public-welfare",
            "introduction_zh": "我们是社区里的邻居。",
            "introduction_en": "We are neighbours.",
        }
        return str(self.post("/organizations", application | terms, {})["id"])

    def agree(self, organization: str, days: int = 300, **terms: Any) -> str:
        today = civil_date(self.now())
        term = {"starts_on": str(today), "ends_on": str(today + timedelta(days=days))}
        return str(self.post("/agreements", {"organization": organization, "categories": ["elderly"], **term, **terms})["id"])

    def offer(self, organization: str, **terms: Any) -> str:
        lunch = {
            "organization": organization,
            "item": "meal-service",
            "title_zh": "中午送餐到家",
            "title_en": "Lunch delivered",
            "fee_mode": "free",
            "unit": "person",
            "standard_zh": "一荤两素。",
            "standard_en": "One meat dish, two vegetables.",
            "hours": "24/7",
            "weekly_capacity": 20,
        }
        return str(self.post("/offers", lunch | terms)["id"])

    def menu(self, **query: Any) -> list[str]:
        return [entry["id"] for entry in self.get("/offers", community=self.community, **query)["items"]]

    def status(self, organization: str) -> str:
        return str(self.get(f"/organizations/{organization}")["status"])

    def now(self) -> datetime:
        ahead = self.get(f"/communities/{self.community}")["clock_ahead"]
        return datetime.now(UTC) + timedelta(seconds=ahead)

    def days_pass(self, days: int) -> None:
        to = (self.now() + timedelta(days=days)).isoformat()
        self.post(f"/communities/{self.community}/clock", {"to": to}, self.operator)
        self.system.quiet()

    def open_gate(self, incubation: str) -> dict[str, Any]:
        """Score every criterion that is published for the step, and decide."""
        step = self.get(f"/incubations/{incubation}")["step"]
        (gate,) = [gate for gate in self.get("/incubation-gates") if gate["step"] == step]
        scores = {"scores": {criterion["id"]: 80 for criterion in gate["criteria"]}}
        answer = self.client.put(f"{REGISTRY}/incubations/{incubation}/scores", json=scores, headers=self.headers)
        assert answer.is_success, answer.text
        decided: dict[str, Any] = self.post(f"/incubations/{incubation}/advancement", {"reason": f"{gate['name_zh']}合格"})
        return decided

    def desk(self) -> list[dict[str, Any]]:
        """The notices in the station's own inbox, oldest first."""
        self.system.quiet()
        return list(self.client.get("/api/notify/inbox?limit=200", headers=self.headers).json()["items"])

    def notices(self, organization: str) -> list[str]:
        self.system.quiet()
        headers = self.system.token("organization", self.community, organization)
        inbox = self.client.get("/api/notify/inbox", headers=headers).json()["items"]
        return [notice["kind"] for notice in inbox]


@pytest.fixture
def station(running: AllInOne, slug: str) -> Station:
    return Station(running, slug)


def test_incubation_goes_through_five_steps_and_no_gate_opens_unscored(station: Station) -> None:
    group = station.apply("棋友会")
    incubation = station.post("/incubations", {"organization": group})["id"]
    path = f"/incubations/{incubation}"
    assert [gate["name_zh"] for gate in station.get("/incubation-gates")] == [
        *("孵化申请", "初期测评", "实施孵化", "中期评估", "孵化终结")
    ]
    assert "missing" in station.refused(f"{path}/advancement", {"reason": "想快一点"}, "scores-missing")
    station.refused(f"{path}/advancement", {"reason": " "}, "invalid")
    station.refused(f"/organizations/{group}/registration", None, "incubation-open")

    assert station.open_gate(incubation)["step"] == "initial-assessment"
    assert station.status(group) == "incubating"
    assert station.open_gate(incubation)["step"] == "incubation"
    assert station.open_gate(incubation)["step"] == "mid-term"
    # A way back: two steps, and both are scored again.
    back = station.post(f"{path}/return", {"to": "initial-assessment", "reason": "骨干换了人"})
    assert (back["step"], back["scores"]) == ("initial-assessment", {})
    station.refused(f"{path}/return", {"to": "mid-term", "reason": "不能往前退"}, "step-not-earlier")
    station.refused(f"{path}/advancement", {"reason": "上次评过了"}, "scores-missing")
    for _ in range(4):
        done = station.open_gate(incubation)
    assert (done["step"], done["status"], done["score"]) == ("conclusion", "completed", 80.0)
    assert station.status(group) == "registered"
    assert station.get(f"/organizations/{group}")["origin"] == "incubated"
    record = station.get(path)["decisions"]
    assert [decision["verdict"] for decision in record] == [*["advance"] * 3, "return", *["advance"] * 4]
    assert {decision["decided_by"] for decision in record} == {"station-director"}
    assert record[-1]["scores"] == {"standards": 80, "independence": 80, "prospect": 80}
    assert "incubation.advanced" in station.notices(group)


def test_an_incubation_that_failed_is_applied_for_again(station: Station) -> None:
    group = station.apply("好邻居帮帮团")
    first = station.post("/incubations", {"organization": group})["id"]
    station.open_gate(first)
    station.post(f"/incubations/{first}/failure", {"reason": "成员散了"})
    assert station.status(group) == "rejected"
    station.refused(f"/incubations/{first}/advancement", {"reason": "再试试"}, "incubation-failed")

    station.post(f"/organizations/{group}/application")
    again = station.post("/incubations", {"organization": group})
    assert (again["attempt"], again["step"]) == (2, "application")
    for _ in range(5):
        station.open_gate(again["id"])
    assert station.status(group) == "registered"


def test_a_group_withdraws_and_a_channel_that_comes_to_nothing_is_closed(station: Station) -> None:
    group = station.apply("晨练队")
    incubation = station.post("/incubations", {"organization": group})["id"]
    station.open_gate(incubation)
    own = station.system.token("organization", station.community, group)
    left = station.post(f"/incubations/{incubation}/withdrawal", {"reason": "先不办了"}, own)
    assert (left["status"], station.status(group)) == ("withdrawn", "withdrawn")
    station.refused(f"/incubations/{incubation}/advancement", {"reason": "再试试"}, "incubation-withdrawn")
    assert station.get(f"/incubations/{incubation}")["decisions"][-1]["reason"] == "先不办了"

    # The standards cannot be met: the channel is closed, and what was provisional ends with it.
    guarantor, other = station.apply("春晖助老服务中心"), station.apply("夕阳红队")
    station.post(f"/organizations/{guarantor}/registration")
    station.agree(guarantor)
    standards = [{"name_zh": "固定场所", "name_en": "Premises"}]
    channel = station.post("/green-channels", {"organization": other, "standards": standards})["id"]
    agreement = station.agree(other, guarantor=guarantor)
    offer = station.offer(other)
    closed = station.post(f"/green-channels/{channel}/closing", {"reason": "找了一年没有场地"})
    assert (closed["status"], station.status(other)) == ("closed", "rejected")
    assert station.get(f"/agreements/{agreement}")["status"] == "ended"
    assert (station.menu(), station.get(f"/offers/{offer}")["status"]) == ([], "withdrawn")
    assert "org.rejected" in station.notices(other)


def test_whoever_loses_its_guarantor_serves_no_longer_and_the_station_is_told(station: Station) -> None:
    guarantor, group = station.apply("春晖助老服务中心"), station.apply("银发互助队")
    station.post(f"/organizations/{guarantor}/registration")
    own = station.agree(guarantor)
    standards = [{"name_zh": "固定场所", "name_en": "Premises"}]
    station.post("/green-channels", {"organization": group, "standards": standards})
    station.agree(group, guarantor=guarantor)
    offer = station.offer(group)
    assert [one["organization"] for one in station.get(f"/organizations/{guarantor}")["answers_for"]] == [group]

    # Suspended, the guarantor still answers; the station reads for whom, and decides.
    station.post(f"/organizations/{guarantor}/suspension", {"reason": "账目没有公开"})
    (seen,) = station.get(f"/organizations/{group}")["answered_for_by"]
    assert (seen["name_zh"], seen["status"], station.menu()) == ("春晖助老服务中心", "suspended", [offer])
    told = station.desk()[-1]
    assert told["kind"] == "org.suspended" and "银发互助队临时协议的担保组织" in told["zh"]
    station.post(f"/organizations/{guarantor}/reinstatement", {"reason": "账目已公开"})

    # Without an agreement of its own it answers for nobody: what was provisional ends, and everybody is told why.
    station.post(f"/agreements/{own}/ending", {"reason": "双方商定"})
    assert (station.menu(), station.get(f"/organizations/{group}")["answered_for_by"]) == ([], [])
    told = station.desk()[-1]
    assert told["kind"] == "agreement.ended" and "不能再为银发互助队担保" in told["zh"] and "another guarantor" in told["en"]
    assert station.notices(group)[-2:] == ["agreement.ended", "offer.withdrawn"]


def test_the_green_channel_turns_a_group_into_a_registered_organization(station: Station) -> None:
    guarantor = station.apply("春晖助老服务中心")
    station.post(f"/organizations/{guarantor}/registration")
    group = station.apply("银发互助队")
    standards = [{"name_zh": "固定场所", "name_en": "Premises"}, {"name_zh": "五十名会员", "name_en": "Fifty members"}]
    channel = station.post("/green-channels", {"organization": group, "standards": standards})["id"]
    assert station.status(group) == "incubating"

    # Meanwhile it serves under a provisional agreement, for which a registered organization answers.
    today = civil_date(station.now())
    terms = {"organization": group, "items": ["meal-service"], "starts_on": str(today), "ends_on": str(today)}
    station.refused("/agreements", terms, "organization-incubating")
    station.refused("/agreements", terms | {"guarantor": guarantor}, "guarantor-unfit")
    station.agree(guarantor)
    agreement = station.agree(group, guarantor=guarantor)
    assert station.get(f"/agreements/{agreement}")["provisional"] is True
    offer = station.offer(group)
    assert station.menu() == [offer]

    def see_to(position: int, **changes: Any) -> Any:
        path = f"{REGISTRY}/green-channels/{channel}/standards/{position}"
        answer = station.client.patch(path, json=changes, headers=station.headers)
        assert answer.is_success, answer.text
        return answer.json()

    seen = see_to(1, asked="正阳街道办事处", asked_on=str(today))
    assert seen["standards"][0]["asked"] == "正阳街道办事处"
    # One department cannot help, the next one can: both stay on record.
    see_to(1, answer="街道没有空房")
    seen = see_to(1, asked="区域联合党委成员单位")
    assert (seen["standards"][0]["answer"], seen["standards"][0]["earlier"][0]["answer"]) == (None, "街道没有空房")
    see_to(1, answer="活动中心二楼可以借用", met=True)
    assert station.status(group) == "incubating"
    # Nothing is met before it is on record whom the station asked, and the answer.
    unasked = station.client.patch(
        f"{REGISTRY}/green-channels/{channel}/standards/2", json={"met": True}, headers=station.headers
    )
    assert (unasked.status_code, unasked.json()["type"]) == (422, "urn:fenghe:problem:asked-missing")
    done = see_to(2, asked="区民政局", answer="会员名册已核对", met=True)
    assert (done["status"], station.status(group)) == ("completed", "registered")
    assert done["standards"][0]["answered_on"] == str(today)
    assert station.menu() == [offer]


def test_talents_join_lead_and_found_organizations(station: Station) -> None:
    talent = station.post(
        "/talents", {"community": station.community, "name": MADE_UP, "contact": MADE_UP, "skills": ["leisure"]}
    )
    assert MADE_UP not in str(talent)
    founded, joined = station.apply("巧手家政互助社", origin="formed"), station.apply("晚晴合唱团")
    links = f"/talents/{talent['id']}/links"
    assert "talent pool" in station.refused(f"/organizations/{founded}/registration", None, "founder-missing")
    station.post(links, {"organization": founded, "how": "founded"})
    station.post(links, {"organization": joined, "how": "joined"})
    station.post(links, {"organization": joined, "how": "led"})
    station.refused(links, {"organization": joined, "how": "founded"}, "organization-not-formed")
    station.refused(links, {"organization": joined, "how": "led"}, "link-exists")
    station.post(f"/organizations/{founded}/registration")
    assert station.get(f"/organizations/{founded}")["origin"] == "formed"
    known = station.get(f"/talents/{talent['id']}")
    assert known["name"] == MADE_UP
    assert [(link["organization"], link["how"]) for link in known["links"]] == [
        *((founded, "founded"), (joined, "joined"), (joined, "led"))
    ]
    # One that was said to lead has only joined; the organization hears of it.
    station.post(f"/talents/{talent['id']}/unlinking", {"organization": joined, "how": "led"})
    assert [link["how"] for link in station.get(f"/talents/{talent['id']}")["links"]] == ["founded", "joined"]
    assert station.notices(joined).count("talent.unlinked") == 1
    station.post(f"/talents/{talent['id']}/leaving")
    gone = station.get(f"/talents/{talent['id']}")
    assert (gone["name"], gone["contact"], gone["status"]) == (None, None, "left")


def test_an_agreement_is_warned_of_renewed_and_expires(station: Station) -> None:
    absorbed = station.apply("仁心健康服务站")
    station.post(f"/organizations/{absorbed}/registration")
    agreement = station.agree(absorbed, days=60)
    offer = station.offer(absorbed)
    assert "agreement.expiring" not in station.notices(absorbed)
    station.days_pass(31)
    assert station.notices(absorbed).count("agreement.expiring") == 1
    later = str(civil_date(station.now()) + timedelta(days=100))
    renewed = station.post(f"/agreements/{agreement}/renewal", {"ends_on": later})
    assert (renewed["ends_on"], renewed["renewals"]) == (later, 1)
    station.refused(f"/agreements/{agreement}/renewal", {"ends_on": later}, "renewal-not-later")
    station.days_pass(60)
    assert station.menu() == [offer]
    station.days_pass(11)
    station.days_pass(30)
    ended = station.get(f"/agreements/{agreement}")
    assert (ended["status"], ended["ended_because"]) == ("ended", "expired")
    assert station.menu() == []
    assert station.get(f"/offers/{offer}")["status"] == "withdrawn"
    notices = station.notices(absorbed)
    assert [notices.count(kind) for kind in ("agreement.expiring", "agreement.renewed", "agreement.ended")] == [2, 1, 1]
    station.refused(f"/agreements/{agreement}/renewal", {"ends_on": "2990-01-01"}, "agreement-ended")
    figures = station.get(f"/communities/{station.community}/figures")
    assert (figures["expired"], figures["renewed"], figures["agreements"]) == (1, 1, 0)


def test_hubs_have_members_and_an_association_has_clubs(station: Station) -> None:
    association, club, other = (station.apply(name) for name in ("大家乐文体协会", "快乐健身舞蹈队", "好友乒乓球俱乐部"))
    for organization in (association, club, other):
        station.post(f"/organizations/{organization}/registration")

    def belong(organization: str, parent: str) -> httpx.Response:
        return station.client.put(f"{REGISTRY}/organizations/{organization}/parents/{parent}", headers=station.headers)

    assert belong(club, association).json()["type"].endswith("parent-no-hub")
    path = f"{REGISTRY}/organizations/{association}"
    assert station.client.patch(path, json={"hub": True}, headers=station.headers).is_success
    for organization in (club, other):
        assert belong(organization, association).json()["parents"] == [association]
    members = station.get("/organizations", community=station.community, parent=association)["items"]
    assert [member["id"] for member in members] == [club, other]
    station.agree(association, categories=["leisure"])
    begin = station.now() + timedelta(days=3)
    activity = station.post(
        "/activities",
        {
            "organization": club,
            "category": "leisure",
            "title_zh": "广场舞大家跳",
            "title_en": "Everybody dances",
            "starts_at": begin.isoformat(),
            "ends_at": (begin + timedelta(hours=2)).isoformat(),
            "place_zh": "社区广场",
            "place_en": "The square",
            "capacity": 60,
        },
    )["id"]
    station.refused(f"/activities/{activity}/holding", {"beneficiaries": 45}, "activity-ahead")
    station.days_pass(4)
    station.post(f"/activities/{activity}/holding", {"beneficiaries": 45})
    (held,) = station.get("/activities", community=station.community, status="held")["items"]
    assert (held["beneficiaries"], held["organization"]) == (45, club)
    # The number was wrong by one who came twice: the outcomes follow.
    station.post(f"/activities/{activity}/correction", {"beneficiaries": 44})
    station.system.quiet()
    outcomes = station.client.get(f"/api/feedback/outcomes?community={station.community}&by=organization").json()
    assert [(row["key"], row["activities"], row["beneficiaries"]) for row in outcomes["rows"]] == [(club, 1, 44)]
    station.post(f"/organizations/{association}/leaving", {"reason": "协会搬走了"})
    assert station.get(f"/organizations/{club}")["parents"] == []


def test_suspension_takes_off_the_menu_what_reinstatement_brings_back(station: Station) -> None:
    organization = station.apply("律师协会")
    station.post(f"/organizations/{organization}/registration")
    station.agree(organization)
    offer = station.offer(organization, title_zh="上门做饭")
    assert station.menu(q="做饭") == station.menu(q="LUNCH neighbours") == station.menu(open_now=True) == [offer]
    station.post(f"/organizations/{organization}/suspension", {"reason": "年检没有过"})
    assert station.menu() == []
    station.post(f"/organizations/{organization}/reinstatement", {"reason": "补办好了"})
    assert station.menu() == [offer]
    station.post(f"/organizations/{organization}/leaving", {"reason": "协会解散"})
    assert station.menu() == []
    assert station.apply("律师协会") != organization
    station.refused(f"/organizations/{organization}/application", None, "name-taken")
