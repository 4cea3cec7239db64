"""Evaluations, and the satisfaction that follows from them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping
from typing import Any

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.feedback import rules
from services.feedback.models import Evaluation, PartySum, Rating, Satisfaction, Taxonomy
from services.feedback.rules import RATINGS_FLOOR, SatisfactionLevel, Sums
from services.feedback.views import EvaluationView, Figures, SatisfactionView
from shared.access import Caller
from shared.events.feedback import Party, SatisfactionKind
from shared.web import Page, PageRequest, paginate

PartySums = dict[tuple[str, str, str, str], Sums]
"""The sums of a community by (kind, of, season, party)."""
SUBJECTS: Mapping[SatisfactionKind, Any] = {
    "community": col(Evaluation.community),
    "category": col(Evaluation.category),
    "class": col(Evaluation.organization_class),
    "item": col(Evaluation.item),
    "offer": col(Evaluation.offer),
    "organization": col(Evaluation.organization),
    "project": col(Evaluation.project),
}
PARTY_SUMS = (col(PartySum.n), col(PartySum.total), col(PartySum.squares))


def category_of(session: Session, community: str, item: str) -> str | None:
    """The category of an item in the community's taxonomy, as far as it was heard."""
    for categories in session.exec(select(Taxonomy.categories).where(Taxonomy.community == community)):
        for category in categories:
            if item in category["items"]:
                return str(category["id"])
    return None


def sums_of(session: Session, satisfactions: Collection[str]) -> Mapping[str, dict[Party, Sums]]:
    """Each party's sums, by satisfaction id."""
    rows = session.execute(
        sa.select(col(PartySum.satisfaction), col(PartySum.party), *PARTY_SUMS).where(
            col(PartySum.satisfaction).in_(satisfactions)
        )
    )
    sums: dict[str, dict[Party, Sums]] = defaultdict(dict)
    for satisfaction, party, n, total, squares in rows:
        sums[satisfaction][party] = Sums(n, total, squares)
    return sums


def residents_sums(
    session: Session, community: str, kind: SatisfactionKind, of: str, season: str, without: Collection[str]
) -> Sums | None:
    """What the ratings of a subject by the residents who were served add up to, `without` those of these requests, where
    there are enough of the others to be published."""
    row = session.execute(
        sa.select(*PARTY_SUMS)
        .join(Satisfaction, col(Satisfaction.id) == col(PartySum.satisfaction))
        .where(
            col(Satisfaction.community) == community,
            col(Satisfaction.kind) == kind,
            col(Satisfaction.of) == of,
            col(Satisfaction.season) == season,
            col(PartySum.party) == "resident",
            col(PartySum.n) >= RATINGS_FLOOR,
        )
    ).first()
    if row is None:
        return None
    excepted = select(Evaluation.score).join(Rating, col(Rating.evaluation) == col(Evaluation.id))
    excepted = excepted.where(Evaluation.community == community, SUBJECTS[kind] == of, col(Rating.request).in_(without))
    if season:
        excepted = excepted.where(Evaluation.season == season)
    own = session.exec(excepted).all() if without else []
    rest = Sums(row.n - len(own), row.total - sum(own), row.squares - sum(score * score for score in own))
    return rest if rest.n >= RATINGS_FLOOR else None


def list_satisfaction(
    session: Session,
    caller: Caller,
    community: str,
    kind: SatisfactionKind | None,
    of: str | None,
    season: str | None,
    page: PageRequest,
) -> Page[SatisfactionView]:
    """The satisfaction with a community's subjects, of a season or of all time; scores of few ratings for its own station
    only."""
    statement = select(Satisfaction).where(Satisfaction.community == community, Satisfaction.season == (season or ""))
    if of is not None:
        statement = statement.where(Satisfaction.of == of)
    if kind is not None:
        statement = statement.where(Satisfaction.kind == kind)
    sees_all = caller.role == "operator" or (caller.role == "station" and caller.community == community)
    listed = paginate(session, statement, Satisfaction.id, page, _unscored)
    sums = sums_of(session, [view.id for view in listed.items])
    listed.items = [_scored(view, rules.satisfaction_level(sums[view.id]), sees_all) for view in listed.items]
    return listed


