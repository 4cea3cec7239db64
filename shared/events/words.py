"""The words from which the fields of matching's facts are chosen."""

from __future__ import annotations

from typing import Literal

Channel = Literal["website", "mailbox", "party-member", "questionnaire", "home-visit", "discussion"]
Language = Literal["zh", "en"]
Urgency = Literal["routine", "soon", "urgent"]
RequestStatus = Literal[
    "submitted",
    "classified",
    "matched",
    "unmatched",
    "gathered",
    "merged",
    "accepted",
    "served",
    "disputed",
    "closed",
    "withdrawn",
]
ReferralStatus = Literal["made", "accepted", "declined", "expired", "handed-on", "withdrawn"]
ProjectKind = Literal[
    "elderly-care",
    "childcare",
    "housekeeping",
    "medical",
    "culture",
    "legal-aid",
    "employment",
    "assistance",
    "safety",
    "neighbourhood",
]
ProjectStatus = Literal["proposed", "opened", "assigned", "delivered", "evaluated", "closed"]
MeetingStatus = Literal["scheduled", "opened", "concluded", "confirmed", "cancelled"]
ObjectionStatus = Literal["raised", "upheld", "rejected"]
WithdrawnBecause = Literal["by-the-organization", "left", "suspended", "agreement-ended"]
