"""Matching's reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Sequence
from typing import Any

from sqlmodel import Session, col, select

from services.matching import duplicates
from services.matching.models import Offer, Organization, Referral, Remark, Request
from services.matching.models.requests import ALARMING
from services.matching.queries import menu, reading, referrals
from services.matching.rank.conditions import CONDITIONS, FAILED
from services.matching.rules import OPEN_REQUEST, OWN_REFERRAL
from services.matching.views import (
    BilingualText,
    CandidateView,
    FailedCondition,
    FollowedView,
    RemarkView,
    RequestDetail,
    RequestView,
    SimilarRequest,
    TrailStep,
    UnservedView,
)
from shared.access import Caller
from shared.events.words import RequestStatus
from shared.problems import Forbidden, NotFound
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
        standing = session.exec(put_before).all()
        if not standing:
            raise Forbidden("This request was not put before the token's organization.")
        words_are_open = not OWN_REFERRAL.isdisjoint(standing)
    detail = _details(session, caller, [request])[0]
    return detail if words_are_open else detail.model_copy(update={"text": None})


def list_requests(
    session: Session,
    caller: Caller,
    community: str,
    status: RequestStatus | None,
    page: PageRequest,
    emergencies: bool = False,
) -> Page[RequestDetail]:
    """The requests of a community for its station: first the emergencies that nobody there has seen to, then the others; of
    both the oldest first. Or only those that call for help at once."""
    caller.belongs_to(community)
    statement = select(Request).where(Request.community == community)
    if status is not None:
        statement = statement.where(Request.status == status)
    if emergencies:
        statement = statement.where(col(Request.alarm).is_not(None))
    listed: Page[Request] = paginate(session, statement, Request.id, page, _row, first=ALARMING)
    return Page(items=_details(session, caller, listed.items), next=listed.next)


def request_view(session: Session, request: Request) -> RequestView:
    """A request without its words."""
    return request_views(session, [request])[0]


def request_views(session: Session, requests: Sequence[Request]) -> list[RequestView]:
    """Requests without their words; names of organizations and offers as they are now."""
    named = {candidate["organization"] for request in requests for candidate in request.candidates}
    titled = {candidate["offer"] for request in requests for candidate in request.candidates}
    names = _pairs(session, select(Organization.id, Organization.name_zh, Organization.name_en), Organization.id, named)
    titles = _pairs(session, select(Offer.id, Offer.title_zh, Offer.title_en), Offer.id, titled)
    unknown = (None, None)
    asked = {request.community for request in requests if reading.names_items(request)}
    items = {community: taxonomy.names for community, taxonomy in menu.current_taxonomies(session, asked).items()}
    return [
        RequestView(
            **request.model_dump(include=_VIEWED),
            understood=reading.understood(request, items.get(request.community, {})),
            emergency=reading.emergency(request),
            unserved=_unserved(request),
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


_VIEWED = set(RequestView.model_fields) - {"candidates", "understood", "emergency", "unserved"}


def _unserved(request: Request) -> UnservedView | None:
    if request.status != "unmatched" or not request.unserved:
        return None
    because = [
        FailedCondition(
            condition=name,
            organizations=request.unserved[name],
            zh=FAILED[name].zh.format(count=request.unserved[name]),
            en=FAILED[name].en.format(count=request.unserved[name]),
        )
        for name in CONDITIONS
        if name in request.unserved
    ]
    return UnservedView(because=because, then=THEN)


THEN = BilingualText(
    zh="您的需求我们记着：有组织能办了，马上转给它；同样的需求多了，服务站会汇成项目，请组织来认领。",
    en="Your request is kept: as soon as somebody can serve it, it goes there; and together with others of its kind the "
    "station makes it a project that organizations can claim.",
)


def _pairs(session: Session, statement: Any, key: Any, ids: Collection[str]) -> dict[str, tuple[str, str]]:
    """By id, the Chinese and the English of what a statement selects; it is not asked for nothing."""
    if not ids:
        return {}
    return {id: (zh, en) for id, zh, en in session.execute(statement.where(key.in_(ids)))}


def _details(session: Session, caller: Caller, requests: Sequence[Request]) -> list[RequestDetail]:
    remarks: dict[str, list[RemarkView]] = defaultdict(list)
    trails: dict[str, list[TrailStep]] = {}
    ids = [request.id for request in requests]
    if caller.role != "organization":
        trails = referrals.trail(session, ids)
        for remark in session.exec(select(Remark).where(col(Remark.request).in_(ids)).order_by(Remark.id)):
            remarks[remark.request].append(RemarkView.model_validate(remark, from_attributes=True))
    followed = _followed(session, requests)
    return [
        RequestDetail(
            **dict(view),
            text=request.text,
            intake=request.intake,  # type: ignore[arg-type]  # a CHECK says so
            abusive=None if caller.role not in ("station", "operator") else bool((request.understood or {}).get("abusive")),
            remarks=remarks[request.id],
            trail=trails.get(request.id, []),
            follows=followed.get(request.merged_into or ""),
        )
        for request, view in zip(requests, request_views(session, requests), strict=True)
    ]


def _followed(session: Session, requests: Sequence[Request]) -> dict[str, FollowedView]:
    ids = {request.merged_into for request in requests if request.merged_into is not None}
    if not ids:
        return {}
    statement = (
        select(Request, Organization.name_zh, Organization.name_en)
        .outerjoin(Organization, col(Organization.id) == col(Request.organization))
        .where(col(Request.id).in_(ids))
    )
    return {
        request.id: FollowedView(
            **request.model_dump(include={"id", "project", "status", "supporters", "organization", "served_at"}),
            organization_name_zh=name_zh,
            organization_name_en=name_en,
        )
        for request, name_zh, name_en in session.execute(statement)
    }


def similar_requests(session: Session, caller: Caller, id: str) -> list[SimilarRequest]:
    """The open requests of the same community and item whose words are like those of this one, most alike first: near
    duplicates, which the station may merge."""
    request = session.get(Request, id)
    if request is None:
        raise NotFound("request", id)
    caller.belongs_to(request.community)
    statement = select(Request).where(
        Request.community == request.community,
        Request.item == request.item,
        col(Request.status).in_(OPEN_REQUEST),
        Request.id != id,
        col(Request.merged_into).is_(None),
    )
    others = list(session.exec(statement.order_by(col(Request.id).desc()).limit(duplicates.COMPARED)))
    alike = duplicates.alike(request.text, [other.text for other in others])
    details = _details(session, caller, [others[place] for place, _ in alike])
    return [
        SimilarRequest(similarity=similarity, request=detail) for detail, (_, similarity) in zip(details, alike, strict=True)
    ]


def _row(row: Any) -> Any:
    return row
