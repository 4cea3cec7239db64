"""Clients of a deployment who never stop: residents who ask, organizations that accept and deliver, residents who rate.

Each call is repeated, under its `Idempotency-Key`, until it is acknowledged; what was acknowledged stands in the ledger.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

import httpx

from deploy.sample_community import load_sample
from deploy.season import Deployment, SeasonError
from deploy.season.deployment import Refused
from deploy.season.opening import Opened, open_community

T = TypeVar("T")

ITEM = "plumbing-electrical"
COMPOUNDS = ("heping-lane", "chuncheng-yard")
TEXTS = ("厨房水龙头一直漏水，想找人来修", "灯泡坏了，老人够不着", "插座不通电，帮忙看一下", "水管漏水，请帮忙修一修")
CLIENTS = 4
PATIENCE = 180.0
"""Seconds for which a call is repeated, and an effect waited for."""


@dataclass
class Life:
    """A request from its first to its last step: what was acknowledged of it, and when it began and ended (monotonic)."""

    number: int
    began: float
    id: str = ""
    link: str = ""
    organization: str = ""
    referral: str = ""
    steps: list[str] = field(default_factory=list)
    stars: int = 0
    ended: float | None = None


class Errors:
    """A client that counts the answers which should not have been: 5xx, and none."""

    def __init__(self, url: str) -> None:
        self._client = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._lock = threading.Lock()
        self.calls = 0
        self.seen: list[str] = []

    def request(self, method: str, path: str, **given: Any) -> httpx.Response:
        try:
            answer = self._client.request(method, path, **given)
        except httpx.TransportError as error:
            self._count(f"{method} {path}: {type(error).__name__}")
            raise
        self._count(f"{method} {path}: {answer.status_code}" if answer.status_code >= 500 else "")
        return answer

    def _count(self, error: str) -> None:
        with self._lock:
            self.calls += 1
            if error:
                self.seen.append(error)

    def close(self) -> None:
        self._client.close()


class Traffic:
    """A community of its own in a deployment, opened after `began` (Unix time), and clients in it. The ledger is `lives`."""

    def __init__(self, url: str, operator_token: str, clients: int = CLIENTS) -> None:
        self.began = time.time()
        self.errors = Errors(url)
        self.lives: list[Life] = []
        self.failures: list[str] = []
        self._clients = clients
        self._deployment = Deployment(self.errors, f"drills-{secrets.token_hex(4)}", patience=PATIENCE, quiet_within=PATIENCE)
        self._looking = httpx.Client(base_url=url, timeout=30, trust_env=False)
        self._watch = Deployment(self._looking, "watch", patience=PATIENCE, quiet_within=PATIENCE)
        self._lock = threading.Lock()
        self._ending = threading.Event()
        self._threads: list[threading.Thread] = []
        self.opened = self._open(operator_token)
        self._members = {member.id: member for member in self.opened.members.values()}

    def _open(self, operator_token: str) -> Opened:
        """The sample's organizations that repair lamps and taps, with room for everybody."""
        sample = load_sample()
        offers = tuple(replace(o, weekly_capacity=100_000, area=None) for o in sample.offers if o.item == ITEM)
        names = {offer.organization_zh for offer in offers}
        organizations = tuple(replace(o, parents=(), hub=False) for o in sample.organizations if o.name_zh in names)
        small = replace(
            sample,
            organizations=organizations,
            offers=offers,
            activities=(),
            talents=(),
            experts=(),
            projects=(),
            claims=(),
            incubations=(),
            terms=(),
        )
        return open_community(self._deployment, operator_token, small, self._deployment.run, rehearsal=False)

    @property
    def community(self) -> str:
        return self.opened.community

    def start(self) -> None:
        """Let the clients go on."""
        self._ending.clear()
        self._threads = [threading.Thread(target=self._go_on, daemon=True) for _ in range(self._clients)]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let every life that has begun come to its end, then wait until the deployment is quiet. Raises SeasonError."""
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=2 * PATIENCE)
        if any(thread.is_alive() for thread in self._threads):
            self.failures.append("a client did not come to its end")
        self._threads = []
        self._watch.quiet()

    def close(self) -> None:
        self._ending.set()
        for thread in self._threads:
            thread.join(timeout=5)
        self.errors.close()
        self._looking.close()

    def finished(self, since: float) -> int:
        """How many lives ended after a moment."""
        with self._lock:
            return sum(1 for life in self.lives if life.ended is not None and life.ended > since)

    def _go_on(self) -> None:
        while not self._ending.is_set():
            with self._lock:
                life = Life(len(self.lives), time.monotonic())
                self.lives.append(life)
            try:
                self._live(life)
            except (SeasonError, AssertionError) as error:
                self.failures.append(str(error))
                return

    def _live(self, life: Life) -> None:
        n, deployment = life.number, self._deployment
        body = {
            "community": self.community,
            "compound": COMPOUNDS[n % len(COMPOUNDS)],
            "text": TEXTS[n % len(TEXTS)],
        }
        answer = deployment.post("/api/matching/requests", f"life {n}", body)
        life.id, life.link = str(answer["id"]), str(answer["link"])
        life.steps.append("submitted")
        life.organization, life.referral = self._until(f"life {n} is referred", lambda: self._referral(life))
        token = self._members[life.organization].token
        path = f"/api/matching/referrals/{life.referral}"
        deployment.post(f"{path}/acceptance", f"life {n}", token=token)
        life.steps.append("accepted")
        deployment.post(f"{path}/delivery", f"life {n}", token=token)
        life.steps.append("served")
        stars = 3 + n % 3
        self._until(f"life {n} is heard to be served", lambda: self._rate(life, stars))
        life.stars = stars
        life.steps.append("rated")
        deployment.post(f"/api/matching/requests/{life.id}/closing", f"life {n}", token=life.link)
        life.steps.append("closed")
        life.ended = time.monotonic()

    def _referral(self, life: Life) -> tuple[str, str] | None:
        organization = self._deployment.get(f"/api/matching/requests/{life.id}", life.link)["organization"]
        if organization is None:
            return None
        made = self._deployment.pages(
            "/api/matching/referrals", self._members[organization].token, organization=organization, status="made"
        )
        return next(((organization, str(one["id"])) for one in made if one["request"] == life.id), None)

    def _rate(self, life: Life, stars: int) -> bool:
        body = {"stars": stars, "purpose": "service"}
        try:
            self._deployment.post("/api/feedback/ratings", f"life {life.number}", body, token=life.link)
        except Refused as refused:
            if refused.kind != "not-served":
                raise
            return False
        return True

    def _until(self, what: str, look: Callable[[], T | None]) -> T:
        deadline = time.monotonic() + PATIENCE
        while not (found := look()):
            if time.monotonic() > deadline:
                raise AssertionError(f"not within {PATIENCE:.0f} s: {what}")
            time.sleep(0.05)
        return found
