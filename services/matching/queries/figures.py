"""Matching's part of a community's figures."""

from __future__ import annotations

from sqlalchemy import func, select
from sqlmodel import Session, col

from services.matching.models import Claim, Project, Referral, Request
from services.matching.views import Figures


def figures(session: Session, community: str) -> Figures:
    """Matching's part of a community's figures."""
    requests, matched, unmatched, served, merged = session.execute(
        select(
            func.count(),
            func.count(col(Request.matched_at)),
            func.count().filter(col(Request.status) == "unmatched"),
            func.count(col(Request.served_at)),
            func.count(col(Request.merged_into)),
        )
        .select_from(Request)
        .where(col(Request.community) == community)
    ).one()
    accepted, declined, overdue, handed_on = session.execute(
        select(
            func.count().filter(col(Referral.status).in_(("accepted", "delivered"))),
            func.count().filter(col(Referral.status) == "declined"),
            func.count().filter(col(Referral.status) == "expired"),
            func.count().filter(col(Referral.status) == "handed-on"),
        )
        .select_from(Referral)
        .where(col(Referral.community) == community)
    ).one()
    projects, assigned, delivered = session.execute(
        select(
            func.count(),
            func.count(col(Project.organization)),
            func.count(col(Project.delivered_at)),
        )
        .select_from(Project)
        .where(col(Project.community) == community, col(Project.merged_into).is_(None))
    ).one()
    claims = session.execute(select(func.count()).select_from(Claim).where(col(Claim.community) == community)).scalar_one()
    return Figures(
        requests=requests,
        matched=matched,
        unmatched=unmatched,
        accepted=accepted,
        declined=declined,
        overdue=overdue,
        handed_on=handed_on,
        served=served,
        merged=merged,
        projects=projects,
        claims=claims,
        assigned=assigned,
        delivered=delivered,
    )
