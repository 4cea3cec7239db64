"""Activities: announced, held, cancelled."""

from __future__ import annotations

from sqlmodel import select

from services.registry import rules
from services.registry.actions.organizations import hold_own, members
from services.registry.actions.rows import covered_items, hold_with_organization, items_by_category
from services.registry.models import Activity, Organization
from services.registry.views.activities import ActivityHolding, ActivityTerms, ActivityView
from services.registry.views.base import Reason
from shared.access import Caller
from shared.clock import civil_date
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid

UNCOVERED = "已没有涵盖这场活动的有效服务协议。No agreement in force covers this activity any more."
"""Why an activity is cancelled whose agreement ended."""


def announce_activity(tx: Transaction, caller: Caller, terms: ActivityTerms) -> ActivityView:
    """Announce an activity; tells activity.announced. Raises Invalid for a category or item that the taxonomy does not have and
    for an end before the beginning, Conflict where neither the organization nor a hub or association it belongs to has an
    agreement in force for it."""
    organization = hold_own(tx, caller, terms.organization, "organization")
    rules.check_times(terms.starts_at, terms.ends_at)
    if organization.status not in rules.SERVING:
        detail = "Activities are held by registered organizations, and by groups with a provisional agreement."
        raise Conflict(f"organization-{organization.status}", detail, "organization")
    _check_covered(tx, organization, terms.category, terms.item)
    activity = Activity(
        id=new_id(),
        community=organization.community,
        status=follow(rules.ACTIVITY, "activity", "new", "announce"),
        announced_at=tx.now(organization.community),
        **terms.model_dump(),
    )
    tx.session.add(activity)
    tx.tell(facts.ActivityAnnounced.from_row(activity))
    return _view(activity)


def hold_activity(tx: Transaction, caller: Caller, activity_id: str, holding: ActivityHolding) -> ActivityView:
    """Report that an activity was held, and whom it reached; tells activity.held. Raises Conflict before it began."""
    activity = _hold(tx, caller, activity_id)
    after = follow(rules.ACTIVITY, "activity", activity.status, "hold")
    if tx.now(activity.community) < activity.starts_at:
        raise Conflict("activity-ahead", "This activity has not begun yet; report it afterwards.", "status")
    activity.status, activity.beneficiaries = after, holding.beneficiaries
    tx.tell(facts.ActivityHeld.from_row(activity))
    return _view(activity)


def correct_activity(tx: Transaction, caller: Caller, activity_id: str, holding: ActivityHolding) -> ActivityView:
    """Correct how many people an activity reached that was held; tells activity.corrected where it is another number. Raises
    Conflict where it was not held."""
    activity = _hold(tx, caller, activity_id)
    activity.status = follow(rules.ACTIVITY, "activity", activity.status, "correct")
    if activity.beneficiaries != holding.beneficiaries:
        activity.beneficiaries = holding.beneficiaries
        tx.tell(facts.ActivityCorrected.from_row(activity))
    return _view(activity)


def cancel_activity(tx: Transaction, caller: Caller, activity_id: str, why: Reason) -> ActivityView:
    """Cancel an activity that was announced; tells activity.cancelled. Raises Conflict where it was held or cancelled."""
    activity = _hold(tx, caller, activity_id)
    _cancel(tx, activity, why.reason)
    return _view(activity)


def cancel_all(tx: Transaction, organization: Organization, reason: str) -> None:
    """Cancel what an organization that goes has announced; tells activity.cancelled for each."""
    announced = select(Activity).where(Activity.organization == organization.id, Activity.status == "announced")
    for activity in tx.session.exec(announced.order_by(Activity.id).with_for_update()):
        _cancel(tx, activity, reason)


def cancel_uncovered(tx: Transaction, organization: Organization) -> None:
    """Cancel what this organization and those that belong to it have announced, as far as it has not begun and no agreement in
    force covers it any more; tells activity.cancelled for each."""
    tx.session.flush()
    taxonomy = items_by_category(tx.session, organization.community)
    for one in (organization, *members(tx, organization)):
        covered = _covered(tx, one)
        ahead = select(Activity).where(
            Activity.organization == one.id,
            Activity.status == "announced",
            Activity.starts_at > tx.now(organization.community),
        )
        for activity in tx.session.exec(ahead.order_by(Activity.id).with_for_update()):
            if covered.isdisjoint([activity.item] if activity.item else taxonomy.get(activity.category, [])):
                _cancel(tx, activity, UNCOVERED)


def _cancel(tx: Transaction, activity: Activity, reason: str) -> None:
    activity.status = follow(rules.ACTIVITY, "activity", activity.status, "cancel")
    activity.reason = reason
    tx.tell(facts.ActivityCancelled.from_row(activity))


def _check_covered(tx: Transaction, organization: Organization, category: str, item: str | None) -> None:
    taxonomy = items_by_category(tx.session, organization.community)
    if category not in taxonomy:
        raise Invalid("category", f"The taxonomy of this community has no category {category!r}.", "category-unknown")
    if item is not None and item not in taxonomy[category]:
        raise Invalid("item", f"The category {category!r} has no item {item!r}.", "item-unknown")
    if _covered(tx, organization).isdisjoint([item] if item else taxonomy[category]):
        today = civil_date(tx.now(organization.community))
        detail = (
            f"Neither the organization nor one it belongs to has an agreement in force for this on {today}; sign one first."
        )
        raise Conflict("agreement-missing", detail, "item" if item else "category")


def _covered(tx: Transaction, organization: Organization) -> set[str]:
    """The items for which the organization, or one it belongs to, has an agreement in force today."""
    today = civil_date(tx.now(organization.community))
    responsible = [organization.id, *organization.parents]
    return {item for one in responsible for item in covered_items(tx.session, one, today)}


def _hold(tx: Transaction, caller: Caller, activity_id: str) -> Activity:
    activity = hold_with_organization(tx, Activity, "activity", activity_id)
    caller.belongs_to(activity.community)
    caller.acts_for(activity.organization)
    return activity


def _view(activity: Activity) -> ActivityView:
    return ActivityView.model_validate(activity, from_attributes=True)
