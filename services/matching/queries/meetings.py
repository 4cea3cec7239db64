"""Claim meetings, and what is to be allocated at them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import Any

from sqlmodel import Session, col, select

from services.matching.models import (
    Agreement,
    Allocation,
    Claim,
    Meeting,
    Objection,
    Organization,
    Pair,
    Project,
    Question,
    Satisfaction,
)
from services.matching.queries import projects
from services.matching.rules import SERVING
from services.matching.views import (
    AllocationView,
    MeetingDetail,
    MeetingView,
    ObjectionView,
    PairView,
    QuestionView,
)
from services.matching.weighing import Bid, Pairs, instance
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import MeetingStatus
from shared.messaging import clocks
from shared.problems import Conflict, Forbidden, NotFound
from shared.web import Page, PageRequest, paginate


def get_meeting(session: Session, id: str) -> MeetingDetail:
    """A claim meeting."""
    meeting = found(session, id)
    questions = session.exec(select(Question).where(Question.meeting == id).order_by(Question.id))
    pairs = session.exec(select(Pair).where(Pair.meeting == id).order_by(Pair.id))
    return MeetingDetail(
        **dict(meeting_view(session, meeting)),
        questions=[QuestionView.model_validate(one, from_attributes=True) for one in questions],
        pairs=[PairView.model_validate(one, from_attributes=True) for one in pairs],
    )


def list_meetings(session: Session, community: str, status: MeetingStatus | None, page: PageRequest) -> Page[MeetingView]:
    """The claim meetings of a community, oldest first."""
    statement = select(Meeting).where(Meeting.community == community)
    if status is not None:
        statement = statement.where(Meeting.status == status)
    listed: Page[Meeting] = paginate(session, statement, Meeting.id, page, _row)
    return Page(items=[meeting_view(session, meeting) for meeting in listed.items], next=listed.next)


def list_objections(session: Session, caller: Caller, id: str) -> list[ObjectionView]:
    """The objections to a meeting's result: all of them for the station, its own for an organization."""
    meeting = found(session, id)
    caller.belongs_to(meeting.community)
    statement = select(Objection).where(Objection.meeting == id).order_by(Objection.id)
    if caller.role == "organization":
        statement = statement.where(Objection.organization == caller.organization)
    return [ObjectionView.model_validate(one, from_attributes=True) for one in session.exec(statement)]


def get_allocation(session: Session, id: str) -> AllocationView:
    """What was solved last for a meeting, and what came out. Raises Conflict (`meeting-scheduled`) before the bell."""
    meeting = found(session, id)
    statement = select(Allocation).where(Allocation.meeting == id).order_by(col(Allocation.round).desc())
    allocation = session.exec(statement).first()
    if allocation is None:
        detail = f"This meeting is {meeting.status}; nothing is allocated before the bell."
        raise Conflict(f"meeting-{meeting.status}", detail, "status")
    return AllocationView.model_validate(allocation, from_attributes=True)


def found(session: Session, id: str) -> Meeting:
    """A meeting. Raises NotFound."""
    meeting = session.get(Meeting, id)
    if meeting is None:
        raise NotFound("meeting", id)
    return meeting


def meeting_view(session: Session, meeting: Meeting) -> MeetingView:
    """A meeting with its projects and, once it has come to its result, the outcomes."""
    session.flush()
    at_the_bell = select(Claim).where(Claim.meeting == meeting.id, col(Claim.won).is_not(None)).order_by(Claim.id)
    claims = list(session.exec(at_the_bell)) if meeting.status in ("concluded", "confirmed") else []
    return MeetingView(
        **meeting.model_dump(),
        projects=projects_of(session, meeting.id),
        outcomes=list(projects.claim_views(session, claims).values()),
    )


def projects_of(session: Session, meeting: str) -> list[str]:
    """The ids of the projects published to a meeting."""
    return list(session.exec(select(Project.id).where(Project.meeting == meeting).order_by(Project.id)))


def claims_at_the_bell(session: Session, meeting: str) -> list[Claim]:
    """The claims of a meeting that stand."""
    statement = select(Claim).where(Claim.meeting == meeting, Claim.status == "standing").order_by(Claim.id)
    return list(session.exec(statement.execution_options(populate_existing=True)))


def pairs(session: Session, meeting: str) -> tuple[Pairs, Pairs]:
    """The claims that the station pinned, and those it forbade, each with its reason."""
    kept = list(session.exec(select(Pair).where(Pair.meeting == meeting).order_by(Pair.id)))
    pinned = {(one.project, one.organization): one.reason for one in kept if one.kind == "pinned"}
    forbidden = {(one.project, one.organization): one.reason for one in kept if one.kind == "forbidden"}
    return pinned, forbidden


def bids(session: Session, claims: Sequence[Claim], today: date) -> list[Bid]:
    """Claims with all that they are weighed by: what the organizations' agreements cover on a day, their satisfaction."""
    named = {claim.organization for claim in claims}
    about = {claim.project for claim in claims}
    known = {one.id: one for one in session.exec(select(Project).where(col(Project.id).in_(about)))}
    organizations = {one.id: one for one in session.exec(select(Organization).where(col(Organization.id).in_(named)))}
    rated = select(Satisfaction).where(col(Satisfaction.organization).in_(named))
    satisfaction = {(one.community, one.organization): one.score / 100 for one in session.exec(rated) if one.stars is not None}
    covered: dict[str, set[str]] = {organization: set() for organization in named}
    agreements = select(Agreement).where(col(Agreement.organization).in_(named), Agreement.status == "in-force")
    for agreement in session.exec(agreements):
        if agreement.starts_on <= today <= agreement.ends_on and organizations[agreement.organization].status in SERVING:
            covered[agreement.organization] |= set(agreement.items)
    return [
        Bid(
            project=claim.project,
            project_zh=known[claim.project].title_zh,
            project_en=known[claim.project].title_en,
            organization=claim.organization,
            name_zh=organizations[claim.organization].name_zh,
            name_en=organizations[claim.organization].name_en,
            wish=claim.wish,
            capacity=claim.capacity,
            fit=_fit(known[claim.project].items, covered[claim.organization]),
            satisfaction=satisfaction.get((claim.community, claim.organization)),
        )
        for claim in claims
    ]


def _fit(items: Sequence[str], covered: set[str]) -> float:
    return sum(item in covered for item in items) / len(items) if items else 1.0


def instance_at_present(session: Session, caller: Caller, id: str) -> dict[str, Any]:
    """The instance that would be solved if the bell rang now, for the station."""
    meeting = found(session, id)
    if caller.role not in ("station", "operator"):
        raise Forbidden("Only the station rings the bell.")
    caller.belongs_to(meeting.community)
    today = civil_date(clocks.now(session, meeting.community))
    return instance(bids(session, claims_at_the_bell(session, id), today), meeting.seed, *pairs(session, id))


def _row(row: Any) -> Any:
    return row
