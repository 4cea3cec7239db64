"""The green channel (绿色通道): what a group lacks to be registered, item by item, until nothing is lacking."""

from __future__ import annotations

from typing import Any

from sqlmodel import col, select

from services.registry import rules
from services.registry.actions.organizations import (
    hold_own,
    open_incubation,
    register,
    take_under_wing,
)
from services.registry.actions.rows import assign, different, hold_with_organization
from services.registry.models import GreenChannel, Organization, Standard
from services.registry.queries.incubations import channel_view
from services.registry.views.incubations import AskedView, GreenChannelTerms, GreenChannelView, StandardChanges
from shared.access import Caller
from shared.clock import civil_date
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound


def open_channel(tx: Transaction, caller: Caller, terms: GreenChannelTerms) -> GreenChannelView:
    """Open a green channel for a group that applied or is being incubated; tells green-channel.opened, and org.incubating
    where it only applied. Raises Conflict for one that is registered or gone, or has a channel."""
    organization = hold_own(tx, caller, terms.organization, "organization")
    if organization.status not in ("applied", "incubating"):
        detail = "The green channel is for a group that applied and is not registered yet."
        raise Conflict(f"organization-{organization.status}", detail, "organization")
    if open_channel_of(tx, organization.id):
        raise Conflict("channel-open", "This group has a green channel already.", "organization")
    channel = GreenChannel(
        id=new_id(),
        community=organization.community,
        organization=organization.id,
        status=follow(rules.GREEN_CHANNEL, "channel", "new", "open"),
        opened_at=tx.now(organization.community),
    )
    tx.session.add(channel)
    tx.session.flush()
    for position, standard in enumerate(terms.standards, 1):
        tx.session.add(Standard(channel=channel.id, position=position, **standard.model_dump()))
    tx.session.flush()
    _tell(tx, facts.GreenChannelOpened, channel)
    if organization.status == "applied":
        take_under_wing(tx, organization)
    return channel_view(tx.session, channel)


def see_to_standard(
    tx: Transaction, caller: Caller, channel_id: str, position: int, changes: StandardChanges
) -> GreenChannelView:
    """Record whom the station asked about a standard, the answer, and that it is met, or is not after all; tells
    green-channel.advanced where something is different. Who was asked before, and what was answered, is kept. The last one met
    completes the channel: green-channel.completed, and org.registered unless an incubation still runs, which registers the
    group at its conclusion. Raises Conflict where the channel has ended or the standard is met, and where the last one is met
    of a group formed around talents that none of them founded; Invalid for an answer that nobody was asked for, or that came
    before, for a day to come, and for a standard that is said to be met before it is on record whom the station asked and what
    the answer was."""
    channel = hold_with_organization(tx, GreenChannel, "channel", channel_id)
    caller.belongs_to(channel.community)
    channel.status = follow(rules.GREEN_CHANNEL, "channel", channel.status, "advance")
    standard = tx.session.get(Standard, (channel.id, position))
    if standard is None:
        raise NotFound("standard", str(position))
    if standard.met and changes.met is not False:
        raise Conflict("standard-met", "This standard is met; where it is not, say so first.", "met")
    changed = different(standard, _dated(tx, channel, standard, changes))
    if not changed:
        return channel_view(tx.session, channel)
    if _superseded(standard, changed):
        standard.earlier = [*standard.earlier, _as_recorded(standard)]
    assign(standard, changed)
    tx.session.flush()
    if not all(one.met for one in _standards(tx, channel)):
        _tell(tx, facts.GreenChannelAdvanced, channel)
        return channel_view(tx.session, channel)
    channel.status = follow(rules.GREEN_CHANNEL, "channel", channel.status, "complete")
    channel.ended_at = tx.now(channel.community)
    _tell(tx, facts.GreenChannelCompleted, channel)
    if not open_incubation(tx, channel.organization):
        register(tx, tx.session.get_one(Organization, channel.organization), "graduate")
    return channel_view(tx.session, channel)


def close_channel(tx: Transaction, channel: GreenChannel) -> None:
    """Close a green channel before every standard is met; tells green-channel.closed. Raises Conflict where it has ended."""
    channel.status = follow(rules.GREEN_CHANNEL, "channel", channel.status, "close")
    channel.ended_at = tx.now(channel.community)
    _tell(tx, facts.GreenChannelClosed, channel)


def open_channel_of(tx: Transaction, organization_id: str) -> GreenChannel | None:
    """The green channel that is open for a group."""
    wanted = select(GreenChannel).where(GreenChannel.organization == organization_id, GreenChannel.status == "open")
    return tx.session.exec(wanted).first()


def _dated(tx: Transaction, channel: GreenChannel, standard: Standard, changes: StandardChanges) -> dict[str, Any]:
    wanted = changes.model_dump(exclude_unset=True)
    before: dict[str, Any] = {name: getattr(standard, name) for name in ("asked", "asked_on", "answer", "answered_on")}
    if before["asked"] is not None and wanted.get("asked", before["asked"]) != before["asked"]:
        # Who is asked now has not answered yet, whatever the one before said.
        before |= {"answer": None, "answered_on": None}
    after = before | wanted
    today = civil_date(tx.now(channel.community))
    for text, day in (("asked", "asked_on"), ("answer", "answered_on")):
        if text in wanted and day not in wanted and wanted[text] != before[text]:
            after[day] = today
        if after[text] is None and day in wanted:
            raise Invalid(day, f"A day was given, but no {text}.", f"{text}-missing")
        if day in wanted and wanted[day] > today:
            raise Invalid(day, f"It is {today}; what is still to come is not on record yet.", "day-ahead")
    if after["answer"] is not None and after["asked"] is None:
        raise Invalid("answer", "An answer comes from somebody who was asked; say who.", "asked-missing")
    if after["answer"] is not None and after["answered_on"] < after["asked_on"]:
        detail = f"The answer of {after['answered_on']} came before the question of {after['asked_on']}; say when each was."
        raise Invalid("answered_on", detail, "answered-before-asked")
    if wanted.get("met"):
        for text, lacking in (("asked", "whom the station asked"), ("answer", "what the answer was")):
            if after[text] is None:
                raise Invalid("met", f"Before a standard is met, it is on record {lacking}.", f"{text}-missing")
    return after


def _superseded(standard: Standard, changed: dict[str, Any]) -> bool:
    """Whether somebody else is asked than before, or another answer takes the place of one."""
    return any(text in changed and getattr(standard, text) is not None for text in ("asked", "answer"))


def _as_recorded(standard: Standard) -> dict[str, Any]:
    """Whom the station asked, and the answer, as it is kept once something else takes its place."""
    return AskedView.model_validate(standard, from_attributes=True).model_dump(mode="json")


def _standards(tx: Transaction, channel: GreenChannel) -> list[Standard]:
    wanted = select(Standard).where(Standard.channel == channel.id).order_by(col(Standard.position))
    return list(tx.session.exec(wanted))


def _tell(tx: Transaction, fact: type[facts.GreenChannelState], channel: GreenChannel) -> None:
    standards = _standards(tx, channel)
    tx.tell(
        fact.from_row(
            channel,
            standards=len(standards),
            asked=sum(standard.asked is not None for standard in standards),
            met=sum(standard.met for standard in standards),
        )
    )
