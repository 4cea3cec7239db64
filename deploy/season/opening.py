"""The opening of a season: community, taxonomy, organizations, agreements, offers.

What is there already is found and left alone, so that an opening that was cut short can be taken up again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import httpx

from deploy.sample_community import Offer, Sample
from deploy.season.deployment import KEEP_ALL, Client, Deployment, Progress, Refused
from deploy.season.joining import EnrolledExpert, Found, Joining, Member
from shared.clock import civil_date

REGISTRY = "/api/registry"
SEASON_WEEKS = 9
"""So many weeks of requests are submitted on a rehearsal's first day. Its offers take as many weeks' worth of them in one, lest
it depend on which was heard first who finds a place."""


@dataclass(frozen=True)
class Opened:
    """A community that is open: its id, the tokens of operator and station, when it was opened, its
    organizations by Chinese name, its experts."""

    community: str
    slug: str
    operator: str
    station: str
    opened_at: datetime
    members: dict[str, Member]
    experts: list[EnrolledExpert]


NOTHING = Found({}, set(), set(), False)


def open_community(deployment: Deployment, operator: str, sample: Sample, slug: str, rehearsal: bool) -> Opened:
    """Open the sample's community under `slug`, or complete it where it was opened in part. In a `rehearsal` its clock can be
    moved, and some agreements come to their end within the season."""
    deployment.progress("community opens", 0, 1)
    community, is_new = _community(deployment, operator, sample, slug, rehearsal)
    station = _token(deployment, "station", operator, {"role": "station", "community": community, "subject": slug})
    found = NOTHING if is_new else _found(deployment, station, community)
    if not found.has_taxonomy:
        path = f"{REGISTRY}/communities/{community}/taxonomy"
        deployment.put(path, sample.taxonomy.id, asdict(sample.taxonomy), token=station)
    deployment.progress("community opens", 1, 1)

    opened_at = datetime.now(UTC)
    joining = Joining(deployment, sample, community, station, found, civil_date(opened_at), rehearsal)
    members = joining.join_all()
    joining.enrol(members)
    missing = [offer for offer in sample.offers if (members[offer.organization_zh].id, offer.title_zh) not in found.offers]
    weeks = SEASON_WEEKS if rehearsal else 1
    deployment.each(
        "offers published", missing, lambda offer: _publish(deployment, members[offer.organization_zh], offer, weeks)
    )
    deployment.quiet("the facts are heard")
    return Opened(community, slug, operator, station, opened_at, members, joining.experts(members))


def open_sample(client: Client | str, operator_token: str, sample: Sample, progress: Progress | None = None) -> str:
    """Open the sample community under its own slug, without requests; the community's id. `client` may be an address.

    Does nothing where it is complete, and takes it up where an earlier start was cut short. It cannot tell an offer that its
    people withdrew since from one that was never published: whoever calls it remembers that it returned, and calls it no more.
    """
    if isinstance(client, str):
        with httpx.Client(base_url=client, timeout=30, limits=KEEP_ALL, trust_env=False) as own:
            return open_sample(own, operator_token, sample, progress)
    slug = sample.community.id
    deployment = Deployment(client, run=f"sample-{slug}", progress=progress)
    known = _find_community(deployment, operator_token, slug)
    if known is not None and _is_complete(deployment, known, sample):
        return known
    return open_community(deployment, operator_token, sample, slug, rehearsal=False).community


def _find_community(deployment: Deployment, token: str, slug: str) -> str | None:
    for entry in deployment.pages(f"{REGISTRY}/communities", token):
        if entry["slug"] == slug:
            return str(entry["id"])
    return None


def _community(deployment: Deployment, operator: str, sample: Sample, slug: str, rehearsal: bool) -> tuple[str, bool]:
    known = _find_community(deployment, operator, slug)
    if known is not None:
        return known, False
    body = {
        "slug": slug,
        "name_zh": sample.community.name.zh,
        "name_en": sample.community.name.en,
        "rehearsal": rehearsal,
        "compounds": [
            {"id": c.id, "name_zh": c.name_zh, "name_en": c.name_en, "latitude": c.latitude, "longitude": c.longitude}
            for c in sample.compounds
        ],
    }
    return str(deployment.post(f"{REGISTRY}/communities", slug, body, token=operator)["id"]), True


def _is_complete(deployment: Deployment, community: str, sample: Sample) -> bool:
    """Whether as many offers are on the menu as the sample has: they come last."""
    figures = deployment.get(f"{REGISTRY}/communities/{community}/figures")
    return bool(figures["offers"] >= len(sample.offers))


def _found(deployment: Deployment, station: str, community: str) -> Found:
    organizations = deployment.pages(f"{REGISTRY}/organizations", station, community=community)
    agreements = deployment.pages(f"{REGISTRY}/agreements", station, community=community)
    offers = deployment.pages(f"{REGISTRY}/offers", station, community=community)
    figures = deployment.get(f"{REGISTRY}/communities/{community}/figures")
    return Found(
        organizations={entry["name_zh"]: entry for entry in organizations},
        under_agreement={entry["organization"] for entry in agreements if not entry["provisional"]},
        offers={(entry["organization"], entry["title_zh"]) for entry in offers},
        has_taxonomy=figures["items"] > 0,
    )


def _token(deployment: Deployment, natural_key: str, token: str, body: dict[str, Any]) -> str:
    return str(deployment.post(f"{REGISTRY}/tokens", natural_key, body, token=token)["token"])


def _publish(deployment: Deployment, member: Member, offer: Offer, weeks: int) -> None:
    body = {
        "organization": member.id,
        "item": offer.item,
        "title_zh": offer.title_zh,
        "title_en": offer.title_en,
        "fee_mode": offer.fee_mode,
        "price": None if offer.price is None else str(offer.price),
        "unit": offer.unit,
        "standard_zh": offer.standard_zh,
        "standard_en": offer.standard_en,
        "area": None if offer.area is None else list(offer.area),
        "hours": offer.hours,
        "weekly_capacity": weeks * offer.weekly_capacity,
    }
    try:
        deployment.post(f"{REGISTRY}/offers", f"{offer.organization_zh} {offer.title_zh}", body, token=member.token)
    except Refused as refused:
        # It was published before, by an earlier version of the sample, and has left the menu since.
        if refused.kind != "idempotency-key-reused":
            raise
