"""What every view of registry is made of."""

from __future__ import annotations

from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StrictInt

from shared.events.registry import ServedIn

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
Languages = Annotated[
    list[ServedIn], Field(min_length=1, max_length=2, description="The languages in which residents are served.")
]
Capacity = Annotated[StrictInt, Field(ge=1, le=100_000, description="Requests a week.")]


def without_default(schema: dict[str, Any]) -> None:
    """For a field that may be left out but not be null."""
    schema.pop("default", None)


# A field of a PATCH may be left out but, unless its type says so, not be null: pydantic does not validate defaults.
UNCHANGED: Any = Field(default=None, json_schema_extra=without_default)


class Terms(BaseModel):
    """Base of what people send: a field it does not know is refused, blanks around text are dropped."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)


class Reason(Terms):
    """Why something is decided. It stays between the station and whom it concerns."""

    reason: Text
