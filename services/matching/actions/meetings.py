"""What the station does with claim meetings: schedule, open, ring the bell, confirm; and objections to their results."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import delete
from sqlmodel import col, select

from services.matching import allocate, projects, queries, telling, weighing
from services.matching.actions.claims import call_off, may_carry
from services.matching.models import (
    Allocation,
    Assignment,
    CapacityPrice,
    Claim,
    Community,
    Meeting,
    Objection,
    Pair,
    Project,
)
from services.matching.rules import MEETING, OBJECTION, PROJECT
from services.matching.views import (
    DecisionTerms,
    MeetingChanges,
    MeetingTerms,
    MeetingView,
    ObjectionTerms,
    ObjectionView,
    PairLiftTerms,
    PairTerms,
    PairView,
)
from shared.access import Caller
from shared.events.matching import (
    MeetingCancelled,
    MeetingChanged,
    MeetingConcluded,
    MeetingConfirmed,
    MeetingOpened,
    MeetingScheduled,
    MeetingState,
    ObjectionRaised,
    ObjectionRejected,
    ObjectionUpheld,
    ProjectAssigned,
    ProjectChanged,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound

Solved = tuple[Mapping[str, Any], Mapping[str, Any]]
"""An instance and its result, solved before the transaction began."""


def schedule_meeting(tx: Transaction, caller: Caller, terms: MeetingTerms) -> MeetingView:
    """Announce a claim meeting, with the seed that settles ties and the projects published to it so far."""
    caller.belongs_to(terms.community)
    if tx.session.get(Community, terms.community) is None:
        raise Invalid("community", f"There is no community {terms.community!r} here (yet).", "community-unknown")
    meeting = Meeting(
        **terms.model_dump(exclude={"projects", "seed", "fairness"}),
        fairness=terms.fairness.model_dump(),
        id=new_id(),
        seed=secrets.randbits(53) if terms.seed is None else terms.seed,
        status="scheduled",
    )
    tx.session.add(meeting)
    tx.session.flush()
    _publish(tx, meeting, terms.projects)
    return _told(tx, MeetingScheduled, meeting)


def change_meeting(tx: Transaction, caller: Caller, id: str, changes: MeetingChanges) -> MeetingView:
    """Change a meeting that was not opened yet, or which projects are published to it."""
    meeting = _held(tx, caller, id)
    meeting.status = follow(MEETING, "meeting", meeting.status, "change")
    given = changes.model_dump(exclude_unset=True)
    listed = given.pop("projects", None)
    for name, value in given.items():
        if value is None:
            raise Invalid(name, "This cannot be left empty.")
        setattr(meeting, name, value)
    if listed is not None:
        before = queries.meetings.projects_of(tx.session, id)
        _take_off(tx, meeting, [project for project in before if project not in listed])
        _publish(tx, meeting, [project for project in listed if project not in before])
    return _told(tx, MeetingChanged, meeting)


def open_meeting(tx: Transaction, caller: Caller, id: str) -> MeetingView:
    """Open a meeting: organizations claim. Raises Conflict before its published time (`meeting-too-early`), or when no
    project is published to it (`meeting-empty`)."""
    meeting = _held(tx, caller, id)
    meeting.status = follow(MEETING, "meeting", meeting.status, "open")
    now = tx.now(meeting.community)
    if now < meeting.starts_at:
        raise Conflict("meeting-too-early", f"The meeting was announced for {meeting.starts_at.isoformat()}.", "starts_at")
    if not queries.meetings.projects_of(tx.session, id):
        raise Conflict("meeting-empty", "No project is published to this meeting yet.", "projects")
    meeting.opened_at = now
    return _told(tx, MeetingOpened, meeting)


def cancel_meeting(tx: Transaction, caller: Caller, id: str) -> MeetingView:
    """Call a meeting off; its projects wait for another, and its claims are withdrawn, which their organizations are told."""
    meeting = _held(tx, caller, id)
    meeting.status = follow(MEETING, "meeting", meeting.status, "cancel")
    call_off(tx, queries.meetings.claims_at_the_bell(tx.session, id))
    _take_off(tx, meeting, queries.meetings.projects_of(tx.session, id))
    return _told(tx, MeetingCancelled, meeting)


def pair(tx: Transaction, caller: Caller, id: str, terms: PairTerms) -> PairView:
    """Pin or forbid a claim that stands, with the reason, before the bell. A pin ends with its claim. Raises Conflict
    where there is no such claim (`claim-missing`), or the station has settled something else for it or the project
    (`pair-recorded`)."""
    meeting = _held(tx, caller, id)
    if meeting.status not in ("scheduled", "opened"):
        raise Conflict(f"meeting-{meeting.status}", f"This meeting is {meeting.status}; its claims stay as they are.")
    standing = {(claim.project, claim.organization) for claim in queries.meetings.claims_at_the_bell(tx.session, id)}
    if (terms.project, terms.organization) not in standing:
        raise Conflict(
            "claim-missing", "This organization has not claimed this project; nobody is given it unasked.", "project"
        )
    pinned, forbidden = queries.meetings.pairs(tx.session, id)
    settled = (terms.project, terms.organization) in {*pinned, *forbidden}
    if settled or (terms.kind == "pinned" and any(project == terms.project for project, _ in pinned)):
        raise Conflict("pair-recorded", "Something else was settled for this claim or project already.", "project")
    return PairView.model_validate(_record(tx, meeting, terms), from_attributes=True)


def lift_pair(tx: Transaction, caller: Caller, id: str, terms: PairLiftTerms) -> PairView:
    """Let a claim no longer be pinned or forbidden, before the bell. Raises Conflict (`pair-missing`) where it is not."""
    meeting = _held(tx, caller, id)
    if meeting.status not in ("scheduled", "opened"):
        raise Conflict(f"meeting-{meeting.status}", f"This meeting is {meeting.status}; its claims stay as they are.")
    recorded = _recorded(tx, id, terms.project, terms.organization)
    if recorded is None or recorded.lifted_at is not None:
        raise Conflict("pair-missing", "This claim is neither pinned nor forbidden.", "project")
    recorded.lifted_at = tx.now(meeting.community)
    tx.session.add(recorded)
    return PairView.model_validate(recorded, from_attributes=True)


def conclude_meeting(tx: Transaction, caller: Caller, id: str, solved: Solved | None = None) -> MeetingView:
    """Ring the bell: no claim is made or withdrawn any more, and the projects are allocated among those that stand. What was
    `solved` before is used if it is what stands now. Raises Conflict (`allocation-impossible`) where the pins contradict
    each other."""
    meeting = _held(tx, caller, id)
    meeting.status = follow(MEETING, "meeting", meeting.status, "conclude")
    meeting.concluded_at = tx.now(meeting.community)
    _allocate(tx, meeting, 1, solved)
    return _told(tx, MeetingConcluded, meeting)


def confirm_meeting(tx: Transaction, caller: Caller, id: str) -> MeetingView:
    """Let the result hold, once the time to object is over and every objection is decided: the projects are assigned. A
    winner that may not serve any more gets nothing; its project waits for another meeting, like those nobody won."""
    meeting = _held(tx, caller, id)
    meeting.status = follow(MEETING, "meeting", meeting.status, "confirm")
    now = tx.now(meeting.community)
    if meeting.objections_until is not None and now < meeting.objections_until:
        detail = f"Claimants may object until {meeting.objections_until.isoformat()}."
        raise Conflict("objections-open", detail, "objections_until")
    raised = select(Objection.id).where(Objection.meeting == id, Objection.status == "raised")
    if tx.session.exec(raised).first() is not None:
        raise Conflict("objections-undecided", "Decide on every objection first.", "objections")
    held = projects.hold(tx, queries.meetings.projects_of(tx.session, id))
    claims = queries.meetings.claims_at_the_bell(tx.session, id)
    assigned = set()
    for claim in claims:
        project = held[claim.project]
        if claim.won and not may_carry(tx, project, claim.organization):
            claim.won = False
            claim.reason_zh = "确认时已没有有效的服务协议，不能承接。"
            claim.reason_en = "At confirmation you had no agreement in force for it."
        claim.status = "won" if claim.won else "lost"
        tx.session.add(claim)
        if claim.won:
            assigned.add(project.id)
            _assign(tx, meeting, project, claim)
    for id_, project in sorted(held.items()):
        if id_ not in assigned and project.status == "opened":
            project.meeting = None
            tx.session.add(project)
            projects.tell(tx, ProjectChanged, project)
    _keep_prices(tx, meeting)
    return _told(tx, MeetingConfirmed, meeting)


def _keep_prices(tx: Transaction, meeting: Meeting) -> None:
    """Keep what the organizations' capacity was worth, in the place of what it was worth at the meeting before."""
    last = select(Allocation).where(Allocation.meeting == meeting.id).order_by(col(Allocation.round).desc())
    allocation = tx.session.exec(last).first()
    if allocation is None or "certificate" not in allocation.result:  # concluded before there were certificates
        return
    tx.session.execute(delete(CapacityPrice).where(col(CapacityPrice.community) == meeting.community))
    for organization, price in sorted(weighing.prices(allocation.instance, allocation.result).items()):
        row = CapacityPrice(organization=organization, community=meeting.community, meeting=meeting.id, price=price)
        tx.session.add(row)


