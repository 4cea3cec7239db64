"""Sessions of the evaluation body: opened about an organization or a delivered project, scored by the members, each blind to
the others' scores, and published with the findings of all three parties."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import col, select

from services.feedback import queries, rules
from services.feedback.actions.counting import count, evaluation_row, record
from services.feedback.actions.evaluations import impartial_expert
from services.feedback.models import (
    Agreement,
    Body,
    BodySeat,
    Evaluation,
    EvaluationSession,
    Expert,
    Organization,
    Project,
    SessionScore,
)
from services.feedback.rules import Sums
from services.feedback.views import CancellationTerms, PublicationTerms, ScoreTerms, ScoreView, SessionTerms, SessionView
from shared.access import Caller
from shared.clock import season_of
from shared.database import insert
from shared.events.feedback import (
    EvaluationSessionCancelled,
    EvaluationSessionOpened,
    EvaluationSessionPublished,
    EvaluationSessionState,
    Finding,
    Party,
    SatisfactionKind,
)
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound


def open_session(tx: Transaction, caller: Caller, terms: SessionTerms) -> SessionView:
    """Open a session of the community's evaluation body.

    Raises Conflict `no-body`, `session-opened` where one about the same (of an organization: in this season) is going on
    or published, `not-serving` for an organization that
    never had an agreement, `project-not-delivered`, and Invalid, naming the field, for what is not known here.
    """
    caller.belongs_to(terms.community)
    if (terms.organization is None) == (terms.project is None):
        raise Invalid("organization", "A session is about an organization or about a project; name one of the two.")
    body = tx.session.exec(
        select(Body).where(Body.community == terms.community, Body.status == "appointed").with_for_update()
    ).first()
    if body is None:
        raise Conflict("no-body", "The community has no evaluation body; appoint one first.", "community")
    organization = _organization_of(tx, terms)
    now = tx.now(terms.community)
    row: dict[str, Any] = {
        "id": new_id(),
        "community": terms.community,
        "body": body.id,
        "organization": organization,
        "project": terms.project,
        "season": season_of(now),
        "status": "opened",
        "opened_at": now,
        "findings": [],
    }
    statement = insert(tx.session, EvaluationSession).values(row).on_conflict_do_nothing()
    if tx.session.execute(statement.returning(col(EvaluationSession.id))).first() is None:
        detail = "A session about this is going on, or its findings are published already."
        raise Conflict("session-opened", detail, "project" if terms.project else "organization")
    return _tell(tx, tx.session.get_one(EvaluationSession, row["id"]), EvaluationSessionOpened)


def give_score(tx: Transaction, caller: Caller, id: str, terms: ScoreTerms) -> ScoreView:
    """Record what the calling member gives in a session, once: Conflict `already-scored`, and `already-evaluated` for an
    organization the caller evaluated outside of a session in the same season. Raises Forbidden for others than members,
    and for an expert with a conflict of interest."""
    session = _held(tx, caller, id)
    member = queries.member(tx.session, caller, session.body)
    if member is None:
        raise Forbidden("Only the members of the evaluation body score in its sessions.")
    if caller.role == "expert":
        impartial_expert(tx, caller, session.community, session.organization)
    session.status = follow(rules.SESSION, "session", session.status, "score")
    if session.project is None and _has_evaluated(tx, session, member.party, member.subject):
        raise Conflict("already-evaluated", f"You evaluated this organization in {session.season} already.")
    criteria = terms.criteria.model_dump()
    row: dict[str, Any] = {
        "session": session.id,
        "party": member.party,
        "subject": member.subject,
        "score": rules.score_of_criteria(criteria),
        "criteria": criteria,
        "note": terms.note or None,
        "given_at": tx.now(session.community),
    }
    statement = insert(tx.session, SessionScore).values(row).on_conflict_do_nothing()
    if tx.session.execute(statement.returning(col(SessionScore.subject))).first() is None:
        raise Conflict("already-scored", "You have given your scores in this session; they stand.")
    return ScoreView(**{name: row[name] for name in ScoreView.model_fields})


def publish_session(tx: Transaction, caller: Caller, id: str, terms: PublicationTerms) -> SessionView:
    """Publish the findings of a session. From now on its members' scores, the residents' aside, count for satisfaction; not
    those of an expert of whom an interest in the organization became known since. Raises Conflict `parties-missing` where not
    all three parties have spoken."""
    session = _held(tx, caller, id)
    status = follow(rules.SESSION, "session", session.status, "publish")
    scores = _impartial(tx, session)
    sums = _sums(tx, session, scores)
    if missing := rules.missing_parties(sums):
        raise Conflict("parties-missing", f"All three parties must have spoken; still silent: {', '.join(missing)}.")
    level = rules.satisfaction_level(sums)
    session.status, session.published_at = status, tx.now(session.community)
    session.score, session.low, session.high = level.score, level.low, level.high
    session.findings = [
        {
            "party": party,
            "mean": round(sums[party].total / sums[party].n, 2),
            "scores": sums[party].n,
            "criteria": _criteria_means([score.criteria for score in scores if score.party == party]),
        }
        for party in rules.WEIGHTS
    ]
    session.statement_zh, session.statement_en = terms.statement_zh, terms.statement_en
    for score in scores:
        if score.party != "resident":
            _count(tx, session, score)
    return _tell(tx, session, EvaluationSessionPublished)


def cancel_session(tx: Transaction, caller: Caller, id: str, terms: CancellationTerms) -> SessionView:
    """Call a session off. What was scored in it counts for nothing."""
    session = _held(tx, caller, id)
    return _cancel(tx, session, "called-off", terms.reason)


def cancel_sessions(tx: Transaction, body: Body) -> None:
    """End the open sessions of a body that has come to its end."""
    opened = (
        select(EvaluationSession)
        .where(EvaluationSession.body == body.id, EvaluationSession.status == "opened")
        .order_by(col(EvaluationSession.id))
    )
    for session in tx.session.exec(opened.with_for_update()):
        _cancel(tx, session, "body-ended", None)


def _cancel(tx: Transaction, session: EvaluationSession, because: str, reason: str | None) -> SessionView:
    session.status = follow(rules.SESSION, "session", session.status, "cancel")
    session.cancelled_because, session.reason = because, reason
    return _tell(tx, session, EvaluationSessionCancelled)


def _organization_of(tx: Transaction, terms: SessionTerms) -> str:
    if terms.project is not None:
        project = tx.session.get(Project, terms.project)
        if project is None or project.community != terms.community:
            detail = f"There is no project {terms.project!r} in this community; check its id."
            raise Invalid("project", detail, "project-unknown")
        if project.status != "delivered" or project.organization is None:
            detail = "This project is not delivered and waiting to be evaluated."
            raise Conflict("project-not-delivered", detail, "project")
        return project.organization
    organization = tx.session.get(Organization, terms.organization)
    if organization is None or organization.community != terms.community:
        detail = f"There is no organization {terms.organization!r} in this community; check its id."
        raise Invalid("organization", detail, "organization-unknown")
    if tx.session.exec(select(Agreement.id).where(Agreement.organization == organization.id)).first() is None:
        detail = "This organization never had a service agreement; there is nothing to evaluate yet."
        raise Conflict("not-serving", detail, "organization")
    return organization.id


def _held(tx: Transaction, caller: Caller, id: str) -> EvaluationSession:
    """The session, held until the transaction ends. Raises NotFound, and Forbidden for another community's."""
    session = tx.session.exec(select(EvaluationSession).where(EvaluationSession.id == id).with_for_update()).first()
    if session is None:
        raise NotFound("session", id)
    caller.belongs_to(session.community)
    return session


