"""The CSV files registry takes in: organizations with their agreements, and offers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

from pydantic import ValidationError
from sqlmodel import col, select

from services.registry import rules
from services.registry.actions import agreements, offers, organizations
from services.registry.models import Organization
from services.registry.views.agreements import AgreementTerms
from services.registry.views.offers import OfferTerms
from services.registry.views.organizations import OrganizationApplication, OrganizationChanges
from shared.access import Caller
from shared.imports import Import
from shared.messaging import Transaction
from shared.problems import Invalid, NotFound, Problem

ORGANIZATION_COLUMNS = (
    "name_zh",
    "name_en",
    "class",
    "made_up",
    "origin",
    "hub",
    "parents",
    "introduction_zh",
    "introduction_en",
    "agreement_categories",
    "agreement_starts_on",
    "agreement_ends_on",
    "based_in",
)
OFFER_COLUMNS = (
    "organization_zh",
    "title_zh",
    "title_en",
    "item",
    "fee_mode",
    "price",
    "unit",
    "standard_zh",
    "standard_en",
    "area",
    "hours",
    "weekly_capacity",
)
# The fields of registry's own terms that stand in a column of another name.
COLUMN_OF = {
    "organization_class": "class",
    "categories": "agreement_categories",
    "items": "agreement_categories",
    "starts_on": "agreement_starts_on",
    "ends_on": "agreement_ends_on",
    "organization": "organization_zh",
    "parent": "parents",
}


def import_organization(tx: Transaction, caller: Caller, community: str, values: Mapping[str, str]) -> None:
    """One organization: it applies, is registered, becomes a hub where `hub` is yes, belongs to the `parents` (zh names of hubs
    and associations that stand before it), and its agreement over whole categories is signed. Who founded one that was formed
    around talents is not in the list, and not asked. Raises Problem naming the column; `made_up` marks invented sample data
    for readers of the file, nothing is kept of it."""
    caller.belongs_to(community)
    with _columns():
        application = OrganizationApplication.model_validate(
            {
                "community": community,
                "name_zh": values["name_zh"],
                "name_en": values["name_en"],
                "organization_class": values["class"],
                "origin": values["origin"],
                "introduction_zh": values["introduction_zh"],
                "introduction_en": values["introduction_en"],
                "based_in": values["based_in"].strip() or None,
            }
        )
        applied = organizations.apply_organization(tx, caller, application)
        tx.session.flush()
        registered = organizations.take_over(tx, caller, applied.id)
        if _yes(values["hub"], "hub"):
            organizations.change_organization(tx, caller, registered.id, OrganizationChanges(hub=True))
        for name in _listed(values["parents"]):
            parent = _named(tx, community, name, "parents")
            organizations.join_parent(tx, caller, registered.id, parent)
        terms = AgreementTerms.model_validate(
            {
                "organization": registered.id,
                "categories": _listed(values["agreement_categories"]),
                "starts_on": values["agreement_starts_on"],
                "ends_on": values["agreement_ends_on"],
            }
        )
        agreements.sign_agreement(tx, caller, terms)


def import_offer(tx: Transaction, caller: Caller, community: str, values: Mapping[str, str]) -> None:
    """One offer of an organization known by its zh name. Raises Problem naming the column."""
    caller.belongs_to(community)
    organization = _named(tx, community, values["organization_zh"].strip(), "organization_zh")
    area = values["area"].strip()
    with _columns():
        terms = OfferTerms.model_validate(
            {
                **{name: value for name, value in values.items() if name in OfferTerms.model_fields},
                "organization": organization,
                "price": values["price"].strip() or None,
                "area": None if area == "all" else _listed(area),
                "weekly_capacity": _number(values["weekly_capacity"].strip()),
            }
        )
        offers.publish_offer(tx, caller, terms)


def _named(tx: Transaction, community: str, name: str, column: str) -> str:
    named = select(Organization.id).where(
        Organization.community == community,
        Organization.name_zh == name,
        col(Organization.status).in_(rules.NAMED),
    )
    organization = tx.session.exec(named).first()
    if organization is None:
        raise NotFound("organization", name, column)
    return organization


def _yes(value: str, column: str) -> bool:
    if value.strip() not in ("yes", "no"):
        raise Invalid(column, f"Write yes or no; the row has {value!r}.")
    return value.strip() == "yes"


def _number(value: str) -> int | str:
    """A cell as a number; what is none is left for the terms to refuse."""
    return int(value) if value.isascii() and value.isdigit() else value


def _listed(value: str) -> list[str]:
    return [part.strip() for part in value.split(";") if part.strip()]


@contextmanager
def _columns() -> Iterator[None]:
    """What an action says of a field, said of its column."""
    try:
        yield
    except ValidationError as error:
        first = error.errors()[0]
        column = _column(str(first["loc"][0]))
        raise Invalid(column, f"{first['msg']}; the row has {first['input']!r}.") from None
    except Problem as problem:
        if problem.field is None:
            raise
        raise Problem(problem.status, problem.kind, problem.detail, _column(problem.field)) from None


def _column(field: str) -> str:
    return COLUMN_OF.get(field, field)


imports = [
    Import("organizations", ORGANIZATION_COLUMNS, import_organization),
    Import("offers", OFFER_COLUMNS, import_offer),
]