def _assign(tx: Transaction, meeting: Meeting, project: Project, claim: Claim) -> None:
    project.status = follow(PROJECT, "project", project.status, "assign")
    project.organization, project.relieved = claim.organization, None
    tx.session.add(project)
    tx.session.add(
        Assignment(
            id=new_id(),
            community=project.community,
            project=project.id,
            meeting=meeting.id,
            organization=claim.organization,
            assigned_at=tx.now(project.community),
        )
    )
    projects.set_deadline(tx, project)
    projects.tell(tx, ProjectAssigned, project)
    projects.assign(tx, project)


def raise_objection(tx: Transaction, caller: Caller, id: str, terms: ObjectionTerms) -> ObjectionView:
    """Object to how a project was allocated that the caller's organization had claimed. Raises Conflict before the result
    and after the time to object (`objections-closed`), and for a second objection that waits (`objection-raised`)."""
    meeting = _locked(tx, id)
    caller.belongs_to(meeting.community)
    if caller.organization is None:
        raise Forbidden("Only an organization does this, for itself.")
    now = tx.now(meeting.community)
    if meeting.status != "concluded" or meeting.objections_until is None or now >= meeting.objections_until:
        raise Conflict("objections-closed", "Objections are raised after the result, within the published time.", "meeting")
    claimed = {(claim.project, claim.organization) for claim in queries.meetings.claims_at_the_bell(tx.session, id)}
    if (terms.project, caller.organization) not in claimed:
        raise Invalid("project", "Your organization had not claimed this project at the bell.", "claim-missing")
    waiting = select(Objection.id).where(
        Objection.meeting == id,
        Objection.project == terms.project,
        Objection.organization == caller.organization,
        Objection.status == "raised",
    )
    if tx.session.exec(waiting).first() is not None:
        raise Conflict("objection-raised", "Your objection waits for the station's decision.", "project")
    objection = Objection(
        id=new_id(),
        community=meeting.community,
        meeting=id,
        project=terms.project,
        organization=caller.organization,
        reason=terms.reason,
        status="raised",
        raised_at=now,
    )
    tx.session.add(objection)
    tx.tell(ObjectionRaised(**telling.objection_state(objection)))
    return ObjectionView.model_validate(objection, from_attributes=True)


