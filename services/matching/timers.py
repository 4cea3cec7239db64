"""What matching does when the time has come."""

from __future__ import annotations

from services.matching import holding, learning, pairing, projects
from services.matching.models import Referral, Request
from shared.events.matching import ProjectOverdue
from shared.messaging import Timer, Timers, Transaction

timers = Timers()


@timers(holding.REFERRAL_DUE)
def expire_referral(tx: Transaction, timer: Timer) -> None:
    """An organization did not answer in time: the request goes to the next candidate."""
    holding.hold_shared(tx.session, [timer.community])
    referral = tx.session.get(Referral, timer.subject)
    if referral is None:
        return
    (request,) = holding.load(tx.session, Request.id == referral.request)
    tx.session.refresh(referral)
    if referral.status == "made":
        pairing.expire(tx, request, referral)


@timers(pairing.LOOK_AGAIN)
def look_again(tx: Transaction, timer: Timer) -> None:
    """Another day: what was full last week may have a place for those who found none."""
    holding.hold_shared(tx.session, [timer.community])
    pairing.match_again(tx, timer.community)


@timers(learning.FITTING)
def renew_model(tx: Transaction, timer: Timer) -> None:
    """Fit the community's next model, and read the requests that waited for it."""
    holding.hold_alone(tx.session, [timer.community])
    if learning.renew(tx, timer.community):
        pairing.pair_submitted(tx, [timer.community])


@timers(learning.NIGHTLY)
def learn_by_night(tx: Transaction, timer: Timer) -> None:
    """Learn what people said during the day."""
    learning.wish_for_model(tx, timer.community)


@timers(projects.PROJECT_DUE)
def note_overdue(tx: Transaction, timer: Timer) -> None:
    """A project's deadline has passed, and it was not delivered: the station decides what becomes of it."""
    project = projects.hold(tx, [timer.subject])[timer.subject]
    if project.status in ("opened", "assigned") and not project.overdue:
        project.overdue = True
        tx.session.add(project)
        projects.tell(tx, ProjectOverdue, project)
