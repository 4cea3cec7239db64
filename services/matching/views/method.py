"""What is published of how matching works, and of the models that read requests."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel

from services.matching.views.base import BilingualText
from services.matching.views.projects import FairnessTerms


class ProjectKindView(BaseModel):
    """One of the ten types of project, and the categories whose needs it gathers."""

    name: BilingualText
    categories: list[str]


class Method(BaseModel):
    """How requests are read, organizations ranked and projects allocated: all that is needed to do it again.
    `days_to_answer` is how long an organization has to accept or decline, `hours_to_answer` the same by urgency; of so many
    offers as `shortlist` the score decides, those of the best `standing`; from `near_duplicate` (a cosine) on two requests
    are offered to the station as the same, from `near_duplicate_in_compound` on to a resident, if both are for one item and
    in one compound; `claim_weights` are points of 1000, `claim_fairness` the terms of a meeting that states none."""

    classifier: str
    threshold: float
    weights: dict[str, float]
    fees: dict[str, float]
    satisfaction_prior: float
    unrated: float
    near_meters: float
    standing: dict[str, float]
    shortlist: int
    turn_capacity: int
    most_candidates: int
    parts: dict[str, BilingualText]
    conditions: list[BilingualText]
    reading: BilingualText
    ties: BilingualText
    days_to_answer: int
    hours_to_answer: dict[str, float]
    near_duplicate: float
    near_duplicate_in_compound: float
    project_kinds: dict[str, ProjectKindView]
    claim_weights: dict[str, int]
    claim_fairness: FairnessTerms
    claiming: BilingualText


class MeasuresView(BaseModel):
    """How well a model read the labels held out, all between 0 and 1: `of` this model or the one before; `sureness` is the
    mean probability given to what is right."""

    of: Literal["this", "before"]
    texts: int
    accuracy: float
    macro_f1: float
    ece: float
    sureness: float


class ModelView(BaseModel):
    """A model that reads a community's requests, or did, or was refused because it was no better than the one in force.
    `learned` and `held_out` count labels; `measures` are those on the labels held out, of this one and of the one
    in force when it was judged."""

    number: int
    name: str
    status: Literal["in-force", "retired", "refused"]
    learned: int
    held_out: int
    measures: list[MeasuresView]
    fitted_at: datetime


class RenewalView(BaseModel):
    """A new model is being fitted. `labels` counts what people said so far."""

    community: str
    labels: int
