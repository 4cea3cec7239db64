"""Notify's reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.notify.models import Community, FeedFact, Notice, Offer, Organization, Taxonomy
from services.notify.rules import RecipientKind
from services.notify.sentences import Names, Text, render
from services.notify.views import FeedFactView, Figures, NoticeView
from shared.web import Page, PageRequest, paginate


def inbox(session: Session, recipient_kind: RecipientKind, recipient: str, page: PageRequest) -> Page[NoticeView]:
    """A recipient's notices, oldest first."""
    statement = select(Notice).where(Notice.recipient_kind == recipient_kind, Notice.recipient == recipient)
    rows: list[Notice] = []

    def unsaid(row: Notice) -> NoticeView:
        rows.append(row)
        return NoticeView(id=row.id, kind=row.kind, zh="", en="", occurred_at=row.occurred_at, parameters=row.parameters)

    listed = paginate(session, statement, Notice.id, page, unsaid)
    known = KnownNames(session, rows)
    texts = {row.id: render(row.kind, recipient_kind, row.occurred_at, known.of(row.community, row.parameters)) for row in rows}
    listed.items = [view.model_copy(update={"zh": texts[view.id].zh, "en": texts[view.id].en}) for view in listed.items]
    return listed


class KnownNames:
    """The names some notices need, as far as they were heard."""

    def __init__(self, session: Session, notices: Sequence[Notice]) -> None:
        communities = {notice.community for notice in notices}
        organizations = {notice.parameters.get("organization") for notice in notices}
        offers = {notice.parameters.get("offer") for notice in notices}
        self._communities: dict[str, Text] = {}
        self._compounds: dict[tuple[str, str], Text] = {}
        for community in session.exec(select(Community).where(col(Community.id).in_(communities))):
            self._communities[community.id] = Text(community.name_zh, community.name_en)
            for compound, (zh, en) in community.compounds.items():
                self._compounds[community.id, compound] = Text(zh, en)
        self._items: dict[tuple[str, str], Text] = {}
        for taxonomy in session.exec(select(Taxonomy).where(col(Taxonomy.community).in_(communities))):
            for item, (zh, en) in taxonomy.items.items():
                self._items[taxonomy.community, item] = Text(zh, en)
        self._organizations = {
            row.id: Text(row.name_zh, row.name_en)
            for row in session.exec(select(Organization).where(col(Organization.id).in_(organizations)))
        }
        self._offers = {
            row.id: Text(row.title_zh, row.title_en) for row in session.exec(select(Offer).where(col(Offer.id).in_(offers)))
        }

    def of(self, community: str, parameters: Mapping[str, str]) -> Names:
        """The names for a notice's parameters."""
        return Names(
            place=self._compounds.get((community, parameters.get("compound", ""))) or self._communities.get(community),
            organization=self._organizations.get(parameters.get("organization", "")),
            offer=self._offers.get(parameters.get("offer", "")),
            item=self._items.get((community, parameters.get("item", ""))),
        )


def feed(session: Session, community: str | None, type: str | None, page: PageRequest) -> Page[FeedFactView]:
    """The public facts, in the order in which they were heard."""
    statement = select(FeedFact)
    if community is not None:
        statement = statement.where(FeedFact.community == community)
    if type is not None:
        statement = statement.where(FeedFact.type == type)
    return paginate(session, statement, FeedFact.id, page, lambda row: FeedFactView.model_validate(row.event))


def figures(session: Session, community: str) -> Figures:
    """Notify's part of a community's figures."""
    notices = session.exec(select(func.count()).select_from(Notice).where(Notice.community == community)).one()
    return Figures(notices=notices)
