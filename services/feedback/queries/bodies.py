"""The evaluation body, its sessions, and what its members gave in them."""

from __future__ import annotations

from collections.abc import Collection

from sqlmodel import Session, col, select

from services.feedback.models import Body, BodyMember, EvaluationSession, SessionScore
from services.feedback.views import BodyView, MemberView, ScoreView, SessionView
from shared.access import Caller
from shared.problems import Forbidden, NotFound
from shared.web import Page, PageRequest, paginate


def body_members(session: Session, bodies: Collection[str]) -> dict[str, list[MemberView]]:
    """The members of evaluation bodies, by the body's id."""
    rows = session.exec(
        select(BodyMember).where(col(BodyMember.body).in_(bodies)).order_by(col(BodyMember.party), col(BodyMember.subject))
    )
    members: dict[str, list[MemberView]] = {body: [] for body in bodies}
    for row in rows:
        members[row.body].append(MemberView.model_validate(row, from_attributes=True))
    return members


def body_view(body: Body, members: list[MemberView]) -> BodyView:
    """An evaluation body as everybody may see it."""
    return BodyView(**body.model_dump(), members=members)


def list_bodies(session: Session, community: str, page: PageRequest) -> Page[BodyView]:
    """A community's evaluation bodies, oldest first."""
    listed = paginate(session, select(Body).where(Body.community == community), Body.id, page, lambda body: body_view(body, []))
    members = body_members(session, [view.id for view in listed.items])
    listed.items = [view.model_copy(update={"members": members[view.id]}) for view in listed.items]
    return listed


def show_body(session: Session, id: str) -> BodyView:
    """An evaluation body. Raises NotFound."""
    body = session.get(Body, id)
    if body is None:
        raise NotFound("body", id)
    return body_view(body, body_members(session, [id])[id])


def list_sessions(
    session: Session, community: str, organization: str | None, project: str | None, page: PageRequest
) -> Page[SessionView]:
    """A community's sessions of its evaluation bodies, oldest first."""
    statement = select(EvaluationSession).where(EvaluationSession.community == community)
    if organization is not None:
        statement = statement.where(EvaluationSession.organization == organization)
    if project is not None:
        statement = statement.where(EvaluationSession.project == project)
    return paginate(session, statement, EvaluationSession.id, page, SessionView.model_validate)


def show_session(session: Session, id: str) -> SessionView:
    """A session. Raises NotFound."""
    row = session.get(EvaluationSession, id)
    if row is None:
        raise NotFound("session", id)
    return SessionView.model_validate(row)


def member(session: Session, caller: Caller, body: str) -> BodyMember | None:
    """Which member of the evaluation body is calling, if one is."""
    statement = select(BodyMember).where(BodyMember.body == body, BodyMember.party == caller.role)
    if caller.role == "resident":
        statement = statement.where(BodyMember.request == caller.request)
    else:
        statement = statement.where(BodyMember.subject == (caller.subject or caller.role))
    return session.exec(statement).first()


def list_scores(session: Session, caller: Caller, id: str) -> list[ScoreView]:
    """The scores given in a session: for its members, once they have given their own, and afterwards for the station too.
    Raises NotFound and Forbidden."""
    row = session.get(EvaluationSession, id)
    if row is None:
        raise NotFound("session", id)
    caller.belongs_to(row.community)
    scores = session.exec(
        select(SessionScore).where(SessionScore.session == id).order_by(col(SessionScore.given_at), col(SessionScore.subject))
    ).all()
    own = member(session, caller, row.body)
    given = own is not None and any((score.party, score.subject) == (own.party, own.subject) for score in scores)
    if row.status == "opened" and not given:
        raise Forbidden("The scores are shown to members once they have given their own; until then nobody is to be swayed.")
    if own is None and caller.role != "station":
        raise Forbidden("The scores are shown to the members of the evaluation body and to the station.")
    return [ScoreView.model_validate(score, from_attributes=True) for score in scores]
