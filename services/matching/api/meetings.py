"""Claim meetings over HTTP."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Query

from services.matching import actions, allocate, queries
from services.matching.api.parameters import CommunityId
from services.matching.views import (
    AllocationView,
    AnswerTerms,
    DecisionTerms,
    MeetingChanges,
    MeetingDetail,
    MeetingTerms,
    MeetingView,
    ObjectionTerms,
    ObjectionView,
    PairLiftTerms,
    PairTerms,
    PairView,
    QuestionTerms,
    QuestionView,
    RehearsalView,
)
from shared.access import Caller, allow
from shared.events.words import MeetingStatus
from shared.problems import Conflict
from shared.web import EDGE, PAGE_REQUEST, Edge, Page, PageRequest

router = APIRouter()
Round = Annotated[int | None, Query(ge=1, le=1000, description="The first when the bell rang; further ones after objections.")]


@router.post("/meetings", status_code=201, tags=["meetings"])
def schedule_meeting(body: MeetingTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Announce a claim meeting, with the seed that settles ties and the projects published to it."""
    return edge.run(actions.meetings.schedule_meeting, caller, body)


@router.get("/meetings", tags=["meetings"])
def list_meetings(
    community: CommunityId,
    status: MeetingStatus | None = None,
    page: PageRequest = PAGE_REQUEST,
    caller: Caller = allow("anyone"),
    edge: Edge = EDGE,
) -> Page[MeetingView]:
    """The claim meetings of a community, oldest first."""
    return edge.read(queries.meetings.list_meetings, community, status, page)


@router.get("/meetings/{id}", tags=["meetings"])
def get_meeting(id: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> MeetingDetail:
    """A claim meeting with its questions and answers and, once it is concluded, what became of every claim and why."""
    return edge.read(queries.meetings.get_meeting, id)


@router.patch("/meetings/{id}", tags=["meetings"])
def change_meeting(id: str, body: MeetingChanges, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Change a meeting that was not opened yet, or which projects are published to it."""
    return edge.run(actions.meetings.change_meeting, caller, id, body)


@router.post("/meetings/{id}/questions", status_code=201, tags=["meetings"])
def ask_question(id: str, body: QuestionTerms, caller: Caller = allow("organization"), edge: Edge = EDGE) -> QuestionView:
    """Ask about a project of the meeting, for all to read."""
    return edge.run(actions.claims.ask_question, caller, id, body)


@router.post("/questions/{id}/answer", tags=["meetings"])
def answer_question(id: str, body: AnswerTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> QuestionView:
    """Answer a question, for all to read."""
    return edge.run(actions.claims.answer_question, caller, id, body)


@router.post("/questions/{id}/correction", tags=["meetings"])
def correct_answer(id: str, body: AnswerTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> QuestionView:
    """Correct the answer to a question, for all to read; the one before stays there (`earlier`). Tells `question.corrected`.
    409 `question-asked`, `answer-unchanged`."""
    return edge.run(actions.claims.correct_answer, caller, id, body)


@router.post("/meetings/{id}/opening", tags=["meetings"])
def open_meeting(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Open the meeting, not before its published time: organizations claim, and withdraw, until the bell."""
    return edge.run(actions.meetings.open_meeting, caller, id)


@router.post("/meetings/{id}/pairs", status_code=201, tags=["meetings"])
def pair(id: str, body: PairTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> PairView:
    """Pin or forbid a claim that stands, with a reason for all to read. Nobody is given what it did not claim."""
    return edge.run(actions.meetings.pair, caller, id, body)


@router.post("/meetings/{id}/pair-lifting", tags=["meetings"])
def lift_pair(id: str, body: PairLiftTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> PairView:
    """Let a claim no longer be pinned or forbidden, before the bell."""
    return edge.run(actions.meetings.lift_pair, caller, id, body)


@router.post("/meetings/{id}/conclusion", tags=["meetings"])
def conclude_meeting(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Ring the bell: the projects are allocated among the claims that stand, every claim with its reason."""
    # Solved before the transaction, which holds up every other writer; it is used if the claims are still the same then.
    instance = edge.read(queries.meetings.standing_at_present, caller, id).instance
    try:
        solved = instance, allocate.solve(instance)
    except allocate.Unsolvable:
        solved = None
    return edge.run(actions.meetings.conclude_meeting, caller, id, solved)


@router.get("/meetings/{id}/allocation", tags=["meetings"])
def get_allocation(id: str, round: Round = None, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> AllocationView:
    """What was solved last (or in a round) and what came out, word for word, so that anybody can do it again."""
    return edge.read(queries.meetings.get_allocation, id, round)


@router.get("/meetings/{id}/allocation/instance.json", tags=["meetings"])
def get_instance(id: str, round: Round = None, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> dict[str, Any]:
    """What was solved, as a file: with the result, `fenghe allocate --check instance.json result.json` proves it."""
    return edge.read(queries.meetings.get_allocation, id, round).instance


@router.get("/meetings/{id}/allocation/result.json", tags=["meetings"])
def get_result(id: str, round: Round = None, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> dict[str, Any]:
    """What came out, as a file: with its certificate."""
    return edge.read(queries.meetings.get_allocation, id, round).result


@router.get("/meetings/{id}/rehearsal", tags=["meetings"])
def rehearse_meeting(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> RehearsalView:
    """What would come out if the bell rang now, for the station to look at. It binds nobody: nothing is kept or told."""
    standing = edge.read(queries.meetings.standing_at_present, caller, id)
    instance = standing.instance
    try:
        result = allocate.solve(instance)
    except allocate.Unsolvable as error:
        raise Conflict("allocation-impossible", f"The claims cannot be allocated: {error}.", "pairs") from None
    return edge.read(queries.meetings.rehearsal, id, standing, instance, result)


@router.post("/meetings/{id}/objections", status_code=201, tags=["meetings"])
def raise_objection(id: str, body: ObjectionTerms, caller: Caller = allow("organization"), edge: Edge = EDGE) -> ObjectionView:
    """Object, within the published time, to how a project was allocated that one's organization had claimed."""
    return edge.run(actions.meetings.raise_objection, caller, id, body)


@router.get("/meetings/{id}/objections", tags=["meetings"])
def list_objections(id: str, caller: Caller = allow("organization", "station"), edge: Edge = EDGE) -> list[ObjectionView]:
    """The objections to the result: all of them for the station, its own for an organization."""
    return edge.read(queries.meetings.list_objections, caller, id)


@router.post("/objections/{id}/decision", tags=["meetings"])
def decide_objection(id: str, body: DecisionTerms, caller: Caller = allow("station"), edge: Edge = EDGE) -> ObjectionView:
    """Decide on an objection. Where it is upheld, the award is ruled out and the same claims are allocated anew."""
    allocate.load_library()
    return edge.run(actions.meetings.decide_objection, caller, id, body)


@router.post("/meetings/{id}/confirmation", tags=["meetings"])
def confirm_meeting(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Let the result hold, once the time to object is over and every objection is decided: the projects are assigned."""
    return edge.run(actions.meetings.confirm_meeting, caller, id)


@router.post("/meetings/{id}/cancellation", tags=["meetings"])
def cancel_meeting(id: str, caller: Caller = allow("station"), edge: Edge = EDGE) -> MeetingView:
    """Call the meeting off before the bell; its projects wait for another."""
    return edge.run(actions.meetings.cancel_meeting, caller, id)
