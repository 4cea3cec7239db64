"""The whole sample, with every reference between its files checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from deploy.sample_community.files import Row, all_there, known, once_each, read_rows, read_yaml, unique
from deploy.sample_community.values import (
    Activity,
    ClaimWishes,
    Community,
    Compound,
    Expert,
    Incubation,
    Label,
    Offer,
    Organization,
    Project,
    Quality,
    Request,
    Sample,
    Talent,
    Taxonomy,
    Term,
)

SAMPLE_FOLDER = Path(__file__).parents[1] / "sample"

Terms = Mapping[str, Sequence[str]]
"""Of each organization (its Chinese name), the categories its agreement covers."""


def load_sample(folder: Path = SAMPLE_FOLDER) -> Sample:
    """The sample community in `folder`. Raises SampleError for a missing file, a bad value, an unknown or double name."""
    community = read_yaml(folder / "community.yaml", Community)
    taxonomy = read_yaml(folder / "taxonomy.yaml", Taxonomy)
    compounds = read_rows(folder / "compounds.csv", Compound)
    organizations = read_rows(folder / "organizations.csv", Organization, {"class": "organization_class"})
    offers = read_rows(folder / "offers.csv", Offer)
    requests = read_rows(folder / "requests.csv", Request)
    labels = read_rows(folder / "labels.csv", Label)
    quality = read_rows(folder / "quality.csv", Quality)

    activities = read_rows(folder / "activities.csv", Activity)
    talents = read_rows(folder / "talents.csv", Talent)
    experts = read_rows(folder / "experts.csv", Expert)
    projects = read_rows(folder / "projects.csv", Project)
    claims = read_rows(folder / "claims.csv", ClaimWishes)
    short_terms = read_rows(folder / "terms.csv", Term)
    incubations = read_yaml(folder / "incubations.yaml", tuple[Incubation, ...])

    categories = [category.id for category in taxonomy.categories]
    items = [item.id for item in taxonomy.items]
    once_each(folder / "taxonomy.yaml", "category", categories)
    once_each(folder / "taxonomy.yaml", "item", items)
    names = unique(organizations, "name_zh")
    places = unique(compounds, "id")
    numbers = unique(requests, "number")
    unique(labels, "number")
    unique(quality, "organization_zh")
    for organization in organizations:
        known(organization, "category", organization.value.agreement_categories, categories)
        known(organization, "compound", [organization.value.based_in], places)
        if organization.value.agreement_ends_on < organization.value.agreement_starts_on:
            raise organization.wrong("the agreement ends before it starts")
    terms = {organization.value.name_zh: organization.value.agreement_categories for organization in organizations}
    for offer in offers:
        known(offer, "organization", [offer.value.organization_zh], names)
        known(offer, "item", [offer.value.item], items)
        known(offer, "compound", offer.value.area or (), places)
        if (offer.value.price is None) != (offer.value.fee_mode == "free"):
            raise offer.wrong("a free offer has no price, any other has one")
        if taxonomy.category_of[offer.value.item] not in terms[offer.value.organization_zh]:
            raise offer.wrong(f"the agreement of {offer.value.organization_zh} does not cover {offer.value.item!r}")
    _unique_pairs(offers)
    for request in requests:
        known(request, "compound", [request.value.compound], places)
    for label in labels:
        known(label, "request", [label.value.number], numbers)
        known(label, "item", [i for i in (label.value.item, label.value.second_item) if i is not None], items)
        if (label.value.item is None) != (label.value.kind == "off-topic"):
            raise label.wrong("an off-topic request has no item, any other has one")
    _check_the_season(terms, organizations, activities, talents, experts)
    for term in short_terms:
        known(term, "organization", [term.value.organization_zh], names)
    incubated = {row.value.name_zh for row in organizations if row.value.origin == "incubated"}
    all_there(folder / "incubations.yaml", "organization", incubated, {one.organization_zh for one in incubations})
    _check_the_projects(taxonomy, terms, projects, claims)
    for row in quality:
        known(row, "organization", [row.value.organization_zh], names)
    all_there(folder / "labels.csv", "request", numbers, {row.value.number for row in labels})
    all_there(folder / "quality.csv", "organization", names, {row.value.organization_zh for row in quality})

    return Sample(
        community=community,
        compounds=tuple(row.value for row in compounds),
        taxonomy=taxonomy,
        organizations=tuple(row.value for row in organizations),
        offers=tuple(row.value for row in offers),
        requests=tuple(row.value for row in requests),
        labels={row.value.number: row.value for row in labels},
        quality={row.value.organization_zh: row.value for row in quality},
        activities=tuple(row.value for row in activities),
        talents=tuple(row.value for row in talents),
        experts=tuple(row.value for row in experts),
        projects=tuple(row.value for row in projects),
        claims=tuple(row.value for row in claims),
        terms=tuple(row.value for row in short_terms),
        incubations=incubations,
    )


def _check_the_season(
    terms: Terms,
    organizations: Sequence[Row[Organization]],
    activities: Sequence[Row[Activity]],
    talents: Sequence[Row[Talent]],
    experts: Sequence[Row[Expert]],
) -> None:
    hubs = {row.value.name_zh for row in organizations if row.value.hub}
    for organization in organizations:
        known(organization, "hub or association", organization.value.parents, hubs)
    for activity in activities:
        known(activity, "organization", [activity.value.organization_zh], terms)
        known(activity, "category of its agreement", [activity.value.category], terms[activity.value.organization_zh])
        if (activity.value.beneficiaries is None) != (activity.value.outcome == "cancelled"):
            raise activity.wrong("an activity that was held has its beneficiaries, a cancelled one has none")
    for talent in talents:
        known(talent, "organization", [talent.value.organization_zh] if talent.value.organization_zh else [], terms)
        if (talent.value.how is None) != (talent.value.organization_zh is None):
            raise talent.wrong("how and organization_zh are both given, or both empty")
    for expert in experts:
        known(expert, "organization", expert.value.conflicts, terms)


def _check_the_projects(
    taxonomy: Taxonomy, terms: Terms, projects: Sequence[Row[Project]], claims: Sequence[Row[ClaimWishes]]
) -> None:
    unique(projects, "id")
    unique(claims, "organization_zh")
    for project in projects:
        of_category = [item for item, category in taxonomy.category_of.items() if category == project.value.category]
        known(project, "item of its category", project.value.items, of_category)
        if (project.value.price is None) != (project.value.fee_mode == "free"):
            raise project.wrong("a free project has no price, any other has one")
    category_of = {project.value.id: project.value.category for project in projects}
    for claim in claims:
        known(claim, "organization", [claim.value.organization_zh], terms)
        known(claim, "project", claim.value.projects, category_of)
        wanted = [category_of[project] for project in claim.value.projects]
        known(claim, "category of its agreement", wanted, terms[claim.value.organization_zh])


def _unique_pairs(offers: Iterable[Row[Offer]]) -> None:
    """An organization's offers differ by title: the season knows them by it."""
    seen: set[tuple[str, str]] = set()
    for row in offers:
        key = (row.value.organization_zh, row.value.title_zh)
        if key in seen:
            raise row.wrong(f"{key[0]} offers {key[1]!r} twice")
        seen.add(key)
