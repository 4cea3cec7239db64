"""Projects and the requests inside, which follow their fate. Always locked in the order of `holding.py`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import or_
from sqlmodel import col, select

from services.matching import fate, telling
from services.matching.holding import load, save, seen_to
from services.matching.models import Claim, Project, Request
from services.matching.queries.projects import residents_of
from services.matching.rules import REQUEST
from shared.clock import CIVIL_TIME
from shared.events.matching import (
    ProjectChanged,
    ProjectState,
    RequestAccepted,
    RequestGathered,
    RequestServed,
)
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Invalid, NotFound

PROJECT_DUE = "project-due"
"""The kind of the timers by which projects are overdue."""
STANDING = ("standing", "won")
"""How a claim stands that a project's facts name."""
REACHED = ("served", "closed")
"""How a request stands that was served, and whose resident does not dispute it."""


def hold(tx: Transaction, ids: Collection[str], field: str | None = None) -> dict[str, Project]:
    """Projects nobody else changes until the transaction ends, by id. Raises NotFound for one there is not, or Invalid
    where it was named in a `field`."""
    statement = select(Project).where(col(Project.id).in_(ids)).order_by(Project.id).with_for_update()
    found = {project.id: project for project in tx.session.exec(statement.execution_options(populate_existing=True))}
    for id in ids:
        if id not in found and field is not None:
            raise Invalid(field, f"There is no project {id!r} here.", "project-unknown")
        if id not in found:
            raise NotFound("project", id)
    return found


def hold_of(tx: Transaction, requests: Collection[str]) -> list[Project]:
    """The projects in which these requests are, or those they follow, held before the requests are."""
    followed = select(Request.merged_into).where(col(Request.id).in_(requests))
    concerned = or_(col(Request.id).in_(requests), col(Request.id).in_(followed))
    inside = select(Request.project).where(concerned, col(Request.project).is_not(None))
    return list(hold(tx, {id for id in tx.session.exec(inside) if id is not None}).values())


def hold_served_with(tx: Transaction, id: str) -> list[Project]:
    """The delivered project with which a request was served, alone or with the one it follows, held before the request is."""
    served = tx.session.get(Request, id)
    if served is None or served.served_at is None:
        return []
    project, merged_into = served.project, served.merged_into
    if project is None and merged_into is None:
        return []
    delivered = select(Project.id, Project.requests).where(
        Project.community == served.community,
        Project.organization == served.organization,
        Project.delivered_at == served.served_at,
    )
    # The one it follows may have left the project meanwhile, opened again; which had it, the project still knows.
    with_it = [found for found, inside in tx.session.exec(delivered) if found == project or merged_into in inside]
    return list(hold(tx, with_it).values())


def tell(tx: Transaction, fact: type[ProjectState], project: Project, **more: Any) -> None:
    """Tell a fact of a project, with the claims that stand, and what `more` it says."""
    tx.session.flush()
    statement = select(Claim).where(Claim.project == project.id, col(Claim.status).in_(STANDING))
    claims = tx.session.exec(statement.order_by(col(Claim.wish), col(Claim.claimed_at), col(Claim.id)))
    tx.tell(fact(**telling.project_state(project, list(claims)), **more))


def inside(tx: Transaction, project: Project) -> list[Request]:
    """The requests of a project that follow its fate, locked; those merged into them are not among them."""
    return load(tx.session, Request.project == project.id, col(Request.status).in_(("gathered", "accepted")))


def gather(tx: Transaction, project: Project, requests: Sequence[Request], again: bool = False) -> None:
    """Put requests into a project: unmatched ones, or those of a project it takes over; `again`: those that it had. Raises
    Conflict for others."""
    for request in requests:
        if request.status == "gathered":
            request.project = project.id
        else:
            request.status = follow(REQUEST, "request", request.status, "gather")
            request.project, request.organization, request.offer = project.id, None, None
            seen_to(tx, request)
        state = telling.request_state(request)
        tx.tell(RequestGathered(**state, followers=fate.following(tx, request), again=again))
    save(tx.session, requests)


