"""Feedback's decisions: when a service may be rated, how satisfaction follows from evaluations, and what the evaluation
body and its sessions may do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from math import sqrt
from typing import Literal

from shared.clock import CIVIL_TIME
from shared.events.feedback import Party, SatisfactionKind
from shared.lifecycle import LifeCycle

WEIGHTS: Mapping[Party, float] = {"resident": 0.5, "expert": 0.25, "station": 0.25}
PRIOR_MEAN = 70
PRIOR_STRENGTH = 4
PRIOR_DEVIATION = 25
NORMAL_QUANTILE = 1.959964
RATINGS_FLOOR = 5
CRITERIA: Mapping[str, int] = {"results": 40, "reliability": 20, "care": 20, "conduct": 20}
"""What station, experts and the body's members score, 0 to 100 each, and how much of the whole each is, in percent."""

SEASONAL: frozenset[SatisfactionKind] = frozenset({"community", "organization", "category", "class"})
"""The kinds of subjects whose satisfaction is also kept for each season."""

Subject = tuple[SatisfactionKind, str, str]
"""A subject of satisfaction: its kind, its id, and the season, empty for all time."""

BODY: LifeCycle = {
    ("appointed", "change"): "appointed",
    ("appointed", "expire"): "ended",
    ("appointed", "dissolve"): "ended",
}
SESSION: LifeCycle = {
    ("opened", "score"): "opened",
    ("opened", "publish"): "published",
    ("opened", "cancel"): "cancelled",
}


def score_of_stars(stars: int) -> int:
    """A resident's 1 to 5 stars as a score: 0, 25, 50, 75, 100."""
    return (stars - 1) * 25


def rating_obstacle(status: str, served: bool) -> Literal["disputed", "not-served"] | None:
    """Why the service of a request in this status may not be rated now, or None where it may.

    A closed request may still be rated if it was served (`served`: its state has the moment it was).
    """
    if status == "disputed":
        return "disputed"
    if served and status in ("served", "closed"):
        return None
    return "not-served"


@dataclass(frozen=True, slots=True)
class Sums:
    """What evaluations of one party add up to: their number, the total of their scores and of the scores' squares."""

    n: int
    total: int
    squares: int


@dataclass(frozen=True, slots=True)
class SatisfactionLevel:
    """Satisfaction with a subject. `score`, `low`, `high` from 0 to 100 with two decimals; `stars` (0 to 5, one
    decimal) is None below `RATINGS_FLOOR` residents' ratings. `ratings` counts residents' evaluations, `evaluations`
    all."""

    score: float
    low: float
    high: float
    ratings: int
    evaluations: int
    stars: float | None


def satisfaction_level(sums: Mapping[Party, Sums]) -> SatisfactionLevel:
    """Satisfaction from each party's sums; parties without evaluations may be missing, but not all of them
    (ValueError).

    Each party's mean is shrunk towards a prior, as if `PRIOR_STRENGTH` evaluations of `PRIOR_MEAN` had come before (k =
    strength, p = prior mean, n evaluations x):

        m = (k p + sum x) / (k + n)

    so that one enthusiastic or angry voice does not decide (shrinkage: Efron & Morris, Stein's paradox in statistics,
    Scientific American 236(5), 1977; also known as the Bayesian average). The score is the mean of the m of the parties
    that have spoken, by `WEIGHTS`. The 95 % interval is the normal approximation of the posterior of that mean, with
    each party's variance under the same prior (normal model with conjugate prior: Gelman et al., Bayesian Data
    Analysis, 3rd ed. 2013, section 3.3; d = `PRIOR_DEVIATION`):

        v = (k d^2 + sum x^2 - n mean^2 + k n / (k + n) (mean - p)^2) / (k + n)
        score +- 1.96 sqrt(sum w^2 v / (k + n)) / sum w

    cut off at 0 and 100. The parties are taken in one order, so that equal sums give equal results to the last digit.
    """
    weight = mean = variance = 0.0
    for party, party_weight in WEIGHTS.items():
        if party not in sums:
            continue
        n, total, squares = sums[party].n, sums[party].total, sums[party].squares
        strength = PRIOR_STRENGTH + n
        shrunk = (PRIOR_STRENGTH * PRIOR_MEAN + total) / strength
        # The spread times n * strength, in integers throughout: one division, and no cancellation of near-equal floats.
        spread = (
            n * strength * PRIOR_STRENGTH * PRIOR_DEVIATION**2
            + strength * (n * squares - total**2)
            + PRIOR_STRENGTH * (total - n * PRIOR_MEAN) ** 2
        )
        weight += party_weight
        mean += party_weight * shrunk
        variance += party_weight**2 * spread / (n * strength**3)
    if not weight:
        raise ValueError("there is no satisfaction without an evaluation")
    score = mean / weight
    margin = NORMAL_QUANTILE * sqrt(variance) / weight
    ratings = sums["resident"].n if "resident" in sums else 0
    return SatisfactionLevel(
        score=round(score, 2),
        low=round(max(0.0, score - margin), 2),
        high=round(min(100.0, score + margin), 2),
        ratings=ratings,
        evaluations=sum(party.n for party in sums.values()),
        stars=round(score / 20, 1) if ratings >= RATINGS_FLOOR else None,
    )


def score_of_criteria(criteria: Mapping[str, int]) -> int:
    """The whole of scores by criterion, 0 to 100: their mean weighted with `CRITERIA`, halves rounded up. All of them must
    be there (KeyError)."""
    return (sum(criteria[name] * weight for name, weight in CRITERIA.items()) + 50) // 100


def subjects(
    *,
    community: str,
    organization: str,
    season: str,
    organization_class: str | None,
    offer: str | None,
    item: str | None,
    category: str | None,
    project: str | None,
) -> list[Subject]:
    """The subjects whose satisfaction an evaluation counts for, in the order in which they are locked: each of all time,
    and community, organization, category and class also in the evaluation's season."""
    named: list[tuple[SatisfactionKind, str | None]] = [
        ("community", community),
        ("category", category),
        ("class", organization_class),
        ("item", item),
        ("offer", offer),
        ("organization", organization),
        ("project", project),
    ]
    return [(kind, of, when) for kind, of in named if of is not None for when in (("", season) if kind in SEASONAL else ("",))]


def missing_parties(parties: Iterable[Party]) -> list[Party]:
    """Which of the three parties are not among these, in the order of `WEIGHTS`."""
    there = set(parties)
    return [party for party in WEIGHTS if party not in there]


def after_term(ends_on: date) -> datetime:
    """When a term is over whose last day this is: the midnight after it, where the community lives (aware)."""
    return datetime.combine(ends_on + timedelta(days=1), time(), CIVIL_TIME)
