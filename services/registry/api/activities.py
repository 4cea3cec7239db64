"""Activities."""

from __future__ import annotations

from fastapi import APIRouter

from services.registry.actions import activities as actions
from services.registry.api.parameters import Filter, InCommunity
from services.registry.queries import activities as queries
from services.registry.views.activities import ActivityHolding, ActivityTerms, ActivityView
from services.registry.views.base import Reason
from shared.access import Caller, allow
from shared.events.registry import ActivityStatus
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/activities", status_code=201, tags=["activities"], summary="Announce an activity")
def announce_activity(
    body: ActivityTerms, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ActivityView:
    """Announce an activity. The organization, or a hub or association it belongs to, needs an agreement in force for its item
    or for something of its category. Tells `activity.announced`. 409 `agreement-missing`, `organization-suspended`, 422
    `category-unknown`, `item-unknown`, `term-reversed`."""
    return edge.run(actions.announce_activity, caller, body)


@router.get("/activities", tags=["activities"], summary="List activities")
def list_activities(
    community: InCommunity,
    organization: Filter = None,
    category: Filter = None,
    status: ActivityStatus | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[ActivityView]:
    """The activities of a community, for everybody. Why one was cancelled is shown to the station and to its organization."""
    return edge.read(queries.list_activities, caller, community, organization, category, status, page)


@router.get("/activities/{activity}", tags=["activities"], summary="Show an activity")
def get_activity(activity: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> ActivityView:
    """One activity. Why it was cancelled is shown to its station and its organization."""
    return edge.read(queries.get_activity, caller, activity)


@router.post("/activities/{activity}/holding", tags=["activities"], summary="Report an activity")
def hold_activity(
    activity: str, body: ActivityHolding, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ActivityView:
    """Report that an activity was held, and how many people it reached. Tells `activity.held`. 409 `activity-ahead` before it
    began, `activity-cancelled`, `activity-held`."""
    return edge.run(actions.hold_activity, caller, activity, body)


@router.post("/activities/{activity}/correction", tags=["activities"], summary="Correct a report")
def correct_activity(
    activity: str, body: ActivityHolding, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ActivityView:
    """Correct how many people an activity reached. Tells `activity.corrected` where it is another number, else nothing. 409
    `activity-announced`, `activity-cancelled`."""
    return edge.run(actions.correct_activity, caller, activity, body)


@router.post("/activities/{activity}/cancellation", tags=["activities"], summary="Cancel an activity")
def cancel_activity(
    activity: str, body: Reason, caller: Caller = allow("organization", "station"), edge: Edge = EDGE
) -> ActivityView:
    """Cancel an activity that was announced. Tells `activity.cancelled`. 409 `activity-held`, `activity-cancelled`."""
    return edge.run(actions.cancel_activity, caller, activity, body)
