"""Secrets, signatures and the message of a webhook, by Standard Webhooks 1.0.0."""

from __future__ import annotations

import base64
import hmac
import json
import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache
from typing import Any

from shared.version import VERSION

SECRET_BYTES = 32
USER_AGENT = f"Fenghe-Webhooks/{VERSION}"


def new_secret() -> str:
    """A new symmetric secret, serialized as the specification says: `whsec_` and base64."""
    return "whsec_" + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def body_of(event: Mapping[str, Any]) -> str:
    """The message of a fact: its CloudEvent in JSON, and `timestamp`, which Standard Webhooks recommends: when it happened. To
    CloudEvents that is an extension attribute, so the message is both."""
    return json.dumps({**event, "timestamp": event["time"]}, ensure_ascii=False, separators=(",", ":"))


@lru_cache(maxsize=1000)
def _key(secret: str) -> bytes:
    return base64.b64decode(secret.removeprefix("whsec_"))


def headers_of(id: str, sent_at: datetime, body: str, secrets: Sequence[str]) -> dict[str, str]:
    """The headers of an attempt made at `sent_at` (the machine's clock, which receivers compare with theirs), signed with every
    secret that is valid: HMAC-SHA256 over id, moment and body, by the specification's symmetric scheme."""
    moment = str(int(sent_at.timestamp()))
    signed = f"{id}.{moment}.{body}".encode()
    signatures = (base64.b64encode(hmac.digest(_key(secret), signed, "sha256")).decode() for secret in secrets)
    return {
        "content-type": "application/json",
        "user-agent": USER_AGENT,
        "webhook-id": id,
        "webhook-timestamp": moment,
        "webhook-signature": " ".join(f"v1,{signature}" for signature in signatures),
    }
