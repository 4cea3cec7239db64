"""Organizations and what was decided of them."""

from __future__ import annotations

from typing import Any

from sqlmodel import Session, col, func, select

from services.registry import rules
from services.registry.models import Decision, Organization
from services.registry.queries.agreements import guarantees
from services.registry.queries.found import find_community, is_sqlite
from services.registry.views.organizations import DecisionView, OrganizationDetail, OrganizationView
from shared.access import Caller
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_organizations(
    session: Session,
    caller: Caller,
    community_id: str,
    organization_class: str | None,
    status: str | None,
    parent: str | None,
    page: PageRequest,
) -> Page[OrganizationView]:
    """The organizations of a community; those that are not public for its station alone, those that left where they are asked
    for. Raises NotFound."""
    find_community(session, community_id)
    wanted = select(Organization).where(Organization.community == community_id)
    if not rules.is_of_station(caller, community_id):
        wanted = wanted.where(col(Organization.status).in_(rules.PUBLIC))
        if status is None:
            wanted = wanted.where(Organization.status != "left")
    if organization_class:
        wanted = wanted.where(Organization.organization_class == organization_class)
    if status:
        wanted = wanted.where(Organization.status == status)
    if parent:
        wanted = wanted.where(_belongs_to(session, parent))
    return paginate(session, wanted, Organization.id, page, lambda organization: _organization_view(caller, organization))


def get_organization(session: Session, caller: Caller, organization_id: str) -> OrganizationDetail:
    """One organization, with whom it answers for. Raises NotFound, also where the caller may not see it yet."""
    view = _organization_view(caller, _find(session, caller, organization_id))
    answers_for, answered_for_by = guarantees(session, organization_id)
    return OrganizationDetail(**dict(view), answers_for=answers_for, answered_for_by=answered_for_by)


def list_decisions(session: Session, caller: Caller, organization_id: str, page: PageRequest) -> Page[DecisionView]:
    """What was decided of an organization, in order, for its station and itself. Raises NotFound, Forbidden."""
    organization = _find(session, caller, organization_id)
    caller.belongs_to(organization.community)
    caller.acts_for(organization.id)
    wanted = select(Decision).where(Decision.about == "organization", Decision.of == organization.id)
    return paginate(session, wanted, Decision.id, page, decision_view)


def decision_view(decision: Decision) -> DecisionView:
    """A decision as it is shown."""
    return DecisionView.model_validate(decision, from_attributes=True)


def _find(session: Session, caller: Caller, organization_id: str) -> Organization:
    organization = session.get(Organization, organization_id)
    if organization is None or not rules.may_see_organization(
        caller, organization.community, organization.id, organization.status
    ):
        raise NotFound("organization", organization_id)
    return organization


def _belongs_to(session: Session, parent: str) -> Any:
    if is_sqlite(session):
        listed = func.json_each(Organization.parents).table_valued("value")
        return select(listed.c.value).select_from(listed).where(listed.c.value == parent).correlate(Organization).exists()
    return col(Organization.parents).op("@>")(func.to_jsonb(parent))


def _organization_view(caller: Caller, organization: Organization) -> OrganizationView:
    view = OrganizationView.model_validate(organization, from_attributes=True)
    inside = rules.sees_inside(caller, organization.community, organization.id)
    return view if inside else view.model_copy(update={"credit_code": None})
