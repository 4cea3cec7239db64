"""The evaluation body: appointing it, changing its members, and its end."""

from __future__ import annotations

import sqlalchemy as sa
from sqlmodel import col, select

from services.feedback import rules
from services.feedback.actions.sessions import cancel_sessions
from services.feedback.models import Body, BodyMember, BodySeat, Community, Expert, Request
from services.feedback.queries import body_members, body_view
from services.feedback.views import BodyMembers, BodyTerms, BodyView, MemberTerms
from shared.access import Caller
from shared.clock import civil_date
from shared.events.feedback import BodyAppointed, BodyChanged, BodyEnded, BodyState
from shared.events.feedback import BodyMember as MemberOfFact
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound


def appoint_body(tx: Transaction, caller: Caller, terms: BodyTerms) -> BodyView:
    """Appoint a community's evaluation body for a term that begins today.

    Raises Conflict `body-appointed` where the community has one, and Invalid, naming the field, for a term that is over
    already, a party without a member, an expert who is not enrolled, and a resident's request that was not served.
    """
    caller.belongs_to(terms.community)
    if tx.session.get(Community, terms.community) is None:
        raise Invalid("community", f"There is no community {terms.community!r} here; check its id.", "community-unknown")
    today = civil_date(tx.now(terms.community))
    if terms.ends_on < today:
        raise Invalid("ends_on", f"The term begins today ({today}) and cannot end before that.")
    standing = tx.session.exec(select(Body.id).where(Body.community == terms.community, Body.status == "appointed")).first()
    if standing is not None:
        raise Conflict("body-appointed", "The community has an evaluation body; its term must end before the next begins.")
    body = Body(id=new_id(), community=terms.community, starts_on=today, ends_on=terms.ends_on, status="appointed")
    tx.session.add(body)
    tx.session.flush()
    _seat(tx, body, terms.members)
    tx.schedule("body-term", body.id, body.community, rules.after_term(body.ends_on))
    return _tell(tx, body, BodyAppointed)


def change_members(tx: Transaction, caller: Caller, id: str, terms: BodyMembers) -> BodyView:
    """Give the evaluation body these members. What those who leave it gave in open sessions stays; a resident who stays, or
    is seated again, is the same member by the same id."""
    body = _held(tx, caller, id)
    body.status = follow(rules.BODY, "body", body.status, "change")
    _seat(tx, body, terms.members)
    return _tell(tx, body, BodyChanged)


def dissolve_body(tx: Transaction, caller: Caller, id: str) -> BodyView:
    """End the evaluation body before its term does. Its open sessions end with it."""
    body = _held(tx, caller, id)
    return _end(tx, body, "dissolve", "dissolved")


def end_term(tx: Transaction, id: str) -> None:
    """End the evaluation body whose last day is over; nothing happens to one that has ended already."""
    body = tx.session.exec(select(Body).where(Body.id == id).with_for_update()).first()
    if body is not None and body.status == "appointed" and rules.after_term(body.ends_on) <= tx.now(body.community):
        _end(tx, body, "expire", "expired")


def _end(tx: Transaction, body: Body, verb: str, because: str) -> BodyView:
    body.status = follow(rules.BODY, "body", body.status, verb)
    body.ended_because = because
    tx.unschedule("body-term", body.id)
    cancel_sessions(tx, body)
    return _tell(tx, body, BodyEnded)


def _held(tx: Transaction, caller: Caller, id: str) -> Body:
    """The body, held until the transaction ends. Raises NotFound, and Forbidden for another community's."""
    body = tx.session.exec(select(Body).where(Body.id == id).with_for_update()).first()
    if body is None:
        raise NotFound("body", id)
    caller.belongs_to(body.community)
    return body


def _seat(tx: Transaction, body: Body, members: list[MemberTerms]) -> None:
    if missing := rules.missing_parties(member.party for member in members):
        raise Invalid("members", f"All three parties belong to the body; there is no {' and no '.join(missing)}.")
    members_now = tx.session.exec(select(BodyMember).where(BodyMember.body == body.id, BodyMember.party == "resident")).all()
    staying = {row.request for row in members_now}
    seats = tx.session.exec(select(BodySeat).where(BodySeat.body == body.id)).all()
    # Those who sit there now come last: the former version seats without keeping a seat, while both run side by side.
    requests = {seat.subject: seat.request for seat in seats} | {row.subject: row.request for row in members_now}
    subjects = {request: subject for subject, request in requests.items()}
    rows = {}
    for number, member in enumerate(members):
        field = f"members.{number}.subject"
        subject, request = member.subject, None
        if member.party == "expert":
            _check_expert(tx, body.community, subject, field)
        if member.party == "resident":
            request = requests.get(subject) or subject
            if request not in staying:
                _check_resident(tx, body.community, request, field)
            subject = subjects.get(request) or new_id()
        if (member.party, request or subject) in rows:
            raise Invalid(field, "This member is named twice.")
        row = {"body": body.id, "party": member.party, "subject": subject, "request": request}
        rows[member.party, request or subject] = row
    tx.session.execute(sa.delete(BodyMember).where(col(BodyMember.body) == body.id))
    tx.session.execute(sa.insert(BodyMember), list(rows.values()))
    kept = {seat.request for seat in seats}
    residents = subjects | {row["request"]: row["subject"] for row in rows.values() if row["party"] == "resident"}
    new = [{"body": body.id, "request": one, "subject": residents[one]} for one in residents if one not in kept]
    if new:
        tx.session.execute(sa.insert(BodySeat), new)


def _check_expert(tx: Transaction, community: str, id: str, field: str) -> None:
    expert = tx.session.get(Expert, id)
    if expert is None or expert.community != community or expert.status != "enrolled":
        raise Invalid(field, f"The community has no expert {id!r}; enrol the expert first.", "expert-unknown")


def _check_resident(tx: Transaction, community: str, id: str, field: str) -> None:
    request = tx.session.get(Request, id)
    if request is None or request.community != community or request.served_at is None:
        raise Invalid(field, f"There is no served request {id!r} here; a resident of the body was really served.")


def _tell(tx: Transaction, body: Body, fact: type[BodyState]) -> BodyView:
    view = body_view(body, body_members(tx.session, [body.id])[body.id])
    tx.tell(
        fact(
            body=view.id,
            community=view.community,
            members=tuple(MemberOfFact(party=member.party, subject=member.subject) for member in view.members),
            starts_on=view.starts_on,
            ends_on=view.ends_on,
            status=view.status,
            ended_because=view.ended_because,
        )
    )
    return view
