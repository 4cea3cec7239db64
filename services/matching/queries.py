"""Matching's reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Sequence
from datetime import date
from typing import Any, NamedTuple

from sqlalchemy import and_, func
from sqlmodel import Session, col, select

from services.matching.models import Agreement, Offer, Organization, Referral, Remark, Request, Satisfaction, Taxonomy
from services.matching.rank import Opening
from services.matching.rules import OWN_REFERRAL, SERVING
from services.matching.views import (
    CandidateView,
    Figures,
    ReferralDetail,
    ReferralStanding,
    ReferralView,
    RemarkView,
    RequestDetail,
    RequestView,
)
from shared.access import Caller
from shared.events.matching import RequestStatus
from shared.problems import Forbidden, Invalid, NotFound
from shared.web import Page, PageRequest, paginate


def get_request(session: Session, caller: Caller, id: str) -> RequestDetail:
    """A request, for the resident with its link, its station, or an organization it was put before."""
    if caller.role == "resident":
        caller.holds(id)
    request = session.get(Request, id)
    if request is None:
        raise NotFound("request", id)
    if caller.role != "resident":
        caller.belongs_to(request.community)
    words_are_open = True
    if caller.role == "organization":
        put_before = select(Referral.status).where(Referral.request == id, Referral.organization == caller.organization)
        standing = session.exec(put_before).first()
        if standing is None:
            raise Forbidden("This request was not put before the token's organization.")
        words_are_open = standing in OWN_REFERRAL
    detail = _details(session, caller, [request])[0]
    return detail if words_are_open else detail.model_copy(update={"text": None})


def list_requests(
    session: Session, caller: Caller, community: str, status: RequestStatus | None, page: PageRequest
) -> Page[RequestDetail]:
    """The requests of a community, oldest first, for its station."""
    caller.belongs_to(community)
    statement = select(Request).where(Request.community == community)
    if status is not None:
        statement = statement.where(Request.status == status)
    listed: Page[Request] = paginate(session, statement, Request.id, page, _row)
    return Page(items=_details(session, caller, listed.items), next=listed.next)


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


def figures(session: Session, community: str) -> Figures:
    """Matching's part of a community's figures."""
    requests, matched, unmatched, served = session.execute(
        select(
            func.count(),
            func.count(col(Request.matched_at)),
            func.count().filter(col(Request.status) == "unmatched"),
            func.count(col(Request.served_at)),
        )
        .select_from(Request)
        .where(Request.community == community)
    ).one()
    accepted, declined = session.execute(
        select(
            func.count().filter(col(Referral.status).in_(("accepted", "delivered"))),
            func.count().filter(col(Referral.status) == "declined"),
        )
        .select_from(Referral)
        .where(Referral.community == community)
    ).one()
    return Figures(requests=requests, matched=matched, unmatched=unmatched, accepted=accepted, declined=declined, served=served)


def request_view(session: Session, request: Request) -> RequestView:
    """A request without its words."""
    return request_views(session, [request])[0]


def request_views(session: Session, requests: Sequence[Request]) -> list[RequestView]:
    """Requests without their words; names of organizations and offers as they are now."""
    named = {candidate["organization"] for request in requests for candidate in request.candidates}
    titled = {candidate["offer"] for request in requests for candidate in request.candidates}
    names = {
        id: (name_zh, name_en)
        for id, name_zh, name_en in session.execute(
            select(Organization.id, Organization.name_zh, Organization.name_en).where(col(Organization.id).in_(named))
        )
    }
    titles = {
        id: (title_zh, title_en)
        for id, title_zh, title_en in session.execute(
            select(Offer.id, Offer.title_zh, Offer.title_en).where(col(Offer.id).in_(titled))
        )
    }
    unknown = (None, None)
    return [
        RequestView(
            **request.model_dump(include=_VIEWED),
            candidates=[
                CandidateView(
                    **candidate,
                    organization_name_zh=names.get(candidate["organization"], unknown)[0],
                    organization_name_en=names.get(candidate["organization"], unknown)[1],
                    offer_title_zh=titles.get(candidate["offer"], unknown)[0],
                    offer_title_en=titles.get(candidate["offer"], unknown)[1],
                )
                for candidate in request.candidates
            ],
        )
        for request in requests
    ]


_VIEWED = set(RequestView.model_fields) - {"candidates"}


def _details(session: Session, caller: Caller, requests: Sequence[Request]) -> list[RequestDetail]:
    remarks: dict[str, list[RemarkView]] = defaultdict(list)
    if caller.role != "organization":
        ids = [request.id for request in requests]
        for remark in session.exec(select(Remark).where(col(Remark.request).in_(ids)).order_by(Remark.id)):
            remarks[remark.request].append(RemarkView.model_validate(remark, from_attributes=True))
    return [
        RequestDetail(**dict(view), text=request.text, remarks=remarks[request.id])
        for request, view in zip(requests, request_views(session, requests), strict=True)
    ]


def _referral_details(session: Session, caller: Caller, referrals: Sequence[Referral]) -> list[ReferralDetail]:
    ids = {referral.request for referral in referrals}
    requests = {request.id: request for request in session.exec(select(Request).where(col(Request.id).in_(ids)))}
    return [
        ReferralDetail(
            **dict(ReferralView.model_validate(referral, from_attributes=True)),
            text=requests[referral.request].text if caller.role != "organization" or referral.status in OWN_REFERRAL else None,
            channel=requests[referral.request].channel,  # type: ignore[arg-type]  # a CHECK says so
            language=requests[referral.request].language,  # type: ignore[arg-type]  # a CHECK says so
            request_status=requests[referral.request].status,  # type: ignore[arg-type]  # a CHECK says so
            reason=referral.reason,
        )
        for referral in referrals
    ]


def _row(row: Any) -> Any:
    return row


class CurrentTaxonomy(NamedTuple):
    """The taxonomy in use in a community; `names` are its items' ([zh, en])."""

    id: str
    name: str
    version: int
    names: dict[str, list[str]]


