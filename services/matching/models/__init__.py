"""Matching's tables: its own, and what it keeps of other services' facts."""

from services.matching.models.base import Table
from services.matching.models.heard import Agreement, Community, Offer, Organization, Satisfaction, Taxonomy
from services.matching.models.projects import (
    Allocation,
    Assignment,
    CapacityPrice,
    Claim,
    Meeting,
    Objection,
    Pair,
    Project,
    Question,
)
from services.matching.models.requests import Conflict, FittedModel, Label, Referral, Remark, Request, Weighting

__all__ = [
    "Agreement",
    "Allocation",
    "Assignment",
    "CapacityPrice",
    "Claim",
    "Community",
    "Conflict",
    "FittedModel",
    "Label",
    "Meeting",
    "Objection",
    "Offer",
    "Organization",
    "Pair",
    "Project",
    "Question",
    "Referral",
    "Remark",
    "Request",
    "Satisfaction",
    "Table",
    "Taxonomy",
    "Weighting",
]
