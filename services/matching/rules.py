"""Pure decisions of matching: what may follow what in the life of a request and of a referral. No I/O, no clock."""

from __future__ import annotations

import re
from datetime import timedelta

from shared.events.words import Language
from shared.lifecycle import LifeCycle
from shared.written import CHINESE

REQUEST: LifeCycle = {
    ("submitted", "classify"): "classified",
    # The station reads what the classifier did not understand: a request without an item.
    ("classified", "classify"): "classified",
    ("unmatched", "classify"): "classified",
    # The station says that a request was read as something else than it asks for.
    ("classified", "correct"): "classified",
    ("matched", "correct"): "classified",
    ("unmatched", "correct"): "classified",
    ("classified", "match"): "matched",
    ("classified", "unmatch"): "unmatched",
    # Everybody found has declined, but meanwhile others can serve it: matched anew.
    ("matched", "match"): "matched",
    ("matched", "unmatch"): "unmatched",
    ("unmatched", "match"): "matched",
    ("matched", "accept"): "accepted",
    ("accepted", "serve"): "served",
    ("served", "dispute"): "disputed",
    ("disputed", "reopen"): "classified",
    ("disputed", "reject"): "closed",
    ("served", "close"): "closed",
    # The station has looked into what goes to no organization, and says why it ends here; so for those that follow it.
    ("unmatched", "dismiss"): "closed",
    ("merged", "dismiss"): "closed",
    ("submitted", "withdraw"): "withdrawn",
    ("classified", "withdraw"): "withdrawn",
    ("matched", "withdraw"): "withdrawn",
    ("unmatched", "withdraw"): "withdrawn",
    ("accepted", "withdraw"): "withdrawn",
    # Who had accepted it may serve it no longer.
    ("accepted", "match"): "matched",
    ("accepted", "unmatch"): "unmatched",
    # "+1": it asks for the same as another request, and follows its fate, back and forth.
    ("classified", "merge"): "merged",
    ("matched", "merge"): "merged",
    ("unmatched", "merge"): "merged",
    ("gathered", "merge"): "merged",
    ("merged", "merge"): "merged",
    ("merged", "accept"): "accepted",
    ("accepted", "fall-back"): "merged",
    ("merged", "release"): "unmatched",
    ("merged", "withdraw"): "withdrawn",
    # It is part of a project, and follows its fate.
    ("unmatched", "gather"): "gathered",
    ("gathered", "accept"): "accepted",
    ("accepted", "gather"): "gathered",
    ("gathered", "release"): "unmatched",
    ("accepted", "release"): "unmatched",
    ("gathered", "withdraw"): "withdrawn",
}
REFERRAL: LifeCycle = {
    ("made", "accept"): "accepted",
    ("made", "decline"): "declined",
    ("made", "expire"): "expired",
    ("made", "hand-on"): "handed-on",
    ("accepted", "hand-on"): "handed-on",
    ("made", "withdraw"): "withdrawn",
    ("accepted", "withdraw"): "withdrawn",
    ("accepted", "deliver"): "delivered",
}
PROJECT: LifeCycle = {
    ("proposed", "change"): "proposed",
    ("proposed", "open"): "opened",
    ("proposed", "close"): "closed",
    ("opened", "change"): "opened",
    ("opened", "claim"): "opened",
    ("opened", "withdraw the claim of"): "opened",
    ("opened", "assign"): "assigned",
    ("opened", "close"): "closed",
    ("assigned", "deliver"): "delivered",
    # Its organization gives it back, or is relieved of it.
    ("assigned", "reopen"): "opened",
    ("assigned", "close"): "closed",
    ("delivered", "evaluate"): "evaluated",
    ("delivered", "close"): "closed",
    ("evaluated", "close"): "closed",
    # If it was closed undelivered.
    ("closed", "reopen"): "opened",
}
MEETING: LifeCycle = {
    ("scheduled", "change"): "scheduled",
    ("scheduled", "open"): "opened",
    ("scheduled", "cancel"): "cancelled",
    ("opened", "conclude"): "concluded",
    ("opened", "cancel"): "cancelled",
    # An objection was upheld.
    ("concluded", "conclude again"): "concluded",
    ("concluded", "confirm"): "confirmed",
}
OBJECTION: LifeCycle = {
    ("raised", "uphold"): "upheld",
    ("raised", "reject"): "rejected",
}
QUESTION: LifeCycle = {
    ("asked", "answer"): "answered",
    # The answer before stays there to be read.
    ("answered", "correct"): "answered",
}
TIME_TO_ANSWER = {"routine": timedelta(days=3), "soon": timedelta(days=1), "urgent": timedelta(hours=4)}
"""How long an organization has to accept or decline a request, by its urgency."""
OPEN_REQUEST = ("classified", "matched", "unmatched", "gathered", "accepted")
"""While a request stands like this, others that ask for the same are merged into it."""
OPEN_REFERRAL = ("made", "accepted")
SERVING = ("registered", "incubating")
"""Where an organization stands that may serve, if it has an agreement in force."""
GONE = ("left", "rejected", "withdrawn")
"""Where an organization stands that carries no project any more."""

OWN_REFERRAL = frozenset({"made", "accepted", "delivered"})
"""While a referral stands like this, its organization reads the resident's words."""

CJK = re.compile(f"[{CHINESE}]")


def language_of(text: str) -> Language:
    """The language a text is written in: Chinese as soon as one character of it is."""
    return "zh" if CJK.search(text) else "en"