def current_taxonomies(session: Session, communities: Collection[str]) -> dict[str, CurrentTaxonomy]:
    """The taxonomy in use in each community, its newest version, as far as it was heard of."""
    rows = session.execute(
        select(Taxonomy.community, Taxonomy.id, Taxonomy.name, Taxonomy.version, Taxonomy.names)  # type: ignore[call-overload]
        .where(col(Taxonomy.community).in_(communities))
        .order_by(col(Taxonomy.version), col(Taxonomy.id))
    )
    return {community: CurrentTaxonomy(*taxonomy) for community, *taxonomy in rows}


def category_of(session: Session, community: str, item: str) -> str | None:
    """The category of an item in the taxonomy in use in a community, None where there is no such item."""
    taxonomy = current_taxonomies(session, [community]).get(community)
    if taxonomy is None or item not in taxonomy.names:
        return None
    categories = session.exec(select(Taxonomy.categories).where(Taxonomy.id == taxonomy.id)).one()
    category: str = next(category["id"] for category in categories for one in category["items"] if one["id"] == item)
    return category


def is_on_the_menu(session: Session, offer: str, item: str) -> bool:
    """Whether an offer is published, and of this item."""
    statement = select(Offer.id).where(Offer.id == offer, Offer.item == item, Offer.status == "published")
    return session.exec(statement).first() is not None


def items_agreed(session: Session, community: str, organization: str, today: date) -> set[str]:
    """The items for which an organization that may serve has an agreement in force on a day."""
    statement = (
        select(Agreement.items)
        .join(Organization, col(Organization.id) == col(Agreement.organization))
        .where(
            col(Organization.status).in_(SERVING),
            Agreement.community == community,
            Agreement.organization == organization,
            Agreement.status == "in-force",
            Agreement.starts_on <= today,
            Agreement.ends_on >= today,
        )
    )
    return {item for items in session.exec(statement) for item in items}


def openings(session: Session, communities: Collection[str], items: Collection[str]) -> dict[tuple[str, str], list[Opening]]:
    """Every published offer of these items with its organization, which may serve, its agreements not ended and the
    satisfaction, by (community, item). One query; dates, items and areas are for `rank` to judge."""
    statement = (
        select(Offer, Organization, Agreement, Satisfaction)
        .join(Organization, col(Organization.id) == col(Offer.organization))
        .join(Agreement, col(Agreement.organization) == col(Offer.organization))
        .outerjoin(
            Satisfaction,
            and_(
                col(Satisfaction.organization) == col(Offer.organization),
                col(Satisfaction.community) == col(Offer.community),
            ),
        )
        .where(
            col(Offer.community).in_(communities),
            col(Offer.item).in_(items),
            Offer.status == "published",
            col(Organization.status).in_(SERVING),
            Agreement.status == "in-force",
            col(Agreement.community) == col(Offer.community),
        )
    )
    found: dict[tuple[str, str], list[Opening]] = defaultdict(list)
    for offer, organization, agreement, satisfaction in session.execute(statement):
        # Below five ratings a score would give away single ratings: it counts as unknown.
        rated = satisfaction is not None and satisfaction.stars is not None
        found[offer.community, offer.item].append(
            Opening(
                organization=organization.id,
                name_zh=organization.name_zh,
                name_en=organization.name_en,
                offer=offer.id,
                title_zh=offer.title_zh,
                title_en=offer.title_en,
                item=offer.item,
                fee_mode=offer.fee_mode,
                price=offer.price,
                unit=offer.unit,
                area=None if offer.area is None else frozenset(offer.area),
                weekly_capacity=offer.weekly_capacity,
                covers=frozenset(agreement.items),
                starts_on=agreement.starts_on,
                ends_on=agreement.ends_on,
                satisfaction=satisfaction.score / 100 if rated else None,
                stars=satisfaction.stars if rated else None,
                ratings=satisfaction.ratings if rated else 0,
            )
        )
    return found


def tried(session: Session, requests: Iterable[str]) -> dict[str, set[str]]:
    """The organizations each request was put before, whatever became of it."""
    statement = select(Referral.request, Referral.organization).where(col(Referral.request).in_(list(requests)))
    found: dict[str, set[str]] = defaultdict(set)
    for request, organization in session.execute(statement):
        found[request].add(organization)
    return found
