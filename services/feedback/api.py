"""Feedback's routes, under /api/feedback."""

from __future__ import annotations

from fastapi import APIRouter

from services.feedback import actions, queries
from services.feedback.method import METHOD
from services.feedback.views import (
    BodyMembers,
    BodyTerms,
    BodyView,
    By,
    CancellationTerms,
    EvaluationTerms,
    EvaluationView,
    Figures,
    Method,
    Outcomes,
    PublicationTerms,
    RatingTerms,
    RatingView,
    SatisfactionView,
    ScoreTerms,
    ScoreView,
    SessionTerms,
    SessionView,
)
from shared.access import Caller, allow
from shared.events.feedback import SatisfactionKind
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()


@router.post("/ratings", status_code=201, tags=["ratings"])
def rate_service(body: RatingTerms, caller: Caller = allow("resident"), edge: Edge = EDGE) -> RatingView:
    """Rate the service a request received, over the link given when it was submitted. Once per service; refused (409)
    until the request was reported as served, and while its resident disputes that."""
    return edge.run(actions.rate_service, caller, body)


@router.post("/evaluations", status_code=201, tags=["evaluations"])
def evaluate(body: EvaluationTerms, caller: Caller = allow("station", "expert"), edge: Edge = EDGE) -> EvaluationView:
    """Evaluate an organization, or one offer or item of it. Once per evaluator, organization and season."""
    return edge.run(actions.evaluate, caller, body)


@router.get("/evaluations", tags=["evaluations"])
def list_evaluations(
    community: str,
    organization: str | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("station"),
    edge: Edge = EDGE,
) -> Page[EvaluationView]:
    """The evaluations of a community or of one of its organizations. Residents' appear without the request."""
    caller.belongs_to(community)
    return edge.read(queries.list_evaluations, community, organization, page)


@router.get("/satisfaction", tags=["satisfaction"])
def list_satisfaction(
    community: str,
    kind: SatisfactionKind | None = None,
    of: str | None = None,
    season: str | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[SatisfactionView]:
    """The satisfaction with the community, its organizations, offers, items, categories, classes and projects: of all time,
    or of one `season` (2026-Q4). Where fewer than five residents have rated, only the counts are shown; the community's
    station sees the scores as well."""
    return edge.read(queries.list_satisfaction, caller, community, kind, of, season, page)


@router.post("/bodies", status_code=201, tags=["evaluation body"])
def appoint_body(body: BodyTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> BodyView:
    """Appoint the community's evaluation body (评估机构) for a term from today: members of the station, experts, and residents
    who were really served. A community has one at a time."""
    return edge.run(actions.appoint_body, caller, body)


@router.get("/bodies", tags=["evaluation body"])
def list_bodies(
    community: str, page: PageRequest = PAGE_REQUEST, caller: Caller = allow("anyone"), edge: Edge = EDGE
) -> Page[BodyView]:
    """A community's evaluation bodies with their members and terms, oldest first."""
    return edge.read(queries.list_bodies, community, page)


@router.get("/bodies/{id}", tags=["evaluation body"])
def show_body(id: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> BodyView:
    """An evaluation body with its members and its term."""
    return edge.read(queries.show_body, id)


@router.put("/bodies/{id}/members", tags=["evaluation body"])
def change_members(id: str, body: BodyMembers, caller: Caller = allow("station"), edge: Edge = EDGE) -> BodyView:
    """Give the evaluation body other members."""
    return edge.run(actions.change_members, caller, id, body)


@router.post("/bodies/{id}/dissolution", tags=["evaluation body"])
def dissolve_body(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> BodyView:
    """End the evaluation body before its term does; its open sessions end with it."""
    return edge.run(actions.dissolve_body, caller, id)


@router.post("/sessions", status_code=201, tags=["evaluation body"])
def open_session(body: SessionTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> SessionView:
    """Open a session of the evaluation body about an organization, or about a project that was delivered."""
    return edge.run(actions.open_session, caller, body)


@router.get("/sessions", tags=["evaluation body"])
def list_sessions(
    community: str,
    organization: str | None = None,
    project: str | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[SessionView]:
    """The sessions of a community's evaluation bodies, oldest first, with the findings of those that are published."""
    return edge.read(queries.list_sessions, community, organization, project, page)


@router.get("/sessions/{id}", tags=["evaluation body"])
def show_session(id: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> SessionView:
    """A session of an evaluation body, with its findings once they are published."""
    return edge.read(queries.show_session, id)


@router.post("/sessions/{id}/scores", status_code=201, tags=["evaluation body"])
def give_score(
    id: str, body: ScoreTerms, caller: Caller = allow("station", "expert", "resident"), edge: Edge = EDGE
) -> ScoreView:
    """Give one's scores in a session, as a member of the evaluation body, once. A resident uses the link of the request the
    membership rests on. An expert with an interest in the organization is refused."""
    return edge.run(actions.give_score, caller, id, body)


@router.get("/sessions/{id}/scores", tags=["evaluation body"])
def list_scores(id: str, caller: Caller = allow("station", "expert", "resident"), edge: Edge = EDGE) -> list[ScoreView]:
    """What the members gave in a session: for a member who has given the own scores, and once it is published for the
    station too."""
    return edge.read(queries.list_scores, caller, id)


@router.post("/sessions/{id}/publication", tags=["evaluation body"])
def publish_session(id: str, body: PublicationTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> SessionView:
    """Publish the findings of a session. Refused (409) until all three parties have spoken: the station, an expert, and
    residents, be it a member or five who were served and have rated. What an expert gave counts for nothing once an interest
    in the organization is known."""
    return edge.run(actions.publish_session, caller, id, body)


@router.post("/sessions/{id}/cancellation", tags=["evaluation body"])
def cancel_session(id: str, body: CancellationTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> SessionView:
    """Call a session off; what was scored in it counts for nothing."""
    return edge.run(actions.cancel_session, caller, id, body)


@router.get("/communities/{community}/figures", tags=["figures"])
def show_figures(community: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> Figures:
    """Feedback's part of a community's figures."""
    return edge.read(queries.figures, community)


@router.get("/outcomes", tags=["figures"])
def show_outcomes(
    community: str, by: By = "category", season: str | None = None, caller: Caller = allow("anyone"), edge: Edge = EDGE
) -> Outcomes:
    """What was done for residents: activities held, requests served, projects delivered and people reached, by category,
    class, organization or season; `season` (2026-Q4) takes one alone."""
    return edge.read(queries.outcomes, community, by, season)


@router.get("/method", tags=["satisfaction"])
def show_method(caller: Caller = allow("anyone")) -> Method:
    """How satisfaction is computed."""
    return METHOD
