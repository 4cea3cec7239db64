"""Experts and talents, for their station."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from sqlmodel import Session, col, select

from services.registry.models import Expert, Talent, TalentLink
from services.registry.queries.found import find_community
from services.registry.views.people import ExpertRecord, TalentLinkView, TalentRecord, TalentView
from shared.access import Caller
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_experts(session: Session, caller: Caller, community_id: str, page: PageRequest) -> Page[ExpertRecord]:
    """The experts of a community. Raises NotFound, Forbidden."""
    find_community(session, community_id)
    caller.belongs_to(community_id)
    wanted = select(Expert).where(Expert.community == community_id)
    return paginate(session, wanted, Expert.id, page, lambda row: ExpertRecord.model_validate(row, from_attributes=True))


def get_expert(session: Session, caller: Caller, expert_id: str) -> ExpertRecord:
    """One expert. Raises NotFound, Forbidden."""
    expert = session.get(Expert, expert_id)
    if expert is None:
        raise NotFound("expert", expert_id)
    caller.belongs_to(expert.community)
    return ExpertRecord.model_validate(expert, from_attributes=True)


def list_talents(session: Session, caller: Caller, community_id: str, page: PageRequest) -> Page[TalentRecord]:
    """The talent pool of a community. Raises NotFound, Forbidden."""
    find_community(session, community_id)
    caller.belongs_to(community_id)
    found = paginate(session, select(Talent).where(Talent.community == community_id), Talent.id, page, lambda row: row)
    links = talent_links(session, [talent.id for talent in found.items])
    return Page(items=[_record(talent, links[talent.id]) for talent in found.items], next=found.next)


def get_talent(session: Session, caller: Caller, talent_id: str) -> TalentRecord:
    """One talent. Raises NotFound, Forbidden."""
    talent = session.get(Talent, talent_id)
    if talent is None:
        raise NotFound("talent", talent_id)
    caller.belongs_to(talent.community)
    return _record(talent, talent_links(session, [talent.id])[talent.id])


def talent_view(session: Session, talent: Talent) -> TalentView:
    """A talent as everybody but the station knows them: by id."""
    links = talent_links(session, [talent.id])[talent.id]
    return TalentView(links=links, **talent.model_dump(exclude={"name", "contact"}))


def talent_links(session: Session, talents: Sequence[str]) -> dict[str, list[TalentLinkView]]:
    """The organizations of each of these talents, in the order in which they came together."""
    links: dict[str, list[TalentLinkView]] = defaultdict(list)
    found = select(TalentLink).where(col(TalentLink.talent).in_(talents))
    for link in session.exec(found.order_by(col(TalentLink.linked_at), col(TalentLink.organization), col(TalentLink.how))):
        links[link.talent].append(TalentLinkView.model_validate(link, from_attributes=True))
    return links


def _record(talent: Talent, links: list[TalentLinkView]) -> TalentRecord:
    return TalentRecord(links=links, **talent.model_dump())
