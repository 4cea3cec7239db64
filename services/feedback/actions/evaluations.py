"""Evaluating: residents rate services; station and experts evaluate organizations."""

from __future__ import annotations

from sqlmodel import col

from services.feedback import queries, rules
from services.feedback.actions.counting import count, evaluation_row, record
from services.feedback.models import Community, Evaluation, Expert, Offer, Organization, Rating, Request
from services.feedback.views import EvaluationTerms, EvaluationView, RatingTerms, RatingView
from shared.access import Caller
from shared.database import insert
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

    row = evaluation_row(
        tx,
        community=request.community,
        organization=request.organization,
        category=request.category,
        party="resident",
        evaluator=None,
        offer=request.offer,
        item=request.item,
        project=request.project,
        score=rules.score_of_stars(terms.stars),
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
    count(tx, row)
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
    the community, organization, offer or item is not known here or does not belong together, and Forbidden for an expert
    who is not enrolled or has a conflict of interest.
    """
    caller.belongs_to(terms.community)
    if (terms.score is None) == (terms.criteria is None):
        raise Invalid("score", "Give either a score or a score for each of the criteria.")
    item, category = _checked_item(tx, terms)
    evaluator: str = caller.role
    if caller.role == "expert":
        evaluator = impartial_expert(tx, caller, terms.community, terms.organization)
    row = evaluation_row(
        tx,
        community=terms.community,
        organization=terms.organization,
        category=category,
        party="expert" if caller.role == "expert" else "station",
        evaluator=evaluator,
        offer=terms.offer,
        item=item,
        score=rules.score_of_criteria(terms.criteria.model_dump()) if terms.criteria else terms.score,
        criteria=terms.criteria.model_dump() if terms.criteria else None,
        note=terms.note or None,
    )
    if not record(tx, row):
        raise Conflict(
            "already-evaluated",
            f"You evaluated organization {terms.organization!r} in {row['season']} already; wait for the next.",
            "organization",
        )
    count(tx, row)
    return EvaluationView.model_validate(row)


def impartial_expert(tx: Transaction, caller: Caller, community: str, organization: str) -> str:
    """The id of the calling expert. Raises Forbidden unless the expert is enrolled in this community and has no interest in
    the organization."""
    expert = tx.session.get(Expert, caller.subject) if caller.subject else None
    if expert is None or expert.community != community or expert.status != "enrolled":
        raise Forbidden("This token is not that of an expert enrolled in the community; ask its station.")
    if organization in expert.conflicts:
        raise Forbidden("You have an interest in this organization, and so others evaluate it.")
    return expert.id


def _not_served(request: str) -> Conflict:
    return Conflict("not-served", f"Request {request!r} has not been reported as served yet; try again once it is.")


def _checked_item(tx: Transaction, terms: EvaluationTerms) -> tuple[str | None, str | None]:
    """The item the evaluation is about, the named one or the offer's, and its category."""
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
        return offer.item, offer.category
    if terms.item is None:
        return None, None
    category = queries.category_of(tx.session, terms.community, terms.item)
    if category is None:
        raise Invalid(
            "item",
            f"The community's taxonomy has no item {terms.item!r}; take an id from the taxonomy.",
            "item-unknown",
        )
    return terms.item, category
