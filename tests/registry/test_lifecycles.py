"""Every life cycle of registry: what its table has is done and told once, what it does not have is refused."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta
from itertools import count
from typing import Any

import pytest
from httpx import Response

from services.registry import rules
from shared.messaging.testing import Harness
from tests.contracts.lifecycle import Life, Subject
from tests.registry.given import BASE, MET, Town

REASON = {"reason": "服务站商量后决定"}
numbers = count(1)


def organization(town: Town) -> Life:
    def bear() -> Subject:
        id = town.organization(name_zh=f"组织{next(numbers)}")
        channels: list[str] = []

        def do(verb: str) -> Response:
            if verb == "change":
                return town.try_patch(f"/organizations/{id}", {"introduction_en": f"Words {next(numbers)}"})
            if verb == "incubate":
                standards = [{"name_zh": "办公场地", "name_en": "An office"}]
                answer = town.try_post("/green-channels", {"organization": id, "standards": standards})
                if answer.is_success:
                    channels.append(answer.json()["id"])
                return answer
            if verb == "graduate":
                channel = channels[-1] if channels else "none"
                return town.try_patch(f"/green-channels/{channel}/standards/1", MET)
            route = {
                "apply": "application",
                "register": "registration",
                "reject": "rejection",
                "withdraw": "withdrawal",
                "suspend": "suspension",
                "reinstate": "reinstatement",
                "leave": "leaving",
            }[verb]
            return town.try_post(f"/organizations/{id}/{route}", None if verb in ("apply", "register") else REASON)

        return Subject(id, do)

    return Life(town.registry, rules.ORGANIZATION, bear, "applied")


def incubation(town: Town) -> Life:
    def bear() -> Subject:
        group = {"organization": town.organization(name_zh=f"小组{next(numbers)}")}
        id = town.post("/incubations", group)["id"]
        path = f"/incubations/{id}"

        def do(verb: str) -> Response:
            step = town.get(path, town.station)["step"]
            if verb == "advance":
                scores = {"scores": dict.fromkeys(rules.GATES[step][1], 80)}
                town.registry.client.put(f"{BASE}{path}/scores", json=scores, headers=town.station)
                return town.try_post(f"{path}/advancement", REASON)
            if verb == "return":
                steps = list(rules.GATES)
                return town.try_post(f"{path}/return", REASON | {"to": steps[max(steps.index(step) - 1, 0)]})
            return town.try_post(f"{path}/{ {'fail': 'failure', 'withdraw': 'withdrawal'}[verb] }", REASON)

        return Subject(id, do)

    return Life(town.registry, rules.INCUBATION, bear, "application", ways_in=("apply",))


def green_channel(town: Town) -> Life:
    def bear() -> Subject:
        group = town.organization(name_zh=f"队伍{next(numbers)}")
        terms = {"organization": group, "standards": [{"name_zh": "会员人数", "name_en": "Members"}]}
        id = town.post("/green-channels", terms)["id"]

        def do(verb: str) -> Response:
            if verb == "open":
                return town.try_post("/green-channels", terms)
            if verb == "close":
                return town.try_post(f"/green-channels/{id}/closing", REASON)
            change = MET if verb == "complete" else {"asked": f"街道办事处{next(numbers)}"}
            return town.try_patch(f"/green-channels/{id}/standards/1", change)

        return Subject(id, do)

    return Life(town.registry, rules.GREEN_CHANNEL, bear, "open")


def agreement(town: Town) -> Life:
    def bear() -> Subject:
        id = town.agreement(town.registered(name_zh=f"协会{next(numbers)}"), ends_on="2990-01-01")

        ends_on = date(2990, 1, 1)

        def do(verb: str) -> Response:
            nonlocal ends_on
            if verb == "renew":
                ends_on += timedelta(days=1)
                return town.try_post(f"/agreements/{id}/renewal", {"ends_on": str(ends_on)})
            return town.try_post(f"/agreements/{id}/ending", REASON)

        return Subject(id, do)

    return Life(town.registry, rules.AGREEMENT, bear, "in-force", ways_in=("sign",), by_itself=("warn",))


def offer(town: Town) -> Life:
    organization = town.registered(name_zh="菜单上的组织")
    town.agreement(organization)

    def bear() -> Subject:
        id = town.offer(organization)

        def do(verb: str) -> Response:
            if verb == "change":
                return town.try_patch(f"/offers/{id}", {"title_en": f"Lunch {next(numbers)}"})
            return town.try_post(f"/offers/{id}/withdrawal")

        return Subject(id, do)

    return Life(town.registry, rules.OFFER, bear, "published", ways_in=("publish",))


def expert(town: Town) -> Life:
    one, other = (town.registered(name_zh=f"有关的组织{next(numbers)}") for _ in range(2))

    def bear() -> Subject:
        id = town.post("/experts", {"community": town.id, "name": "专家", "categories": ["elderly"]})["id"]

        def do(verb: str) -> Response:
            if verb == "change":
                now = town.get(f"/experts/{id}", town.station)["conflicts"]
                return town.try_patch(f"/experts/{id}", {"conflicts": [other] if now == [one] else [one]})
            return town.try_post(f"/experts/{id}/leaving")

        return Subject(id, do)

    return Life(town.registry, rules.EXPERT, bear, "enrolled", ways_in=("enrol",))


def talent(town: Town) -> Life:
    def bear() -> Subject:
        id = town.post("/talents", {"community": town.id, "name": "退休木匠", "skills": ["leisure"]})["id"]
        joined: list[dict[str, str]] = []
        nowhere = {"organization": "nobody", "how": "joined"}

        def do(verb: str) -> Response:
            if verb == "link":
                joined.append({"organization": town.organization(name_zh=f"新组织{next(numbers)}"), "how": "joined"})
                return town.try_post(f"/talents/{id}/links", joined[-1])
            if verb == "unlink":
                return town.try_post(f"/talents/{id}/unlinking", joined.pop() if joined else nowhere)
            if verb == "change":
                now = town.get(f"/talents/{id}", town.station)["skills"]
                return town.try_patch(f"/talents/{id}", {"skills": ["elderly"] if now == ["leisure"] else ["leisure"]})
            return town.try_post(f"/talents/{id}/leaving")

        def prepare(status: str, verb: str) -> None:
            if verb == "unlink" and status == "enrolled" and not joined:
                do("link")

        return Subject(id, do, prepare)

    return Life(town.registry, rules.TALENT, bear, "enrolled", ways_in=("enrol",))


def activity(town: Town) -> Life:
    organization = town.registered(name_zh="办活动的组织")
    town.agreement(organization)

    def bear() -> Subject:
        id = town.post("/activities", town.activity_terms(organization))["id"]

        def do(verb: str) -> Response:
            if verb in ("hold", "correct"):
                people = {"beneficiaries": next(numbers)}
                return town.try_post(f"/activities/{id}/{ {'hold': 'holding', 'correct': 'correction'}[verb] }", people)
            return town.try_post(f"/activities/{id}/cancellation", REASON)

        return Subject(id, do)

    return Life(town.registry, rules.ACTIVITY, bear, "announced", ways_in=("announce",))


LIVES: list[Callable[[Town], Life]] = [organization, incubation, green_channel, agreement, offer, expert, talent, activity]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)  # what a table of transitions says is not the database's
@pytest.mark.parametrize("of", LIVES, ids=lambda of: of.__name__)
def test_what_the_table_has_is_done_and_told_once_and_nothing_else(registry: Harness, town: Town, of: Any) -> None:
    life = of(town)
    assert life.try_everything() >= 4
    life.wander()


def test_every_life_cycle_is_tried(town: Town) -> None:
    tables = {
        id(table)
        for table in vars(rules).values()
        if isinstance(table, dict) and any(isinstance(key, tuple) and key[0] == "new" for key in table)
    }
    assert tables == {id(of(town).cycle) for of in LIVES}
