"""Notify's reads."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from sqlalchemy import func
from sqlmodel import Session, col, select

from services.notify.models import Community, FeedFact, Notice, Offer, Organization, Project, Taxonomy
from services.notify.rules import RecipientKind, cursor_of, position_of, said_as
from services.notify.sentences import STEPS, Names, Text, render
from services.notify.views import FeedFactView, Figures, Following, NoticeView
from shared.events import catalogue
from shared.messaging import clocks
from shared.problems import Invalid
from shared.web import PageRequest

RowT = TypeVar("RowT", Notice, FeedFact)


@dataclass(frozen=True)
class Wanted:
    """Which facts of the feed are wanted: of these types, about this subject, of this community; all where none is named."""

    types: frozenset[str] = frozenset()
    subject: str | None = None
    community: str | None = None

    def has(self, type: str, subject: str, community: str) -> bool:
        """Whether a fact is among them."""
        return (
            (not self.types or type in self.types) and self.subject in (None, subject) and self.community in (None, community)
        )


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
        statement = statement.where(position > position_of(last, "after"))
    rows: list[RowT] = list(session.execute(statement.order_by(position).limit(page.limit)).scalars())
    if rows:
        return rows, cursor_of(rows[-1].position)
    return rows, None if last is None else cursor_of(int(last))


OTHER_GROUPS = Text("其他团队", "others")
"""Those of whom nobody has told the name yet."""


class KnownNames:
    """The names some notices need, as far as they were heard."""

    def __init__(self, session: Session, notices: Sequence[Notice]) -> None:
        communities = {notice.community for notice in notices}
        organizations = {notice.parameters.get(name) for notice in notices for name in ("organization", "guarantor")}
        organizations |= {group for notice in notices for group in _groups(notice.parameters)}
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
            step=STEPS.get(parameters.get("step", "")),
            guarantor=self._organizations.get(parameters.get("guarantor", "")),
            groups=self._named(_groups(parameters)),
        )

    def _named(self, groups: Sequence[str]) -> list[Text]:
        known = [self._organizations[group] for group in groups if group in self._organizations]
        return [*known, OTHER_GROUPS] if 0 < len(known) < len(groups) else known


def _groups(parameters: Mapping[str, str]) -> list[str]:
    return parameters.get("groups", "").split()


def feed(session: Session, wanted: Wanted, limit: int, after: int | str | None) -> Following[FeedFactView]:
    """The public facts after a position or a fact (its id), in the order in which they were heard. Raises Invalid."""
    position = position_in_feed(session, after, "after") if isinstance(after, str) else after
    page = PageRequest(limit=limit, after=None if position is None else str(position))
    rows, following = _follow(session, _wanted(wanted), FeedFact, page)
    return Following(items=[FeedFactView.model_validate(row.event) for row in rows], next=following)


def position_in_feed(session: Session, fact: str, field: str) -> int:
    """The position of a public fact, by its id. Raises Invalid, naming the field."""
    sources = sorted({known.source() for known in catalogue()})
    statement = select(FeedFact.position).where(col(FeedFact.source).in_(sources), FeedFact.fact == fact)
    position = session.exec(statement).first()
    if position is None:
        raise Invalid(field, f"There is no fact {fact} in the feed; leave this out to begin at its beginning.")
    return position


def feed_after(session: Session, position: int, wanted: Wanted, most: int) -> list[FeedFact]:
    """The next public facts after a position."""
    statement = _wanted(wanted).where(col(FeedFact.position) > position)
    return list(session.execute(statement.order_by(col(FeedFact.position)).limit(most)).scalars())


def last_position(session: Session) -> int:
    """The position of the last fact of the feed, 0 where it is empty."""
    return session.exec(select(func.max(FeedFact.position))).one() or 0


def as_text(fact: FeedFact) -> str:
    """A fact of the feed in the CloudEvents JSON format."""
    return json.dumps(fact.event, ensure_ascii=False, separators=(",", ":"))


def _wanted(wanted: Wanted) -> Any:
    statement = select(FeedFact)
    if wanted.community is not None:
        statement = statement.where(FeedFact.community == wanted.community)
    if wanted.types:
        statement = statement.where(col(FeedFact.type).in_(sorted(wanted.types)))
    if wanted.subject is not None:
        statement = statement.where(FeedFact.subject == wanted.subject)
    return statement


def figures(session: Session, community: str) -> Figures:
    """Notify's part of a community's figures."""
    notices = session.exec(select(func.count()).select_from(Notice).where(Notice.community == community)).one()
    return Figures(notices=notices)
