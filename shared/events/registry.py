"""What registry tells: communities and their taxonomy, organizations, agreements, offers (the menu)."""

from __future__ import annotations

from datetime import date
from typing import Literal

from shared.events.base import Fact, Part

OrganizationClass = Literal["public-welfare", "harmony", "culture", "emergency", "mutual-aid"]
FeeMode = Literal["free", "low", "paid"]
PriceUnit = Literal["visit", "hour", "person", "session", "month", "item"]


class Compound(Part):
    """A residential compound (小区) of a community."""

    id: str
    name_zh: str
    name_en: str


class Item(Part):
    """A service item (小项) of the taxonomy, with example phrases in residents' own words."""

    id: str
    name_zh: str
    name_en: str
    phrases_zh: tuple[str, ...] = ()
    phrases_en: tuple[str, ...] = ()


class Category(Part):
    """A category (大类) of the taxonomy with its items."""

    id: str
    name_zh: str
    name_en: str
    phrases_zh: tuple[str, ...] = ()
    phrases_en: tuple[str, ...] = ()
    items: tuple[Item, ...] = ()


class CommunityState(Fact, about="community"):
    """A community as registry knows it. `rehearsal` communities may have their clock moved."""

    slug: str
    name_zh: str
    name_en: str
    rehearsal: bool
    compounds: tuple[Compound, ...]


class CommunityOpened(CommunityState, type="fenghe.community.opened.v1", public=True):
    """A community was opened: from now on organizations may join it and residents may submit requests."""


class TaxonomyState(Fact, about="taxonomy"):
    """The categories and items by which a community arranges its needs and its menu."""

    taxonomy: str
    name: str
    version: int
    categories: tuple[Category, ...]


class TaxonomyPublished(TaxonomyState, type="fenghe.taxonomy.published.v1", public=True):
    """A community published its taxonomy, or a new version of it, which takes the place of the one before."""


class OrganizationState(Fact, about="organization"):
    """A social organization, its class (公益·和谐·文娱·应急·互助) and where it stands in its life."""

    organization: str
    name_zh: str
    name_en: str
    organization_class: OrganizationClass
    introduction_zh: str
    introduction_en: str
    status: Literal["applied", "registered"]


class OrganizationApplied(OrganizationState, type="fenghe.org.applied.v1"):
    """An organization applied to join the community."""


class OrganizationRegistered(OrganizationState, type="fenghe.org.registered.v1", public=True):
    """The station registered an organization; once an agreement is in force it may publish offers."""


class OrganizationChanged(OrganizationState, type="fenghe.org.changed.v1", public=True):
    """A registered organization changed its name, class or introduction."""


class AgreementState(Fact, about="agreement"):
    """A service agreement: the items an organization may serve, from `starts_on` to `ends_on`, both included."""

    agreement: str
    organization: str
    items: tuple[str, ...]
    starts_on: date
    ends_on: date
    status: Literal["in-force", "ended"]


class AgreementSigned(AgreementState, type="fenghe.agreement.signed.v1", public=True):
    """Community and organization signed a service agreement."""


class AgreementEnded(AgreementState, type="fenghe.agreement.ended.v1", public=True):
    """A service agreement was ended before its term; what it covered may no longer be served under it."""


class OfferState(Fact, about="offer"):
    """An entry of the menu. `price` is in yuan with two decimals, None where the offer is free. `area` lists the compounds
    served, None for the whole community. `hours` is in the OpenStreetMap opening_hours syntax. `weekly_capacity` counts
    requests."""

    offer: str
    organization: str
    item: str
    category: str
    title_zh: str
    title_en: str
    fee_mode: FeeMode
    price: str | None
    unit: PriceUnit
    standard_zh: str
    standard_en: str
    area: tuple[str, ...] | None
    hours: str
    weekly_capacity: int
    status: Literal["published", "withdrawn"]


class OfferPublished(OfferState, type="fenghe.offer.published.v1", public=True):
    """An organization with an agreement in force for the item put an offer on the menu."""


class OfferChanged(OfferState, type="fenghe.offer.changed.v1", public=True):
    """An offer on the menu was changed."""


class OfferWithdrawn(OfferState, type="fenghe.offer.withdrawn.v1", public=True):
    """An offer was taken off the menu."""
