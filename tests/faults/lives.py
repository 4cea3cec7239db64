"""T1 on the four services: whole life cycles over HTTP, requests, projects and ratings, while any of the services is killed at
random. What becomes of them is judged by `judge_lives.py`."""

from __future__ import annotations

import random
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import httpx
import redis

from deploy.season.deployment import SERVICES, Deployment, Refused, SeasonError
from deploy.services import load
from shared.access import load_signer, make_keys
from shared.messaging.streams import stream_of
from shared.settings import Settings
from tests.faults.judge import judge
from tests.faults.judge_lives import Lives, Rating, of_lives
from tests.faults.replica import Replica
from tests.faults.row import Row
from tests.faults.substrates import Ground, Substrate
from tests.registry.given import COMPOUNDS, TAXONOMY

ORGANIZATIONS = 3
AT_ONCE = 8
LASTS = 30.0
"""Seconds; the small form is one round."""
PATIENCE = 120.0
FACTS_BETWEEN = (3, 12)
"""So many facts are told between two kills: however slow the machine is, it gets on."""
TEXT = "老人中午吃饭咋整"


class Streets:
    """The four services, each a process that may be killed, as one client sees them. A context manager."""

    def __init__(self, ground: Ground, folder: Path, seed: str) -> None:
        make_keys(folder / "keys")
        self._folder, self._seed = folder, seed
        self.settings = {
            name: Settings(
                database_url=ground.database(name, load(name).metadata),
                redis_url=ground.server.url,
                token_keys=str(folder / "keys" / "tokens.jwks.json"),
                signing_key=str(folder / "keys" / f"{name}.key.json") if name in ("registry", "matching") else "",
                sole=True,
                sweep_age=0.5,
                claim_idle=1,
            )
            for name in SERVICES
        }
        self._signer = load_signer(str(folder / "keys" / "registry.key.json"))
        self._lock = threading.Lock()
        self._sent_to: Mapping[str, Path] = {}
        self.replicas: dict[str, Replica] = {}

    def __enter__(self) -> Streets:
        for name in SERVICES:
            self.start(name)
        return self

    def __exit__(self, *_: object) -> None:
        for replica in self.replicas.values():
            replica.kill()

    def start(self, name: str) -> None:
        """Start a service, in the place of one that has ended."""
        fresh = Replica(self.settings[name], "", f"{self._seed} {name}", self._folder, name)
        with self._lock:
            self.replicas[name] = fresh
        fresh.wait()

    def send_to(self, addresses: Mapping[str, Path]) -> None:
        """Let others answer from now on."""
        self._sent_to = addresses

    def token(self, **claims: Any) -> str:
        """A token of registry's."""
        return self._signer.sign(**claims)

    def request(self, method: str, path: str, **more: Any) -> httpx.Response:
        """As `httpx.Client.request`; whose route it is answers. Raises httpx.TransportError."""
        with self._lock:
            name = path.split("/")[2]
            address = self._sent_to.get(name) or self.replicas[name].address
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(address)), base_url="http://street", timeout=15) as client:
            return client.request(method, path, **more)


