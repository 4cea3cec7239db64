"""Who listens from outside: Redis users that may read the public feed, and nothing else.

Redis' access control lists know keys and commands, not the names of groups: whoever may read in groups can disturb other
outsiders' groups. So a subscriber has plain reading, which leaves no trace, unless groups are given to it.
"""

from __future__ import annotations

import hashlib
import re
import secrets
from dataclasses import dataclass
from typing import Any

import redis

from shared.messaging.streams import FEED, text

PREFIX = "subscriber-"
NAME = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,38}[a-z0-9])?")
READING = "+ping +client|setname +client|id +xread +xrange +xrevrange +xlen +xinfo|stream"
"""What a connection of a client library begins with, and reading. CLIENT SETINFO is left out: Redis 7.0 does not know it, and
libraries do without."""
IN_GROUPS = "+xreadgroup +xack +xautoclaim +xpending +xgroup|create +xinfo|groups +xinfo|consumers"
"""Sharing the work among several: each entry to one of them, until it is acknowledged. Not ending or moving a group: it might
be another's."""
VALID = 2
"""Passwords that are valid at the same time: the new one and the one before."""


class SubscriberError(Exception):
    """This cannot be done to a subscriber; the message says why and what to do."""


@dataclass(frozen=True)
class Subscriber:
    """A subscriber as Redis knows it: whether it may read in groups, how many passwords are valid, how many connections it has
    now."""

    name: str
    groups: bool
    passwords: int
    connections: int

    @property
    def user(self) -> str:
        """Its Redis user."""
        return PREFIX + self.name


class Subscribers:
    """The subscribers of a Redis, for whoever may change its users. Every method raises redis.RedisError where that Redis
    cannot be reached, or does not let the caller."""

    def __init__(self, redis_url: str) -> None:
        self._client: Any = redis.Redis.from_url(redis_url, socket_timeout=10, socket_connect_timeout=5)

    def __enter__(self) -> Subscribers:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def add(self, name: str, groups: bool) -> str:
        """Make the user; returns its password, which is known nowhere else. Raises SubscriberError."""
        if not NAME.fullmatch(name):
            raise SubscriberError(
                f"{name!r} cannot be a subscriber's name; take 1 to 40 small letters, digits and hyphens, such as city-portal."
            )
        if self._known(name):
            raise SubscriberError(
                f"There is a subscriber {name!r} already; take another name, or give it a new password: "
                f"fenghe subscriber rotate {name}"
            )
        self._save()  # before anything is changed: a user that cannot be kept is none
        password = secrets.token_hex(24)
        commands, keys = (f"{READING} {IN_GROUPS}", f"~{FEED}") if groups else (READING, f"%R~{FEED}")
        rules = ["reset", "on", _hashed(password), keys, *commands.split()]
        self._client.execute_command("ACL", "SETUSER", PREFIX + name, *rules)
        self._save()
        return password

    def all(self) -> list[Subscriber]:
        """All of them, by name."""
        users = [text(user) for user in self._client.acl_users()]
        names = sorted(user.removeprefix(PREFIX) for user in users if user.startswith(PREFIX))
        connected = [client["user"] for client in self._client.client_list()] if names else []
        return [self._subscriber(name, connected.count(PREFIX + name)) for name in names]

    def rotate(self, name: str, at_once: bool) -> str:
        """Give it a new password, which is returned. The one before stays valid until the next time; `at_once`: no longer, and
        whoever is connected has to come again. Raises SubscriberError."""
        self._expect(name)
        password = secrets.token_hex(24)
        before = [] if at_once else self._hashes(name)[1 - VALID :]
        fresh = ["resetpass", *(f"#{hash}" for hash in before), _hashed(password)]
        self._client.execute_command("ACL", "SETUSER", PREFIX + name, *fresh)
        self._save()
        if at_once:
            self._client.execute_command("CLIENT", "KILL", "USER", PREFIX + name)
        return password

    def remove(self, name: str) -> None:
        """Take the user away; its connections are cut. Raises SubscriberError."""
        self._expect(name)
        self._client.acl_deluser(PREFIX + name)
        self._save()

    def _subscriber(self, name: str, connections: int) -> Subscriber:
        user = self._known(name)
        only_reads = any("%R" in text(key) for key in user["keys"])  # Redis 7.0 tells commands by their categories
        return Subscriber(name, not only_reads, len(user["passwords"]), connections)

    def _known(self, name: str) -> dict[str, Any]:
        user: dict[str, Any] | None = self._client.acl_getuser(PREFIX + name)
        return user or {}

    def _hashes(self, name: str) -> list[str]:
        return [text(hash) for hash in self._known(name)["passwords"]]

    def _expect(self, name: str) -> None:
        if not self._known(name):
            raise SubscriberError(f"There is no subscriber {name!r}; see them: fenghe subscriber list")

    def _save(self) -> None:
        try:
            self._client.acl_save()
        except redis.ResponseError:
            raise SubscriberError(
                "This Redis keeps no file of its users, so that its restart would forget them; give it one (aclfile), then do "
                "this again."
            ) from None


def _hashed(password: str) -> str:
    return "#" + hashlib.sha256(password.encode()).hexdigest()
