"""Incubations and green channels."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from sqlmodel import Session, col, select

from services.registry import rules
from services.registry.models import Decision, GreenChannel, Incubation, Standard
from services.registry.queries.found import find_community
from services.registry.queries.organizations import decision_view
from services.registry.views.incubations import (
    Criterion,
    GateView,
    GreenChannelView,
    IncubationRecord,
    IncubationView,
    StandardView,
)
from shared.access import Caller
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_gates() -> list[GateView]:
    """The steps of the incubation in their order, with the criteria that are scored before each is left."""
    return [
        GateView.model_validate(
            {
                "step": step,
                "name_zh": zh,
                "name_en": en,
                "criteria": [Criterion(id=id, name_zh=name[0], name_en=name[1]) for id, name in criteria.items()],
            }
        )
        for step, ((zh, en), criteria) in rules.GATES.items()
    ]


def list_incubations(
    session: Session, caller: Caller, community_id: str, organization: str | None, status: str | None, page: PageRequest
) -> Page[IncubationView]:
    """The incubations of a community; an organization sees its own. Raises NotFound, Forbidden."""
    wanted = _own(session, caller, community_id, Incubation, organization)
    if status:
        wanted = wanted.where(Incubation.status == status)
    return paginate(session, wanted, Incubation.id, page, lambda row: IncubationView.model_validate(row, from_attributes=True))


def get_incubation(session: Session, caller: Caller, incubation_id: str) -> IncubationRecord:
    """One incubation with everything that was decided of it. Raises NotFound, Forbidden."""
    incubation = session.get(Incubation, incubation_id)
    if incubation is None:
        raise NotFound("incubation", incubation_id)
    _check_own(caller, incubation)
    decided = select(Decision).where(Decision.about == "incubation", Decision.of == incubation.id).order_by(col(Decision.id))
    decisions = [decision_view(decision) for decision in session.exec(decided)]
    return IncubationRecord(decisions=decisions, **incubation.model_dump())


def list_channels(
    session: Session, caller: Caller, community_id: str, organization: str | None, page: PageRequest
) -> Page[GreenChannelView]:
    """The green channels of a community; an organization sees its own. Raises NotFound, Forbidden."""
    wanted = _own(session, caller, community_id, GreenChannel, organization)
    found = paginate(session, wanted, GreenChannel.id, page, lambda channel: channel)
    standards = _standards(session, [channel.id for channel in found.items])
    return Page(items=[_channel_view(channel, standards[channel.id]) for channel in found.items], next=found.next)


def get_channel(session: Session, caller: Caller, channel_id: str) -> GreenChannelView:
    """One green channel with its standards. Raises NotFound, Forbidden."""
    channel = session.get(GreenChannel, channel_id)
    if channel is None:
        raise NotFound("channel", channel_id)
    _check_own(caller, channel)
    return channel_view(session, channel)


def channel_view(session: Session, channel: GreenChannel) -> GreenChannelView:
    """A green channel as it is shown."""
    return _channel_view(channel, _standards(session, [channel.id])[channel.id])


def _own(session: Session, caller: Caller, community_id: str, table: Any, organization: str | None) -> Any:
    find_community(session, community_id)
    caller.belongs_to(community_id)
    wanted = select(table).where(table.community == community_id)
    if caller.role == "organization":
        wanted = wanted.where(table.organization == caller.organization)
    return wanted.where(table.organization == organization) if organization else wanted


def _check_own(caller: Caller, row: Incubation | GreenChannel) -> None:
    caller.belongs_to(row.community)
    if caller.role == "organization":
        caller.acts_for(row.organization)


def _standards(session: Session, channels: Sequence[str]) -> dict[str, list[Standard]]:
    standards: dict[str, list[Standard]] = defaultdict(list)
    found = select(Standard).where(col(Standard.channel).in_(channels)).order_by(col(Standard.position))
    for standard in session.exec(found):
        standards[standard.channel].append(standard)
    return standards


def _channel_view(channel: GreenChannel, standards: Sequence[Standard]) -> GreenChannelView:
    views = [StandardView.model_validate(standard, from_attributes=True) for standard in standards]
    return GreenChannelView(standards=views, **channel.model_dump())
