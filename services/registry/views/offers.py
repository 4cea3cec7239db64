"""Offers and the menu."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, Field

from services.registry.views.base import UNCHANGED, Area, Capacity, Hours, Languages, Name, Price, Terms, Text
from shared.events.registry import FeeMode, OrganizationClass, PriceUnit, ServedIn
from shared.web import Page


class OfferTerms(Terms):
    """An offer to be put on the menu. `area` lists the compounds served, null for the whole community."""

    organization: str = Field(max_length=80)
    item: str = Field(max_length=80)
    title_zh: Name
    title_en: Name
    fee_mode: FeeMode
    price: Price | None = None
    unit: PriceUnit
    standard_zh: Text
    standard_en: Text
    area: Area | None = None
    hours: Hours
    weekly_capacity: Capacity
    languages: Languages = Field(default=["zh"])


class OfferChanges(Terms):
    """What is to be changed of an offer; what is left out stays. Its item cannot be changed: that is another offer."""

    title_zh: Name = UNCHANGED
    title_en: Name = UNCHANGED
    fee_mode: FeeMode = UNCHANGED
    price: Price | None = UNCHANGED
    unit: PriceUnit = UNCHANGED
    standard_zh: Text = UNCHANGED
    standard_en: Text = UNCHANGED
    area: Area | None = UNCHANGED
    hours: Hours = UNCHANGED
    weekly_capacity: Capacity = UNCHANGED
    languages: Languages = UNCHANGED


class OfferView(BaseModel):
    """An offer."""

    id: str
    community: str
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
    area: list[str] | None
    hours: str
    weekly_capacity: int
    languages: list[ServedIn]
    status: Literal["published", "withdrawn"]
    published_at: datetime
    withdrawn_at: datetime | None


class MenuEntry(OfferView):
    """An offer as the menu shows it. `stars` (0 to 5) is null below five residents' ratings."""

    organization_name_zh: str
    organization_name_en: str
    organization_class: OrganizationClass
    category_name_zh: str
    category_name_en: str
    item_name_zh: str
    item_name_en: str
    stars: float | None
    ratings: int
    organization_stars: float | None
    organization_ratings: int


class NamedItem(BaseModel):
    """An item of the taxonomy."""

    id: str
    category: str
    name_zh: str
    name_en: str


class Instead(BaseModel):
    """What to do where a search finds nothing, in words: to make a request all the same. `items`: what seems to be looked for,
    which nobody offers at present."""

    zh: str
    en: str
    items: list[NamedItem]
    request: str = Field(default="/api/matching/requests", description="Where a request is made, in the resident's own words.")


class Menu(Page[MenuEntry]):
    """A page of the menu. `instead`, where a search by words finds nothing."""

    instead: Instead | None = None


class MenuFilters(BaseModel):
    """What the menu is narrowed by. `compound`: what is served there. `q`: words that all stand in the title, the
    organization's name, or the names and phrases of item or category, or else are found there by their pieces. `open_now`: by
    the community's clock."""

    organization_class: OrganizationClass | None = None
    category: str | None = None
    item: str | None = None
    fee_mode: FeeMode | None = None
    organization: str | None = None
    compound: str | None = None
    q: str | None = None
    open_now: bool = False
