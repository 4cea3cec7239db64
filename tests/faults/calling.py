"""Calling a replica over HTTP, on its Unix socket."""

from __future__ import annotations

import http.client
import json
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

CALL_LIMIT = 15.0


class Gone(Exception):
    """The replica did not answer: it is dead, it hangs, or what was asked failed."""


@dataclass(frozen=True)
class Reply:
    """What a replica answered."""

    status: int
    body: Any


def call(
    address: Path,
    method: str,
    path: str,
    body: Any = None,
    limit: float = CALL_LIMIT,
    headers: Mapping[str, str] = MappingProxyType({}),
) -> Reply:
    """Call a route of a replica. Raises Gone where no whole answer came: whether it was done is unknown."""
    connection = _Connection(address, limit)
    try:
        sent = {"Content-Type": "application/json", "Connection": "close", **headers}
        connection.request(method, path, None if body is None else json.dumps(body), sent)
        response = connection.getresponse()
        return Reply(response.status, json.loads(response.read()))
    except (OSError, http.client.HTTPException, ValueError) as error:
        raise Gone(f"{type(error).__name__}: {error}") from None
    finally:
        connection.close()


class _Connection(http.client.HTTPConnection):
    def __init__(self, address: Path, limit: float) -> None:
        super().__init__("replica", timeout=limit)
        self._address = str(address)

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._address)
