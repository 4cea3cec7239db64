"""A deployment as a client sees it: calls that survive its restarts, pages, and waiting until it is quiet.

A POST carries an `Idempotency-Key` made of the run and a natural key, and is repeated with the same key while the server is
away, so that a call that was carried out but not answered is answered on the repeat and not carried out twice.
"""

from __future__ import annotations

import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_EXCEPTION, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

import httpx

from deploy.errors import CommandError

SERVICES = ("registry", "matching", "feedback", "notify")
AWAY = frozenset({502, 503, 504})
AT_ONCE = 8
PAGE = 200
KEEP_ALL = httpx.Limits(max_connections=None, max_keepalive_connections=None, keepalive_expiry=None)
"""httpx may close a connection that is above its limits just as another thread takes it; that thread's call then waits in vain
until its timeout (encode/httpcore #1110). A client that threads share has no limits."""

Progress = Callable[[str, int, int], None]
"""Called as (phase, done, total); `total` is 0 while it is unknown, as in waiting."""

ThingT = TypeVar("ThingT")
ResultT = TypeVar("ResultT")


class Client(Protocol):
    """What is needed of an `httpx.Client` (its base address set) or a test client."""

    @property
    def request(self) -> Callable[..., httpx.Response]: ...


class SeasonError(CommandError):
    """The season cannot go on: what was asked, and what the deployment answered."""


class Refused(SeasonError):
    """The deployment answered with a problem (RFC 9457); `status` and `kind` are the problem's."""

    def __init__(self, method: str, path: str, natural_key: str, response: httpx.Response) -> None:
        try:
            problem = response.json()
        except ValueError:
            problem = {}
        problem = problem if isinstance(problem, dict) else {}
        detail = problem.get("detail") or response.text[:300] or response.reason_phrase
        for error in problem.get("errors") or ():
            if isinstance(error, dict) and error.get("detail") not in (None, detail):
                detail = f"{detail} [{error.get('field')}: {error['detail']}]"
        about = f" ({natural_key})" if natural_key else ""
        super().__init__(f"{method} {path}{about} was answered {response.status_code}: {detail}")
        self.status = response.status_code
        self.kind = str(problem.get("type", "")).rpartition(":")[2]


@dataclass(frozen=True)
class Acknowledged:
    """A call the deployment acknowledged: what was asked under which natural key, and the id it gave."""

    method: str
    path: str
    natural_key: str
    id: str | None


