"""What a fact is: its data (`Fact`), and the CloudEvents 1.0 envelope it travels in (`CloudEvent`).

Facts are strict when written (an unknown field is an error) and tolerant when read (it is ignored), so that a teller may
add a field before its listeners know of it. A class of fact is declared once, here or in its teller's file, and the
docstring of that class is its reference: `docs/events.md`, the JSON Schemas and the AsyncAPI documents are made from it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, Generic, Self, TypeVar

from pydantic import BaseModel, ConfigDict

SPECVERSION = "1.0"
TYPE_PATTERN = re.compile(r"^fenghe\.[a-z-]+\.[a-z-]+\.v[1-9][0-9]*$")


class Part(BaseModel):
    """A piece of a fact's data, such as one item of a taxonomy. Immutable; unknown fields are refused when written."""

    model_config = ConfigDict(frozen=True, extra="forbid", defer_build=True)


class Fact(Part):
    """The data of a fact: the whole public state of its subject, not a difference. Never a resident's name, phone,
    address or words: a fact names ids, and who may see more asks the owner's API.

    A released class names, in its class arguments, its `type` (`fenghe.offer.published.v1`, past tense; a breaking change
    is a new type) and whether it is `public`. The base of a subject's facts names the field that holds the subject's id
    (`about`). The teller is the module: a fact of `shared/events/registry.py` is told by registry, one of
    `shared/events/matching/` by matching.
    """

    type: ClassVar[str] = ""
    about: ClassVar[str] = ""
    teller: ClassVar[str] = ""
    public: ClassVar[bool] = False

    community: str

    def __init_subclass__(cls, *, type: str = "", about: str = "", public: bool = False, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if about:
            cls.about = about
        cls.public = public
        cls.type = type
        if type:
            if not TYPE_PATTERN.match(type):
                raise TypeError(f"{cls.__name__}: {type!r} is not of the form fenghe.<thing>.<past-tense>.v<n>")
            if type in _catalogue:
                raise TypeError(f"{cls.__name__}: the type {type!r} is taken by {_catalogue[type].__name__}")
            cls.teller = cls.teller or _teller_of(cls.__module__)
            _catalogue[type] = cls

    @classmethod
    def from_row(cls, row: object, **named: Any) -> Self:
        """A fact of this class that says what a row says: of each field the row's attribute of that name, of the one it is
        `about` the row's `id` where it has no such attribute, or what is `named`. Raises AttributeError for a field that is in
        neither, pydantic.ValidationError for a value that the field does not take."""
        if not hasattr(row, cls.about):
            named = {cls.about: row.id, **named}  # type: ignore[attr-defined]
        return cls.model_validate({name: getattr(row, name) for name in cls.model_fields if name not in named} | named)

    @property
    def subject(self) -> str:
        """The opaque id of the thing this fact is about."""
        return str(getattr(self, self.about))

    @classmethod
    def source(cls) -> str:
        """The CloudEvents `source` of this class of facts, for example `/fenghe/registry`."""
        return f"/fenghe/{cls.teller}"

    @classmethod
    def schema_path(cls) -> str:
        """Where the JSON Schema of this class of facts is served, below the deployment's public address."""
        return f"/api/{cls.teller}/schemas/{cls.type}.json"


def _teller_of(module: str) -> str:
    room = module.removeprefix("shared.events.")
    return module.rpartition(".")[2] if room == module else room.partition(".")[0]


FactT = TypeVar("FactT", bound=Fact)
FactT_co = TypeVar("FactT_co", bound=Fact, covariant=True)

_catalogue: dict[str, type[Fact]] = {}


def fact_class(type: str) -> type[Fact] | None:
    """The class of a fact by its CloudEvents type, or None where no such type was released."""
    return _catalogue.get(type)


def catalogue(teller: str | None = None) -> Iterator[type[Fact]]:
    """Every released class of facts (or one teller's), by type."""
    return (cls for _, cls in sorted(_catalogue.items()) if teller is None or cls.teller == teller)


@dataclass(frozen=True, slots=True)
class CloudEvent(Generic[FactT_co]):
    """A fact as it was told: the CloudEvents attributes and the data.

    `id` is a UUIDv7 and, with `source`, the idempotency key; it is never minted again. `sequence` counts the facts of one
    subject from 1. `time` (aware, UTC) is when it was decided. `community` is the tenant. `traceparent` joins the fact to
    the request that caused it (W3C trace context). `body` is the data as it came, with fields this version does not know.
    """

    id: str
    source: str
    type: str
    subject: str
    time: datetime
    community: str
    sequence: int
    traceparent: str
    dataschema: str
    data: FactT_co
    body: str = ""

    def as_json(self) -> dict[str, Any]:
        """This fact in the CloudEvents JSON format."""
        return json_format(
            {
                "id": self.id,
                "source": self.source,
                "type": self.type,
                "subject": self.subject,
                "time": self.time.isoformat().replace("+00:00", "Z"),
                "community": self.community,
                "sequence": f"{self.sequence:010d}",
                "traceparent": self.traceparent,
                "dataschema": self.dataschema,
                "data": self.body or self.data.model_dump_json(),
            }
        )


def json_format(fields: Mapping[str, str]) -> dict[str, Any]:
    """The CloudEvents JSON format of an entry's plain fields: the same attributes, `data` parsed."""
    event: dict[str, Any] = {"specversion": SPECVERSION, "datacontenttype": "application/json", **fields}
    event["data"] = json.loads(event["data"])
    return event
