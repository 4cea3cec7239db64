"""The season's activities, and the agreements that come to their end in it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from deploy.sample_community import Activity, Sample
from deploy.season.calendar import Calendar
from deploy.season.deployment import Deployment
from deploy.season.opening import Opened

REGISTRY = "/api/registry"
CALLED_OFF = "连着下雨，场地积水，这一场先不办了。"


def announce(deployment: Deployment, opened: Opened, sample: Sample, calendar: Calendar) -> list[tuple[Activity, str]]:
    """Put every activity on the calendar; with its id."""

    def put(activity: Activity) -> tuple[Activity, str]:
        member = opened.members[activity.organization_zh]
        starts_at = calendar.moment(activity.day, activity.starts)
        terms: dict[str, Any] = {
            "organization": member.id,
            "category": activity.category,
            "title_zh": activity.title_zh,
            "title_en": activity.title_en,
            "starts_at": starts_at.isoformat(),
            "ends_at": (starts_at + timedelta(hours=activity.hours)).isoformat(),
            "place_zh": activity.place_zh,
            "place_en": activity.place_en,
            "capacity": activity.capacity,
        }
        answer = deployment.post(f"{REGISTRY}/activities", activity.title_zh, terms, token=member.token)
        return activity, str(answer["id"])

    return deployment.each("activities announced", sample.activities, put)


def hold(deployment: Deployment, opened: Opened, announced: list[tuple[Activity, str]], before: int) -> None:
    """Report the activities of the days before a day: how many came, or that it was called off."""

    def report(one: tuple[Activity, str]) -> None:
        activity, id = one
        token = opened.members[activity.organization_zh].token
        path = f"{REGISTRY}/activities/{id}"
        if activity.outcome == "held":
            deployment.post(f"{path}/holding", activity.title_zh, {"beneficiaries": activity.beneficiaries}, token=token)
        else:
            deployment.post(f"{path}/cancellation", activity.title_zh, {"reason": CALLED_OFF}, token=token)

    due = [one for one in announced if one[0].day < before]
    deployment.each("activities held", due, report)
    announced[:] = [one for one in announced if one[0].day >= before]


def renew(deployment: Deployment, opened: Opened, sample: Sample, calendar: Calendar) -> None:
    """Renew the agreements that were said to expire and that both sides want to go on with."""
    for term in sample.terms:
        if term.renewed:
            member = opened.members[term.organization_zh]
            agreements = deployment.pages(
                f"{REGISTRY}/agreements", opened.station, community=opened.community, organization=member.id
            )
            id = next(agreement["id"] for agreement in agreements if agreement["status"] == "in-force")
            ends_on = calendar.moment(term.days + 365).date().isoformat()
            path = f"{REGISTRY}/agreements/{id}/renewal"
            deployment.post(path, term.organization_zh, {"ends_on": ends_on}, token=opened.station)
