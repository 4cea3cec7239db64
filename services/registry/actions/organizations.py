"""Organizations: they apply, are registered, changed, suspended, reinstated, and belong to hubs and associations."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from services.registry import rules
from services.registry.actions.rows import assign, compound_ids, decide, different, hold
from services.registry.models import Community, Incubation, Organization, TalentLink
from services.registry.queries.agreements import guaranteed_by
from services.registry.views.base import Reason
from services.registry.views.organizations import OrganizationApplication, OrganizationChanges, OrganizationView
from shared.access import Caller
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid, NotFound


def apply_organization(tx: Transaction, caller: Caller, application: OrganizationApplication) -> OrganizationView:
    """Take in an organization's application; tells org.applied. Raises NotFound for the community, Conflict for a name
    that is taken in it, Invalid for a credit code that is none, or a compound that is not there."""
    community = tx.session.get(Community, application.community)
    if community is None:
        raise NotFound("community", application.community, "community")
    credit_code = rules.check_credit_code(application.credit_code)
    rules.check_base(application.based_in, compound_ids(tx.session, community.id))
    _check_name_free(tx, community.id, application.name_zh)
    organization = Organization(
        id=new_id(),
        status="new",
        applied_at=tx.now(community.id),
        credit_code=credit_code,
        **application.model_dump(exclude={"credit_code"}),
    )
    move(tx, organization, "apply", facts.OrganizationApplied)
    tx.session.add(organization)
    return _view(organization)


def apply_again(tx: Transaction, caller: Caller, organization_id: str) -> OrganizationView:
    """Take in the application of an organization that was rejected, withdrew or left; tells org.applied. Raises Conflict where
    its name was given to another one since."""
    organization = hold_own(tx, caller, organization_id)
    move(tx, organization, "apply", facts.OrganizationApplied)
    _check_name_free(tx, organization.community, organization.name_zh, besides=organization.id)
    organization.applied_at, organization.registered_at = tx.now(organization.community), None
    return _view(organization)


def register_organization(tx: Transaction, caller: Caller, organization_id: str) -> OrganizationView:
    """Register an organization that applied; tells org.registered. Raises Conflict where it already is, for a group in
    incubation or in the green channel, which is registered at their end, and for one that is formed around talents before
    anybody of the talent pool founded it."""
    organization = hold_own(tx, caller, organization_id)
    follow(rules.ORGANIZATION, "organization", organization.status, "register")
    if open_incubation(tx, organization.id):
        raise Conflict("incubation-open", "This group is being incubated; it is registered at the conclusion.", "status")
    register(tx, organization, "register")
    return _view(organization)


def take_over(tx: Transaction, caller: Caller, organization_id: str) -> OrganizationView:
    """Register an organization that has long been one, by a list of them; tells org.registered."""
    organization = hold_own(tx, caller, organization_id)
    _become_registered(tx, organization, "register")
    return _view(organization)


def register(tx: Transaction, organization: Organization, verb: str) -> None:
    """Make an organization a registered one; tells org.registered. Raises Conflict `founder-missing` for one that is formed
    around talents and was founded by none yet."""
    founded = select(TalentLink.talent).where(TalentLink.organization == organization.id, TalentLink.how == "founded")
    if organization.origin == "formed" and tx.session.exec(founded).first() is None:
        detail = "This organization is formed around talents; say first who of the talent pool founded it."
        raise Conflict("founder-missing", detail, "origin")
    _become_registered(tx, organization, verb)


def _become_registered(tx: Transaction, organization: Organization, verb: str) -> None:
    organization.registered_at = tx.now(organization.community)
    move(tx, organization, verb, facts.OrganizationRegistered)


def take_under_wing(tx: Transaction, organization: Organization) -> None:
    """Let the incubation of a group begin; tells org.incubating."""
    if organization.origin == "absorbed":
        organization.origin = "incubated"
    move(tx, organization, "incubate", facts.OrganizationIncubating)


def change_organization(
    tx: Transaction, caller: Caller, organization_id: str, changes: OrganizationChanges
) -> OrganizationView:
    """Change an organization's name, class or introduction, or whether it is a hub, which its station alone may; tells
    org.changed where something is different. Raises Conflict for a name that is taken, for an organization that only applied,
    and for a hub that still has members."""
    organization = hold_own(tx, caller, organization_id)
    follow(rules.ORGANIZATION, "organization", organization.status, "change")
    changed = different(organization, changes.model_dump(exclude_unset=True))
    if "name_zh" in changed:
        _check_name_free(tx, organization.community, changed["name_zh"])
    if "hub" in changed:
        if caller.role == "organization":
            raise Forbidden("Whether an organization is a hub is for its station to say.")
        if not changed["hub"] and members(tx, organization):
            raise Conflict("hub-has-members", "This hub has members; they leave it first.", "hub")
    if "based_in" in changed:
        rules.check_base(changed["based_in"], compound_ids(tx.session, organization.community))
    if changed:
        assign(organization, changed)
        move(tx, organization, "change", facts.OrganizationChanged)
    return _view(organization)


def suspend_organization(tx: Transaction, caller: Caller, organization_id: str, why: Reason) -> OrganizationView:
    """Suspend an organization: its offers are off the menu meanwhile; tells org.suspended, with the groups for which it is the
    guarantor. Raises Conflict."""
    organization = hold_own(tx, caller, organization_id)
    answers_for = tuple(dict.fromkeys(agreement.organization for agreement in guaranteed_by(tx.session, organization.id)))
    move(tx, organization, "suspend", facts.OrganizationSuspended, answers_for=answers_for)
    decide(tx, caller, "organization", organization, "suspend", why.reason)
    return _view(organization)


def reinstate_organization(tx: Transaction, caller: Caller, organization_id: str, why: Reason) -> OrganizationView:
    """Reinstate a suspended organization; tells org.reinstated. Raises Conflict."""
    organization = hold_own(tx, caller, organization_id)
    move(tx, organization, "reinstate", facts.OrganizationReinstated)
    decide(tx, caller, "organization", organization, "reinstate", why.reason)
    return _view(organization)


def join_parent(tx: Transaction, caller: Caller, organization_id: str, parent_id: str) -> OrganizationView:
    """Let an organization be a member of a hub or a club of an association; tells org.changed, or nothing where it is. Raises
    NotFound, Invalid for a parent elsewhere, Conflict for one that is no hub or stands under the organization itself."""
    organization = hold_own(tx, caller, organization_id)
    parent = tx.session.get(Organization, parent_id)
    if parent is None:
        raise NotFound("organization", parent_id, "parent")
    if parent.community != organization.community:
        raise Invalid("parent", "Both belong to one community.", "organization-elsewhere")
    follow(rules.ORGANIZATION, "organization", organization.status, "change")
    if parent_id in organization.parents:
        return _view(organization)
    if not parent.hub or parent.status != "registered":
        detail = "Members and clubs belong to a registered hub or association; the station says that it is one first."
        raise Conflict("parent-no-hub", detail, "parent")
    rules.check_belonging(organization.id, parent.id, _above(tx, parent))
    organization.parents = [*organization.parents, parent_id]
    move(tx, organization, "change", facts.OrganizationChanged)
    return _view(organization)


def drop_parent(tx: Transaction, organization: Organization, parent_id: str) -> None:
    """Let an organization belong to a parent no longer; tells org.changed."""
    organization.parents = [parent for parent in organization.parents if parent != parent_id]
    move(tx, organization, "change", facts.OrganizationChanged)


def move(tx: Transaction, organization: Organization, verb: str, fact: type[facts.OrganizationState], **more: Any) -> None:
    """Follow the life cycle and tell of it, and what `more` the fact says. Raises Conflict where it does not allow the verb."""
    organization.status = follow(rules.ORGANIZATION, "organization", organization.status, verb)
    tx.tell(fact.from_row(organization, **more))


def hold_own(tx: Transaction, caller: Caller, organization_id: str, field: str | None = None) -> Organization:
    """The organization, held. Raises NotFound, and Forbidden where it is not the caller's."""
    organization = hold(tx, Organization, "organization", organization_id, field)
    caller.belongs_to(organization.community)
    caller.acts_for(organization.id)
    return organization


