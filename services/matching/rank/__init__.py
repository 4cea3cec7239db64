"""Who could serve a request, best first: hard conditions, then published weights, and nothing that differs from one run to
the next.

`conditions` says who may be asked at all, `scoring` what speaks for whom, `words` says it to a resident. All is decided by
natural keys (names, titles, texts) and by what happened before the day began, never by ids, the hour or the order in which
facts arrived: the same season in another community, with other ids and on two replicas, gives the same order.
"""

from services.matching.rank.conditions import ASK_TWICE, CONDITIONS, can_serve, failing
from services.matching.rank.scoring import (
    FEES,
    MOST_CANDIDATES,
    SATISFACTION_PRIOR,
    SHORTLIST,
    TURN_CAPACITY,
    UNRATED,
    WEIGHTS,
    distance_between,
    parts_of,
    rank,
    standing,
    turn,
)
from services.matching.rank.values import Need, Opening

__all__ = [
    "ASK_TWICE",
    "CONDITIONS",
    "FEES",
    "MOST_CANDIDATES",
    "SATISFACTION_PRIOR",
    "SHORTLIST",
    "TURN_CAPACITY",
    "UNRATED",
    "WEIGHTS",
    "Need",
    "Opening",
    "can_serve",
    "distance_between",
    "failing",
    "parts_of",
    "rank",
    "standing",
    "turn",
]
