"""Outcomes: what was done for residents. Counted from the kept state of activities, requests and projects, so that no order
of facts, and no repetition, gives another figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.feedback.method import CLASSES
from services.feedback.models import Activity, Community, Organization, Project, Request, Taxonomy
from services.feedback.views import By, Outcome, Outcomes

Counts = tuple[int, int, int, int]
"""Activities held, requests served, projects delivered, beneficiaries."""

IN_A_PROJECT = sa.case(
    (col(Request.merged), col(Request.offer).is_(None)),
    else_=col(Request.project).is_not(None),
)
"""Whether a request was served within a project, with which it is counted: of one that follows another, no offer served it."""

PARTS: tuple[tuple[Any, Any, tuple[Any, Any, Any, Any]], ...] = (
    (
        Activity,
        col(Activity.status) == "held",
        (sa.func.count(), sa.literal(0), sa.literal(0), sa.func.sum(Activity.beneficiaries)),
    ),
    (
        Request,
        col(Request.status).in_(("served", "closed")) & col(Request.served_at).is_not(None),
        (
            sa.literal(0),
            sa.func.sum(sa.case((col(Request.merged), 0), else_=1)),
            sa.literal(0),
            # Whoever follows a request is served with it, but disputes and is served again alone.
            sa.func.sum(sa.case((IN_A_PROJECT, 0), else_=1)),
        ),
    ),
    (
        Project,
        col(Project.status).in_(("delivered", "evaluated", "closed")) & col(Project.delivered),
        (sa.literal(0), sa.literal(0), sa.func.count(), sa.func.sum(Project.beneficiaries)),
    ),
)
"""What is counted: of which table, which rows, and what of them."""

WITHOUT: dict[By, tuple[str, str]] = {
    "category": ("没有类别", "No category"),
    "class": ("没有组织类别", "No class"),
    "organization": ("没有组织", "No organization"),
    "season": ("没有季度", "No season"),
}
"""The row of what belongs to none: a request that nobody could put into a category was served all the same, together with
another that asks for the same, or in a project."""


def communities(session: Session, community: str | None) -> list[Community]:
    """The community with this id or slug, or all of them, by slug."""
    statement = select(Community).order_by(Community.slug, Community.id)
    if community is not None:
        statement = statement.where((col(Community.id) == community) | (col(Community.slug) == community))
    return list(session.exec(statement))


def outcomes(session: Session, community: str, by: By, season: str | None) -> Outcomes:
    """A community's outcomes by category, class, organization or season; of one season alone where one is given."""
    counted: dict[str | None, Counts] = {}
    for table, done, figures in PARTS:
        key = col(Organization.organization_class) if by == "class" else col(getattr(table, by))
        statement = sa.select(key, *figures).where(col(table.community) == community, done).group_by(key)
        if by == "class":
            statement = statement.outerjoin_from(table, Organization, col(Organization.id) == col(table.organization))
        if season is not None:
            statement = statement.where(col(table.season) == season)
        for of, *counts in session.execute(statement):
            counted[of] = _sum((counted.get(of, (0, 0, 0, 0)), tuple(int(count or 0) for count in counts)))
    names = _names(session, community, by, [of for of in counted if of is not None])
    rows = [_outcome(key, zh, en, counted.get(key, (0, 0, 0, 0))) for key, (zh, en) in names.items()]
    if any(counted.get(None, ())):
        rows.append(_outcome(None, *WITHOUT[by], counted[None]))
    return Outcomes(
        community=community,
        by=by,
        season=season,
        rows=rows,
        total=_outcome("total", "合计", "Total", _sum(counted.values())),
    )


def _sum(counts: Iterable[tuple[int, ...]]) -> Counts:
    activities, requests, projects, beneficiaries = (sum(column) for column in zip((0, 0, 0, 0), *counts, strict=True))
    return activities, requests, projects, beneficiaries


def _outcome(key: str | None, zh: str, en: str, counts: Counts) -> Outcome:
    activities, requests, projects, beneficiaries = counts
    return Outcome(
        key=key,
        name_zh=zh,
        name_en=en,
        activities=activities,
        requests=requests,
        projects=projects,
        beneficiaries=beneficiaries,
    )


def _names(session: Session, community: str, by: By, keys: list[str]) -> dict[str, tuple[str, str]]:
    """The rows in their order: every category and every class, but only the organizations and seasons in which there was
    something to count."""
    names: dict[str, tuple[str, str]] = {}
    if by == "category":
        taxonomies = select(Taxonomy.categories).where(Taxonomy.community == community).order_by(Taxonomy.id)
        for categories in session.exec(taxonomies):
            names |= {one["id"]: (one["name_zh"], one["name_en"]) for one in categories}
    elif by == "class":
        names |= {id: (text.zh, text.en) for id, text in CLASSES.items()}
    elif by == "organization":
        statement = select(Organization).where(col(Organization.id).in_(keys)).order_by(Organization.name_zh, Organization.id)
        names |= {row.id: (row.name_zh, row.name_en) for row in session.exec(statement)}
    return names | {key: (key, key) for key in sorted(keys) if key not in names}
