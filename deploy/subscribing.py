"""`fenghe subscriber`: other systems read the public feed, each as a Redis user that may do nothing else."""

from __future__ import annotations

import os
from pathlib import Path

from redis.exceptions import RedisError
from rich.console import Console
from rich.table import Table

from deploy.data_folder import DataFolder, public_url
from deploy.errors import CommandError
from shared.messaging.streams import FEED
from shared.messaging.subscribers import PREFIX, Subscriber, SubscriberError, Subscribers
from shared.messaging.valkey import LOOPBACK, EmbeddedValkey

PORT = 6390
EXAMPLES = Path(__file__).parent / "examples"
SHOWN = {
    "Node": ("listen.mjs", "npm install redis && node listen.mjs"),
    "Python": ("listen.py", "pip install redis && python listen.py"),
    "redis-cli": ("listen.sh", "sh listen.sh"),
}
"""The printed examples: by what for, the file to save each as, and how to run it."""


def do(action: str, name: str | None, groups: bool, at_once: bool, port: int | None, at: str | None, data: Path) -> None:
    """Add, list, rotate or remove. Raises CommandError."""
    if action != "list" and not name:
        raise CommandError(f"Say whom: fenghe subscriber {action} NAME")
    try:
        url = os.environ.get("FENGHE_REDIS_URL")
        if url:
            _with_redis(url, action, name or "", groups, at_once, at)
        else:
            _all_in_one(action, name or "", groups, at_once, port, data)
    except SubscriberError as error:
        raise CommandError(str(error)) from None
    except BrokenPipeError:
        raise  # whoever read what is printed went away; Redis has its own error
    except (RedisError, OSError) as error:
        raise CommandError(f"Redis cannot be asked ({error}); start it (fenghe up), or check FENGHE_REDIS_URL.") from None


def _with_redis(url: str, action: str, name: str, groups: bool, at_once: bool, at: str | None) -> None:
    if action == "add" and not at:
        raise CommandError(
            "Say where others reach this Redis: --at HOST:PORT, or FENGHE_FEED_AT. deploy/compose.feed.yaml opens a port."
        )
    with Subscribers(url) as subscribers:
        _act(subscribers, action, name, groups, at_once, at or "HOST:PORT", public_url())


def _all_in_one(action: str, name: str, groups: bool, at_once: bool, port: int | None, data: Path) -> None:
    folder = DataFolder.used(data)
    valkey = EmbeddedValkey(folder.valkey)
    chosen = port or valkey.port or PORT
    reached = os.environ.get("FENGHE_PUBLIC_URL") or folder.address
    with Subscribers(valkey.url) as subscribers:
        try:
            if action == "add" and chosen != valkey.port:
                valkey.open(chosen)
            _act(subscribers, action, name, groups, at_once, f"{LOOPBACK}:{chosen}", reached)
        finally:
            if valkey.port and not subscribers.all():
                valkey.close()


def _act(subscribers: Subscribers, action: str, name: str, groups: bool, at_once: bool, at: str, reached: str) -> None:
    match action:
        case "add":
            _show(name, subscribers.add(name, groups), at, reached)
        case "rotate":
            password = subscribers.rotate(name, at_once)
            print(f"redis://{PREFIX}{name}:{password}@{at}")
            until = "is not valid any more" if at_once else "stays valid until the next rotation; --at-once ends it"
            print(f"This is the new address of {name}. The password before {until}.")
        case "remove":
            subscribers.remove(name)
            print(f"{name} may read the feed no longer, and its connections are cut.")
        case _:
            _list(subscribers.all())


def _show(name: str, password: str, at: str, reached: str) -> None:
    print(f"{name} may read {FEED}, the public facts, and nothing else. Its address, with the password, is shown this once:\n")
    print(f"redis://{PREFIX}{name}:{password}@{at}")
    for what, (file, run) in SHOWN.items():
        print(f"\n--- {what}: save as {file}, then: {run} ---\n")
        print(example(file, name, password, at, reached), end="")
    print("\n--- What the facts say: " + reached + "/docs/events/en ---")


def example(file: str, name: str, password: str, at: str, reached: str) -> str:
    """An example as a subscriber runs it: with its own address and password, and the deployment's address."""
    host, _, port = at.rpartition(":")
    given = {
        f"{LOOPBACK}:{PORT}": at,
        f"-h {LOOPBACK} -p {PORT}": f"-h {host} -p {port}",
        "http://127.0.0.1:8080": reached.rstrip("/"),
        f"{PREFIX}NAME": PREFIX + name,
        "PASSWORD": password,
    }
    text = (EXAMPLES / file).read_text()
    for placeholder, value in given.items():
        text = text.replace(placeholder, value)
    return text


def _list(subscribers: list[Subscriber]) -> None:
    if not subscribers:
        print("Nobody subscribes to the feed. Let somebody: fenghe subscriber add NAME")
        return
    table = Table("subscriber", "Redis user", "groups", "valid passwords", "connections now")
    for one in subscribers:
        table.add_row(one.name, one.user, "yes" if one.groups else "no", str(one.passwords), str(one.connections))
    Console().print(table)
