"""Communities, their taxonomy and their figures."""

from __future__ import annotations

from datetime import datetime

from pydantic import BaseModel, Field, StrictBool, StrictFloat, StrictInt, model_validator

from services.registry.views.base import Id, Name, Phrase, Slug, Terms, without_default
from shared.written import Moment


class CompoundTerms(Terms):
    """A residential compound (小区), and where it lies (degrees, WGS 84): organizations close by come earlier where that is
    known."""

    id: Id
    name_zh: Name
    name_en: Name
    latitude: StrictFloat | None = Field(default=None, ge=-90, le=90)
    longitude: StrictFloat | None = Field(default=None, ge=-180, le=180)

    @model_validator(mode="after")
    def _both_or_neither(self) -> CompoundTerms:
        if (self.latitude is None) != (self.longitude is None):
            raise ValueError("latitude and longitude are given together")
        return self


class CommunityTerms(Terms):
    """A community to be opened. Only a `rehearsal` community may have its clock moved."""

    slug: Slug
    name_zh: Name
    name_en: Name
    rehearsal: StrictBool = False
    compounds: list[CompoundTerms] = Field(min_length=1, max_length=200)


class ClockSetting(Terms):
    """The moment to which a rehearsal community's clock is moved, with its time zone."""

    to: Moment


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
    version: StrictInt | None = Field(default=None, json_schema_extra=without_default)
    categories: list[CategoryTerms] = Field(min_length=1, max_length=200)


class TaxonomyView(TaxonomyTerms):
    """A taxonomy in the format in which it is published."""

    version: int


class Figures(BaseModel):
    """Registry's part of a community's figures: the taxonomy's size, organizations registered, agreements in force
    today, offers on the menu; incubations begun, talents enrolled, activities held and the people they reached, agreements
    that expired, renewals."""

    communities: int
    categories: int
    items: int
    organizations: int
    agreements: int
    offers: int
    incubations: int
    talents: int
    activities: int
    beneficiaries: int
    expired: int
    renewed: int
