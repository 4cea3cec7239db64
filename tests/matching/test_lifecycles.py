"""The life cycles of projects, claim meetings, objections and questions: what their tables have is done and told once, what
they do not have is refused and told to nobody."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from httpx import Response

from services.matching import rules
from services.matching.models import Project
from shared.events.examples import example
from shared.events.feedback import EvaluationSessionPublished
from shared.messaging.testing import Harness
from tests.contracts.lifecycle import Life, Subject
from tests.matching.conftest import Desk
from tests.matching.given import PLUMBING, Town

REASON = {"reason": "服务站商量后决定"}
CLAIMANTS = ("甲", "乙")
numbers = count(1)


def a_desk(matching: Harness) -> Desk:
    """The desk of a community of its own, with organizations that may carry a project."""
    desk = Desk(matching, Town())
    carriers = [fact for name in CLAIMANTS for fact in (desk.town.organization(name), desk.town.agreement(name, PLUMBING))]
    matching.hear(desk.town.opened(), desk.town.taxonomy(), *carriers)
    return desk


def post(desk: Desk, path: str, body: Any = None, of: str | None = None, method: str = "POST") -> Response:
    headers = desk.station if of is None else desk.of(of)
    answer: Response = desk.matching.client.request(method, f"/api/matching/{path}", headers=headers, json=body)
    return answer


def project(matching: Harness) -> Life:
    desk = a_desk(matching)

    def bear() -> Subject:
        id = desk.propose()["id"]
        path = f"projects/{id}"

        def row() -> Project:
            (found,) = [one for one in matching.rows(Project) if one.id == id]
            return found

        def prepare(status: str, verb: str) -> None:
            if status != "opened":
                return
            meeting = row().meeting
            if verb in ("claim", "withdraw the claim of", "assign"):
                meeting = meeting or desk.meet(id)
                standing = any(claim["status"] == "standing" for claim in desk.project(id).get("claims") or ())
                if verb != "claim" and not standing:
                    desk.claim("甲", id)
                if verb == "claim" and standing:
                    desk.ask(f"{path}/claim-withdrawal", of="甲")
                if verb == "assign":
                    desk.done(f"meetings/{meeting}/conclusion")
            elif meeting is not None:
                desk.done(f"meetings/{meeting}/cancellation")

        def do(verb: str) -> Response | None:
            if verb == "change":
                return post(desk, path, {"title_en": f"Repairs {next(numbers)}"}, method="PATCH")
            if verb == "claim":
                return post(desk, f"{path}/claims", {"wish": 1, "capacity": 1}, of="甲")
            if verb == "withdraw the claim of":
                return post(desk, f"{path}/claim-withdrawal", of="甲")
            if verb == "assign":
                return post(desk, f"meetings/{row().meeting}/confirmation")
            if verb == "evaluate":
                published = example(EvaluationSessionPublished).data.model_dump()
                about = {"community": desk.town.community, "project": id, "session": f"session of {id}"}
                matching.hear(EvaluationSessionPublished(**published | about))
                return None
            route = {"open": "opening", "deliver": "delivery", "close": "closing", "reopen": "reopening"}[verb]
            return post(desk, f"{path}/{route}", REASON if verb in ("close", "reopen") else None)

        return Subject(id, do, prepare)

    return Life(matching, rules.PROJECT, bear, "proposed", brought=("assign", "evaluate"))


def claimed(desk: Desk) -> tuple[str, str]:
    """A project that both organizations claim at a meeting after which there is time to object; the project's id and the
    meeting's."""
    id = desk.opened()
    meeting = desk.meet(id, objection_days=2)
    for name in CLAIMANTS:
        assert desk.claim(name, id).is_success
    desk.done(f"meetings/{meeting}/conclusion")
    return id, meeting


def meeting(matching: Harness) -> Life:
    def bear() -> Subject:
        desk = a_desk(matching)
        project = desk.opened()
        id = desk.schedule(project, objection_days=2)
        objections: list[str] = []

        def prepare(status: str, verb: str) -> None:
            if status == "opened" and verb == "conclude":
                for name in CLAIMANTS:
                    desk.claim(name, project)
            if status == "concluded" and verb == "conclude again" and not objections:
                terms = {"project": project, "reason": "不公"}
                objections.append(desk.done(f"meetings/{id}/objections", terms, of="甲")["id"])
            if status == "concluded" and verb == "confirm":
                while objections:
                    desk.done(f"objections/{objections.pop()}/decision", {"upheld": False, "reason": "维持"})
                matching.hear(desk.town.clock_moved(timedelta(days=3)))

        def do(verb: str) -> Response:
            if verb == "change":
                return post(desk, f"meetings/{id}", {"title_en": f"Meeting {next(numbers)}"}, method="PATCH")
            if verb == "conclude again":
                return post(
                    desk, f"objections/{objections.pop() if objections else 'none'}/decision", REASON | {"upheld": True}
                )
            route = {"open": "opening", "cancel": "cancellation", "conclude": "conclusion", "confirm": "confirmation"}[verb]
            return post(desk, f"meetings/{id}/{route}")

        return Subject(id, do, prepare)

    return Life(matching, rules.MEETING, bear, "scheduled")


def objection(matching: Harness) -> Life:
    desk = a_desk(matching)

    def bear() -> Subject:
        project, meeting = claimed(desk)
        id = desk.done(f"meetings/{meeting}/objections", {"project": project, "reason": "不公"}, of="甲")["id"]

        def do(verb: str) -> Response:
            return post(desk, f"objections/{id}/decision", REASON | {"upheld": verb == "uphold"})

        return Subject(id, do)

    return Life(matching, rules.OBJECTION, bear, "raised")


def question(matching: Harness) -> Life:
    desk = a_desk(matching)
    project = desk.opened()
    meeting = desk.schedule(project)

    def bear() -> Subject:
        asked = {"project": project, "text": "几位老人？"}
        id = desk.done(f"meetings/{meeting}/questions", asked, of="乙")["id"]
        route = {"answer": "answer", "correct": "correction"}
        return Subject(id, lambda verb: post(desk, f"questions/{id}/{route[verb]}", {"text": f"{next(numbers)} 位"}))

    return Life(matching, rules.QUESTION, bear, "asked")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a table of transitions says is not the database's
@pytest.mark.parametrize("of", [project, meeting, objection, question], ids=lambda of: of.__name__)
def test_what_the_table_has_is_done_and_told_once_and_nothing_else(matching: Harness, of: Callable[[Harness], Life]) -> None:
    life = of(matching)
    assert life.try_everything() == len(life.verbs) * len({*life.cycle.values(), life.born})
    if of is not project:  # that a delivered one is closed, the status does not say; projects wander in another test
        life.wander(examples=5)
    assert matching.dead_letters() == []