def decide_objection(tx: Transaction, caller: Caller, id: str, terms: DecisionTerms) -> ObjectionView:
    """Decide on an objection. Where it is upheld, the award objected to is ruled out for the reason given, the claims that
    stood at the bell are allocated anew, and the time to object begins again."""
    named = tx.session.exec(select(Objection.meeting).where(Objection.id == id)).first()
    if named is None:
        raise NotFound("objection", id)
    meeting = _held(tx, caller, named)
    objection = tx.session.exec(select(Objection).where(Objection.id == id).execution_options(populate_existing=True)).one()
    verb = "uphold" if terms.upheld else "reject"
    objection.status = follow(OBJECTION, "objection", objection.status, verb)
    objection.decision, objection.decided_at = terms.reason, tx.now(meeting.community)
    tx.session.add(objection)
    tx.tell((ObjectionUpheld if terms.upheld else ObjectionRejected)(**telling.objection_state(objection)))
    if terms.upheld:
        meeting.status = follow(MEETING, "meeting", meeting.status, "conclude again")
        claims = queries.meetings.claims_at_the_bell(tx.session, meeting.id)
        award = next((claim for claim in claims if claim.project == objection.project and claim.won), None)
        if award is not None:
            ban = PairTerms(project=award.project, organization=award.organization, kind="forbidden", reason=terms.reason)
            _record(tx, meeting, ban)
        rounds = tx.session.exec(select(Allocation.round).where(Allocation.meeting == meeting.id))
        _allocate(tx, meeting, 1 + max(rounds), None)
        _told(tx, MeetingConcluded, meeting)
    return ObjectionView.model_validate(objection, from_attributes=True)


