"""What people send to registry and what it answers."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from shared.events.registry import FeeMode, OrganizationClass, PriceUnit

Slug = Annotated[str, Field(min_length=1, max_length=40, pattern=r"^[a-z0-9]+(-[a-z0-9]+)*$")]
Id = Annotated[str, Field(min_length=1, max_length=80, pattern=r"^[^\s;/]+$")]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Text = Annotated[str, Field(min_length=1, max_length=2000)]
Phrase = Annotated[str, Field(min_length=1, max_length=500)]
Price = Annotated[
    Decimal,
    Field(gt=0, le=100_000, decimal_places=2, description="In yuan, at most two decimals; none where the offer is free."),
]
Area = Annotated[list[Id], Field(min_length=1, max_length=200)]
Hours = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        description="OpenStreetMap opening_hours syntax.",
        examples=["Mo-Fr 08:00-17:00", "Tu,Th,Sa 09:00-16:00"],
    ),
]
Capacity = Annotated[int, Field(ge=1, le=100_000, description="Requests a week.")]


def _without_default(schema: dict[str, Any]) -> None:
    schema.pop("default", None)


# A field of a PATCH may be left out but, unless its type says so, not be null: pydantic does not validate defaults.
UNCHANGED: Any = Field(default=None, json_schema_extra=_without_default)


class Terms(BaseModel):
    """Base of what people send: a field it does not know is refused, blanks around text are dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class CompoundTerms(Terms):
    """A residential compound (小区)."""

    id: Id
    name_zh: Name
    name_en: Name


class CommunityTerms(Terms):
    """A community to be opened. Only a `rehearsal` community may have its clock moved."""

    slug: Slug
    name_zh: Name
    name_en: Name
    rehearsal: bool = False
    compounds: list[CompoundTerms] = Field(min_length=1, max_length=200)


class ClockSetting(Terms):
    """The moment to which a rehearsal community's clock is moved, with its time zone."""

    to: AwareDatetime


class CommunityView(BaseModel):
    """A community. `clock_ahead`: how many seconds its clock is ahead of real time, 0 in a real community."""

    id: str
    slug: str
    name_zh: str
    name_en: str
    rehearsal: bool
    clock_ahead: int
    compounds: list[CompoundTerms]
    opened_at: datetime


class Bilingual(Terms):
    """A name in both languages; where one is missing, the other stands in for it."""

    zh: str = Field(default="", max_length=100)
    en: str = Field(default="", max_length=100)

    @model_validator(mode="after")
    def _complete(self) -> Bilingual:
        if not (self.zh or self.en):
            raise ValueError("a name is needed in zh or in en")
        self.zh, self.en = self.zh or self.en, self.en or self.zh
        return self


class Phrases(Terms):
    """Example phrases in residents' own words."""

    zh: list[Phrase] = Field(default=[], max_length=1000)
    en: list[Phrase] = Field(default=[], max_length=1000)


class ItemTerms(Terms):
    """A service item (小项)."""

    id: Id
    name: Bilingual
    phrases: Phrases = Field(default_factory=Phrases)


class CategoryTerms(ItemTerms):
    """A category (大类) with its items; it may have none."""

    items: list[ItemTerms] = Field(default=[], max_length=500)


class TaxonomyTerms(Terms):
    """A taxonomy to be published. The `version` is counted by registry; one that is sent is not looked at."""

    id: Id
    version: int | None = Field(default=None, json_schema_extra=_without_default)
    categories: list[CategoryTerms] = Field(min_length=1, max_length=200)


class TaxonomyView(TaxonomyTerms):
    """A taxonomy in the format in which it is published."""

    version: int


class OrganizationApplication(Terms):
    """An organization's application to join a community."""

    community: str = Field(max_length=80)
    name_zh: Name
    name_en: Name
    organization_class: OrganizationClass
    introduction_zh: Text
    introduction_en: Text
    credit_code: str | None = Field(
        default=None, max_length=40, description="Unified social credit code (统一社会信用代码), 18 characters."
    )


class OrganizationChanges(Terms):
    """What is to be changed of an organization; what is left out stays."""

    name_zh: Name = UNCHANGED
    name_en: Name = UNCHANGED
    organization_class: OrganizationClass = UNCHANGED
    introduction_zh: Text = UNCHANGED
    introduction_en: Text = UNCHANGED


class OrganizationView(BaseModel):
    """An organization. `credit_code` is shown to its station and to itself only."""

    id: str
    community: str
    name_zh: str
    name_en: str
    organization_class: OrganizationClass
    introduction_zh: str
    introduction_en: str
    credit_code: str | None
    status: Literal["applied", "registered"]
    applied_at: datetime
    registered_at: datetime | None


class AgreementTerms(Terms):
    """The terms of a service agreement: scope (all items of the `categories`, and the `items`) and term, both days
    included."""

    organization: str = Field(max_length=80)
    categories: list[Id] = Field(default=[], max_length=200)
    items: list[Id] = Field(default=[], max_length=2000)
    starts_on: date
    ends_on: date


class AgreementEnding(Terms):
    """Why an agreement is ended before its term."""

    reason: Text


class AgreementView(BaseModel):
    """A service agreement. `reason`, why it was ended, is shown to its station and its organization only."""

    id: str
    community: str
    organization: str
    items: list[str]
    starts_on: date
    ends_on: date
    status: Literal["in-force", "ended"]
    signed_at: datetime
    ended_at: datetime | None
    reason: str | None


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


IssuedRole = Literal["organization", "station", "expert", "operator", "system"]


class TokenTerms(Terms):
    """Whom a token is for. A resident's token is not issued here: matching gives it with the request.

    `subject` is an id that tells apart those of one role: an expert's or a station's evaluations are counted by it. A person
    whose token is renewed is given the same one.
    """

    role: IssuedRole
    community: str | None = Field(default=None, max_length=80)
    organization: str | None = Field(default=None, max_length=80)
    subject: str | None = Field(
        default=None, min_length=1, max_length=100, description="An opaque id, no name; made for an expert or a station."
    )
    days: int = Field(default=90, ge=1, le=400)


class TokenHolder(BaseModel):
    """Whom a token stands for, checked against the tables."""

    role: IssuedRole
    community: str | None
    organization: str | None
    subject: str | None


class TokenView(TokenHolder):
    """A token. It is shown this once and stored nowhere."""

    token: str
    expires_at: datetime


class Figures(BaseModel):
    """Registry's part of a community's figures: the taxonomy's size, organizations registered, agreements in force
    today, offers on the menu."""

    communities: int
    categories: int
    items: int
    organizations: int
    agreements: int
    offers: int
