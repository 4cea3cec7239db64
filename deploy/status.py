"""`fenghe status`: one table over a deployment, and for whatever is not well what happened, what it means, and what to do."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console
from rich.table import Table
from rich.text import Text

from deploy.data_folder import DataFolder, public_url
from deploy.errors import CommandError
from deploy.services import NAMES
from shared.access import load_signer
from shared.siblings import SILENT_AFTER

BEHIND_TOO_LONG = 30.0
"""Seconds that the oldest fact may wait for its listener before that is not well."""
MOST_CAUSES = 5
"""Causes of dead letters that are told one by one, those of the most facts; the others are counted."""
ASK_PER_REPLICA = 12
"""How often a service is asked for each of its replicas: behind a gateway, whoever is free answers."""
TIMEOUT = 10.0
WIDTH = 150
"""Columns of the table where the output is no terminal."""


@dataclass(frozen=True)
class Concern:
    """Something that is not well: what happened, what it means, what to do."""

    service: str
    happened: str
    means: str
    do: str


@dataclass
class Seen:
    """A service as it was found: why it cannot be reached, or what its replicas said, one each."""

    name: str
    unreachable: str = ""
    answers: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def said(self) -> dict[str, Any]:
        """What all replicas have in common, as the first one said it; empty where none did."""
        return next(iter(self.answers.values()), {})

    @property
    def versions(self) -> list[str]:
        return sorted({answer["version"] for answer in self.answers.values()})


def show_status(url: str | None, token: str | None, as_json: bool, data: Path) -> bool:
    """Ask every service, print the table (or JSON), and return whether all is well. Raises CommandError where no token can
    be made, or it is refused."""
    base = (url or public_url()).rstrip("/")
    token = token or _token(data)
    local = httpx.URL(base).host in ("127.0.0.1", "localhost", "::1")
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=base, timeout=TIMEOUT, headers=headers, trust_env=not local) as client:
        seen = [_ask(client, name) for name in NAMES]
    concerns = _merged([*(concern for one in seen for concern in _concerns(one)), *_of_versions(seen)])
    if as_json:
        services = {one.name: {"unreachable": one.unreachable or None, "replicas": one.answers} for one in seen}
        document = {"url": base, "well": not concerns, "services": services, "concerns": [asdict(one) for one in concerns]}
        print(json.dumps(document, ensure_ascii=False))
    else:
        _print(base, seen, concerns)
    return not concerns


def _token(data: Path) -> str:
    path = os.environ.get("FENGHE_SIGNING_KEY") or str(DataFolder.used(data).keys / "registry.key.json")
    try:
        return load_signer(path).sign(role="operator", days=1)
    except (OSError, ValueError) as error:
        raise CommandError(
            f"No token can be signed with {path} ({error}); give an operator's token with --token or FENGHE_OPERATOR_TOKEN."
        ) from None


def _ask(client: httpx.Client, name: str) -> Seen:
    """Ask a service until each of its replicas has answered, or it was asked often enough."""
    seen = Seen(name)
    limit = 1
    while limit:
        limit -= 1
        try:
            answer = client.get(f"/api/{name}/status")
            said: dict[str, Any] = answer.json()
        except httpx.HTTPError as error:
            seen.unreachable = f"{type(error).__name__} at {client.base_url}"
        except ValueError:
            seen.unreachable = f"{answer.status_code} at {answer.url}, and no JSON: something else answers there"
        else:
            if answer.status_code in (401, 403):
                raise CommandError(
                    f"{name} refused the token: {said.get('detail')} Make one on this deployment: fenghe token --role operator"
                )
            if answer.status_code == 200:
                running = {replica["name"] for replica in said["replicas"] or [] if replica["idle"] < SILENT_AFTER}
                if not seen.answers:
                    limit = ASK_PER_REPLICA * len(running)
                seen.answers[said["replica"]] = said
                if running <= seen.answers.keys():
                    break
                continue
            seen.unreachable = f"{answer.status_code}: {said.get('detail', 'no reason given')}"
    if seen.answers:
        seen.unreachable = ""
    return seen


RESTART = "Restart the replica."
LACKS = {
    "starting": ("It answers nothing but this yet.", "Wait; if it lasts, look at its log: it says what it waits for."),
    "unsent": ("The other services do not hear of what was decided here; nothing is lost.", "See that Redis runs."),
    "database": (
        "Nothing can be read or decided here; facts for it wait on the streams, nothing is lost.",
        "Start the database, or check FENGHE_DATABASE_URL; the service goes on by itself.",
    ),
    "redis": (
        "Requests are answered and kept; nobody hears of them until Redis is back. Nothing is lost.",
        "Start Redis, or check FENGHE_REDIS_URL; the services go on by themselves.",
    ),
    "reading": (
        "It hears nothing at present; facts for it wait on the streams.",
        "Wait a moment; if it lasts, see that Redis runs.",
    ),
    "stalled": (
        "What this replica was given is not finished: a handler hangs, or it is slower than FENGHE_STALL_AFTER.",
        "Look at the replica's log for the last facts it took; restart it: the others take its facts over, none is lost.",
    ),
    "timekeeper": ("No deadline or reminder of this service takes effect at this replica; none is lost.", RESTART),
    "loop": ("Nothing is sent to webhooks by this replica until it is started again; the others see to them.", RESTART),
    "relay": ("What is decided here is sent by nobody until the replica is started again; it is kept.", RESTART),
}
"""For each kind of lack: what it means, and what to do."""


OTHER_LACK = ("It is not ready: whoever sends requests only to services that are, sends it none.", "Look at its log.")
FOLLOWING_FROM_REDIS = {"reading", "unsent", "stalled"}


def _concerns(seen: Seen) -> Iterator[Concern]:
    name, said = seen.name, seen.said
    if not said:
        yield Concern(
            name,
            f"cannot be reached ({seen.unreachable})",
            "Its part of the supermarket is closed; facts for it wait on the streams, nothing is lost.",
            "Start it (fenghe up, or docker-compose up -d), or give the right address with --url.",
        )
        return
    for replica, answer in seen.answers.items():
        of = f" (replica {replica})" if len(seen.answers) > 1 else ""
        kinds = {lack["kind"] for lack in answer["lacks"]}
        for lack in answer["lacks"]:
            if "redis" not in kinds or lack["kind"] not in FOLLOWING_FROM_REDIS:
                yield Concern(name, lack["what"] + of, *LACKS.get(lack["kind"], OTHER_LACK))
    stalled = {stream["stream"] for answer in seen.answers.values() for stream in answer["streams"] or [] if stream["stalled"]}
    for stream in said["streams"] or []:
        if (stream["seconds"] or 0) > BEHIND_TOO_LONG and stream["stream"] not in stalled:
            oldest = f"the oldest is {_duration(stream['seconds'])} old"
            yield Concern(
                name,
                f"is {_facts(stream['facts'])} behind on {stream['stream']}, {oldest}",
                "What it shows lags behind what was decided elsewhere; it is still working on it.",
                "Ask again in a minute. If it does not shrink: more replicas (--scale), or look at its log for what fails.",
            )
    for replica in said["replicas"] or []:
        if replica["idle"] >= SILENT_AFTER and replica["name"] not in seen.answers:
            silent = f"has been silent for {_duration(replica['idle'])}"
            yield Concern(
                name,
                f"replica {replica['name']} {silent} with {_facts(replica['pending'])} in hand",
                "It was killed, or it hangs; the other replicas take its facts over after FENGHE_CLAIM_IDLE seconds.",
                "Ask again in a minute; if it is still there, see that another replica of this service runs.",
            )
    timers = said["timers"] or {"due_seconds": None, "failing": []}
    if (timers["due_seconds"] or 0) > BEHIND_TOO_LONG:
        yield Concern(
            name,
            f"{timers['due']} timers are due and did not fire, the oldest for {_duration(timers['due_seconds'])}",
            "Deadlines and reminders come late; none is lost.",
            "Ask again in a minute; if it lasts, look at its log, and restart it.",
        )
    for failing in timers["failing"]:
        yield Concern(
            name,
            f"{failing['timers']} timers of the kind {failing['kind']} fail: {failing['error']}",
            "What they are for has not happened; they are tried again, at least every hour.",
            "Mend the cause; they then fire by themselves.",
        )
    causes = said["dead_letters"] or []
    if len(causes) > MOST_CAUSES:
        yield Concern(
            name,
            f"facts could not be handled for {len(causes) - MOST_CAUSES} more causes",
            "They had no effect here, all others have; they are kept whole.",
            f"See them all: fenghe dead-letters {name}",
        )
    for letters in causes[:MOST_CAUSES]:
        yield Concern(
            name,
            f"{_facts(letters['letters'], letters['type'])} could not be handled: {letters['cause']}",
            "They had no effect here, all others have; they are kept whole.",
            f"Mend the cause, then: fenghe dead-letters {name} --replay-cause {letters['example']}\n"
            f"If it can never be a fact: fenghe dead-letters {name} --set-aside-cause {letters['example']} --reason TEXT",
        )


def _of_versions(seen: list[Seen]) -> Iterator[Concern]:
    versions = {version for one in seen for version in one.versions}
    if len(versions) > 1:
        where = "; ".join(f"{one.name} {', '.join(one.versions)}" for one in seen if one.said)
        yield Concern(
            "all",
            f"several versions run side by side: {where}",
            "A fact that only the newer version knows goes to the dead letters of a service of the older one.",
            "Finish the upgrade: bring every service up in one version, then replay the dead letters there are.",
        )


def _merged(concerns: list[Concern]) -> list[Concern]:
    """What several services have to say in the same words is said once."""
    services: dict[tuple[str, str, str], list[str]] = {}
    for one in concerns:
        services.setdefault((one.happened, one.means, one.do), []).append(one.service)
    return [Concern(", ".join(names), *words) for words, names in services.items()]


def _print(base: str, seen: list[Seen], concerns: list[Concern]) -> None:
    console = Console() if sys.stdout.isatty() else Console(width=WIDTH)
    table = Table(title=f"Fenghe at {base}", title_justify="left")
    for column in ("service", "state", "version", "replicas", "behind", "unsent", "to try again", "dead letters", "timers"):
        table.add_column(column, overflow="fold")
    for one in seen:
        table.add_row(*(Text(cell) for cell in _row(one)))
    console.print(table)
    for concern in concerns:
        # Not wrapped: what is to be done is a command, to be copied.
        console.print(Text(f"\n{concern.service}: {concern.happened}", style="red"), soft_wrap=True)
        do = concern.do.replace("\n", f"\n{'':12}")
        console.print(Text(f"  It means: {concern.means}\n  To do:    {do}"), soft_wrap=True)
    console.print(Text(f"\nNot well: {len(concerns)}." if concerns else "All is well."))


def _row(seen: Seen) -> list[str]:
    if not seen.answers:
        return [seen.name, "cannot be reached", *[""] * 7]
    said = seen.said
    answers = seen.answers.values()
    unready = sum(not answer["ready"] for answer in answers)
    state = "ready" if not unready else "not ready" if unready == len(answers) else f"{unready} of {len(answers)} not ready"
    behind = [
        f"{stream['stream']}: {stream['facts']} facts, {_duration(stream['seconds'])}"
        for stream in said["streams"] or []
        if stream["facts"]
    ]
    unsent = said["unsent"]
    letters, timers = said["dead_letters"], said["timers"]
    failing = sum(one["timers"] for one in timers["failing"]) if timers else 0
    return [
        seen.name,
        state,
        ", ".join(seen.versions),
        "?" if said["replicas"] is None else "\n".join(replica["name"] for replica in said["replicas"]) or "none",
        "?" if said["streams"] is None else "\n".join(behind) or "nothing",
        "?" if unsent is None else f"{unsent}, {_duration(said['unsent_seconds'])}" if unsent else "nothing",
        str(sum(answer["retrying"] for answer in answers)),
        "?" if letters is None else str(sum(cause["letters"] for cause in letters)),
        "?" if timers is None else f"{timers['due']} due, {failing} failing" if timers["due"] or failing else "nothing",
    ]


def _facts(count: int, type: str | None = None) -> str:
    return f"{count} {'fact' if count == 1 else 'facts'}{f' of {type}' if type else ''}"


def _duration(seconds: float | None) -> str:
    if seconds is None or seconds < 1:
        return "under 1 s"
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.0f} h"
