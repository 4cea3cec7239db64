"""Activities."""

from __future__ import annotations

from sqlmodel import Session, select

from services.registry import rules
from services.registry.models import Activity
from services.registry.queries.found import find_community
from services.registry.views.activities import ActivityView
from shared.access import Caller
from shared.problems import NotFound
from shared.web import Page, PageRequest, paginate


def list_activities(
    session: Session,
    caller: Caller,
    community_id: str,
    organization: str | None,
    category: str | None,
    status: str | None,
    page: PageRequest,
) -> Page[ActivityView]:
    """The activities of a community. Raises NotFound."""
    find_community(session, community_id)
    wanted = select(Activity).where(Activity.community == community_id)
    for column, value in ((Activity.organization, organization), (Activity.category, category), (Activity.status, status)):
        if value is not None:
            wanted = wanted.where(column == value)
    return paginate(session, wanted, Activity.id, page, lambda row: _activity_view(caller, row))


def get_activity(session: Session, caller: Caller, activity_id: str) -> ActivityView:
    """One activity. Raises NotFound."""
    activity = session.get(Activity, activity_id)
    if activity is None:
        raise NotFound("activity", activity_id)
    return _activity_view(caller, activity)


def _activity_view(caller: Caller, activity: Activity) -> ActivityView:
    view = ActivityView.model_validate(activity, from_attributes=True)
    inside = rules.sees_inside(caller, activity.community, activity.organization)
    return view if inside else view.model_copy(update={"reason": None})
