"""Rows as the public state that facts carry: without residents' words."""

from __future__ import annotations

from typing import Any

from services.matching.models import Referral, Request
from shared.events.matching import Candidate


def request_state(request: Request) -> dict[str, Any]:
    """The public state of a request, as its facts carry it: without its words."""
    return {
        "community": request.community,
        "request": request.id,
        "channel": request.channel,
        "compound": request.compound,
        "language": request.language,
        "submitted_at": request.submitted_at,
        "status": request.status,
        "item": request.item,
        "category": request.category,
        "confidence": request.confidence,
        "classifier": request.classifier,
        "candidates": tuple(Candidate.model_validate(candidate) for candidate in request.candidates),
        "organization": request.organization,
        "offer": request.offer,
        "served_at": request.served_at,
        "supporters": request.supporters,
        "merged_into": request.merged_into,
        "project": request.project,
    }


def referral_state(referral: Referral) -> dict[str, Any]:
    """The public state of a referral, as its facts carry it."""
    return {
        "community": referral.community,
        "referral": referral.id,
        "request": referral.request,
        "organization": referral.organization,
        "offer": referral.offer,
        "item": referral.item,
        "category": referral.category,
        "compound": referral.compound,
        "rank": referral.rank,
        "status": referral.status,
        "made_at": referral.made_at,
        "decided_at": referral.decided_at,
        "due_at": referral.due_at,
        "hub": referral.hub,
        "handed_on_from": referral.handed_on_from,
    }
