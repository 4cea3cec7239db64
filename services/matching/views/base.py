"""What all of matching's views are made of."""

from __future__ import annotations

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

Id = Annotated[str, Field(min_length=1, max_length=100)]
Words = Annotated[str, Field(min_length=1, max_length=2000)]


class Terms(BaseModel):
    """Base of what people send: a field it does not know is refused, blanks around text are dropped, and what they
    wrote is never repeated in an error."""

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True, hide_input_in_errors=True)


class ReasonTerms(Terms):
    """Why, in one's own words: whom it concerns reads it."""

    reason: Words


class Personal(BaseModel):
    """Base of what is answered with a resident's words, or with a key to them: no error repeats them."""

    model_config = ConfigDict(hide_input_in_errors=True)


class BilingualText(BaseModel):
    """A text in Chinese and English."""

    zh: str
    en: str
