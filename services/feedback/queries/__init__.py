"""Feedback's reads."""

from services.feedback.queries.bodies import (
    body_members,
    body_view,
    list_bodies,
    list_scores,
    list_sessions,
    member,
    show_body,
    show_session,
)
from services.feedback.queries.outcomes import communities, outcomes
from services.feedback.queries.satisfaction import (
    category_of,
    figures,
    kept,
    list_evaluations,
    list_satisfaction,
    recompute,
    residents_sums,
    sums_of,
)

__all__ = [
    "body_members",
    "body_view",
    "category_of",
    "communities",
    "figures",
    "kept",
    "list_bodies",
    "list_evaluations",
    "list_satisfaction",
    "list_scores",
    "list_sessions",
    "member",
    "outcomes",
    "recompute",
    "residents_sums",
    "show_body",
    "show_session",
    "sums_of",
]
