"""Incubation and the green channel."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path

from services.registry.actions import channels, departures
from services.registry.actions import incubations as actions
from services.registry.api.parameters import Filter, InCommunity
from services.registry.queries import incubations as queries
from services.registry.views.base import Reason
from services.registry.views.incubations import (
    GateView,
    GreenChannelTerms,
    GreenChannelView,
    IncubationApplication,
    IncubationRecord,
    IncubationReturn,
    IncubationScores,
    IncubationView,
    StandardChanges,
)
from shared.access import Caller, allow
from shared.events.registry import IncubationStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()

Position = Annotated[int, Path(ge=1, le=1000, description="Which of the channel's standards, from 1.")]


@router.get("/incubation-gates", tags=["incubation"], summary="Show the gates")
def list_gates(caller: Caller = allow("anyone"), edge: Edge = EDGE) -> list[GateView]:
    """The five steps of the incubation in their order, with the criteria that are scored (0 to 100) before each is left."""
    return queries.list_gates()


@router.post("/incubations", status_code=201, tags=["incubation"], summary="Apply to be incubated")
def apply_for_incubation(
    body: IncubationApplication, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> IncubationView:
    """A group that applied asks to be incubated: step `application`. Tells `incubation.applied`. 409 `incubation-open`,
    `organization-registered`."""
    return edge.run(actions.apply_for_incubation, caller, body)


@router.get("/incubations", tags=["incubation"], summary="List incubations")
def list_incubations(
    community: InCommunity,
    organization: Filter = None,
    status: IncubationStatus | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("organization", "station", "expert", "operator"),
    edge: Edge = EDGE,
) -> Page[IncubationView]:
    """The incubations of a community; an organization sees its own."""
    return edge.read(queries.list_incubations, caller, community, organization, status, page)


@router.get("/incubations/{incubation}", tags=["incubation"], summary="Show an incubation")
def get_incubation(
    incubation: str, caller: Caller = allow("organization", "station", "expert", "operator"), edge: Edge = EDGE
) -> IncubationRecord:
    """One incubation, with everything that was decided of it: at which step, by whom, when, on what scores, why."""
    return edge.read(queries.get_incubation, caller, incubation)


@router.put("/incubations/{incubation}/scores", tags=["incubation"], summary="Score an incubation")
def score_incubation(
    incubation: str, body: IncubationScores, caller: Caller = allow("station", "expert"), edge: Edge = EDGE
) -> IncubationView:
    """Score criteria of the step an incubation stands at, 0 to 100. Of the experts only who is enrolled and has no interest in
    the group. Tells nothing. 409 `incubation-completed` and the like, 422 `criterion-unknown`."""
    return edge.run(actions.score_incubation, caller, incubation, body)


@router.post("/incubations/{incubation}/advancement", tags=["incubation"], summary="Open the next gate")
def advance_incubation(incubation: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE) -> IncubationView:
    """Decide, with the reason, that a group goes on to the next step. No gate is opened before every criterion is scored, nor
    by a token that names no person. Tells `incubation.advanced`, with the first gate `org.incubating`; from the conclusion on
    `incubation.completed` and `org.registered`. 409 `scores-missing`, `standards-unmet`, `founder-missing`."""
    return edge.run(actions.advance_incubation, caller, incubation, body)


@router.post("/incubations/{incubation}/return", tags=["incubation"], summary="Send an incubation back")
def return_incubation(
    incubation: str, body: IncubationReturn, caller: Caller = allow("station"), edge: Edge = EDGE
) -> IncubationView:
    """Send an incubation back to an earlier step, which is scored anew, with the reason. Tells `incubation.returned`. 409
    `incubation-application`, 422 `step-not-earlier`."""
    return edge.run(actions.return_incubation, caller, incubation, body)


@router.post("/incubations/{incubation}/failure", tags=["incubation"], summary="End an incubation without success")
def fail_incubation(incubation: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE) -> IncubationView:
    """End an incubation without success, with the reason; the group may apply again. Tells `incubation.failed`, `org.rejected`,
    and what ends with it."""
    return edge.run(departures.fail_incubation, caller, incubation, body)


@router.post("/incubations/{incubation}/withdrawal", tags=["incubation"], summary="Withdraw from an incubation")
def withdraw_incubation(
    incubation: str, body: Reason, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> IncubationView:
    """A group withdraws from its incubation, and may apply again. Tells `incubation.withdrawn`, `org.withdrawn`, and what ends
    with it."""
    return edge.run(departures.withdraw_incubation, caller, incubation, body)


@router.post("/green-channels", status_code=201, tags=["incubation"], summary="Open a green channel")
def open_channel(body: GreenChannelTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> GreenChannelView:
    """Open a green channel for a group that falls short of the registration standards, with those it does not meet. Tells
    `green-channel.opened`, and `org.incubating` where it only applied. 409 `channel-open`, `organization-registered`."""
    return edge.run(channels.open_channel, caller, body)


@router.get("/green-channels", tags=["incubation"], summary="List green channels")
def list_channels(
    community: InCommunity,
    organization: Filter = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("organization", "station", "operator"),
    edge: Edge = EDGE,
) -> Page[GreenChannelView]:
    """The green channels of a community; an organization sees its own."""
    return edge.read(queries.list_channels, caller, community, organization, page)


@router.get("/green-channels/{channel}", tags=["incubation"], summary="Show a green channel")
def get_channel(
    channel: str, caller: Caller = allow("organization", "station", "operator"), edge: Edge = EDGE
) -> GreenChannelView:
    """One green channel: for each standard whom the station asked, when, the answer, and whether it is met."""
    return edge.read(queries.get_channel, caller, channel)


@router.patch("/green-channels/{channel}/standards/{position}", tags=["incubation"], summary="See to a standard")
def see_to_standard(
    channel: str, position: Position, body: StandardChanges, caller: Caller = allow("station"), edge: Edge = EDGE
) -> GreenChannelView:
    """Record whom the station asked about a standard, the answer, or that it is met, for which both are on record; or, while
    others are not, that it is not met after all. Who was asked before, and what was answered, stays in `earlier`. Tells
    `green-channel.advanced`; with the last standard met `green-channel.completed`, and `org.registered` unless an incubation
    still runs. 409 `channel-completed`, `standard-met`, `founder-missing`, 422 `asked-missing`, `answer-missing`,
    `answered-before-asked`, `day-ahead`."""
    return edge.run(channels.see_to_standard, caller, channel, position, body)


@router.post("/green-channels/{channel}/closing", tags=["incubation"], summary="Close a green channel")
def give_up_channel(channel: str, body: Reason, caller: Caller = allow("station"), edge: Edge = EDGE) -> GreenChannelView:
    """Close a green channel before every standard is met, with the reason. Tells `green-channel.closed` and, where no
    incubation runs, `org.rejected`; the group's provisional agreements end. 409 `channel-closed`."""
    return edge.run(departures.give_up_channel, caller, channel, body)
