"""Feedback's verbs: evaluating services, organizations and projects; the evaluation body; its sessions."""

from services.feedback.actions.bodies import appoint_body, change_members, dissolve_body, end_term
from services.feedback.actions.evaluations import evaluate, rate_service
from services.feedback.actions.sessions import cancel_session, give_score, open_session, publish_session

__all__ = [
    "appoint_body",
    "cancel_session",
    "change_members",
    "dissolve_body",
    "end_term",
    "evaluate",
    "give_score",
    "open_session",
    "publish_session",
    "rate_service",
]
