"""Counting an evaluation for every subject's satisfaction, and telling both."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import col

from services.feedback import queries, rules
from services.feedback.models import Evaluation, Organization, PartySum, Satisfaction
from services.feedback.rules import Subject
from shared.clock import season_of
from shared.database import insert
from shared.events.feedback import EvaluationRecorded, SatisfactionChanged
from shared.identifiers import new_id
from shared.messaging import Transaction

COUNTED_FOR = ("community", "organization", "season", "organization_class", "offer", "item", "category", "project")
TOLD = ("community", "party", "organization", "offer", "item", "score", "season", "recorded_at", "project", "session")


def evaluation_row(
    tx: Transaction, *, community: str, organization: str, category: str | None, season: str | None = None, **columns: Any
) -> dict[str, Any]:
    """The row of a new evaluation, recorded now; it counts for the class the organization has now."""
    now = tx.now(community)
    known = tx.session.get(Organization, organization)
    return {
        "id": new_id(),
        "community": community,
        "organization": organization,
        "organization_class": known.organization_class if known else None,
        "category": category,
        "season": season or season_of(now),
        "recorded_at": now,
        "offer": None,
        "item": None,
        "project": None,
        "session": None,
        "criteria": None,
        "note": None,
        **columns,
    }


def record(tx: Transaction, row: Mapping[str, Any]) -> bool:
    """Write an evaluation, unless its evaluator has evaluated the same in the same season; says whether it was written."""
    statement = insert(tx.session, Evaluation).values(row).on_conflict_do_nothing()
    return tx.session.execute(statement.returning(col(Evaluation.id))).first() is not None


def count(tx: Transaction, evaluation: Mapping[str, Any]) -> None:
    """Count a new evaluation for every subject's satisfaction, and tell both."""
    community = evaluation["community"]
    subjects = rules.subjects(**{name: evaluation[name] for name in COUNTED_FOR})
    ids = _enter(tx, community, subjects)
    _add(tx, sorted(ids.values()), evaluation["party"], evaluation["score"])
    tx.tell(EvaluationRecorded(evaluation=evaluation["id"], **{name: evaluation[name] for name in TOLD}))
    sums = queries.sums_of(tx.session, list(ids.values()))
    for kind, of, season in subjects:
        id = ids[kind, of, season]
        level = rules.satisfaction_level(sums[id])
        tx.tell(
            SatisfactionChanged(
                satisfaction=id,
                community=community,
                kind=kind,
                of=of,
                season=season or None,
                score=level.score,
                low=level.low,
                high=level.high,
                ratings=level.ratings,
                evaluations=level.evaluations,
                stars=level.stars,
            )
        )


def _enter(tx: Transaction, community: str, subjects: list[Subject]) -> dict[Subject, str]:
    """The satisfaction id of each subject, made at its first evaluation. Holds the subjects until the transaction ends:
    of two evaluations at once the second waits here, so that the fact it tells counts the first."""
    statement = insert(tx.session, Satisfaction)
    rows = [
        {"id": new_id(), "community": community, "kind": kind, "of": of, "season": season, "evaluations": 1}
        for kind, of, season in subjects
    ]
    entered = tx.session.execute(
        statement.values(rows)
        .on_conflict_do_update(
            index_elements=["community", "kind", "of", "season"],
            set_={"evaluations": col(Satisfaction.evaluations) + statement.excluded.evaluations},
        )
        .returning(col(Satisfaction.kind), col(Satisfaction.of), col(Satisfaction.season), col(Satisfaction.id))
    )
    return {(kind, of, season): id for kind, of, season, id in entered}


def _add(tx: Transaction, satisfactions: list[str], party: str, score: int) -> None:
    statement = insert(tx.session, PartySum)
    rows = [{"satisfaction": id, "party": party, "n": 1, "total": score, "squares": score * score} for id in satisfactions]
    tx.session.execute(
        statement.values(rows).on_conflict_do_update(
            index_elements=["satisfaction", "party"],
            set_={name: getattr(PartySum, name) + statement.excluded[name] for name in ("n", "total", "squares")},
        )
    )