class Deployment:
    """The four services behind one address.

    `run` names this run and goes into every idempotency key. `patience` (seconds) is how long a call is repeated while
    the server is away, `quiet_within` (seconds) how long `quiet()` waits. Of several runs at once each is given the same
    `wait_together`, which calls for all of them what waits for quiet. Safe to use from several threads.
    """

    def __init__(
        self,
        client: Client,
        run: str,
        progress: Progress | None = None,
        patience: float = 90,
        quiet_within: float = 120,
        wait_together: Callable[[Callable[[], None]], None] | None = None,
    ) -> None:
        self.client = client
        self.run = run
        self.progress = progress or (lambda phase, done, total: None)
        self.patience = patience
        self.quiet_within = quiet_within
        self._wait_together = wait_together
        self.ledger: list[Acknowledged] = []
        self.repeats = 0
        self._lock = threading.Lock()
        self._stopped = threading.Event()

    def get(self, path: str, token: str | None = None, **params: Any) -> Any:
        """The answer to a GET. Raises Refused, or SeasonError where the server stays away."""
        return self._call("GET", path, "", token, params={k: v for k, v in params.items() if v is not None})

    def pages(self, path: str, token: str | None = None, **params: Any) -> Iterator[dict[str, Any]]:
        """Every entry of a list, page by page."""
        after: str | None = None
        while True:
            page = self.get(path, token, limit=PAGE, after=after, **params)
            yield from page["items"]
            after = page["next"]
            if after is None:
                return

    def post(self, path: str, natural_key: str, body: Any = None, token: str | None = None) -> dict[str, Any]:
        """The answer to a POST, which is carried out once however often it had to be repeated."""
        return self._write("POST", path, natural_key, body, token)

    def put(self, path: str, natural_key: str, body: Any, token: str | None = None) -> dict[str, Any]:
        """The answer to a PUT."""
        return self._write("PUT", path, natural_key, body, token)

    def patch(self, path: str, natural_key: str, body: Any, token: str | None = None) -> dict[str, Any]:
        """The answer to a PATCH."""
        return self._write("PATCH", path, natural_key, body, token)

    def each(self, phase: str, things: Sequence[ThingT], do: Callable[[ThingT], ResultT]) -> list[ResultT]:
        """`do` for each of `things`, several at once; the results in the order of `things`. The first error ends it."""
        if not things:
            return []
        self.progress(phase, 0, len(things))
        with ThreadPoolExecutor(AT_ONCE, thread_name_prefix="season") as pool:
            futures = [pool.submit(do, thing) for thing in things]
            try:
                self._follow(phase, futures)
                return [future.result() for future in futures]
            except BaseException:
                self._stopped.set()
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _follow(self, phase: str, futures: list[Future[ResultT]]) -> None:
        waiting = set(futures)
        while waiting:
            done, waiting = wait(waiting, timeout=0.1, return_when=FIRST_EXCEPTION)
            for future in done:
                future.result()
            self.progress(phase, len(futures) - len(waiting), len(futures))

    def quiet(self, phase: str = "quiet") -> None:
        """Wait until nothing is unsent or pending anywhere and nothing more was told between two looks at everything."""
        self.progress(phase, 0, 0)
        if self._wait_together is None:
            self._until_quiet()
        else:
            self._wait_together(self._until_quiet)
        self.progress(phase, 1, 1)

    def _until_quiet(self) -> None:
        until = time.monotonic() + self.quiet_within
        before: dict[str, Any] | None = None
        while True:
            looks = {service: self.get(f"/api/{service}/quiet") for service in SERVICES}
            streams = {service: look["streams"] for service, look in looks.items()}
            is_quiet = all(look["quiet"] for look in looks.values())
            if is_quiet and streams == before:
                return
            before = streams if is_quiet else None
            if time.monotonic() > until:
                busy = ", ".join(
                    f"{service} has {look['unsent']} unsent and {look['pending']} pending"
                    for service, look in looks.items()
                    if not look["quiet"]
                )
                raise SeasonError(f"Not quiet within {self.quiet_within:g} s: {busy or 'facts are still being told'}.")
            self._pause(0.02 if is_quiet else 0.05)

    def _write(self, method: str, path: str, natural_key: str, body: Any, token: str | None) -> dict[str, Any]:
        answer: dict[str, Any] = self._call(method, path, natural_key, token, json={} if body is None else body)
        with self._lock:
            self.ledger.append(Acknowledged(method, path, natural_key, answer.get("id")))
        return answer

    def _call(self, method: str, path: str, natural_key: str, token: str | None, **kwargs: Any) -> Any:
        headers = {"Accept": "application/json"}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        if method != "GET":
            name = f"{self.run}\n{method} {path}\n{natural_key}"
            headers["Idempotency-Key"] = str(uuid.uuid5(uuid.NAMESPACE_URL, name))
        until = time.monotonic() + self.patience
        pause = 0.05
        while True:
            try:
                response = self.client.request(method, path, headers=headers, **kwargs)
            except httpx.UnsupportedProtocol as error:
                raise SeasonError(f"{method} {path}: {error}") from error
            except httpx.TransportError as error:
                reason = f"{type(error).__name__}: {error}"
            else:
                if response.is_success:
                    return response.json() if response.content else {}
                refused = Refused(method, path, natural_key, response)
                if response.status_code not in AWAY:
                    raise refused
                reason = str(refused)
            if time.monotonic() > until:
                raise SeasonError(f"{method} {path}: no answer within {self.patience:g} s. The last was: {reason}")
            with self._lock:
                self.repeats += 1
            self._pause(pause)
            pause = min(pause * 2, 1.0)

    def stop(self) -> None:
        """Give up: whoever waits for an answer, or to ask again, gets a SeasonError."""
        self._stopped.set()

    def _pause(self, seconds: float) -> None:
        if self._stopped.wait(seconds):
            raise SeasonError("The season was stopped.")
