"""An example of every fact, for the documents and the golden samples. Everything in it is made up."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from shared.events.base import CloudEvent, Fact

MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
COMMUNITY = "0199a000-0000-7000-8000-000000000001"


def _id(n: int) -> str:
    return f"0199a000-0000-7000-8000-{n:012d}"


_CANDIDATE = {
    "organization": _id(3),
    "offer": _id(5),
    "score": 0.84,
    "parts": {"fit": 0.9, "satisfaction": 0.7, "fee": 1.0, "turn": 0.6},
    "reasons": ({"zh": "服务项目正好对口：水电维修", "en": "Offers exactly this: plumbing and electrical repair"},),
}

STATES: dict[str, dict[str, Any]] = {
    "community": {
        "slug": "fenghe",
        "name_zh": "丰和社区",
        "name_en": "Fenghe Community",
        "rehearsal": False,
        "compounds": ({"id": "fenghe-garden", "name_zh": "丰和花园", "name_en": "Fenghe Garden"},),
    },
    "taxonomy": {
        "taxonomy": _id(2),
        "name": "fenghe",
        "version": 1,
        "categories": (
            {
                "id": "housing",
                "name_zh": "住有所居",
                "name_en": "Housing",
                "items": (
                    {
                        "id": "plumbing-electrical",
                        "name_zh": "水电维修",
                        "name_en": "Plumbing and electrical repair",
                        "phrases_zh": ("水龙头关不严",),
                        "phrases_en": ("the tap keeps dripping",),
                    },
                ),
            },
        ),
    },
    "organization": {
        "organization": _id(3),
        "name_zh": "应急抢修队",
        "name_en": "Emergency Repair Team",
        "organization_class": "emergency",
        "introduction_zh": "水电暖出了急事，我们随叫随到。",
        "introduction_en": "When water, power or heating fails, we come.",
        "status": "registered",
    },
    "agreement": {
        "agreement": _id(4),
        "organization": _id(3),
        "items": ("plumbing-electrical",),
        "starts_on": "2026-01-01",
        "ends_on": "2026-12-31",
        "status": "in-force",
    },
    "offer": {
        "offer": _id(5),
        "organization": _id(3),
        "item": "plumbing-electrical",
        "category": "housing",
        "title_zh": "上门修水电",
        "title_en": "Repairs of water and power at home",
        "fee_mode": "low",
        "price": "15.00",
        "unit": "visit",
        "standard_zh": "两小时内上门，换件按成本价。",
        "standard_en": "Within two hours; parts at cost.",
        "area": None,
        "hours": "Mo-Su 08:00-20:00",
        "weekly_capacity": 20,
        "status": "published",
    },
    "request": {
        "request": _id(6),
        "channel": "website",
        "compound": "fenghe-garden",
        "language": "zh",
        "submitted_at": MOMENT,
        "status": "matched",
        "item": "plumbing-electrical",
        "category": "housing",
        "confidence": 0.9,
        "classifier": "linear-char-v1/fenghe/1",
        "candidates": (_CANDIDATE,),
        "organization": _id(3),
        "offer": _id(5),
        "served_at": None,
        "supporters": 2,
        "merged_into": None,
        "project": None,
    },
    "referral": {
        "referral": _id(7),
        "request": _id(6),
        "organization": _id(3),
        "offer": _id(5),
        "item": "plumbing-electrical",
        "category": "housing",
        "compound": "fenghe-garden",
        "rank": 1,
        "status": "made",
        "made_at": MOMENT,
        "decided_at": None,
        "due_at": datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
        "hub": None,
        "handed_on_from": None,
    },
    "project": {
        "project": _id(20),
        "kind": "elderly-care",
        "title_zh": "独居老人助餐",
        "title_en": "Meals for older people living alone",
        "scope_zh": "工作日中午送餐上门。",
        "scope_en": "Lunch brought home on working days.",
        "category": "elderly",
        "items": ("meal-service",),
        "requests": (_id(6),),
        "beneficiaries": 12,
        "fee_mode": "low",
        "price": "8.00",
        "budget": "6000.00",
        "deadline": "2026-12-31",
        "status": "opened",
        "meeting": _id(21),
        "claims": ({"organization": _id(3), "wish": 1, "capacity": 2},),
        "organization": None,
        "delivered_at": None,
        "overdue": False,
        "relieved": None,
        "merged_into": None,
    },
    "meeting": {
        "meeting": _id(21),
        "title_zh": "第四季度项目认领大会",
        "title_en": "Claim meeting of the fourth quarter",
        "starts_at": MOMENT,
        "projects": (_id(20),),
        "seed": 20161122,
        "status": "concluded",
        "opened_at": MOMENT,
        "concluded_at": MOMENT,
        "objections_until": datetime(2026, 11, 25, 9, 30, tzinfo=UTC),
        "outcomes": (
            {
                "project": _id(20),
                "organization": _id(3),
                "won": True,
                "score": 840,
                "reason_zh": "只有贵组织认领这个项目。",
                "reason_en": "You were the only one to claim this project.",
            },
        ),
    },
    "question": {
        "question": _id(22),
        "meeting": _id(21),
        "project": _id(20),
        "organization": _id(3),
        "status": "answered",
    },
    "objection": {
        "objection": _id(23),
        "meeting": _id(21),
        "project": _id(20),
        "organization": _id(3),
        "status": "raised",
    },
    "evaluation": {
        "evaluation": _id(8),
        "party": "resident",
        "organization": _id(3),
        "offer": _id(5),
        "item": "plumbing-electrical",
        "score": 75.0,
        "season": "2026-Q4",
        "recorded_at": MOMENT,
        "project": None,
        "session": None,
    },
    "satisfaction": {
        "satisfaction": _id(9),
        "kind": "organization",
        "of": _id(3),
        "season": None,
        "score": 82.5,
        "low": 74.1,
        "high": 90.9,
        "ratings": 12,
        "evaluations": 13,
        "stars": 4.1,
    },
    "body": {
        "body": _id(20),
        "members": (
            {"party": "station", "subject": _id(21)},
            {"party": "expert", "subject": _id(22)},
            {"party": "resident", "subject": _id(23)},
        ),
        "starts_on": "2026-07-01",
        "ends_on": "2027-06-30",
        "status": "appointed",
        "ended_because": None,
    },
    "session": {
        "session": _id(24),
        "body": _id(20),
        "organization": _id(3),
        "project": _id(25),
        "season": "2026-Q4",
        "status": "published",
        "opened_at": MOMENT,
        "published_at": MOMENT,
        "score": 81.5,
        "low": 71.2,
        "high": 91.8,
        "findings": (
            {"party": "resident", "mean": 84.0, "scores": 9},
            {"party": "expert", "mean": 80.0, "scores": 2},
            {"party": "station", "mean": 86.0, "scores": 1},
        ),
        "cancelled_because": None,
    },
}


def example(fact: type[Fact]) -> CloudEvent[Fact]:
    """A fact of this class, as it might have been told."""
    data = fact.model_validate({"community": COMMUNITY, **STATES[fact.about]})
    return CloudEvent(
        id="0199a000-0000-7000-8000-0000000000ff",
        source=fact.source(),
        type=fact.type,
        subject=data.subject,
        time=MOMENT,
        community=COMMUNITY,
        sequence=1,
        traceparent="00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        dataschema="http://127.0.0.1:8080" + fact.schema_path(),
        data=data,
    )
