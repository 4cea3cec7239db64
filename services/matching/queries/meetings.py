"""Claim meetings, and what is to be allocated at them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlmodel import Session, col, select

from services.matching.models import (
    Agreement,
    Allocation,
    CapacityPrice,
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
    BilingualText,
    FairnessTerms,
    MeetingDetail,
    MeetingView,
    ObjectionView,
    PairView,
    QuestionView,
    RehearsalView,
    RehearsedClaim,
)
from services.matching.weighing import MOST, Bid, Pairs, instance, reasons, winners
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import Reason
from shared.events.words import MeetingStatus
from shared.messaging import clocks
from shared.problems import Conflict, Forbidden, NotFound
from shared.web import Page, PageRequest, paginate

REHEARSAL = BilingualText(
    zh="这是演练，不作数：没有保存，也没有通知任何人；铃响之前，认领随时可以提出或撤回，正式结果以铃响时为准。",
    en="This is a rehearsal and binds nobody: nothing was kept and nobody was told. Until the bell every claim may still be "
    "made or withdrawn; what counts is what stands then.",
)


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


def get_allocation(session: Session, id: str, round: int | None = None) -> AllocationView:
    """What was solved last for a meeting, or in a round, and what came out. Raises Conflict (`meeting-scheduled`) before the
    bell, NotFound for a round there was not."""
    meeting = found(session, id)
    statement = select(Allocation).where(Allocation.meeting == id).order_by(col(Allocation.round).desc())
    solved = list(session.exec(statement if round is None else statement.where(Allocation.round == round)))
    if round is not None and not solved and meeting.concluded_at is not None:
        raise NotFound("round", str(round))
    allocation = solved[0] if solved else None
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
        **meeting.model_dump(exclude={"fairness"}),
        fairness=FairnessTerms.model_validate(meeting.fairness) if meeting.fairness else None,
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
    holding = select(Pair).where(Pair.meeting == meeting, col(Pair.lifted_at).is_(None)).order_by(Pair.id)
    kept = list(session.exec(holding))
    pinned = {(one.project, one.organization): one.reason for one in kept if one.kind == "pinned"}
    forbidden = {(one.project, one.organization): one.reason for one in kept if one.kind == "forbidden"}
    return pinned, forbidden


def bids(session: Session, claims: Sequence[Claim], today: date) -> list[Bid]:
    """Claims with all that they are weighed by: what the organizations' agreements cover on a day, their satisfaction; of those
    that were weighed before, at the bell, what it was then."""
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
            fit=claim.parts.get("fit", _fit(known[claim.project].items, covered[claim.organization])),
            satisfaction=claim.parts.get("satisfaction", satisfaction.get((claim.community, claim.organization))),
        )
        for claim in claims
    ]


def _fit(items: Sequence[str], covered: set[str]) -> float:
    return sum(item in covered for item in items) / len(items) if items else 1.0


class Standing(NamedTuple):
    """The claims that stand at a meeting and all that decides among them."""

    claims: list[Claim]
    bids: list[Bid]
    seed: int
    fairness: dict[str, Any]
    pinned: Pairs
    forbidden: Pairs

    @property
    def instance(self) -> dict[str, Any]:
        """What is to be solved."""
        return instance(self.bids, self.seed, self.pinned, self.forbidden, self.fairness)

    def reasons(self, instance: Mapping[str, Any], result: Mapping[str, Any]) -> dict[tuple[str, str], Reason]:
        """Why each claim won or lost, by (project, organization)."""
        return reasons(self.bids, instance, result, self.seed, self.pinned, self.forbidden)


def last_prices(session: Session, communities: Collection[str]) -> dict[str, float]:
    """What one more project of an organization would have been worth at the last confirmed claim meeting of its community:
    0 (it had capacity to spare) to 1 (as much as the best claim, or more), by organization; those that claimed nothing there
    are left out. It is the price of the organization's capacity in the allocation's certificate by the most a claim can
    have. One query."""
    statement = select(CapacityPrice.organization, CapacityPrice.price).where(col(CapacityPrice.community).in_(communities))
    return {organization: min(1.0, round(price / MOST, 6)) for organization, price in session.exec(statement)}


def standing_at_present(session: Session, caller: Caller, id: str) -> Standing:
    """What would decide if the bell rang now, for the station. Raises Conflict after the bell."""
    meeting = found(session, id)
    if caller.role not in ("station", "operator"):
        raise Forbidden("Only the station rings the bell.")
    caller.belongs_to(meeting.community)
    if meeting.status not in ("scheduled", "opened"):
        raise Conflict(
            f"meeting-{meeting.status}", f"This meeting is {meeting.status}; the bell has rung or never will.", "status"
        )
    return present(session, meeting)


def present(session: Session, meeting: Meeting) -> Standing:
    """What stands at a meeting on the day of its bell, or today."""
    claims = claims_at_the_bell(session, meeting.id)
    today = civil_date(meeting.concluded_at or clocks.now(session, meeting.community))
    return Standing(claims, bids(session, claims, today), meeting.seed, meeting.fairness, *pairs(session, meeting.id))


def rehearsal(
    session: Session, id: str, standing: Standing, instance: Mapping[str, Any], result: Mapping[str, Any]
) -> RehearsalView:
    """A rehearsal that was solved, with what would become of each claim."""
    reasons, won = standing.reasons(instance, result), winners(instance, result)
    claims = [
        RehearsedClaim(
            project=bid.project,
            organization=bid.organization,
            would_win=won.get(bid.project) == bid.organization,
            score=bid.score,
            reason_zh=reasons[bid.project, bid.organization].zh,
            reason_en=reasons[bid.project, bid.organization].en,
        )
        for bid in standing.bids
    ]
    return RehearsalView(
        meeting=id,
        notice=REHEARSAL,
        rehearsed_at=clocks.now(session, found(session, id).community),
        claims=claims,
        instance=dict(instance),
        result=dict(result),
    )


def _row(row: Any) -> Any:
    return row
