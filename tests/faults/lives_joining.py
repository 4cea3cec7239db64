"""T1 on the four services with the slower life cycles in the load: groups are incubated, sent back, fail and come again, or go
through the green channel; agreements are warned of, renewed and expire by the community's clock, and their offers with them;
requests are merged. Any of the services is killed at random meanwhile; `judge_joining.py` judges what became of it all."""

from __future__ import annotations

import random
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import timedelta
from pathlib import Path
from typing import Any

import redis

from deploy.season.calendar import Calendar
from shared import clock
from tests.faults.judge import judge
from tests.faults.judge_joining import Joined, of_joining
from tests.faults.lives import LASTS, TEXT, Streets, Town, strike_while
from tests.faults.row import Row
from tests.faults.substrates import Substrate

AT_ONCE = 2
"""Of each life cycle in a round."""
TERM, UNTIL_WARNED, UNTIL_ENDED = 60, 31, 62
"""Days of an agreement, and after how many of them it has been warned of (30 days before its end) and has ended."""
SENT_BACK = "mid-term"
REGISTRY = "/api/registry"
REASON = {"reason": "服务站商量后决定"}


class JoiningTown(Town):
    """A community whose clock is moved. `expected` has for every subject what must have been told of it, `standing` the path
    at which each thing is seen and the status it must have."""

    rehearsal = True

    def open(self) -> None:
        """Open the community; see when that is, and by what the gates of an incubation are judged."""
        super().open()
        self.calendar = Calendar(self._deployment, self.community, self.operator, clock.now())
        gates = self._deployment.get(f"{REGISTRY}/incubation-gates")
        self._gates = {gate["step"]: [criterion["id"] for criterion in gate["criteria"]] for gate in gates}
        self.guarantor = min(self.organizations)
        self.expected: dict[str, tuple[str, ...]] = {}
        self.standing: dict[str, str] = {}
        self.renewable: list[str] = []

    def incubated(self, number: int) -> None:
        """A group is incubated in five steps, and sent back once."""
        group = self._applies(f"孵化{number}")
        id = self._post("/incubations", group, {"organization": group})["id"]
        for step in self._gates:
            if step == SENT_BACK:
                self._post(f"/incubations/{id}/return", id, {"to": "incubation", **REASON})
                self._open_gate(id, "incubation", " again")
            self._open_gate(id, step)
        self._expect(id, "incubation", "applied", *["advanced"] * 3, "returned", *["advanced"] * 2, "completed")
        self._expect(group, "org", "applied", "incubating", "registered")
        self.standing[f"{REGISTRY}/organizations/{group}"] = "registered"

    def failed(self, number: int) -> None:
        """A group fails in its incubation, applies again and is registered."""
        group = self._applies(f"再来{number}")
        id = self._post("/incubations", group, {"organization": group})["id"]
        self._open_gate(id, "application")
        self._post(f"/incubations/{id}/failure", id, REASON)
        self._post(f"/organizations/{group}/application", group)
        self._post(f"/organizations/{group}/registration", group)
        self._expect(id, "incubation", "applied", "advanced", "failed")
        self._expect(group, "org", "applied", "incubating", "rejected", "applied", "registered")
        self.standing[f"{REGISTRY}/organizations/{group}"] = "registered"

    def helped(self, number: int) -> None:
        """A group serves under a provisional agreement until nothing is lacking any more, standard by standard."""
        group = self._applies(f"绿色通道{number}")
        standards = [{"name_zh": "固定场所", "name_en": "Premises"}, {"name_zh": "五十名会员", "name_en": "Fifty members"}]
        id = self._post("/green-channels", group, {"organization": group, "standards": standards})["id"]
        agreement = self._agrees(group, guarantor=self.guarantor)
        for position in (1, 2):
            path = f"{REGISTRY}/green-channels/{id}/standards/{position}"
            for change in ({"asked": "街道办事处"}, {"answer": "可以", "met": True}):
                self._deployment.patch(path, f"{id} {position} {' '.join(change)}", change, self.station)
        self._post(f"/agreements/{agreement}/ending", agreement, REASON)
        self._expect(id, "green-channel", "opened", *["advanced"] * 3, "completed")
        self._expect(group, "org", "applied", "incubating", "registered")
        self._expect(agreement, "agreement", "signed", "ended")
        self.standing[f"{REGISTRY}/green-channels/{id}"] = "completed"

    def agreed(self, number: int) -> None:
        """An organization serves by an agreement that ends soon; every second one is renewed in time."""
        id = self._applies(f"期限{number}")
        self._post(f"/organizations/{id}/registration", id)
        agreement = self._agrees(id)
        titles = {"title_zh": "陪伴", "title_en": "Company", "standard_zh": "每周。", "standard_en": "Weekly."}
        fee = {"fee_mode": "free", "price": None, "unit": "person", "area": None, "hours": "Mo-Fr 10:30-12:30"}
        offer = self._post("/offers", id, {"organization": id, "item": "home-care", "weekly_capacity": 5, **titles, **fee})[
            "id"
        ]
        self._expect(id, "org", "applied", "registered")
        is_renewed = number % 2
        if is_renewed:
            self.renewable.append(agreement)
        self._expect(agreement, "agreement", "signed", "expiring", "renewed" if is_renewed else "ended")
        self._expect(offer, "offer", "published", *(() if is_renewed else ("withdrawn",)))
        self.standing[f"{REGISTRY}/agreements/{agreement}"] = "in-force" if is_renewed else "ended"

    def merged(self, number: int) -> None:
        """The same need is asked for twice and merged; who asked first and who follows are served together."""
        one, other = (self._asks(f"{number} {place}") for place in "ab")
        post = self._deployment.post
        post(f"/api/matching/requests/{other['id']}/merging", other["id"], {"into": one["id"]}, self.station)
        organization = self._until(
            lambda: self._deployment.get(f"/api/matching/requests/{one['id']}", one["link"]), lambda view: view["organization"]
        )["organization"]
        token = self.organizations[organization]
        mine = self._deployment.pages("/api/matching/referrals", token, status="made")
        referral = next(referral["id"] for referral in mine if referral["request"] == one["id"])
        for verb in ("acceptance", "delivery"):
            post(f"/api/matching/referrals/{referral}/{verb}", referral, None, token)
        for request in (one, other):
            post(f"/api/matching/requests/{request['id']}/closing", request["id"], {}, request["link"])
            self.standing[f"/api/matching/requests/{request['id']}"] = "closed"
        for id, how in ((one["id"], "supported"), (other["id"], "merged")):
            self._expect(id, "request", "submitted", "classified", "matched", how, "accepted", "served", "closed")

    def let_time_pass(self) -> None:
        """Agreements are warned of, some are renewed, the others end."""
        today = self.calendar.day
        self.calendar.turn_to(today + UNTIL_WARNED)
        for agreement in self.renewable:
            self._post(f"/agreements/{agreement}/renewal", agreement, {"ends_on": "2999-12-31"})
        self.renewable.clear()
        self.calendar.turn_to(today + UNTIL_ENDED)

    def _applies(self, name: str) -> str:
        named = {"name_zh": name, "name_en": name, "organization_class": "mutual-aid"}
        introduced = {"introduction_zh": "互助。", "introduction_en": "Neighbours."}
        return str(self._post("/organizations", name, {"community": self.community, **named, **introduced})["id"])

    def _agrees(self, organization: str, **terms: Any) -> str:
        first = self.calendar.moment(self.calendar.day).date()
        term = {"starts_on": first.isoformat(), "ends_on": (first + timedelta(days=TERM)).isoformat()}
        agreed = {"organization": organization, "categories": ["elderly"], **term, **terms}
        return str(self._post("/agreements", organization, agreed)["id"])

    def _asks(self, key: str) -> dict[str, Any]:
        body = {"community": self.community, "compound": "heping-lane", "text": TEXT}
        taken = self._deployment.post("/api/matching/requests", key, body)
        path = f"/api/matching/requests/{taken['id']}"
        self._until(lambda: self._deployment.get(path, taken["link"]), lambda view: view["status"] == "matched")
        return taken

    def _open_gate(self, id: str, step: str, again: str = "") -> None:
        scores = {"scores": dict.fromkeys(self._gates[step], 80)}
        self._deployment.put(f"{REGISTRY}/incubations/{id}/scores", f"{id} {step}{again}", scores, self.station)
        self._post(f"/incubations/{id}/advancement", f"{id} {step}{again}", REASON)

    def _post(self, path: str, key: str, body: Any = None) -> dict[str, Any]:
        return self._deployment.post(f"{REGISTRY}{path}", key, body, self.station)

    def _expect(self, subject: str, of: str, *verbs: str) -> None:
        self.expected[subject] = tuple(f"fenghe.{of}.{verb}.v1" for verb in verbs)


