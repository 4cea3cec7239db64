"""How a group or an organization goes: rejected, withdrawn, its incubation failed, or leaving; and what ends with it."""

from __future__ import annotations

from services.registry import rules
from services.registry.actions.activities import cancel_all, cancel_uncovered
from services.registry.actions.agreements import end_all
from services.registry.actions.channels import close_channel, open_channel_of
from services.registry.actions.incubations import end_incubation
from services.registry.actions.organizations import drop_parent, hold_own, members, move, open_incubation
from services.registry.actions.rows import decide, hold, hold_with_organization
from services.registry.models import GreenChannel, Incubation, Organization
from services.registry.queries.incubations import channel_view
from services.registry.views.base import Reason
from services.registry.views.incubations import GreenChannelView, IncubationView
from services.registry.views.organizations import OrganizationView
from shared.access import Caller
from shared.events import registry as facts
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import NotFound


def reject_organization(tx: Transaction, caller: Caller, organization_id: str, why: Reason) -> OrganizationView:
    """Reject an application; tells org.rejected. An incubation that runs fails with it. Raises Conflict where the organization
    is registered or gone."""
    organization = hold_own(tx, caller, organization_id)
    _turn_away(tx, caller, organization, "reject", why.reason)
    return OrganizationView.model_validate(organization, from_attributes=True)


def withdraw_organization(tx: Transaction, caller: Caller, organization_id: str, why: Reason) -> OrganizationView:
    """Withdraw an application; tells org.withdrawn. The group's incubation ends with it. Raises Conflict where it is registered
    or gone."""
    organization = hold_own(tx, caller, organization_id)
    _turn_away(tx, caller, organization, "withdraw", why.reason)
    return OrganizationView.model_validate(organization, from_attributes=True)


def leave_community(tx: Transaction, caller: Caller, organization_id: str, why: Reason) -> OrganizationView:
    """Let an organization leave; tells org.left, agreement.ended and offer.withdrawn for what it had, org.changed for its
    members. Raises Conflict where it is not registered."""
    organization = hold_own(tx, caller, organization_id)
    follow(rules.ORGANIZATION, "organization", organization.status, "leave")
    _end_everything(tx, organization, "left", why.reason)
    for member in members(tx, organization):
        drop_parent(tx, hold(tx, Organization, "organization", member.id), organization.id)
    organization.parents = []
    move(tx, organization, "leave", facts.OrganizationLeft)
    decide(tx, caller, "organization", organization, "leave", why.reason)
    return OrganizationView.model_validate(organization, from_attributes=True)


def leave_parent(tx: Transaction, caller: Caller, organization_id: str, parent_id: str) -> OrganizationView:
    """Let an organization belong to a hub or association no longer; tells org.changed, and activity.cancelled for
    what the other's agreement alone covered. Raises NotFound where it does not."""
    organization = hold_own(tx, caller, organization_id)
    if parent_id not in organization.parents:
        raise NotFound("parent", parent_id, "parent")
    drop_parent(tx, organization, parent_id)
    cancel_uncovered(tx, organization)
    return OrganizationView.model_validate(organization, from_attributes=True)


def fail_incubation(tx: Transaction, caller: Caller, incubation_id: str, why: Reason) -> IncubationView:
    """End an incubation without success; tells incubation.failed and org.rejected. The group may apply again."""
    return _end_incubation(tx, caller, incubation_id, "reject", why.reason)


def withdraw_incubation(tx: Transaction, caller: Caller, incubation_id: str, why: Reason) -> IncubationView:
    """Let a group withdraw from its incubation; tells incubation.withdrawn and org.withdrawn. It may apply again."""
    return _end_incubation(tx, caller, incubation_id, "withdraw", why.reason)


def give_up_channel(tx: Transaction, caller: Caller, channel_id: str, why: Reason) -> GreenChannelView:
    """Close a green channel before every standard is met; tells green-channel.closed and, where no incubation runs,
    org.rejected. Raises Conflict where it has ended."""
    channel = hold_with_organization(tx, GreenChannel, "channel", channel_id)
    caller.belongs_to(channel.community)
    follow(rules.GREEN_CHANNEL, "channel", channel.status, "close")
    organization = tx.session.get_one(Organization, channel.organization)
    if open_incubation(tx, organization.id):
        close_channel(tx, channel)
        end_all(tx, organization, "terminated", why.reason)
        decide(tx, caller, "organization", organization, "close channel", why.reason)
    else:
        _turn_away(tx, caller, organization, "reject", why.reason)
    return channel_view(tx.session, channel)


def _end_incubation(tx: Transaction, caller: Caller, incubation_id: str, verb: str, reason: str) -> IncubationView:
    incubation = hold_with_organization(tx, Incubation, "incubation", incubation_id)
    organization = hold_own(tx, caller, incubation.organization)
    own = "fail" if verb == "reject" else "withdraw"
    follow(rules.INCUBATION, "incubation", rules.standing(incubation.step, incubation.status), own)
    _turn_away(tx, caller, organization, verb, reason)
    return IncubationView.model_validate(incubation, from_attributes=True)


def _turn_away(tx: Transaction, caller: Caller, organization: Organization, verb: str, reason: str) -> None:
    """A group is not to be registered: `verb` is reject or withdraw."""
    follow(rules.ORGANIZATION, "organization", organization.status, verb)
    if incubation := open_incubation(tx, organization.id):
        end_incubation(tx, caller, incubation, "fail" if verb == "reject" else "withdraw", reason)
    if channel := open_channel_of(tx, organization.id):
        close_channel(tx, channel)
    _end_everything(tx, organization, "left", reason)
    organization.parents = []
    move(tx, organization, verb, facts.OrganizationRejected if verb == "reject" else facts.OrganizationWithdrawn)
    decide(tx, caller, "organization", organization, verb, reason)


def _end_everything(tx: Transaction, organization: Organization, because: str, reason: str) -> None:
    cancel_all(tx, organization, reason)
    end_all(tx, organization, because, reason)
