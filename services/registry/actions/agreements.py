"""Service agreements: signed, renewed, ended by somebody or by their term."""

from __future__ import annotations

from datetime import timedelta

from sqlmodel import col, select

from services.registry import rules
from services.registry.actions.activities import cancel_uncovered
from services.registry.actions.offers import take_off_uncovered
from services.registry.actions.organizations import hold_own
from services.registry.actions.rows import hold, hold_with_organization, items_by_category
from services.registry.models import Agreement, GreenChannel, Organization
from services.registry.views.agreements import AgreementRenewal, AgreementTerms, AgreementView
from services.registry.views.base import Reason
from shared.access import Caller
from shared.clock import civil_date, midnight
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound

WARNING, EXPIRY = "agreement-expiring", "agreement-expiry"
"""The timers of an agreement in force."""
UNGUARANTEED = "担保的组织已没有有效的服务协议。The guarantor has no agreement in force any more."
"""Why a provisional agreement ended with that of its guarantor."""


def sign_agreement(tx: Transaction, caller: Caller, terms: AgreementTerms) -> AgreementView:
    """Sign a service agreement with a registered organization or, provisional and with a guarantor, with a group in the green
    channel; tells agreement.signed. Raises Invalid for a category or item that is not in the current taxonomy, an empty scope,
    a reversed term; Conflict where it is not registered, and for a guarantor that cannot be one."""
    organization = hold_own(tx, caller, terms.organization, "organization")
    rules.check_term(terms.starts_on, terms.ends_on)
    items = rules.scope(terms.categories, terms.items, items_by_category(tx.session, organization.community))
    _check_may_sign(tx, organization, terms.guarantor)
    agreement = Agreement(
        id=new_id(),
        community=organization.community,
        organization=organization.id,
        items=items,
        starts_on=terms.starts_on,
        ends_on=terms.ends_on,
        status=follow(rules.AGREEMENT, "agreement", "new", "sign"),
        provisional=terms.guarantor is not None,
        guarantor=terms.guarantor,
        signed_at=tx.now(organization.community),
    )
    tx.session.add(agreement)
    tx.tell(facts.AgreementSigned.from_row(agreement))
    _set_timers(tx, agreement)
    return _view(agreement)


def renew_agreement(tx: Transaction, caller: Caller, agreement_id: str, renewal: AgreementRenewal) -> AgreementView:
    """Let an agreement in force end later than it would; tells agreement.renewed. Raises Conflict where it ended, Invalid
    for a day that is not later."""
    agreement = hold_with_organization(tx, Agreement, "agreement", agreement_id)
    caller.belongs_to(agreement.community)
    agreement.status = follow(rules.AGREEMENT, "agreement", agreement.status, "renew")
    rules.check_term(agreement.starts_on, renewal.ends_on)
    if renewal.ends_on <= agreement.ends_on:
        detail = f"The agreement ends on {agreement.ends_on}; a renewal lets it end later."
        raise Invalid("ends_on", detail, "renewal-not-later")
    agreement.ends_on, agreement.renewals = renewal.ends_on, agreement.renewals + 1
    tx.tell(facts.AgreementRenewed.from_row(agreement))
    _set_timers(tx, agreement)
    return _view(agreement)


def end_agreement(tx: Transaction, caller: Caller, agreement_id: str, ending: Reason) -> AgreementView:
    """End an agreement before its term; tells agreement.ended, offer.withdrawn for every offer of the organization whose item
    no other agreement in force covers, and activity.cancelled for what is announced of such. Raises Conflict where it already
    ended."""
    agreement = hold_with_organization(tx, Agreement, "agreement", agreement_id)
    caller.belongs_to(agreement.community)
    end(tx, agreement, "terminated", ending.reason)
    see_to_the_rest(tx, agreement.organization, agreement.community)
    return _view(agreement)


def warn(tx: Transaction, agreement_id: str) -> None:
    """Say that an agreement ends soon, if it does; tells agreement.expiring."""
    agreement = tx.session.get(Agreement, agreement_id, with_for_update=True)
    if agreement is None or agreement.status != "in-force":
        return
    left = agreement.ends_on - civil_date(tx.now(agreement.community))
    if timedelta() <= left <= rules.WARNED_BEFORE:
        agreement.status = follow(rules.AGREEMENT, "agreement", agreement.status, "warn")
        tx.tell(facts.AgreementExpiring.from_row(agreement))


