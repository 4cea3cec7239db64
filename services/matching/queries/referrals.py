"""Referrals as their organizations and the station read them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import or_
from sqlmodel import Session, col, select

from services.matching.models import Agreement, Conflict, Offer, Organization, Referral, Request
from services.matching.queries.menu import items_agreed
from services.matching.rules import OWN_REFERRAL, SERVING
from services.matching.views import (
    AlsoView,
    MemberView,
    ReferralDetail,
    ReferralStanding,
    ReferralView,
    TrailStep,
)
from shared.access import Caller
from shared.clock import civil_date
from shared.messaging import clocks
from shared.problems import Invalid, NotFound
from shared.web import Page, PageRequest, paginate


def get_referral(session: Session, caller: Caller, id: str) -> ReferralDetail:
    """A referral, for its organization or the station."""
    referral = session.get(Referral, id)
    if referral is None:
        raise NotFound("referral", id)
    caller.belongs_to(referral.community)
    caller.acts_for(referral.organization)
    return _referral_details(session, caller, [referral])[0]


def list_referrals(
    session: Session,
    caller: Caller,
    community: str | None,
    organization: str | None,
    status: ReferralStanding | None,
    page: PageRequest,
) -> Page[ReferralDetail]:
    """The referrals of a community (the token's, where none is named), oldest first: all of them for the station, its
    own for an organization."""
    community = community or caller.community
    if community is None:
        raise Invalid("community", "Name the community whose referrals are asked for.")
    caller.belongs_to(community)
    if caller.role == "organization":
        organization = organization or caller.organization
    statement = select(Referral).where(Referral.community == community)
    if organization is not None:
        caller.acts_for(organization)
        statement = statement.where(Referral.organization == organization)
    if status is not None:
        statement = statement.where(Referral.status == status)
    listed: Page[Referral] = paginate(session, statement, Referral.id, page, _row)
    return Page(items=_referral_details(session, caller, listed.items), next=listed.next)


def _referral_details(session: Session, caller: Caller, referrals: Sequence[Referral]) -> list[ReferralDetail]:
    ids = {referral.request for referral in referrals}
    requests = {request.id: request for request in session.exec(select(Request).where(col(Request.id).in_(ids)))}
    merged = select(Request).where(col(Request.merged_into).in_(ids), Request.status != "withdrawn").order_by(Request.id)
    also: dict[str | None, list[AlsoView]] = defaultdict(list)
    for request in session.exec(merged):
        also[request.merged_into].append(AlsoView(request=request.id, compound=request.compound, text=request.text))
    details = []
    for referral in referrals:
        request = requests[referral.request]
        words_are_open = caller.role != "organization" or referral.status in OWN_REFERRAL
        details.append(
            ReferralDetail(
                **dict(ReferralView.model_validate(referral, from_attributes=True)),
                text=request.text if words_are_open else None,
                channel=request.channel,  # type: ignore[arg-type]  # a CHECK says so
                language=request.language,  # type: ignore[arg-type]  # a CHECK says so
                request_status=request.status,  # type: ignore[arg-type]  # a CHECK says so
                supporters=request.supporters,
                also=also[request.id] if words_are_open else [],
                reason=referral.reason,
            )
        )
    return details


def _row(row: Any) -> Any:
    return row


def tried(session: Session, requests: Iterable[str]) -> dict[str, set[str]]:
    """The organizations that are not to be asked for each request (again): those it was put before, whatever became of it,
    but not those that could not serve it when it was handed on from them, nor those from whom it was taken back when it was
    merged or read anew; and those with a recorded conflict."""
    found: dict[str, set[str]] = defaultdict(set)
    ids = list(requests)
    if not ids:
        return found
    statement = select(Referral.request, Referral.organization, Referral.status, Referral.hub).where(
        col(Referral.request).in_(ids)
    )
    for request, organization, status, hub in session.execute(statement.where(Referral.status != "withdrawn")):
        if status != "handed-on":
            found[request].add(organization)
        if hub is not None:
            found[request].add(hub)
    for request, organizations in barred(session, ids).items():
        found[request] |= organizations
    return found


def barred(session: Session, requests: Iterable[str]) -> dict[str, set[str]]:
    """The organizations with a conflict that was recorded for one of these requests, by request."""
    found: dict[str, set[str]] = defaultdict(set)
    statement = select(Conflict.request, Conflict.organization).where(
        col(Conflict.request).in_(list(requests)), col(Conflict.ended_at).is_(None)
    )
    for request, organization in session.exec(statement):
        if request is not None:
            found[request].add(organization)
    return found


def standing_back(session: Session, request: Request) -> set[str]:
    """The organizations that a recorded conflict keeps from a request: for it alone, for its compound, its item, or both."""
    statement = select(Conflict.organization).where(Conflict.community == request.community, col(Conflict.ended_at).is_(None))
    for column, value in ((Conflict.request, request.id), (Conflict.compound, request.compound), (Conflict.item, request.item)):
        statement = statement.where(or_(col(column).is_(None), col(column) == value))
    return set(session.exec(statement))


def cannot_be_served(session: Session, referrals: Sequence[Referral], today: Mapping[str, date]) -> set[str]:
    """Which of these referrals (ids) their organizations may not serve (any more): where the organization itself may not
    serve, or has no agreement in force for it; those not accepted yet also for want of the offer on the menu. `today` is
    the civil date in each community."""
    named = {referral.organization for referral in referrals}
    serving = set(
        session.exec(select(Organization.id).where(col(Organization.id).in_(named), col(Organization.status).in_(SERVING)))
    )
    offered = select(Offer.id, Offer.item).where(
        col(Offer.id).in_({referral.offer for referral in referrals}), Offer.status == "published"
    )
    on_the_menu = set(session.exec(offered))
    agreed = list(session.exec(select(Agreement).where(col(Agreement.organization).in_(named), Agreement.status == "in-force")))
    return {
        referral.id
        for referral in referrals
        if referral.organization not in serving
        or (referral.status == "made" and (referral.offer, referral.item) not in on_the_menu)
        or not any(
            agreement.organization == referral.organization
            and agreement.community == referral.community
            and referral.item in agreement.items
            and agreement.starts_on <= today[referral.community] <= agreement.ends_on
            for agreement in agreed
        )
    }


def members(session: Session, caller: Caller, id: str) -> list[MemberView]:
    """To whom the hub of a referral may hand it on: its members with an agreement in force for the item and no recorded
    conflict, by name."""
    referral = session.get(Referral, id)
    if referral is None:
        raise NotFound("referral", id)
    caller.belongs_to(referral.community)
    caller.acts_for(referral.organization)
    statement = select(Organization).where(Organization.community == referral.community, col(Organization.status).in_(SERVING))
    request = session.get_one(Request, referral.request)
    left_out = tried(session, [request.id])[request.id] | standing_back(session, request)
    today = civil_date(clocks.now(session, referral.community))
    found = [
        one
        for one in session.exec(statement)
        if referral.organization in one.parents
        and one.id not in left_out
        and referral.item in items_agreed(session, referral.community, one.id, today)
    ]
    return [
        MemberView(organization=one.id, name_zh=one.name_zh, name_en=one.name_en)
        for one in sorted(found, key=lambda one: (one.name_zh, one.id))
    ]


def trail(session: Session, requests: Iterable[str]) -> dict[str, list[TrailStep]]:
    """Before whom each request was put, in order, with what became of it."""
    statement = select(Referral).where(col(Referral.request).in_(list(requests))).order_by(Referral.id)
    referrals = list(session.exec(statement))
    organizations = select(Organization).where(col(Organization.id).in_({one.organization for one in referrals}))
    names = {one.id: (one.name_zh, one.name_en) for one in session.exec(organizations)}
    found: dict[str, list[TrailStep]] = defaultdict(list)
    for one in referrals:
        name_zh, name_en = names.get(one.organization, (None, None))
        found[one.request].append(
            TrailStep(
                **one.model_dump(include=set(TrailStep.model_fields) - {"referral"}),
                referral=one.id,
                organization_name_zh=name_zh,
                organization_name_en=name_en,
            )
        )
    return found