def join_through_kills(substrate: Substrate, seed: int, small: bool) -> Row:
    """Round after round of life cycles, several at once, while one service after the other is killed."""
    row = Row("T1", "kill -9: joining, expiry, merging", str(substrate))
    chance = random.Random(f"{seed} joining {substrate}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder))
        streets = stack.enter_context(Streets(ground, folder, f"{seed}"))
        stream = stack.enter_context(redis.Redis.from_url(ground.server.url))
        town = JoiningTown(streets, f"{seed} {substrate}")
        stack.callback(town.leave)
        town.open()
        strike_while(lambda: _live(town, small, row), streets, stream, chance, row)
        seen = Joined(
            community=town.community,
            station=town.station,
            expected=town.expected,
            standing=town.standing,
            addresses={name: replica.address for name, replica in streets.replicas.items()},
            redis_url=ground.server.url,
        )
        verdict = judge(seen, of_joining)
    row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
    row.client_errors = town.repeats
    row.remarks.append(f"{len(town.expected)} lives, {town.calendar.day} days")
    row.notes += [*verdict.lost[:3], *verdict.twice[:3]]
    return row


def _live(town: JoiningTown, small: bool, row: Row) -> None:
    deadline = time.monotonic() + (0 if small else LASTS)
    lives: tuple[Callable[[int], None], ...] = (town.incubated, town.failed, town.helped, town.agreed, town.merged)
    rounds = 0
    try:
        while not rounds or time.monotonic() < deadline:
            with ThreadPoolExecutor(len(lives) * AT_ONCE) as pool:
                numbers = range(rounds * AT_ONCE, (rounds + 1) * AT_ONCE)
                living = [pool.submit(life, number) for number in numbers for life in lives]
            for life in living:
                life.result()
            town.let_time_pass()
            rounds += 1
        town.quiet()
    except Exception as error:
        row.notes.append(f"{type(error).__name__}: {error}")