def gatherable(tx: Transaction, community: str, ids: Collection[str]) -> list[Request]:
    """Unmatched requests of a community, locked. Raises Invalid for one there is not, Conflict for one that is not
    unmatched."""
    found = load(tx.session, col(Request.id).in_(ids), Request.community == community)
    missing = set(ids) - {request.id for request in found}
    if missing:
        raise Invalid("requests", f"There is no request {min(missing)!r} in this community.", "request-unknown")
    for request in found:
        if request.status != "unmatched":
            detail = f"Request {request.id} is {request.status}; only unmatched ones are gathered."
            raise Conflict(f"request-{request.status}", detail, "requests")
    return found


def release(tx: Transaction, requests: Sequence[Request]) -> list[Request]:
    """Let requests out of their project; each stands unmatched again, and those that follow it wait with it. Returns
    them, for whoever matches them."""
    for request in requests:
        accepted = request.status == "accepted"
        fate.release(tx, request)
        if accepted:
            fate.fall_back(tx, request)
    save(tx.session, requests)
    return list(requests)


def assign(tx: Transaction, project: Project) -> None:
    """The project was assigned: its requests are accepted."""
    requests = inside(tx, project)
    for request in requests:
        request.status = follow(REQUEST, "request", request.status, "accept")
        request.organization, request.offer = project.organization, None
        request.matched_at = request.matched_at or tx.now(project.community)
        tx.tell(RequestAccepted(**telling.request_state(request)))
        fate.accept(tx, request)
    save(tx.session, requests)


def serve(tx: Transaction, project: Project) -> None:
    """The project was delivered: its requests are served, and their residents may rate or dispute it."""
    requests = inside(tx, project)
    for request in requests:
        request.status = follow(REQUEST, "request", request.status, "serve")
        request.served_at = project.delivered_at
        tx.tell(RequestServed(**telling.request_state(request)))
        fate.serve(tx, request)
    save(tx.session, requests)


def take_back(tx: Transaction, project: Project) -> None:
    """The project is nobody's any more: its requests wait with it."""
    accepted = [request for request in inside(tx, project) if request.status == "accepted"]
    gather(tx, project, accepted, again=True)
    for request in accepted:
        fate.fall_back(tx, request)


def count(tx: Transaction, project: Project) -> None:
    """Count the requests inside a project and the residents who asked, each once as far as it is known who they are."""
    tx.session.flush()
    requests = inside(tx, project)
    project.requests = [request.id for request in requests]
    following = (col(Request.merged_into).in_(project.requests), col(Request.status).in_(fate.FOLLOWING))
    residents = residents_of(tx.session, requests, *following)
    project.beneficiaries = len(frozenset[str]().union(*residents.values()))
    tx.session.add(project)


def count_again(tx: Transaction, held: Sequence[Project]) -> None:
    """Count these projects again, after requests left them or were joined by others; those that change tell so."""
    for project in held:
        if project.status not in ("proposed", "opened", "assigned"):
            continue
        before = (project.requests, project.beneficiaries)
        count(tx, project)
        if before != (project.requests, project.beneficiaries):
            tell(tx, ProjectChanged, project)


def count_reached(tx: Transaction, held: Sequence[Project]) -> None:
    """Count these delivered projects again, after somebody who was served with them disputes it, or does no longer: whoever
    is served again elsewhere is counted there. Those that change tell so."""
    for project in held:
        with_it = or_(col(Request.project) == project.id, col(Request.merged_into).in_(project.requests))
        served = select(Request.resident, Request.id).where(
            with_it, Request.served_at == project.delivered_at, col(Request.status).in_(REACHED)
        )
        reached = len({resident or id for resident, id in tx.session.exec(served)})
        if reached != project.beneficiaries:
            project.beneficiaries = reached
            tx.session.add(project)
            tell(tx, ProjectChanged, project)


def set_deadline(tx: Transaction, project: Project) -> None:
    """Let the project be overdue once its deadline's day is over where the community lives."""
    if project.deadline is None or project.status not in ("opened", "assigned"):
        tx.unschedule(PROJECT_DUE, project.id)
        return
    due_at = datetime.combine(project.deadline + timedelta(days=1), time(), CIVIL_TIME)
    project.overdue = project.overdue and due_at <= tx.now(project.community)
    tx.schedule(PROJECT_DUE, project.id, project.community, due_at)
