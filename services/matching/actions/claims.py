"""What organizations do with projects at a claim meeting: ask, claim, withdraw until the bell."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from sqlmodel import col, select

from services.matching import projects, queries, telling
from services.matching.actions.projects import held_with_meeting
from services.matching.models import Claim, Meeting, Organization, Pair, Project, Question
from services.matching.rules import PROJECT, QUESTION, SERVING
from services.matching.views import AnswerTerms, AnswerView, ClaimTerms, ProjectView, QuestionTerms, QuestionView
from shared.access import Caller
from shared.clock import civil_date
from shared.events.matching import (
    ClaimWithdrawal,
    ProjectChanged,
    ProjectClaimed,
    ProjectClaimWithdrawn,
    ProjectUncovered,
    QuestionAnswered,
    QuestionAsked,
    QuestionCorrected,
    Reason,
)
from shared.events.words import WithdrawnBecause
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound

WITHDRAWN: Mapping[WithdrawnBecause, Reason] = {
    "by-the-organization": Reason(zh="组织自己撤回了认领。", en="The organization withdrew its claim itself."),
    "left": Reason(
        zh="组织已不再为本社区服务，认领随之撤回。",
        en="The organization does not serve this community any more; its claim was withdrawn with that.",
    ),
    "suspended": Reason(
        zh="组织被暂停服务，认领随之撤回；铃响之前恢复了，可以重新认领。",
        en="The organization was suspended, and its claim withdrawn with that; reinstated before the bell, it may claim again.",
    ),
    "agreement-ended": Reason(
        zh="组织已没有涵盖这个项目的有效服务协议，认领随之撤回；铃响之前重新签订了，可以重新认领。",
        en="The organization has no agreement in force for this project any more, and its claim was withdrawn with that; once "
        "one is signed before the bell, it may claim again.",
    ),
}
"""Why a claim was withdrawn, as its organization and the station read it."""
CALLED_OFF = Reason(
    zh="认领大会取消了，认领随之撤回。",
    en="The claim meeting was called off, and the claim withdrawn with it.",
)
"""Why the claims of a meeting that was called off are withdrawn."""


def claim_project(tx: Transaction, caller: Caller, id: str, terms: ClaimTerms) -> ProjectView:
    """Claim a project at the meeting to which it was published, while that is open. Raises Conflict where the organization
    claims it already (`claim-standing`), gave this wish to another project (`wish-taken`), stated another capacity
    (`capacity-differs`), or has no agreement in force for any item of the project (`agreement-missing`)."""
    organization = _organization(caller)
    _project(tx, caller, id)
    project, meeting = held_with_meeting(tx, id, shared=True)
    project.status = follow(PROJECT, "project", project.status, "claim")
    meeting = _require_open(meeting)
    standing = list(
        tx.session.exec(
            select(Claim).where(Claim.meeting == meeting.id, Claim.organization == organization, Claim.status == "standing")
        )
    )
    if any(claim.project == id for claim in standing):
        raise Conflict("claim-standing", "Your claim of this project stands already.", "project")
    if any(claim.wish == terms.wish for claim in standing):
        raise Conflict("wish-taken", f"You gave wish {terms.wish} to another project; give this one another.", "wish")
    if any(claim.capacity != terms.capacity for claim in standing):
        stated = standing[0].capacity
        detail = f"In your other claims you said that you can carry {stated}; say the same, or withdraw those first."
        raise Conflict("capacity-differs", detail, "capacity")
    require_agreement(tx, project, organization)
    tx.session.add(
        Claim(
            id=new_id(),
            community=project.community,
            project=id,
            meeting=meeting.id,
            organization=organization,
            wish=terms.wish,
            capacity=terms.capacity,
            status="standing",
            claimed_at=tx.now(project.community),
        )
    )
    projects.tell(tx, ProjectClaimed, project)
    return queries.projects.project_view(tx.session, caller, project)


def withdraw_claim(tx: Transaction, caller: Caller, id: str) -> ProjectView:
    """Withdraw a claim before the bell; where the station had pinned it, that is lifted. Raises Conflict (`claim-missing`)
    where there is none that stands."""
    organization = _organization(caller)
    _project(tx, caller, id)
    project, meeting = held_with_meeting(tx, id, shared=True)
    project.status = follow(PROJECT, "project", project.status, "withdraw the claim of")
    _require_open(meeting)
    mine = select(Claim).where(Claim.project == id, Claim.organization == organization, Claim.status == "standing")
    claim = tx.session.exec(mine.execution_options(populate_existing=True)).first()
    if claim is None:
        raise Conflict("claim-missing", "You have no claim of this project that stands.", "project")
    _withdraw(tx, project, claim, "by-the-organization")
    return queries.projects.project_view(tx.session, caller, project)


def withdraw_what_cannot_be_carried(tx: Transaction, organizations: Collection[str]) -> None:
    """Withdraw the claims of these organizations at meetings that are open, as far as they may not carry the project any
    more: it would be lost to those who may. After the bell claims stand, and confirmation decides. The caller holds the
    communities."""
    named = select(Organization.community).where(col(Organization.id).in_(organizations))
    opened = select(Meeting.id).where(Meeting.status == "opened", col(Meeting.community).in_(named)).order_by(Meeting.id)
    # Locked before the claims are read: of a claim that is being made, one sees the other.
    meetings = list(tx.session.exec(opened.with_for_update()))
    theirs = select(Claim).where(
        col(Claim.meeting).in_(meetings), col(Claim.organization).in_(organizations), Claim.status == "standing"
    )
    claims = list(tx.session.exec(theirs.order_by(Claim.id))) if meetings else []
    held = projects.hold(tx, {claim.project for claim in claims})
    for claim in claims:
        project = held[claim.project]
        if not may_carry(tx, project, claim.organization):
            project.status = follow(PROJECT, "project", project.status, "withdraw the claim of")
            _withdraw(tx, project, claim, _why_not(tx, claim.organization))


def see_what_is_covered(tx: Transaction, organizations: Collection[str]) -> None:
    """See which of the projects that were assigned to these organizations they may (still, or again) carry; the station is
    told of those that they may not, and decides. The caller holds the communities."""
    for _, project in sorted(projects.hold(tx, queries.projects.assigned_to(tx.session, organizations)).items()):
        organization = project.organization
        if organization is None or organization not in organizations or project.status != "assigned":
            continue
        uncovered = not may_carry(tx, project, organization)
        if uncovered != project.uncovered:
            project.uncovered = uncovered
            tx.session.add(project)
            projects.tell(tx, ProjectUncovered if uncovered else ProjectChanged, project)


def _why_not(tx: Transaction, organization: str) -> WithdrawnBecause:
    status = tx.session.exec(select(Organization.status).where(Organization.id == organization)).one()
    if status in SERVING:
        return "agreement-ended"
    return "suspended" if status == "suspended" else "left"


def call_off(tx: Transaction, claims: Sequence[Claim]) -> None:
    """Withdraw these claims, all of one meeting, which is called off and which the caller holds."""
    held = projects.hold(tx, {claim.project for claim in claims})
    for claim in claims:
        project = held[claim.project]
        project.status = follow(PROJECT, "project", project.status, "withdraw the claim of")
        _end(tx, project, claim, CALLED_OFF)
        projects.tell(tx, ProjectClaimWithdrawn, project, called_off=claim.organization)


def _withdraw(tx: Transaction, project: Project, claim: Claim, because: WithdrawnBecause) -> None:
    _end(tx, project, claim, WITHDRAWN[because])
    withdrawal = ClaimWithdrawal(organization=claim.organization, because=because)
    projects.tell(tx, ProjectClaimWithdrawn, project, withdrawn=withdrawal)


def _end(tx: Transaction, project: Project, claim: Claim, reason: Reason) -> None:
    """Let a claim that stands be withdrawn, and lift its pin."""
    claim.status = "withdrawn"
    claim.reason_zh, claim.reason_en = reason.zh, reason.en
    tx.session.add(claim)
    pinned = select(Pair).where(
        Pair.meeting == claim.meeting, Pair.project == claim.project, Pair.organization == claim.organization
    )
    for pair in tx.session.exec(pinned.where(Pair.kind == "pinned", col(Pair.lifted_at).is_(None))):
        pair.lifted_at = tx.now(project.community)
        tx.session.add(pair)


def ask_question(tx: Transaction, caller: Caller, id: str, terms: QuestionTerms) -> QuestionView:
    """Ask about a project of a meeting before the bell, for all to read."""
    organization = _organization(caller)
    meeting = queries.meetings.found(tx.session, id)
    caller.belongs_to(meeting.community)
    if meeting.status not in ("scheduled", "opened"):
        raise Conflict(f"meeting-{meeting.status}", f"This meeting is {meeting.status}; questions are asked before.", "status")
    if terms.project not in queries.meetings.projects_of(tx.session, id):
        raise Invalid("project", f"Project {terms.project!r} is not put before this meeting.", "project-unknown")
    question = Question(
        id=new_id(),
        community=meeting.community,
        meeting=id,
        project=terms.project,
        organization=organization,
        text=terms.text,
        asked_at=tx.now(meeting.community),
    )
    tx.session.add(question)
    tx.tell(QuestionAsked(**telling.question_state(question)))
    return QuestionView.model_validate(question, from_attributes=True)


def answer_question(tx: Transaction, caller: Caller, id: str, terms: AnswerTerms) -> QuestionView:
    """Answer a question, for all to read."""
    question = _question(tx, caller, id)
    follow(QUESTION, "question", "asked" if question.answer is None else "answered", "answer")
    question.answer, question.answered_at = terms.text, tx.now(question.community)
    tx.session.add(question)
    tx.tell(QuestionAnswered(**telling.question_state(question)))
    return QuestionView.model_validate(question, from_attributes=True)


def correct_answer(tx: Transaction, caller: Caller, id: str, terms: AnswerTerms) -> QuestionView:
    """Correct the answer to a question; the one before stays there to be read. Raises Conflict where there is none yet, or
    (`answer-unchanged`) where it says the same."""
    question = _question(tx, caller, id)
    follow(QUESTION, "question", "asked" if question.answer is None else "answered", "correct")
    if question.answer == terms.text:
        raise Conflict("answer-unchanged", "The answer says this already.", "text")
    before = AnswerView.model_validate(question, from_attributes=True)
    question.earlier = [*question.earlier, before.model_dump(mode="json")]
    question.answer, question.answered_at = terms.text, tx.now(question.community)
    tx.session.add(question)
    tx.tell(QuestionCorrected(**telling.question_state(question)))
    return QuestionView.model_validate(question, from_attributes=True)


def _question(tx: Transaction, caller: Caller, id: str) -> Question:
    question = tx.session.exec(select(Question).where(Question.id == id).with_for_update()).first()
    if question is None:
        raise NotFound("question", id)
    caller.belongs_to(question.community)
    return question


def require_agreement(tx: Transaction, project: Project, organization: str) -> None:
    """Raises Conflict (`agreement-missing`) unless the organization has an agreement in force for an item of the project,
    or, of one without items, for anything."""
    if not may_carry(tx, project, organization):
        detail = "You have no agreement in force for what this project asks for; sign one first."
        raise Conflict("agreement-missing", detail, "organization")


def may_carry(tx: Transaction, project: Project, organization: str) -> bool:
    """Whether an organization has an agreement in force for an item of the project (of one without items: for anything)."""
    today = civil_date(tx.now(project.community))
    agreed = queries.menu.items_agreed(tx.session, project.community, organization, today)
    return bool(agreed.intersection(project.items) if project.items else agreed)


def _organization(caller: Caller) -> str:
    if caller.organization is None:
        raise Forbidden("Only an organization does this, for itself.")
    return caller.organization


def _project(tx: Transaction, caller: Caller, id: str) -> None:
    community = tx.session.exec(select(Project.community).where(Project.id == id)).first()
    if community is None:
        raise NotFound("project", id)
    caller.belongs_to(community)


def _require_open(meeting: Meeting | None) -> Meeting:
    if meeting is None:
        raise Conflict("meeting-missing", "This project is not put before a claim meeting yet.", "meeting")
    if meeting.status != "opened":
        detail = f"The claim meeting is {meeting.status}; claims are made and withdrawn while it is open."
        raise Conflict(f"meeting-{meeting.status}", detail, "meeting")
    return meeting
