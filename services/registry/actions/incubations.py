"""Incubation in five steps, 孵化申请 → 初期测评 → 实施孵化 → 中期评估 → 孵化终结. Early ends: `departures`."""

from __future__ import annotations

from sqlmodel import func, select

from services.registry import rules
from services.registry.actions.channels import open_channel_of
from services.registry.actions.organizations import (
    hold_own,
    open_incubation,
    register,
    take_under_wing,
)
from services.registry.actions.rows import decide, hold_with_organization
from services.registry.models import Expert, Incubation, Organization
from services.registry.views.base import Reason
from services.registry.views.incubations import IncubationApplication, IncubationReturn, IncubationScores, IncubationView
from shared.access import Caller
from shared.events import registry as facts
from shared.identifiers import new_id
from shared.lifecycle import follow
from shared.messaging import Transaction
from shared.problems import Conflict, Forbidden, Invalid


def apply_for_incubation(tx: Transaction, caller: Caller, application: IncubationApplication) -> IncubationView:
    """Take in a group's application to be incubated; tells incubation.applied. Raises Conflict for an organization that is
    registered or gone, and where it is in incubation already."""
    organization = hold_own(tx, caller, application.organization, "organization")
    if organization.status not in ("applied", "incubating"):
        detail = "Incubation is for a group that applied and is not registered yet."
        raise Conflict(f"organization-{organization.status}", detail, "organization")
    if open_incubation(tx, organization.id):
        raise Conflict("incubation-open", "This group is being incubated already.", "organization")
    earlier = select(func.count()).select_from(Incubation).where(Incubation.organization == organization.id)
    incubation = Incubation(
        id=new_id(),
        community=organization.community,
        organization=organization.id,
        attempt=tx.session.exec(earlier).one() + 1,
        step=follow(rules.INCUBATION, "incubation", "new", "apply"),
        status="open",
        applied_at=tx.now(organization.community),
    )
    tx.session.add(incubation)
    tx.tell(incubation_state(facts.IncubationApplied, incubation))
    return _view(incubation)


def score_incubation(tx: Transaction, caller: Caller, incubation_id: str, given: IncubationScores) -> IncubationView:
    """Score criteria of the step an incubation stands at; tells nothing. Raises Invalid for a criterion the step does not have,
    Conflict where the incubation has ended, Forbidden for an expert who is not enrolled or has an interest in the group."""
    incubation = _hold(tx, caller, incubation_id)
    if caller.role == "expert":
        _check_impartial(tx, caller, incubation)
    follow(rules.INCUBATION, "incubation", rules.standing(incubation.step, incubation.status), "advance")
    rules.check_scores(incubation.step, given.scores)
    incubation.scores = incubation.scores | given.scores
    return _view(incubation)


def advance_incubation(tx: Transaction, caller: Caller, incubation_id: str, why: Reason) -> IncubationView:
    """Open the next gate; tells incubation.advanced, and with the first one org.incubating. The last one completes the
    incubation and registers the group: incubation.completed, org.registered. Raises Conflict where a criterion has no score,
    at the conclusion while the green channel is open, and for a group formed around talents that none of them founded."""
    incubation = _hold(tx, caller, incubation_id)
    organization = tx.session.get_one(Organization, incubation.organization)
    after = follow(rules.INCUBATION, "incubation", rules.standing(incubation.step, incubation.status), "advance")
    score = rules.gate_score(incubation.step, incubation.scores)
    if after == "completed" and open_channel_of(tx, organization.id):
        detail = "Registration standards are still unmet; the green channel comes to its end first."
        raise Conflict("standards-unmet", detail, "status")
    _decide(tx, caller, incubation, "advance", why.reason)
    incubation.score, incubation.scores = score, {}
    if after == "completed":
        incubation.status, incubation.ended_at = after, tx.now(incubation.community)
        tx.tell(incubation_state(facts.IncubationCompleted, incubation))
        register(tx, organization, "graduate")
        return _view(incubation)
    incubation.step = after
    tx.tell(incubation_state(facts.IncubationAdvanced, incubation))
    if organization.status == "applied":
        take_under_wing(tx, organization)
    return _view(incubation)


def return_incubation(tx: Transaction, caller: Caller, incubation_id: str, back: IncubationReturn) -> IncubationView:
    """Send an incubation back to an earlier step, which is scored anew; tells incubation.returned. Raises Invalid for a step
    that is not earlier, Conflict where the incubation has ended."""
    incubation = _hold(tx, caller, incubation_id)
    steps = list(rules.GATES)
    step = follow(rules.INCUBATION, "incubation", rules.standing(incubation.step, incubation.status), "return")
    if steps.index(back.to) > steps.index(step):
        raise Invalid("to", f"The step {back.to!r} is not before {incubation.step!r}.", "step-not-earlier")
    while step != back.to:
        step = follow(rules.INCUBATION, "incubation", step, "return")
    _decide(tx, caller, incubation, "return", back.reason)
    incubation.step, incubation.scores = step, {}
    tx.tell(incubation_state(facts.IncubationReturned, incubation))
    return _view(incubation)


def end_incubation(tx: Transaction, caller: Caller, incubation: Incubation, verb: str, reason: str) -> None:
    """Fail or withdraw an incubation; tells incubation.failed or incubation.withdrawn. Raises Conflict where it has ended."""
    after = follow(rules.INCUBATION, "incubation", rules.standing(incubation.step, incubation.status), verb)
    _decide(tx, caller, incubation, verb, reason)
    incubation.status, incubation.ended_at, incubation.scores = after, tx.now(incubation.community), {}
    fact = facts.IncubationFailed if verb == "fail" else facts.IncubationWithdrawn
    tx.tell(incubation_state(fact, incubation))


def incubation_state(fact: type[facts.IncubationState], incubation: Incubation) -> facts.IncubationState:
    """A fact of an incubation's public state."""
    return fact.from_row(incubation)


def _decide(tx: Transaction, caller: Caller, incubation: Incubation, verdict: str, reason: str) -> None:
    if caller.role == "station" and caller.subject is None:
        detail = "A decision on an incubation is a person's, and this token names none; use one that was issued with a subject."
        raise Forbidden(detail)
    decide(tx, caller, "incubation", incubation, verdict, reason, step=incubation.step, scores=incubation.scores)


def _check_impartial(tx: Transaction, caller: Caller, incubation: Incubation) -> None:
    expert = tx.session.get(Expert, caller.subject) if caller.subject else None
    if expert is None or expert.community != incubation.community or expert.status != "enrolled":
        raise Forbidden("This token is not that of an expert enrolled in the community; ask its station.")
    if incubation.organization in expert.conflicts:
        raise Forbidden("You have an interest in this group, and so others score it.")


def _hold(tx: Transaction, caller: Caller, incubation_id: str) -> Incubation:
    incubation = hold_with_organization(tx, Incubation, "incubation", incubation_id)
    caller.belongs_to(incubation.community)
    return incubation


def _view(incubation: Incubation) -> IncubationView:
    return IncubationView.model_validate(incubation, from_attributes=True)
