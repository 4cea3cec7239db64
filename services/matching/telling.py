"""Rows as the public state that facts carry: without residents' words."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from services.matching.models import Claim, Meeting, Objection, Project, Question, Referral, Request
from shared.events import matching as facts
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
        "fee_limit": request.fee_limit,
        "speaks": request.speaks,
        "wanted_at": request.wanted_at,
        "urgency": request.urgency,
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


def project_state(project: Project, claims: Sequence[Claim]) -> dict[str, Any]:
    """The public state of a project with its claims, as its facts carry it."""
    return {
        **project.model_dump(exclude={"id", "proposed_at", "reason"}),
        "project": project.id,
        "items": tuple(project.items),
        "requests": tuple(project.requests),
        "claims": tuple(
            facts.Claim(organization=claim.organization, wish=claim.wish, capacity=claim.capacity) for claim in claims
        ),
    }


def meeting_state(meeting: Meeting, projects: Sequence[str], claims: Sequence[Claim]) -> dict[str, Any]:
    """The public state of a claim meeting with its projects (ids) and what became of the claims."""
    return {
        **meeting.model_dump(exclude={"id", "objection_days", "fairness"}),
        "fairness": facts.Fairness.model_validate(meeting.fairness) if meeting.fairness else None,
        "meeting": meeting.id,
        "projects": tuple(projects),
        "outcomes": tuple(
            facts.Outcome(
                project=claim.project,
                organization=claim.organization,
                won=claim.won,
                score=claim.score or 0,
                reason_zh=claim.reason_zh or "",
                reason_en=claim.reason_en or "",
            )
            for claim in claims
            if claim.won is not None
        ),
    }


def question_state(question: Question) -> dict[str, Any]:
    """The public state of a question: without its words."""
    named = question.model_dump(include={"community", "meeting", "project", "organization"})
    return {**named, "question": question.id, "status": "asked" if question.answer is None else "answered"}


def objection_state(objection: Objection) -> dict[str, Any]:
    """The public state of an objection: without its words."""
    named = objection.model_dump(include={"community", "meeting", "project", "organization", "status"})
    return {**named, "objection": objection.id}