def expire(tx: Transaction, agreement_id: str) -> None:
    """End an agreement whose term is over; tells what end_agreement does."""
    if tx.session.get(Agreement, agreement_id) is None:
        return
    agreement = hold_with_organization(tx, Agreement, "agreement", agreement_id)
    if agreement.status == "in-force" and agreement.ends_on < civil_date(tx.now(agreement.community)):
        end(tx, agreement, "expired", None)
        see_to_the_rest(tx, agreement.organization, agreement.community)


def end_all(tx: Transaction, organization: Organization, because: str, reason: str) -> None:
    """End every agreement of an organization that goes; tells agreement.ended for each, and what follows from it."""
    for agreement in _in_force(tx, Agreement.organization == organization.id):
        end(tx, agreement, because, reason)
    see_to_the_rest(tx, organization.id, organization.community)


def end(tx: Transaction, agreement: Agreement, because: str, reason: str | None, with_guarantor: bool = False) -> None:
    """End one agreement; tells agreement.ended. Raises Conflict where it already ended."""
    agreement.status = follow(rules.AGREEMENT, "agreement", agreement.status, "end")
    agreement.ended_at, agreement.ended_because, agreement.reason = tx.now(agreement.community), because, reason
    tx.tell(facts.AgreementEnded.from_row(agreement, with_guarantor=with_guarantor))
    for kind in (WARNING, EXPIRY):
        tx.unschedule(kind, agreement.id)


def see_to_the_rest(tx: Transaction, organization_id: str, community: str) -> None:
    """After an agreement ended: take off the menu, and cancel of the activities, what none covers any more, and end the
    provisional agreements for which the organization, having none in force itself now, can no longer answer."""
    take_off_uncovered(tx, organization_id)
    cancel_uncovered(tx, tx.session.get_one(Organization, organization_id))
    if _can_answer(tx, organization_id, community):
        return
    for agreement in _in_force(tx, Agreement.guarantor == organization_id):
        end(tx, agreement, "terminated", UNGUARANTEED, with_guarantor=True)
        take_off_uncovered(tx, agreement.organization)
        cancel_uncovered(tx, tx.session.get_one(Organization, agreement.organization))


def _check_may_sign(tx: Transaction, organization: Organization, guarantor_id: str | None) -> None:
    if guarantor_id is None:
        if organization.status != "registered":
            detail = "An agreement can be signed with a registered organization only; register it first."
            raise Conflict(f"organization-{organization.status}", detail, "organization")
        return
    channel = select(GreenChannel.id).where(GreenChannel.organization == organization.id, GreenChannel.status == "open")
    if tx.session.exec(channel).first() is None:
        detail = "A provisional agreement is for a group in the green channel; open one for it, or name no guarantor."
        raise Conflict("channel-missing", detail, "guarantor")
    guarantor = hold(tx, Organization, "organization", guarantor_id, "guarantor")
    if guarantor.community != organization.community:
        raise NotFound("organization", guarantor_id, "guarantor")
    if guarantor.status != "registered" or not _can_answer(tx, guarantor.id, guarantor.community):
        detail = "A guarantor is a registered organization with an agreement in force."
        raise Conflict("guarantor-unfit", detail, "guarantor")


def _can_answer(tx: Transaction, organization_id: str, community: str) -> bool:
    """Whether an organization has an agreement of its own in force today."""
    today = civil_date(tx.now(community))
    own = _in_force(tx, Agreement.organization == organization_id)
    return any(not one.provisional and rules.in_force(one.status, one.starts_on, one.ends_on, today) for one in own)


def _in_force(tx: Transaction, whose: bool) -> list[Agreement]:
    tx.session.flush()
    wanted = select(Agreement).where(whose, Agreement.status == "in-force").order_by(col(Agreement.id))
    return list(tx.session.exec(wanted.with_for_update()))


def _set_timers(tx: Transaction, agreement: Agreement) -> None:
    warned_on, ended_on = agreement.ends_on - rules.WARNED_BEFORE, agreement.ends_on + timedelta(days=1)
    tx.schedule(WARNING, agreement.id, agreement.community, midnight(warned_on))
    tx.schedule(EXPIRY, agreement.id, agreement.community, midnight(ended_on))


def _view(agreement: Agreement) -> AgreementView:
    return AgreementView.model_validate(agreement, from_attributes=True)
