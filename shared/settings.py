"""What a deployment may set, all of it by environment variables that begin with FENGHE_."""

from __future__ import annotations

import difflib
import os
from collections.abc import Mapping
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

PREFIX = "FENGHE_"
OF_COMMANDS = {"FENGHE_OPERATOR_TOKEN", "FENGHE_FEED_AT", "FENGHE_TEST_POSTGRES_URL"}
"""What a command or the tests take from the environment, and no service."""


Network = tuple[IPv4Network | IPv6Network, int | None]
"""Addresses, and the one port that is meant, or None for all."""


def networks(text: str) -> tuple[Network, ...]:
    """The networks of a list such as `10.1.2.0/24, 127.0.0.1:9000, [fd00::/8]:8443`. Raises ValueError."""
    return tuple(_network(part.strip()) for part in text.split(",") if part.strip())


def _network(part: str) -> Network:
    inside, port = part, ""
    if part.startswith("["):
        inside, closed, port = part[1:].partition("]")
        if not closed or not (port == "" or port.startswith(":")):
            raise ValueError(f"{part!r} is not of the form [network]:port")
    elif part.count(":") == 1:
        inside, _, port = part.partition(":")
    port = port.removeprefix(":")
    if port and not (port.isascii() and port.isdigit() and 0 < int(port) < 65536):
        raise ValueError(f"{part!r} has no port from 1 to 65535")
    return ip_network(inside), int(port) if port else None


def _networks(text: str) -> str:
    networks(text)
    return text


class SettingsError(Exception):
    """A setting is missing, unknown or cannot be read; the message says which, and what to do."""


class Settings(BaseModel):
    """The settings of one service. Every field is an environment variable: `database_url` is FENGHE_DATABASE_URL."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    database_url: str = Field(description="sqlite:////path/file.db or postgresql://user:password@host/database")
    redis_url: str = Field(description="redis://user:password@host:6379/0 or unix:///path/valkey.sock")
    token_keys: str = Field(description="JWKS file with the public keys that tokens are verified with")
    signing_key: str = Field(default="", description="JWK file with the private key (registry and matching sign tokens)")
    public_url: str = Field(default="http://127.0.0.1:8080", description="the address people reach this deployment at")
    host: str = Field(default="127.0.0.1", description="the address to listen on")
    port: int = Field(default=8080, ge=0, le=65535, description="the port to listen on")
    workers: int = Field(default=1, ge=1, le=64, description="processes that serve the port, each a replica by itself")
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(default="INFO", description="what is logged")
    log_format: Literal["json", "text"] = Field(default="json", description="json for machines, text for people")
    otlp_endpoint: str = Field(default="", description="the OpenTelemetry collector that gets spans over OTLP/HTTP")
    redis_wait: float = Field(default=60, gt=0, description="seconds to wait for Redis and database at the start")
    claim_idle: float = Field(default=15, gt=0, description="seconds after which another replica's fact is taken over")
    sole: bool = Field(default=False, description="this is the only replica: what is pending at the start is its own")
    retry_first: float = Field(default=0.1, ge=0, description="seconds before the first retry of a failed fact")
    retry_factor: float = Field(default=3, ge=1, description="each further retry waits this many times longer")
    retry_attempts: int = Field(default=5, ge=1, description="attempts before a fact goes to the dead letters")
    batch: int = Field(default=100, ge=1, le=10_000, description="the most facts handled in one transaction")
    retention_days: float = Field(default=30, gt=0, description="days that facts are kept, save the last of every subject")
    stream_days: float = Field(default=7, gt=0, description="days that entries stay on the streams, once all have them")
    stall_after: float = Field(default=30, gt=0, description="seconds without progress after which a subscriber stands still")
    sweep_age: float = Field(default=2, ge=0, description="seconds after which an unsent fact is sent by the sweeper")
    webhook_public: bool = Field(default=True, description="whether webhooks may go to public addresses, over https")
    webhook_allow: Annotated[str, AfterValidator(_networks)] = Field(
        default="", description="networks inside that webhooks may go to as well, over http too: 10.1.2.0/24,127.0.0.1:9000"
    )
    webhook_timeout: float = Field(default=15, gt=0, le=60, description="seconds that a webhook's receiver has for its answer")


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """The settings in the environment. Raises SettingsError, which names the variable and, for a typo, the likely one."""
    environment = os.environ if environment is None else environment
    given = {name: value for name, value in environment.items() if name.startswith(PREFIX) and name not in OF_COMMANDS}
    known = {PREFIX + field.upper(): field for field in Settings.model_fields}
    for name in given:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f" Did you mean {close[0]}?" if close else f" Known are: {', '.join(sorted(known))}."
            raise SettingsError(f"There is no setting {name}.{hint}")
    try:
        return Settings.model_validate({known[name]: value for name, value in given.items()})
    except ValidationError as error:
        raise SettingsError("\n".join(_sentence(dict(problem)) for problem in error.errors())) from None


def _sentence(problem: Mapping[str, object]) -> str:
    location = problem["loc"]
    assert isinstance(location, tuple)
    field = str(location[0])
    name = PREFIX + field.upper()
    description = Settings.model_fields[field].description
    if problem["type"] == "missing":
        return f"The setting {name} is missing: {description}."
    return f"The setting {name} cannot be used ({problem['msg']}): {description}."
