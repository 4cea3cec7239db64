"""Feedback's verbs: rating a service, evaluating an organization, and counting either for satisfaction."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlmodel import col

from services.feedback import queries, rules
from services.feedback.models import (
    Community,
    Evaluation,
    Offer,
    Organization,
    PartySum,
    Rating,
    Request,
    Satisfaction,
)
from services.feedback.views import EvaluationTerms, EvaluationView, RatingTerms, RatingView
from shared.access import Caller
from shared.clock import season_of
from shared.database import insert
from shared.events.feedback import EvaluationRecorded, SatisfactionChanged, SatisfactionKind
from shared.identifiers import new_id
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid


def rate_service(tx: Transaction, caller: Caller, terms: RatingTerms) -> RatingView:
    """Record the caller's rating of the service the caller's link is about.

    Raises Conflict `not-served`, `disputed` or `already-rated`. A service is one occasion on which the request was
    reported as served: after a reopening the next one may be rated as well.
    """
    if caller.request is None:
        raise Forbidden("This link is not about a request; use the link that was given when the request was submitted.")
    request = tx.session.get(Request, caller.request)
    if request is None:
        raise _not_served(caller.request)
    caller.belongs_to(request.community)
    obstacle = rules.rating_obstacle(request.status, request.served_at is not None)
    if obstacle == "disputed":
        raise Conflict(
            "disputed",
            f"You reported that request {request.id!r} was not done; rate it once the station has settled that.",
        )
    if obstacle or request.served_at is None or request.organization is None:
        raise _not_served(request.id)

    row = _evaluation(
        tx,
        community=request.community,
        party="resident",
        evaluator=None,
        organization=request.organization,
        offer=request.offer,
        item=request.item,
        score=rules.score_of_stars(terms.stars),
        note=None,
    )
    tx.session.execute(insert(tx.session, Evaluation).values(row))
    # Of several at once the first is written and the others wait for its outcome here; what they wrote is then undone.
    written = tx.session.execute(
        insert(tx.session, Rating)
        .values(
            evaluation=row["id"],
            request=request.id,
            purpose=terms.purpose,
            served_at=request.served_at,
            stars=terms.stars,
            comment=terms.comment or None,
        )
        .on_conflict_do_nothing(index_elements=["request", "purpose", "served_at"])
        .returning(col(Rating.evaluation))
    ).first()
    if written is None:
        raise Conflict("already-rated", f"The service for request {request.id!r} was rated already; once is enough.")
    _count(tx, row)
    return RatingView(
        request=request.id,
        purpose=terms.purpose,
        organization=request.organization,
        stars=terms.stars,
        recorded_at=row["recorded_at"],
    )


def evaluate(tx: Transaction, caller: Caller, terms: EvaluationTerms) -> EvaluationView:
    """Record the station's or an expert's evaluation of an organization, or of one offer or item of it.

    One per evaluator, organization and season: Conflict `already-evaluated`. Raises Invalid, naming the field, where
    the community, organization, offer or item is not known here or does not belong together.
    """
    caller.belongs_to(terms.community)
    item = _checked_item(tx, terms)
    row = _evaluation(
        tx,
        community=terms.community,
        party="expert" if caller.role == "expert" else "station",
        evaluator=caller.role if caller.role == "station" else caller.subject or caller.role,
        organization=terms.organization,
        offer=terms.offer,
        item=item,
        score=terms.score,
        note=terms.note or None,
    )
    written = tx.session.execute(
        insert(tx.session, Evaluation)
        .values(row)
        .on_conflict_do_nothing(index_elements=["party", "evaluator", "organization", "season"])
        .returning(col(Evaluation.id))
    ).first()
    if written is None:
        raise Conflict(
            "already-evaluated",
            f"You evaluated organization {terms.organization!r} in {row['season']} already; wait for the next.",
            "organization",
        )
    _count(tx, row)
    return EvaluationView.model_validate(row)


def _not_served(request: str) -> Conflict:
    return Conflict("not-served", f"Request {request!r} has not been reported as served yet; try again once it is.")


def _checked_item(tx: Transaction, terms: EvaluationTerms) -> str | None:
    """The item the evaluation is about: the named one, or the offer's."""
    if tx.session.get(Community, terms.community) is None:
        raise Invalid("community", f"There is no community {terms.community!r} here; check its id.", "community-unknown")
    organization = tx.session.get(Organization, terms.organization)
    if organization is None or organization.community != terms.community:
        raise Invalid(
            "organization",
            f"There is no organization {terms.organization!r} in this community; check its id.",
            "organization-unknown",
        )
    if terms.offer is not None:
        offer = tx.session.get(Offer, terms.offer)
        if offer is None or offer.organization != terms.organization:
            raise Invalid(
                "offer",
                f"Organization {terms.organization!r} has no offer {terms.offer!r}; check its id.",
                "offer-unknown",
            )
        if terms.item not in (None, offer.item):
            raise Invalid("item", f"Offer {terms.offer!r} is for item {offer.item!r}, not for {terms.item!r}.", "item-mismatch")
        return offer.item
    if terms.item is not None and not queries.is_item(tx.session, terms.community, terms.item):
        raise Invalid(
            "item",
            f"The community's taxonomy has no item {terms.item!r}; take an id from the taxonomy.",
            "item-unknown",
        )
    return terms.item