class Town:
    """A community in which people live. Each of its methods is one life cycle, from its beginning to its end."""

    rehearsal = False

    def __init__(self, streets: Streets, seed: str) -> None:
        self._deployment = Deployment(streets, seed, patience=PATIENCE, quiet_within=PATIENCE)
        self._streets = streets
        self.ratings: list[Rating] = []
        self.requests: list[str] = []
        self.projects: list[str] = []

    @property
    def repeats(self) -> int:
        """Calls that were not answered, and made again."""
        return self._deployment.repeats

    def open(self) -> None:
        """Open the community; its organizations join, sign agreements and publish offers."""
        self.operator = self._streets.token(role="operator")
        terms: dict[str, Any] = {"slug": "fenghe", "name_zh": "丰和社区", "name_en": "Fenghe", "compounds": COMPOUNDS}
        terms["rehearsal"] = self.rehearsal
        post = self._deployment.post
        self.community = post("/api/registry/communities", "community", terms, self.operator)["id"]
        self.station = self._streets.token(role="station", community=self.community, subject="station")
        self._deployment.put(f"/api/registry/communities/{self.community}/taxonomy", "taxonomy", TAXONOMY, self.station)
        self.organizations = {}
        for number in range(ORGANIZATIONS):
            named = {"name_zh": f"助老中心{number}", "name_en": f"Elders {number}", "organization_class": "public-welfare"}
            applies = {"community": self.community, "introduction_zh": "助老。", "introduction_en": "Meals.", **named}
            id = post("/api/registry/organizations", f"organization {number}", applies)["id"]
            post(f"/api/registry/organizations/{id}/registration", id, None, self.station)
            term = {"starts_on": "2020-01-01", "ends_on": "2999-12-31"}
            agreed = {"organization": id, "categories": ["elderly"], **term}
            post("/api/registry/agreements", id, agreed, self.station)
            titles = {"title_zh": "送餐到家", "title_en": "Lunch", "standard_zh": "三菜一汤。", "standard_en": "A warm meal."}
            fee = {"fee_mode": "free", "price": None, "unit": "person", "area": None, "hours": "Mo-Fr 10:30-12:30"}
            offered = {"organization": id, "item": "meal-service", "weekly_capacity": 10_000, **titles, **fee}
            post("/api/registry/offers", id, offered, self.station)
            self.organizations[id] = self._streets.token(role="organization", community=self.community, organization=id)
        self.quiet()

    def request(self, number: int, stars: int) -> None:
        """A request is submitted, matched, accepted, served, rated and closed."""
        post = self._deployment.post
        id, link, organization = self._ask(f"request {number}", TEXT)
        self.requests.append(id)
        token = self.organizations[organization]
        mine = self._deployment.pages("/api/matching/referrals", token, status="made")
        referral = next(one["id"] for one in mine if one["request"] == id)
        for verb in ("acceptance", "delivery"):
            post(f"/api/matching/referrals/{referral}/{verb}", referral, None, token)
        self._until(lambda: self._rate(number, link, stars), bool)
        self.ratings.append(Rating(organization, stars))
        post(f"/api/matching/requests/{id}/closing", id, {}, link)

    def ask(self, name: str, text: str) -> str:
        """A request is submitted and matched, no more; its id."""
        id, _, _ = self._ask(name, text)
        return id

    def _ask(self, name: str, text: str) -> tuple[str, str, str]:
        body = {"community": self.community, "compound": "heping-lane", "text": text}
        taken = self._deployment.post("/api/matching/requests", name, body)
        id, link = taken["id"], taken["link"]
        seen = self._until(
            lambda: self._deployment.get(f"/api/matching/requests/{id}", link), lambda view: view["organization"]
        )
        return id, link, seen["organization"]

    def project(self, number: int) -> None:
        """A project is proposed, and all organizations claim it at once at a meeting, at which the bell rings twice."""
        post = self._deployment.post
        titles = {"title_zh": f"助餐{number}", "title_en": f"Meals {number}", "scope_zh": "上门", "scope_en": "At home"}
        terms = {"community": self.community, "category": "elderly", "items": ["meal-service"], **titles}
        id = post("/api/matching/projects", f"project {number}", terms, self.station)["id"]
        post(f"/api/matching/projects/{id}/opening", id, None, self.station)
        named = {"title_zh": "认领大会", "title_en": "Claim meeting", "starts_at": "2020-01-01T09:00:00+08:00"}
        held = {"community": self.community, "projects": [id], "seed": number, "objection_days": 0, **named}
        meeting = post("/api/matching/meetings", f"meeting {number}", held, self.station)["id"]
        post(f"/api/matching/meetings/{meeting}/opening", meeting, None, self.station)
        with ThreadPoolExecutor(ORGANIZATIONS) as pool:
            claims = [
                pool.submit(post, f"/api/matching/projects/{id}/claims", token[-20:], {"wish": 1}, token)
                for token in self.organizations.values()
            ]
        for claim in claims:
            claim.result()
        for verb in ("conclusion", "confirmation"):
            for once_more in ("", " again"):
                with suppress(Refused):  # it is told that it was done
                    post(f"/api/matching/meetings/{meeting}/{verb}", meeting + once_more, None, self.station)
        self.projects.append(id)

    def leave(self) -> None:
        """Let nobody wait any longer for services that are gone."""
        self._deployment.stop()

    def quiet(self) -> None:
        """Wait until everything that was set going has come to its end."""
        self._deployment.quiet()

    def _rate(self, number: int, link: str, stars: int) -> bool:
        try:
            self._deployment.post("/api/feedback/ratings", f"rating {number}", {"stars": stars}, link)
            return True
        except Refused as refused:
            if refused.kind != "not-served":  # feedback has not heard of it yet
                raise
            return False

    def _until(self, look: Callable[[], Any], wanted: Callable[[Any], Any]) -> Any:
        deadline = time.monotonic() + PATIENCE
        while not wanted(seen := look()):
            if time.monotonic() > deadline:
                raise SeasonError(f"still waited for after {PATIENCE:.0f} s: {seen}")
            time.sleep(0.02)
        return seen