def _record(tx: Transaction, meeting: Meeting, terms: PairTerms) -> Pair:
    """Record a pair, in the place of one for the same claim that was lifted or is overruled."""
    now = tx.now(meeting.community)
    recorded = _recorded(tx, meeting.id, terms.project, terms.organization)
    if recorded is None:
        recorded = Pair(**terms.model_dump(), id=new_id(), meeting=meeting.id, recorded_at=now)
    recorded.kind, recorded.reason, recorded.recorded_at, recorded.lifted_at = terms.kind, terms.reason, now, None
    tx.session.add(recorded)
    tx.session.flush()
    return recorded


def _recorded(tx: Transaction, meeting: str, project: str, organization: str) -> Pair | None:
    same = select(Pair).where(Pair.meeting == meeting, Pair.project == project, Pair.organization == organization)
    return tx.session.exec(same.execution_options(populate_existing=True)).first()


def _allocate(tx: Transaction, meeting: Meeting, round: int, solved: Solved | None) -> None:
    """Allocate the projects among the claims that stand, and keep what was solved, what came out, and every claim's fate
    with the reason."""
    now = tx.now(meeting.community)
    # The claims as they stood at the bell: nobody makes or withdraws one after it.
    standing = queries.meetings.present(tx.session, meeting)
    instance = standing.instance
    try:
        result = solved[1] if solved is not None and solved[0] == instance else allocate.solve(instance)
    except allocate.Unsolvable as error:
        raise Conflict("allocation-impossible", f"The claims cannot be allocated: {error}.", "pairs") from None
    won, reasons = weighing.winners(instance, result), standing.reasons(instance, result)
    for claim, bid in zip(standing.claims, standing.bids, strict=True):
        reason = reasons[claim.project, claim.organization]
        claim.won = won.get(claim.project) == claim.organization
        claim.score, claim.parts = bid.score, bid.parts
        claim.reason_zh, claim.reason_en = reason.zh, reason.en
        tx.session.add(claim)
    tx.session.add(
        Allocation(id=new_id(), meeting=meeting.id, round=round, instance=instance, result=dict(result), solved_at=now)
    )
    meeting.objections_until = now + timedelta(days=meeting.objection_days)


def _publish(tx: Transaction, meeting: Meeting, ids: Sequence[str]) -> None:
    """Put opened projects before a meeting. Raises Conflict for others, and for those put before another already."""
    for _, project in sorted(projects.hold(tx, ids, "projects").items()):
        if project.community != meeting.community:
            raise Invalid("projects", f"There is no project {project.id!r} in this community.", "project-unknown")
        if project.status != "opened":
            detail = f"Project {project.id} is {project.status}; only opened ones are put before a meeting."
            raise Conflict(f"project-{project.status}", detail, "projects")
        if project.meeting is not None:
            raise Conflict("project-published", f"Project {project.id} is put before another meeting.", "projects")
        project.meeting = meeting.id
        tx.session.add(project)
        projects.tell(tx, ProjectChanged, project)


def _take_off(tx: Transaction, meeting: Meeting, ids: Sequence[str]) -> None:
    for _, project in sorted(projects.hold(tx, ids).items()):
        project.meeting = None
        tx.session.add(project)
        projects.tell(tx, ProjectChanged, project)


def _held(tx: Transaction, caller: Caller, id: str) -> Meeting:
    """A meeting of the caller's community that nobody else changes, or claims at, until the transaction ends."""
    meeting = queries.meetings.found(tx.session, id)
    caller.belongs_to(meeting.community)
    return _locked(tx, id)


def _locked(tx: Transaction, id: str) -> Meeting:
    statement = select(Meeting).where(Meeting.id == id).with_for_update()
    meeting = tx.session.exec(statement.execution_options(populate_existing=True)).first()
    if meeting is None:
        raise NotFound("meeting", id)
    return meeting


def _told(tx: Transaction, fact: type[MeetingState], meeting: Meeting) -> MeetingView:
    tx.session.add(meeting)
    tx.session.flush()
    listed = queries.meetings.projects_of(tx.session, meeting.id)
    claims: list[Claim] = []
    if meeting.status in ("concluded", "confirmed"):
        decided = select(Claim).where(Claim.meeting == meeting.id, col(Claim.won).is_not(None)).order_by(Claim.id)
        claims = list(tx.session.exec(decided))
    tx.tell(fact(**telling.meeting_state(meeting, listed, claims)))
    return queries.meetings.meeting_view(tx.session, meeting)
