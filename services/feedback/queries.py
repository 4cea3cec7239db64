"""Feedback's reads."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Mapping

import sqlalchemy as sa
from sqlmodel import Session, col, select

from services.feedback import rules
from services.feedback.models import Evaluation, PartySum, Rating, Satisfaction, Taxonomy
from services.feedback.rules import RATINGS_FLOOR, SatisfactionLevel, Sums
from services.feedback.views import EvaluationView, Figures, SatisfactionView
from shared.access import Caller
from shared.events.feedback import Party, SatisfactionKind
from shared.web import Page, PageRequest, paginate

PartySums = dict[tuple[str, str, str], Sums]
"""The sums of a community by (kind, of, party)."""
PARTY_SUMS = (col(PartySum.n), col(PartySum.total), col(PartySum.squares))


def is_item(session: Session, community: str, item: str) -> bool:
    """Whether the community's taxonomy, as far as it was heard, has this item."""
    taxonomies = session.exec(select(Taxonomy.items).where(Taxonomy.community == community))
    return any(item in items for items in taxonomies)


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


def list_satisfaction(
    session: Session, caller: Caller, community: str, kind: SatisfactionKind | None, page: PageRequest
) -> Page[SatisfactionView]:
    """The satisfaction with a community's subjects; scores of few ratings for its own station only."""
    statement = select(Satisfaction).where(Satisfaction.community == community)
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
            Satisfaction.community == community, Satisfaction.kind == "community", Satisfaction.of == community
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
        sa.select(col(Satisfaction.kind), col(Satisfaction.of), col(PartySum.party), *PARTY_SUMS)
        .join(PartySum, col(PartySum.satisfaction) == col(Satisfaction.id))
        .where(col(Satisfaction.community) == community)
    )
    return {(kind, of, party): Sums(n, total, squares) for kind, of, party, n, total, squares in rows}


def recompute(session: Session, community: str) -> PartySums:
    """A community's sums computed anew from its evaluations. At all times they equal those that are kept."""
    sums: PartySums = {}
    score = col(Evaluation.score)
    subjects = {
        "community": col(Evaluation.community),
        "organization": col(Evaluation.organization),
        "offer": col(Evaluation.offer),
        "item": col(Evaluation.item),
    }
    for kind, of in subjects.items():
        rows = session.execute(
            sa.select(of, col(Evaluation.party), sa.func.count(), sa.func.sum(score), sa.func.sum(score * score))
            .where(col(Evaluation.community) == community, of.is_not(None))
            .group_by(of, col(Evaluation.party))
        )
        sums |= {(kind, subject, party): Sums(n, int(total), int(squares)) for subject, party, n, total, squares in rows}
    return sums