def live_through_kills(substrate: Substrate, seed: int, small: bool) -> Row:
    """Round after round of life cycles, several at once, while one service after the other is killed."""
    row = Row("T1", "kill -9 of the four services", str(substrate))
    chance = random.Random(f"{seed} lives {substrate}")
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        ground = stack.enter_context(substrate.new(folder))
        streets = stack.enter_context(Streets(ground, folder, f"{seed}"))
        stream = stack.enter_context(redis.Redis.from_url(ground.server.url))
        town = Town(streets, f"{seed} {substrate}")
        stack.callback(town.leave)
        town.open()
        strike_while(lambda: _live(town, random.Random(f"{seed} stars"), small, row), streets, stream, chance, row)
        seen = Lives(
            community=town.community,
            station=town.station,
            organizations=frozenset(town.organizations),
            requests=frozenset(town.requests),
            projects=frozenset(town.projects),
            ratings=tuple(town.ratings),
            addresses={name: replica.address for name, replica in streets.replicas.items()},
            redis_url=ground.server.url,
        )
        verdict = judge(seen, of_lives)
    row.acknowledged, row.lost, row.twice = verdict.acknowledged, len(verdict.lost), len(verdict.twice)
    row.client_errors = town.repeats
    row.remarks.append(f"{len(town.requests)} requests, {len(town.projects)} projects, {len(town.ratings)} ratings")
    row.notes += [*verdict.lost[:3], *verdict.twice[:3]]
    return row


def strike_while(live: Callable[[], None], streets: Streets, stream: Any, chance: random.Random, row: Row) -> None:
    """Let people live, and meanwhile kill one service after the other, each again after some facts."""
    living = threading.Thread(target=live, daemon=True)
    living.start()
    while living.is_alive():
        facts, name = chance.randint(*FACTS_BETWEEN), chance.choice(SERVICES)
        told = _told(stream)
        while living.is_alive() and _told(stream) < told + facts:
            time.sleep(0.01)
        if living.is_alive():
            row.tried.append(f"after {facts} facts SIGKILL to {name}")
            since = time.monotonic()
            streets.replicas[name].kill()
            streets.start(name)
            row.recovery = max(row.recovery, round(time.monotonic() - since, 2))
            row.times += 1


def _live(town: Town, chance: random.Random, small: bool, row: Row) -> None:
    deadline = time.monotonic() + (0 if small else LASTS)
    rounds = 0
    try:
        while not rounds or time.monotonic() < deadline:
            with ThreadPoolExecutor(AT_ONCE) as pool:
                lives = [
                    pool.submit(town.request, rounds * AT_ONCE + number, chance.randint(1, 5)) for number in range(AT_ONCE)
                ]
                lives.append(pool.submit(town.project, rounds))
            for life in lives:
                life.result()
            rounds += 1
        town.quiet()
    except Exception as error:
        row.notes.append(f"{type(error).__name__}: {error}")


def _told(stream: Any) -> int:
    return sum(stream.xlen(stream_of(name)) for name in SERVICES)
