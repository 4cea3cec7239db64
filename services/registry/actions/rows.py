"""Rows as the verbs need them: held, read, compared, and told of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, TypeVar

from sqlmodel import Session, col, select

from services.registry import rules
from services.registry.models import (
    Agreement,
    Category,
    Community,
    Compound,
    Decision,
    Item,
    Organization,
    Table,
    Taxonomy,
)
from shared.access import Caller
from shared.events.base import Fact
from shared.identifiers import new_id
from shared.messaging import Transaction
from shared.problems import Invalid, NotFound

FactT = TypeVar("FactT", bound=Fact)
TableT = TypeVar("TableT", bound=Table)
OwnedT = TypeVar("OwnedT", bound=Table)


def hold(tx: Transaction, table: type[TableT], thing: str, id: str, field: str | None = None) -> TableT:
    """The row, locked until the transaction ends, so that two verbs on it follow each other."""
    row = tx.session.get(table, id, with_for_update=True)
    if row is None:
        raise NotFound(thing, id, field)
    return row


def hold_with_organization(tx: Transaction, table: type[OwnedT], thing: str, id: str) -> OwnedT:
    """The row, with its organization locked first: what is signed, offered and ended of one organization goes one after
    the other, so that no offer is published while the agreement it needs is being ended."""
    found: Any = tx.session.get(table, id)
    if found is None:
        raise NotFound(thing, id)
    hold(tx, Organization, "organization", found.organization)
    return hold(tx, table, thing, id)


def items_by_category(session: Session, community: str) -> dict[str, list[str]]:
    """The community's taxonomy as ids: category -> its items, both in their order."""
    found = session.exec(
        select(Category.id, Item.id)
        .join(Taxonomy, col(Taxonomy.id) == Category.taxonomy)
        .join(Item, (col(Item.taxonomy) == Category.taxonomy) & (col(Item.category) == Category.id), isouter=True)
        .where(Taxonomy.community == community)
        .order_by(col(Category.position), col(Item.position))
    )
    taxonomy: dict[str, list[str]] = {}
    for category, item in found:
        taxonomy.setdefault(category, []).extend([item] if item else [])
    return taxonomy


def covered_items(session: Session, organization: str, today: date) -> set[str]:
    """The items that the organization may serve today under one agreement or another."""
    agreements = session.exec(select(Agreement).where(Agreement.organization == organization))
    return {
        item
        for agreement in agreements
        if rules.in_force(agreement.status, agreement.starts_on, agreement.ends_on, today)
        for item in agreement.items
    }


def compound_ids(session: Session, community: str) -> Sequence[str]:
    return session.exec(select(Compound.id).where(Compound.community == community).order_by(col(Compound.position))).all()


def different(row: Table, wanted: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in wanted.items() if getattr(row, name) != value}


def assign(row: Table, values: dict[str, Any]) -> None:
    for name, value in values.items():
        setattr(row, name, value)


def decide(
    tx: Transaction,
    caller: Caller,
    about: str,
    row: Organization | Any,
    verdict: str,
    reason: str,
    *,
    step: str | None = None,
    scores: Mapping[str, int] | None = None,
) -> None:
    """Keep what was decided of an organization or an incubation, by whom and why."""
    tx.session.add(
        Decision(
            id=new_id(),
            community=row.community,
            about=about,
            of=row.id,
            verdict=verdict,
            step=step,
            scores=dict(scores or {}),
            reason=reason,
            decided_by=caller.subject,
            decided_at=tx.now(row.community),
        )
    )


def check_community(tx: Transaction, caller: Caller, id: str) -> None:
    """Raises NotFound for a community that is none, Forbidden for one that is not the caller's."""
    if tx.session.get(Community, id) is None:
        raise NotFound("community", id, "community")
    caller.belongs_to(id)


def known_categories(tx: Transaction, community: str, categories: Sequence[str], field: str) -> list[str]:
    """These categories, each once. Raises Invalid for one that the community's taxonomy does not have."""
    taxonomy = items_by_category(tx.session, community)
    for category in categories:
        if category not in taxonomy:
            raise Invalid(field, f"The taxonomy of this community has no category {category!r}.", "category-unknown")
    return list(dict.fromkeys(categories))
