"""Finding who can help: what a resident asks of whoever comes, what the station settles, and why nobody can."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from decimal import Decimal
from random import Random

import pytest
from sqlmodel import select

from services.matching import rank
from services.matching.models import Assignment, CapacityPrice, Meeting, Project, Referral, Request
from services.matching.queries import ranking
from services.matching.queries.ranking import Kind
from services.matching.rank import WEIGHTS
from shared.clock import civil_date
from shared.clock import now as machine_now
from shared.events.registry import CommunityOpened, Compound
from shared.identifiers import new_id
from tests.matching.given import PESTS, PLUMBING, holder

PRESENT = "/api/matching/communities/{}/{}"


def because(view):
    return {one["condition"]: one["organizations"] for one in view["unserved"]["because"]}


def test_whoever_comes_keeps_to_what_the_resident_asks_for(matching, town, steps):
    matching.hear(
        town.opened(),
        town.taxonomy(),
        *town.member("甲", fee_mode="paid", price="80.00"),
        *town.member("乙", fee_mode="low", price="20.00", hours="Sa 09:00-12:00"),
        *town.member("丙", fee_mode="low", price="15.00", languages=("zh", "en")),
    )
    saturday, monday = "2026-11-28T10:00:00+08:00", "2026-11-30T10:00:00+08:00"
    for wishes, expected in [
        ({}, {"甲", "乙", "丙"}),
        ({"fee_limit": "20"}, {"乙", "丙"}),
        ({"speaks": "en"}, {"丙"}),
        ({"wanted_at": saturday}, {"乙"}),
        ({"wanted_at": monday}, {"甲", "丙"}),
    ]:
        seen = steps.seen(town.submit(matching, **wishes)["id"])
        assert {candidate["organization_name_zh"] for candidate in seen["candidates"]} == expected, wishes
    alone = steps.seen(town.submit(matching, fee_limit="0", speaks="en", wanted_at=saturday)["id"])
    assert alone["status"] == "unmatched"
    assert because(alone) == {"hours": 2, "language": 1}
    assert "2个组织在您说的时间不服务" in [one["zh"] for one in alone["unserved"]["because"]]
    assert alone["fee_limit"] == "0.00"
    told = next(event for event in matching.told() if event.subject == alone["id"])
    assert (told.data.speaks, told.data.fee_limit) == ("en", "0.00")


def test_a_week_holds_no_more_requests_than_the_offer_takes(matching, town, steps):
    matching.hear(town.opened(), town.taxonomy(), *town.member("甲", weekly_capacity=2), *town.member("乙", weekly_capacity=1))
    seen = [steps.seen(town.submit(matching, text=f"水龙头漏水，{n}号楼")["id"]) for n in range(4)]
    assert sorted(view["status"] for view in seen) == ["matched", "matched", "matched", "unmatched"]
    full = seen[-1]
    assert because(full) == {"capacity": 2}
    for view in seen[:3]:
        assert steps.decide(view["id"], "acceptance").status_code == 200
    matching.hear(town.clock_moved(timedelta(days=2)))
    assert steps.seen(full["id"])["status"] == "unmatched"
    # Another week has places again, and whoever found none is looked at again without being asked.
    matching.hear(town.clock_moved(timedelta(days=8)))
    assert steps.seen(full["id"])["status"] == "matched"


def test_where_the_shortlist_is_used_up_others_are_looked_at(matching, town, steps, monkeypatch):
    """Many requests that come at once fill the places of the first few; and a request may have been before all of these."""
    monkeypatch.setattr("services.matching.queries.ranking.SHORTLIST", 2)
    names = [f"{n}队" for n in "一二三四五六"]
    matching.hear(town.opened(), *(fact for name in names for fact in town.member(name, weekly_capacity=1)))
    waiting = [town.submit(matching, text=f"水龙头漏水，{n}号楼")["id"] for n in range(7)]
    matching.hear(town.taxonomy())
    seen = [steps.seen(id) for id in waiting]
    assert sorted(view["status"] for view in seen) == ["matched"] * 6 + ["unmatched"]
    assert len({steps.asked(view["id"]) for view in seen if view["status"] == "matched"}) == 6
    assert [because(view) for view in seen if view["status"] == "unmatched"] == [{"capacity": 6}]
    # One after the other declines; the others are asked, though they are not among the first.
    for name in names:
        matching.hear(town.offer(name, weekly_capacity=100))
    asked = town.submit(matching)["id"]
    for _ in names[1:]:
        assert steps.decide(asked, "decline").status_code == 200
    assert len({step["organization"] for step in steps.seen(asked)["trail"]}) == 6
    assert steps.decide(asked, "decline").status_code == 200
    assert because(steps.seen(asked)) == {"tried": 6}


def test_urgent_requests_are_answered_sooner(matching, town):
    town.open_with(matching, "甲")
    station = matching.as_("station", town.community)
    due = {}
    for urgency in ("routine", "soon", "urgent"):
        answer = matching.client.post("/api/matching/requests", json=town.body(urgency=urgency), headers=station)
        matching.drain()
        (referral,) = (one for one in matching.rows(Referral) if one.request == answer.json()["id"])
        due[urgency] = referral.due_at - referral.made_at
    assert due == {"routine": timedelta(days=3), "soon": timedelta(days=1), "urgent": timedelta(hours=4)}
    refused = matching.client.post("/api/matching/requests", json=town.body(urgency="urgent"))
    assert refused.status_code == 403
    alarmed = matching.client.post("/api/matching/requests", json=town.body(text="楼下有人晕倒了")).json()
    assert alarmed["urgency"] == "urgent"


def test_a_recorded_conflict_keeps_an_organization_away(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    station = matching.as_("station", town.community)
    path = PRESENT.format(town.community, "conflicts")
    request = town.submit(matching)
    first = steps.asked(request["id"])
    terms = {"organization": town.id_of(first), "compound": "garden", "reason": "理事长住在这个小区，与物业有纠纷"}
    recorded = matching.client.post(path, json=terms, headers=station)
    assert recorded.status_code == 201, recorded.text
    matching.drain()
    other = {"甲": "乙", "乙": "甲"}[first]
    assert steps.asked(request["id"]) == other
    assert steps.asked(town.submit(matching)["id"]) == other
    away = town.submit(matching, compound="court")
    assert len(steps.seen(away["id"])["candidates"]) == 2
    both = terms | {"organization": town.id_of(other), "compound": None, "request": request["id"]}
    assert matching.client.post(path, json=both, headers=station).status_code == 201
    matching.drain()
    alone = steps.seen(request["id"])
    assert alone["status"] == "unmatched"
    assert because(alone) == {"conflict": 2}
    ending = f"/api/matching/conflicts/{recorded.json()['id']}/ending"
    assert matching.client.post(ending, headers=station).status_code == 200
    assert matching.client.post(ending, headers=station).status_code == 409
    assert [one["ended_at"] is None for one in matching.client.get(path, headers=station).json()] == [True, False]
    for wrong in ({"organization": "x"}, {"compound": "x"}, {"item": "x"}, {"request": "x"}):
        answer = matching.client.post(path, json=terms | wrong, headers=station)
        assert (answer.status_code, answer.json()["errors"][0]["field"]) == (422, next(iter(wrong)))


def test_a_station_sets_the_weights_of_its_community(matching, town, steps):
    town.open_with(matching, "甲", "乙")
    matching.hear(town.satisfaction("甲", 95, 4.8, 30), town.offer("甲", fee_mode="paid", price="90.00"))
    station = matching.as_("station", town.community)
    path = PRESENT.format(town.community, "weights")
    assert matching.client.get(path).json() == {"weights": dict(WEIGHTS), "history": []}
    assert steps.asked(town.submit(matching)["id"]) == "甲"
    cheap = dict.fromkeys(WEIGHTS, 0.0) | {"fee": 1.0}
    assert matching.client.put(path, json={"weights": cheap, "reason": "先看收费"}, headers=station).status_code == 200
    request = steps.seen(town.submit(matching)["id"])
    assert [(one["organization_name_zh"], one["score"]) for one in request["candidates"]] == [("乙", 1.0), ("甲", 0.4)]
    for weights, kind in [({"fee": 1.0}, "weights-incomplete"), (cheap | {"fit": 0.5}, "weights-sum")]:
        answer = matching.client.put(path, json={"weights": weights, "reason": "x"}, headers=station)
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (422, kind)
    assert matching.client.put(path, json={"weights": None, "reason": "改回来"}, headers=station).status_code == 200
    shown = matching.client.get(path).json()
    assert shown["weights"] == dict(WEIGHTS)
    assert [one["reason"] for one in shown["history"]] == ["改回来", "先看收费"]


def an_assigned_project(community, organization, moment):
    return Project(
        id=new_id(),
        community=community,
        kind="elderly-care",
        title_zh="午后陪伴",
        title_en="Company in the afternoon",
        scope_zh="每周两次上门陪伴",
        scope_en="Two visits a week",
        category=None,
        items=[],
        requests=[],
        beneficiaries=0,
        fee_mode="free",
        price=None,
        budget=None,
        deadline=None,
        status="assigned",
        proposed_at=moment,
        organization=organization,
    )


def test_parts_and_reasons_come_from_what_was_told(matching, town, steps):
    opened = CommunityOpened(
        **town.opened().model_dump()
        | {
            "compounds": (
                Compound(id="garden", name_zh="丰和花园", name_en="Garden", latitude=43.87, longitude=125.26),
                Compound(id="court", name_zh="锦辉苑", name_en="Court", latitude=43.874, longitude=125.26),
            )
        }
    )
    near = town.organization("甲", based_in="garden")
    matching.hear(opened, town.taxonomy(), near, town.agreement("甲"), town.offer("甲"))
    matching.hear(*town.member("乙"), town.organization("乙", based_in="court"), town.satisfaction("乙", 90, 4.5, 12))
    yesterday = machine_now() - timedelta(days=1)

    def busy(tx):
        meeting = Meeting(
            id=new_id(),
            community=town.community,
            title_zh="认领大会",
            title_en="Claim meeting",
            starts_at=yesterday,
            seed=1,
            objection_days=0,
            status="confirmed",
            concluded_at=yesterday,
        )
        tx.session.add(meeting)
        tx.session.flush()
        tx.session.add(CapacityPrice(organization=town.id_of("乙"), community=town.community, meeting=meeting.id, price=250.0))
        for given in (timedelta(days=1), timedelta(days=89), timedelta(days=91)):
            project = an_assigned_project(town.community, town.id_of("乙"), machine_now() - given)
            tx.session.add(project)
            tx.session.flush()
            tx.session.add(
                Assignment(
                    id=new_id(),
                    community=town.community,
                    project=project.id,
                    meeting=meeting.id,
                    organization=town.id_of("乙"),
                    assigned_at=project.proposed_at,
                )
            )

    matching.host.run(lambda tx, caller: busy(tx), None)
    request = steps.seen(town.submit(matching)["id"])
    parts = {one["organization_name_zh"]: one["parts"] for one in request["candidates"]}
    words = {one["organization_name_zh"]: [reason["zh"] for reason in one["reasons"]] for one in request["candidates"]}
    assert parts["甲"]["distance"] == 1
    assert parts["乙"]["distance"] == pytest.approx(1 / 1.4448, abs=0.001)
    assert (parts["甲"]["price"], parts["乙"]["price"]) == (1, 0.75)
    assert (parts["甲"]["awards"], parts["乙"]["awards"]) == (1, pytest.approx(1 / 3, abs=0.001))
    assert "近三个月已承接2个项目，适当让别的组织也有机会" in words["乙"]
    assert not any("已承接" in reason for reason in words["甲"])
    assert {"就在您的小区里"} < set(words["甲"])
    assert {"离您的小区约440米", "上次认领大会上很多项目都需要它，适当给它留些余力"} < set(words["乙"])
    assert any("满意度多半在90到90分之间" in reason for reason in words["乙"])


def test_the_database_and_the_published_conditions_say_the_same(matching, town):
    """Random towns: whatever the one statement finds is what meets the conditions, looked at one by one."""
    random = Random(7)
    facts = [town.opened(), town.taxonomy()]
    for n in range(40):
        name = f"组织{n}"
        offer = {
            "weekly_capacity": random.choice([1, 5]),
            "area": random.choice([None, ("garden",), ("court",), ("garden", "court")]),
            "languages": random.choice([("zh",), ("en",), ("zh", "en")]),
            "hours": random.choice(["Mo-Fr 08:00-17:00", "Sa 09:00-12:00", "24/7"]),
        }
        if random.random() < 0.7:
            offer |= {"fee_mode": "low", "price": random.choice(["9.50", "10.00", "100.00"])}
        facts += town.member(name, random.choice([PLUMBING, PESTS]), **offer)
        if random.random() < 0.15:
            facts.append(town.suspended(name))
        if random.random() < 0.15:
            facts.append(town.agreement_ended(name))
    matching.hear(*facts)
    for _ in range(12):
        town.submit(matching, compound=random.choice(["garden", "court"]))
    kinds = [
        Kind(town.community, item, compound, limit, speaks, wanted)
        for item in (PLUMBING, PESTS)
        for compound in ("garden", "court")
        for limit in (None, Decimal(0), Decimal("10.00"))
        for speaks in (None, "en")
        for wanted in (None, datetime(2026, 11, 28, 2, tzinfo=UTC))
    ]
    today = {town.community: civil_date(machine_now())}

    def compare(tx, caller):
        found = ranking.openings(tx.session, kinds, today)
        looked_at = ranking.openings(tx.session, kinds, today, every=True)
        counts = []
        for kind in kinds:
            need = rank.Need(kind.item, "", "", 1.0, kind.compound, "", kind.fee_limit, kind.speaks)
            able = {one.offer for one in looked_at[kind].openings if rank.can_serve(one, need)}
            assert {one.offer for one in found[kind].openings} == able, kind
            counts.append(len(able))
        assert max(counts) > 3 and min(counts) == 0
        assert tx.session.exec(select(Request.id)).first() is not None

    matching.host.run(compare, None)


def test_declined_by_all_says_that_all_were_asked(matching, town, steps):
    town.open_with(matching, "甲")
    request = town.submit(matching)
    assert steps.decide(request["id"], "decline").status_code == 200
    seen = matching.client.get(f"/api/matching/requests/{request['id']}", headers=holder(request)).json()
    assert seen["status"] == "unmatched"
    assert because(seen) == {"tried": 1}
    assert "项目" in seen["unserved"]["then"]["zh"]