def _unscored(row: Satisfaction) -> SatisfactionView:
    return SatisfactionView(
        id=row.id,
        community=row.community,
        kind=row.kind,  # type: ignore[arg-type]  # a CHECK says so
        of=row.of,
        season=row.season or None,
        score=None,
        low=None,
        high=None,
        stars=None,
        ratings=0,
        evaluations=0,
    )


def _scored(view: SatisfactionView, level: SatisfactionLevel, sees_all: bool) -> SatisfactionView:
    counts = {"ratings": level.ratings, "evaluations": level.evaluations}
    if level.ratings < RATINGS_FLOOR and not sees_all:
        return view.model_copy(update=counts)
    scores = {"score": level.score, "low": level.low, "high": level.high, "stars": level.stars}
    return view.model_copy(update=counts | scores)


def list_evaluations(session: Session, community: str, organization: str | None, page: PageRequest) -> Page[EvaluationView]:
    """The evaluations of a community, or of one organization of it: residents' with their comment, without the
    request."""
    statement = select(Evaluation).where(Evaluation.community == community)
    if organization is not None:
        statement = statement.where(Evaluation.organization == organization)
    listed = paginate(session, statement, Evaluation.id, page, EvaluationView.model_validate)
    residents = [view.id for view in listed.items if view.party == "resident"]
    rows = session.exec(select(Rating.evaluation, Rating.comment).where(col(Rating.evaluation).in_(residents)))
    comments = dict(rows.all())
    listed.items = [view.model_copy(update={"note": comments.get(view.id, view.note)}) for view in listed.items]
    return listed


def figures(session: Session, community: str) -> Figures:
    """Feedback's part of a community's figures."""
    satisfaction = session.exec(
        select(Satisfaction.id).where(
            Satisfaction.community == community,
            Satisfaction.kind == "community",
            Satisfaction.of == community,
            Satisfaction.season == "",
        )
    ).first()
    if satisfaction is None:
        return Figures(ratings=0, evaluations=0, satisfaction=None)
    level = rules.satisfaction_level(sums_of(session, [satisfaction])[satisfaction])
    return Figures(
        ratings=level.ratings,
        evaluations=level.evaluations,
        satisfaction=round(level.score, 1) if level.ratings >= RATINGS_FLOOR else None,
    )


def kept(session: Session, community: str) -> PartySums:
    """A community's sums as they are kept."""
    rows = session.execute(
        sa.select(col(Satisfaction.kind), col(Satisfaction.of), col(Satisfaction.season), col(PartySum.party), *PARTY_SUMS)
        .join(PartySum, col(PartySum.satisfaction) == col(Satisfaction.id))
        .where(col(Satisfaction.community) == community)
    )
    return {(kind, of, season, party): Sums(n, total, squares) for kind, of, season, party, n, total, squares in rows}


def recompute(session: Session, community: str) -> PartySums:
    """A community's sums computed anew from its evaluations. At all times they equal those that are kept."""
    sums: PartySums = {}
    score, party = col(Evaluation.score), col(Evaluation.party)
    every: Any = sa.literal("")
    for kind, of in SUBJECTS.items():
        for season in (every, col(Evaluation.season)) if kind in rules.SEASONAL else (every,):
            rows = session.execute(
                sa.select(of, season, party, sa.func.count(), sa.func.sum(score), sa.func.sum(score * score))
                .where(col(Evaluation.community) == community, of.is_not(None))
                .group_by(of, season, party)
            )
            sums |= {
                (kind, subject, when, speaker): Sums(n, int(total), int(squares))
                for subject, when, speaker, n, total, squares in rows
            }
    return sums
