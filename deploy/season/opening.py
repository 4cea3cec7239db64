"""The opening of a season: community, taxonomy, organizations, agreements, offers.

What is there already is found and left alone, so that an opening that was cut short can be taken up again.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx

from deploy.sample_community import Offer, Organization, Sample
from deploy.season.deployment import Client, Deployment, Progress, Refused

REGISTRY = "/api/registry"
TERM = timedelta(days=180)


@dataclass(frozen=True)
class Member:
    """An organization of the community, with its id and its token."""

    organization: Organization
    id: str
    token: str


@dataclass(frozen=True)
class Opened:
    """A community that is open: its id, the station's token, its organizations by Chinese name."""

    community: str
    slug: str
    station: str
    members: dict[str, Member]


@dataclass
class Found:
    """What of the opening is there already: organizations by Chinese name, ids of those that have or had an agreement,
    offers (organization's id, title) on the menu."""

    organizations: dict[str, dict[str, Any]]
    under_agreement: set[str]
    offers: set[tuple[str, str]]
    has_taxonomy: bool


NOTHING = Found({}, set(), set(), False)


def open_community(deployment: Deployment, operator: str, sample: Sample, slug: str) -> Opened:
    """Open the sample's community under `slug`, or complete it where it was opened in part."""
    deployment.progress("community opens", 0, 1)
    community, is_new = _community(deployment, operator, sample, slug)
    station = _token(deployment, "station", operator, {"role": "station", "community": community, "subject": slug})
    found = NOTHING if is_new else _found(deployment, station, community)
    if not found.has_taxonomy:
        path = f"{REGISTRY}/communities/{community}/taxonomy"
        deployment.put(path, sample.taxonomy.id, asdict(sample.taxonomy), token=station)
    deployment.progress("community opens", 1, 1)

    def join(organization: Organization) -> Member:
        return _join(deployment, community, station, organization, found)

    members = {
        member.organization.name_zh: member for member in deployment.each("organizations join", sample.organizations, join)
    }
    missing = [offer for offer in sample.offers if (members[offer.organization_zh].id, offer.title_zh) not in found.offers]
    deployment.each("offers published", missing, lambda offer: _publish(deployment, members[offer.organization_zh], offer))
    deployment.quiet("the facts are heard")
    return Opened(community, slug, station, members)


def open_sample(client: Client | str, operator_token: str, sample: Sample, progress: Progress | None = None) -> str:
    """Open the sample community under its own slug, without requests; the community's id. `client` may be an address.

    Does nothing where it is complete, and takes it up where an earlier start was cut short. It cannot tell an offer that its
    people withdrew since from one that was never published: whoever calls it remembers that it returned, and calls it no more.
    """
    if isinstance(client, str):
        with httpx.Client(base_url=client, timeout=30, trust_env=False) as own:
            return open_sample(own, operator_token, sample, progress)
    slug = sample.community.id
    deployment = Deployment(client, run=f"sample-{slug}", progress=progress)
    known = _find_community(deployment, operator_token, slug)
    if known is not None and _is_complete(deployment, known, sample):
        return known
    return open_community(deployment, operator_token, sample, slug).community


def agreement_term(organization: Organization, today: date) -> tuple[date, date]:
    """First and last day of the agreement. The sample's dates are fixed, the sample must work on any day: the term is
    stretched where needed, from today at the latest, to half a year from today at the earliest."""
    return min(organization.agreement_starts_on, today), max(organization.agreement_ends_on, today + TERM)


def _find_community(deployment: Deployment, token: str, slug: str) -> str | None:
    for entry in deployment.pages(f"{REGISTRY}/communities", token):
        if entry["slug"] == slug:
            return str(entry["id"])
    return None


def _community(deployment: Deployment, operator: str, sample: Sample, slug: str) -> tuple[str, bool]:
    known = _find_community(deployment, operator, slug)
    if known is not None:
        return known, False
    body = {
        "slug": slug,
        "name_zh": sample.community.name.zh,
        "name_en": sample.community.name.en,
        "rehearsal": False,
        "compounds": [{"id": c.id, "name_zh": c.name_zh, "name_en": c.name_en} for c in sample.compounds],
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
        under_agreement={entry["organization"] for entry in agreements},
        offers={(entry["organization"], entry["title_zh"]) for entry in offers},
        has_taxonomy=figures["items"] > 0,
    )


def _token(deployment: Deployment, natural_key: str, token: str, body: dict[str, Any]) -> str:
    return str(deployment.post(f"{REGISTRY}/tokens", natural_key, body, token=token)["token"])


def _join(deployment: Deployment, community: str, station: str, organization: Organization, found: Found) -> Member:
    """Apply, be registered, sign the agreement; as far as that is not done."""
    name = organization.name_zh
    entry = found.organizations.get(name) or deployment.post(
        f"{REGISTRY}/organizations",
        name,
        {
            "community": community,
            "name_zh": name,
            "name_en": organization.name_en,
            "organization_class": organization.organization_class,
            "introduction_zh": organization.introduction_zh,
            "introduction_en": organization.introduction_en,
        },
    )
    id = str(entry["id"])
    if entry["status"] == "applied":
        deployment.post(f"{REGISTRY}/organizations/{id}/registration", name, token=station)
    if id not in found.under_agreement:
        starts_on, ends_on = agreement_term(organization, datetime.now(UTC).date())
        terms = {
            "organization": id,
            "categories": list(organization.agreement_categories),
            "starts_on": starts_on.isoformat(),
            "ends_on": ends_on.isoformat(),
        }
        deployment.post(f"{REGISTRY}/agreements", name, terms, token=station)
    body = {"role": "organization", "community": community, "organization": id}
    return Member(organization, id, _token(deployment, name, station, body))


def _publish(deployment: Deployment, member: Member, offer: Offer) -> None:
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
        "weekly_capacity": offer.weekly_capacity,
    }
    try:
        deployment.post(f"{REGISTRY}/offers", f"{offer.organization_zh} {offer.title_zh}", body, token=member.token)
    except Refused as refused:
        # It was published before, by an earlier version of the sample, and has left the menu since.
        if refused.kind != "idempotency-key-reused":
            raise
