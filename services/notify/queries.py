"""Notify's reads."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from typing import Any, TypeVar

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.notify.models import Community, FeedFact, Notice, Offer, Organization, Project, Taxonomy
from services.notify.rules import RecipientKind, said_as
from services.notify.sentences import Names, Text, render
from services.notify.views import FeedFactView, Figures, Following, NoticeView
from shared.messaging import clocks
from shared.problems import Invalid
from shared.web import PageRequest

RowT = TypeVar("RowT", Notice, FeedFact)

POSITION = re.compile(r"[0-9]{1,18}", re.ASCII)


def inbox(session: Session, recipient_kind: RecipientKind, recipient: str, page: PageRequest) -> Following[NoticeView]:
    """A recipient's notices, oldest first."""
    statement = select(Notice).where(Notice.recipient_kind == recipient_kind, Notice.recipient == recipient)
    rows, following = _follow(session, statement, Notice, page)
    known = KnownNames(session, rows)
    views = []
    for row in rows:
        names = known.of(row.community, row.parameters)
        kind = said_as(row.kind, row.parameters)
        text = render(kind, recipient_kind, row.occurred_at, clocks.now(session, row.community), names)
        views.append(
            NoticeView(
                id=row.id,
                kind=row.kind,
                zh=text.zh,
                en=text.en,
                occurred_at=row.occurred_at,
                parameters=row.parameters,
            )
        )
    return Following(items=views, next=following)


def _follow(session: Session, statement: Any, table: type[RowT], page: PageRequest) -> tuple[list[RowT], str | None]:
    """The rows after a cursor by position, and the cursor after them; after none, the one that was given."""
    position: Any = table.position
    last = page.after
    if last is not None:
        if not POSITION.fullmatch(last):
            raise Invalid("after", "This is not a cursor of this list; use the value of `next` of the page before.")
        statement = statement.where(position > int(last))
    rows: list[RowT] = list(session.execute(statement.order_by(position).limit(page.limit)).scalars())
    if rows:
        last = str(rows[-1].position)
    return rows, None if last is None else base64.urlsafe_b64encode(last.encode()).decode()


class KnownNames:
    """The names some notices need, as far as they were heard."""

    def __init__(self, session: Session, notices: Sequence[Notice]) -> None:
        communities = {notice.community for notice in notices}
        organizations = {notice.parameters.get("organization") for notice in notices}
        offers = {notice.parameters.get("offer") for notice in notices}
        projects = {notice.parameters.get("project") for notice in notices}
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
        self._projects = {
            row.id: Text(row.title_zh, row.title_en)
            for row in session.exec(select(Project).where(col(Project.id).in_(projects)))
        }

    def of(self, community: str, parameters: Mapping[str, str]) -> Names:
        """The names for a notice's parameters."""
        return Names(
            place=self._compounds.get((community, parameters.get("compound", ""))) or self._communities.get(community),
            organization=self._organizations.get(parameters.get("organization", "")),
            offer=self._offers.get(parameters.get("offer", "")),
            item=self._items.get((community, parameters.get("item", ""))),
            project=self._projects.get(parameters.get("project", "")),
        )


def feed(session: Session, community: str | None, type: str | None, page: PageRequest) -> Following[FeedFactView]:
    """The public facts, in the order in which they were heard."""
    statement = select(FeedFact)
    if community is not None:
        statement = statement.where(FeedFact.community == community)
    if type is not None:
        statement = statement.where(FeedFact.type == type)
    rows, following = _follow(session, statement, FeedFact, page)
    return Following(items=[FeedFactView.model_validate(row.event) for row in rows], next=following)


def figures(session: Session, community: str) -> Figures:
    """Notify's part of a community's figures."""
    notices = session.exec(select(func.count()).select_from(Notice).where(Notice.community == community)).one()
    return Figures(notices=notices)