def members(tx: Transaction, hub: Organization) -> list[Organization]:
    """The organizations that belong to a hub or association."""
    here = select(Organization).where(Organization.community == hub.community).order_by(Organization.id)
    return [organization for organization in tx.session.exec(here) if hub.id in organization.parents]


def open_incubation(tx: Transaction, organization_id: str) -> Incubation | None:
    """The incubation that a group is in."""
    wanted = select(Incubation).where(Incubation.organization == organization_id, Incubation.status == "open")
    return tx.session.exec(wanted).first()


def _above(tx: Transaction, organization: Organization) -> set[str]:
    above: set[str] = set()
    waiting = list(organization.parents)
    while waiting:
        parent: Any = tx.session.get(Organization, waiting.pop())
        if parent is not None and parent.id not in above:
            above.add(parent.id)
            waiting.extend(parent.parents)
    return above


def _check_name_free(tx: Transaction, community: str, name_zh: str, besides: str = "") -> None:
    taken = select(Organization.id).where(
        Organization.community == community,
        Organization.name_zh == name_zh,
        Organization.id != besides,
        col(Organization.status).in_(rules.NAMED),
    )
    with tx.session.no_autoflush:
        if tx.session.exec(taken).first():
            raise Conflict("name-taken", f"This community has an organization named {name_zh!r}.", "name_zh")


def _view(organization: Organization) -> OrganizationView:
    return OrganizationView.model_validate(organization, from_attributes=True)