def _impartial(tx: Transaction, session: EvaluationSession) -> list[SessionScore]:
    """The scores given in a session, without those of experts who have an interest in the organization as is known today."""
    given = select(SessionScore).where(SessionScore.session == session.id)
    scores = tx.session.exec(given.order_by(col(SessionScore.party), col(SessionScore.subject))).all()
    experts = select(Expert).where(col(Expert.id).in_({score.subject for score in scores if score.party == "expert"}))
    partial = {expert.id for expert in tx.session.exec(experts) if session.organization in expert.conflicts}
    return [score for score in scores if score.party != "expert" or score.subject not in partial]


def _has_evaluated(tx: Transaction, session: EvaluationSession, party: str, subject: str) -> bool:
    statement = select(Evaluation.id).where(
        Evaluation.party == party,
        Evaluation.evaluator == subject,
        Evaluation.organization == session.organization,
        Evaluation.season == session.season,
        col(Evaluation.project).is_(None),
    )
    return tx.session.exec(statement).first() is not None


def _sums(tx: Transaction, session: EvaluationSession, scores: Sequence[SessionScore]) -> dict[Party, Sums]:
    """What each party gave: the members' scores, and with the residents' the ratings of the others who were served: whoever
    scored as a member is not heard a second time by the rating."""
    given: dict[Party, list[int]] = defaultdict(list)
    for score in scores:
        given[score.party].append(score.score)  # type: ignore[index]  # a CHECK says so
    sums = {party: Sums(len(own), sum(own), sum(one * one for one in own)) for party, own in given.items()}
    heard = [score.subject for score in scores if score.party == "resident"]
    seats = select(BodySeat.request).where(BodySeat.body == session.body, col(BodySeat.subject).in_(heard))
    without = tx.session.exec(seats).all()
    about: tuple[SatisfactionKind, str, str] = ("organization", session.organization, session.season)
    if session.project is not None:
        about = ("project", session.project, "")
    ratings = queries.residents_sums(tx.session, session.community, *about, without)
    if ratings is not None:
        members = sums.get("resident", Sums(0, 0, 0))
        sums["resident"] = Sums(members.n + ratings.n, members.total + ratings.total, members.squares + ratings.squares)
    return sums


def _criteria_means(criteria: list[dict[str, int]]) -> dict[str, float]:
    return {name: round(sum(one[name] for one in criteria) / len(criteria), 2) for name in rules.CRITERIA if criteria}


def _count(tx: Transaction, session: EvaluationSession, score: SessionScore) -> None:
    project = tx.session.get(Project, session.project) if session.project else None
    row = evaluation_row(
        tx,
        community=session.community,
        organization=session.organization,
        category=project.category if project else None,
        season=session.season,
        party=score.party,
        evaluator=score.subject,
        project=session.project,
        session=session.id,
        score=score.score,
        criteria=score.criteria,
        note=score.note,
    )
    # Where the same evaluator has meanwhile evaluated outside of the session, that one counts, and no second.
    if record(tx, row):
        count(tx, row)


def _tell(tx: Transaction, session: EvaluationSession, fact: type[EvaluationSessionState]) -> SessionView:
    view = SessionView.model_validate(session)
    kept = set(fact.model_fields) - {"session", "findings"}
    findings = tuple(Finding(party=one.party, mean=one.mean, scores=one.scores) for one in view.findings)
    tx.tell(fact(session=view.id, findings=findings, **view.model_dump(include=kept)))
    return view
