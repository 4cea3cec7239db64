"""What came of a season: the figures the services counted, and how well the hidden quality was recovered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from deploy.sample_community import Request, Sample
from deploy.season.deployment import SERVICES, Acknowledged, Deployment
from deploy.season.opening import Opened

FIGURES = (
    "communities",
    "categories",
    "items",
    "organizations",
    "agreements",
    "offers",
    "incubations",
    "talents",
    "expired",
    "renewed",
    "activities",
    "beneficiaries",
    "requests",
    "matched",
    "unmatched",
    "accepted",
    "declined",
    "overdue",
    "handed_on",
    "merged",
    "projects",
    "claims",
    "assigned",
    "delivered",
    "served",
    "ratings",
    "evaluations",
    "satisfaction",
    "notices",
    "facts",
    "dead_letters",
    "seconds",
)
OF_EACH = ("categories", "items", "satisfaction", "seconds")
"""Figures that are not added up over several communities."""
FEWEST_RATINGS = 5


@dataclass(frozen=True)
class Standing:
    """An organization at the end: its hidden quality, what residents and station made of it, its rank by either. The
    ranks are None below five ratings."""

    organization_zh: str
    organization_en: str
    quality: float
    satisfaction: float | None
    ratings: int
    quality_rank: int | None = None
    satisfaction_rank: int | None = None


@dataclass(frozen=True)
class Accuracy:
    """How the requests were read against the labels, off-topic ones left out. A reading as the second item is right too."""

    requests: int
    item_right: int
    category_right: int
    off_topic: int
    off_topic_without_item: int

    @property
    def item(self) -> float:
        """The share of requests read as the right item."""
        return self.item_right / self.requests if self.requests else 0.0

    @property
    def category(self) -> float:
        """The share of requests read as the right category."""
        return self.category_right / self.requests if self.requests else 0.0


@dataclass(frozen=True)
class SeasonReport:
    """`figures` has exactly the keys FIGURES. `spearman` (None with fewer than three organizations of five ratings) is the
    rank correlation of hidden quality and satisfaction. `ledger` lists the acknowledged calls; `requests` maps each
    request's number in the sample to its id; `repeats` counts calls that had to be made again."""

    community: str
    slug: str
    seed: int
    figures: dict[str, Any]
    standings: tuple[Standing, ...]
    spearman: float | None
    accuracy: Accuracy
    requests: dict[int, str] = field(repr=False)
    ledger: tuple[Acknowledged, ...] = field(repr=False)
    repeats: int


def count_figures(deployment: Deployment, community: str, seconds: float) -> dict[str, Any]:
    """The figures of a community as the four services count them, and the seconds the season took."""
    counted: dict[str, Any] = {"facts": 0, "dead_letters": 0, "seconds": round(seconds, 2)}
    for service in SERVICES:
        counted.update(deployment.get(f"/api/{service}/communities/{community}/figures"))
        for name, count in deployment.get(f"/api/{service}/communities/{community}/kit-figures").items():
            counted[name] += count
    return {name: counted[name] for name in FIGURES}


def figures_together(reports: Sequence[SeasonReport], seconds: float) -> dict[str, Any]:
    """The figures of several communities together, played in so many seconds: what is counted, summed; the categories and
    items that each of them has, and the mean of their satisfaction. `each` has every community's own, with slug and seed."""
    each = [{"slug": report.slug, "seed": report.seed, **report.figures} for report in reports]
    together: dict[str, Any] = {name: sum(one[name] for one in each) for name in FIGURES if name not in OF_EACH}
    for name in ("categories", "items"):
        together[name] = max(one[name] for one in each)
    satisfied = [one["satisfaction"] for one in each if one["satisfaction"] is not None]
    together["satisfaction"] = round(sum(satisfied) / len(satisfied), 1) if satisfied else None
    together["seconds"] = round(seconds, 2)
    return {name: together[name] for name in FIGURES} | {"each": each}


def take_standings(deployment: Deployment, opened: Opened, sample: Sample) -> tuple[Standing, ...]:
    """Every organization that was evaluated, best hidden quality first."""
    entries = {
        entry["of"]: entry
        for entry in deployment.pages(
            "/api/feedback/satisfaction", opened.station, community=opened.community, kind="organization"
        )
    }
    met = sorted(
        ((sample.quality[name].quality, name, member) for name, member in opened.members.items() if member.id in entries),
        key=lambda row: (-row[0], row[1]),
    )
    counted = [member.id for _, _, member in met if entries[member.id]["ratings"] >= FEWEST_RATINGS]
    by_quality = {id: rank for rank, id in enumerate(counted, 1)}
    by_satisfaction = {id: rank for rank, id in enumerate(sorted(counted, key=lambda id: -entries[id]["score"]), 1)}
    return tuple(
        Standing(
            organization_zh=name,
            organization_en=member.organization.name_en,
            quality=quality,
            satisfaction=entries[member.id]["score"],
            ratings=entries[member.id]["ratings"],
            quality_rank=by_quality.get(member.id),
            satisfaction_rank=by_satisfaction.get(member.id),
        )
        for quality, name, member in met
    )


def rank_correlation(standings: Sequence[Standing]) -> float | None:
    """Spearman's rank correlation of hidden quality and satisfaction over the organizations with at least five ratings."""
    from scipy.stats import spearmanr

    ranked = [standing for standing in standings if standing.ratings >= FEWEST_RATINGS]
    if len(ranked) < 3:
        return None
    result = spearmanr([s.quality for s in ranked], [s.satisfaction for s in ranked])
    return round(float(result.statistic), 4)


def examine_readings(deployment: Deployment, opened: Opened, sample: Sample, numbers: dict[str, Request]) -> Accuracy:
    """Item and category of each request as matching read it, against the labels; `numbers` maps ids to requests."""
    category_of = sample.taxonomy.category_of
    requests = item_right = category_right = off_topic = off_topic_without_item = 0
    for entry in deployment.pages("/api/matching/requests", opened.station, community=opened.community):
        if entry["id"] not in numbers:
            continue
        label = sample.labels[numbers[entry["id"]].number]
        right = {item for item in (label.item, label.second_item) if item is not None}
        if not right:
            off_topic += 1
            off_topic_without_item += entry["item"] is None
            continue
        requests += 1
        item_right += entry["item"] in right
        category_right += entry["category"] in {category_of[item] for item in right}
    return Accuracy(requests, item_right, category_right, off_topic, off_topic_without_item)
