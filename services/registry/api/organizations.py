"""Organizations: joining, changing, belonging together, leaving."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.actions import departures
from services.registry.actions import organizations as actions
from services.registry.api.parameters import Filter, InCommunity
from services.registry.queries import organizations as queries
from services.registry.views.base import Reason
from services.registry.views.organizations import (
    DecisionView,
    OrganizationApplication,
    OrganizationChanges,
    OrganizationDetail,
    OrganizationView,
)
from shared.access import Caller, allow
from shared.events.registry import OrganizationClass, OrganizationStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/organizations", status_code=201, tags=["organizations"], summary="Apply as an organization")
def apply_organization(body: OrganizationApplication, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> OrganizationView:
    """An organization applies to join a community; no token is needed. Tells `org.applied`. 409 `name-taken`, 422
    `credit-code-malformed`."""
    return edge.run(actions.apply_organization, caller, body)


@router.get("/organizations", tags=["organizations"], summary="List organizations")
def list_organizations(
    community: InCommunity,
    organization_class: OrganizationClass | None = None,
    status: OrganizationStatus | None = None,
    parent: Filter = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[OrganizationView]:
    """The organizations of a community; `parent` narrows them to the members of a hub or association. Those that only applied,
    were rejected or withdrew are shown to its station alone, those that left where `status` asks for them."""
    return edge.read(queries.list_organizations, caller, community, organization_class, status, parent, page)


@router.get("/organizations/{organization}", tags=["organizations"], summary="Show an organization")
def get_organization(organization: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> OrganizationDetail:
    """One organization, with the provisional agreements for which it answers, or somebody for it. One that only applied is
    shown to its station and to itself."""
    return edge.read(queries.get_organization, caller, organization)


@router.patch("/organizations/{organization}", tags=["organizations"], summary="Change an organization")
def change_organization(
    organization: str,
    body: OrganizationChanges,
    caller: Caller = allow("organization", "station"),
    edge: Edge = EDGE,
) -> OrganizationView:
    """Change an organization's name, class or introduction; what is left out stays. Its station alone says whether it is a
    `hub`. Tells `org.changed` where something is different, else nothing. 409 `organization-applied`, `name-taken`,
    `hub-has-members`."""
    return edge.run(actions.change_organization, caller, organization, body)


@router.post("/organizations/{organization}/registration", tags=["organizations"], summary="Register an organization")
def register_organization(organization: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> OrganizationView:
    """Register an organization that applied. Tells `org.registered`. 409 `organization-registered`; `incubation-open` for a
    group that is being incubated; `founder-missing` for one formed around talents that nobody of the pool founded yet."""
    return edge.run(actions.register_organization, caller, organization)


@router.post("/organizations/{organization}/application", tags=["organizations"], summary="Apply again")
def apply_again(organization: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> OrganizationView:
    """An organization that was rejected, withdrew or left applies again. Tells `org.applied`. 409 `organization-registered`;
    `name-taken` where another one took the name since."""
    return edge.run(actions.apply_again, caller, organization)


@router.post("/organizations/{organization}/rejection", tags=["organizations"], summary="Reject an application")
def reject_organization(
    organization: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE
) -> OrganizationView:
    """Reject an application, with the reason; an incubation that runs fails with it. Tells `org.rejected`, and what ends with
    it. The group may apply again, and its name is free. 409 `organization-registered`."""
    return edge.run(departures.reject_organization, caller, organization, body)


@router.post("/organizations/{organization}/withdrawal", tags=["organizations"], summary="Withdraw an application")
def withdraw_organization(
    organization: str, body: Reason, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> OrganizationView:
    """A group withdraws its application, and its incubation with it. Tells `org.withdrawn`, and what ends with it. 409
    `organization-registered`: a registered organization leaves."""
    return edge.run(departures.withdraw_organization, caller, organization, body)


@router.post("/organizations/{organization}/suspension", tags=["organizations"], summary="Suspend an organization")
def suspend_organization(
    organization: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE
) -> OrganizationView:
    """Suspend a registered organization, with the reason: its offers are off the menu until it is reinstated. Tells
    `org.suspended`. 409 `organization-suspended`."""
    return edge.run(actions.suspend_organization, caller, organization, body)


@router.post("/organizations/{organization}/reinstatement", tags=["organizations"], summary="Reinstate an organization")
def reinstate_organization(
    organization: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE
) -> OrganizationView:
    """Reinstate a suspended organization, with the reason: its offers are on the menu again. Tells `org.reinstated`. 409
    `organization-registered`."""
    return edge.run(actions.reinstate_organization, caller, organization, body)


@router.post("/organizations/{organization}/leaving", tags=["organizations"], summary="Leave the community")
def leave_community(
    organization: str, body: Reason, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> OrganizationView:
    """A registered organization leaves. Tells `org.left`; its agreements end, its offers leave the menu, its announced
    activities are cancelled, its members belong to it no longer, and each is told. 409 `organization-left`."""
    return edge.run(departures.leave_community, caller, organization, body)


@router.put("/organizations/{organization}/parents/{parent}", tags=["organizations"], summary="Join a hub or association")
def join_parent(organization: str, parent: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> OrganizationView:
    """Let an organization be a member of a hub, or a club of an association. Tells `org.changed`, or nothing where it is one.
    409 `parent-no-hub`, `parents-circular`."""
    return edge.run(actions.join_parent, caller, organization, parent)


@router.delete("/organizations/{organization}/parents/{parent}", tags=["organizations"], summary="Leave a hub or association")
def leave_parent(organization: str, parent: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> OrganizationView:
    """Let an organization belong to a hub or association no longer. Tells `org.changed`, and `activity.cancelled` for what it
    announced under the other's agreement. 404 `parent-unknown`."""
    return edge.run(departures.leave_parent, caller, organization, parent)


@router.get("/organizations/{organization}/decisions", tags=["organizations"], summary="List decisions")
def list_decisions(
    organization: str,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("organization", "station", "operator"),
    edge: Edge = EDGE,
) -> Page[DecisionView]:
    """What was decided of an organization, by whom and why, for its station and itself. What was decided of its incubation
    stands with the incubation."""
    return edge.read(queries.list_decisions, caller, organization, page)