def _evaluation(tx: Transaction, *, community: str, **columns: Any) -> dict[str, Any]:
    now = tx.now(community)
    return {"id": new_id(), "community": community, "season": season_of(now), "recorded_at": now, **columns}


def _count(tx: Transaction, evaluation: Mapping[str, Any]) -> None:
    """Count a new evaluation for every subject's satisfaction, and tell both."""
    subjects = rules.subjects(evaluation["community"], evaluation["organization"], evaluation["offer"], evaluation["item"])
    ids = _enter(tx, evaluation["community"], subjects)
    _add(tx, sorted(ids.values()), evaluation["party"], evaluation["score"])
    named = ("community", "party", "organization", "offer", "item", "score", "season", "recorded_at")
    tx.tell(EvaluationRecorded(evaluation=evaluation["id"], **{name: evaluation[name] for name in named}))
    sums = queries.sums_of(tx.session, list(ids.values()))
    for (kind, of), id in ids.items():
        level = rules.satisfaction_level(sums[id])
        tx.tell(
            SatisfactionChanged(
                satisfaction=id,
                community=evaluation["community"],
                kind=kind,
                of=of,
                score=level.score,
                low=level.low,
                high=level.high,
                ratings=level.ratings,
                evaluations=level.evaluations,
                stars=level.stars,
            )
        )


def _enter(
    tx: Transaction, community: str, subjects: list[tuple[SatisfactionKind, str]]
) -> dict[tuple[SatisfactionKind, str], str]:
    """The satisfaction id of each subject, made at its first evaluation. Holds the subjects until the transaction ends:
    of two evaluations at once the second waits here, so that the fact it tells counts the first."""
    statement = insert(tx.session, Satisfaction)
    rows = [{"id": new_id(), "community": community, "kind": kind, "of": of, "evaluations": 1} for kind, of in subjects]
    entered = tx.session.execute(
        statement.values(rows)
        .on_conflict_do_update(
            index_elements=["community", "kind", "of"],
            set_={"evaluations": col(Satisfaction.evaluations) + statement.excluded.evaluations},
        )
        .returning(col(Satisfaction.kind), col(Satisfaction.of), col(Satisfaction.id))
    )
    return {(kind, of): id for kind, of, id in entered}


def _add(tx: Transaction, satisfactions: list[str], party: str, score: int) -> None:
    statement = insert(tx.session, PartySum)
    rows = [{"satisfaction": id, "party": party, "n": 1, "total": score, "squares": score * score} for id in satisfactions]
    tx.session.execute(
        statement.values(rows).on_conflict_do_update(
            index_elements=["satisfaction", "party"],
            set_={name: getattr(PartySum, name) + statement.excluded[name] for name in ("n", "total", "squares")},
        )
    )
