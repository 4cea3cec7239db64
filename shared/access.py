"""Who is calling: tokens (JWT, EdDSA), roles, and what a caller may touch.

registry signs the tokens of staff, organizations, experts, operators and systems; matching signs the link that a resident
gets for one request. Every service verifies both with public keys from its settings and asks nobody.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from shared import clock, parameters
from shared.problems import Forbidden, Problem

Role = Literal["anyone", "resident", "organization", "station", "expert", "operator", "system"]
ROLES: tuple[Role, ...] = get_args(Role)
ALGORITHM = "Ed25519"
"""EdDSA on Ed25519, by its fully specified name (RFC 9864)."""


@dataclass(frozen=True)
class Caller:
    """Who is calling, as the token says; `anyone` has none. A resident is known by one request alone."""

    role: Role
    community: str | None = None
    organization: str | None = None
    request: str | None = None
    subject: str | None = None

    def belongs_to(self, community: str) -> None:
        """Raises Forbidden unless this is an operator or a caller of this community."""
        if self.role != "operator" and (self.role == "anyone" or self.community != community):
            raise Forbidden("This belongs to another community than the token's.")

    def acts_for(self, organization: str) -> None:
        """Raises Forbidden unless this is the organization itself, or station or operator (see `belongs_to`)."""
        if self.role not in ("station", "operator") and self.organization != organization:
            raise Forbidden("This belongs to another organization than the token's.")

    def holds(self, request: str) -> None:
        """Raises Forbidden unless this is the resident with the link of this request."""
        if self.role != "resident" or self.request != request:
            raise Forbidden("This link belongs to another request.")


class Signer:
    """Signs tokens with a service's private key. Ed25519 is deterministic: the same claims give the same token."""

    def __init__(self, key: OKPKey) -> None:
        self._key = key

    def sign(
        self,
        *,
        role: Role,
        community: str | None = None,
        organization: str | None = None,
        request: str | None = None,
        subject: str | None = None,
        issued_at: datetime | None = None,
        days: int = 90,
    ) -> str:
        """A token for a caller, valid for so many days from `issued_at` (default: now)."""
        start = issued_at or clock.now()
        claims: dict[str, Any] = {
            "iss": str(self._key.kid),
            "role": role,
            "iat": int(start.timestamp()),
            "exp": int((start + timedelta(days=days)).timestamp()),
        }
        named = {"community": community, "organization": organization, "request": request, "sub": subject}
        claims |= {name: value for name, value in named.items() if value is not None}
        return jwt.encode({"alg": ALGORITHM, "kid": str(self._key.kid)}, claims, self._key, algorithms=[ALGORITHM])


class _Claims(jwt.JWTClaimsRegistry):
    """When a token ends decides, not when it was issued: that may be by a rehearsal's clock, which is ahead, or by another
    machine's."""

    def validate_iat(self, value: object) -> None:
        """Anything."""


class Verifier:
    """Verifies tokens with public keys. A key named `matching…` is good for residents' links and nothing else."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys
        self._claims = _Claims(
            iss={"essential": True},
            exp={"essential": True},
            role={"essential": True, "values": [str(role) for role in ROLES[1:]]},
        )

    def caller(self, token: str) -> Caller:
        """The caller a token speaks for. Raises Problem 401 where it is not a valid token of ours."""
        try:
            decoded = jwt.decode(token, self._keys, algorithms=[ALGORITHM])
            self._claims.validate(decoded.claims)
        except (JoseError, ValueError) as error:
            raise unauthenticated(f"The token is not valid ({type(error).__name__}); ask for a new one.") from None
        claims = decoded.claims
        of_matching = str(decoded.header.get("kid", "")).startswith("matching")
        if of_matching != (claims["role"] == "resident") or claims["iss"] != decoded.header.get("kid"):
            raise unauthenticated("The token was signed by a key that is not meant for its role.")
        return Caller(
            role=claims["role"],
            community=claims.get("community"),
            organization=claims.get("organization"),
            request=claims.get("request"),
            subject=claims.get("sub"),
        )


def unauthenticated(detail: str) -> Problem:
    """401: nobody knows who is calling."""
    return Problem(401, "unauthenticated", detail)


class Allowed:
    """A route's dependency: the caller, if the caller's role is one of `roles`, who is then told of misspelt parameters."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles

    async def __call__(self, request: Request) -> Caller:
        # Not a plain function, which FastAPI would run in a thread: two more switches a request.
        header = request.headers.get("authorization", "")
        scheme, _, token = header.partition(" ")
        if not header:
            caller = Caller("anyone")
        elif scheme.lower() != "bearer" or not token.strip():
            raise unauthenticated("The Authorization header must read: Bearer <token>.")
        else:
            caller = request.app.state.host.verifier.caller(token.strip())
        request.state.caller = caller
        if caller.role in self.roles or "anyone" in self.roles:
            parameters.check(request)
            return caller
        if caller.role == "anyone":
            raise unauthenticated(f"This needs a token; it is for: {', '.join(self.roles)}.")
        raise Forbidden(f"This is for {', '.join(self.roles)}; the token's role is {caller.role}.")


def allow(*roles: Role) -> Any:
    """Who may call a route; `anyone` needs no token. The caller is the dependency's value."""
    return Depends(Allowed(roles))


def make_keys(folder: Path, issuers: Iterable[str] = ("registry", "matching")) -> None:
    """Make what is missing in a folder: a private key for each issuer (`registry.key.json`, readable by its owner alone)
    and `tokens.jwks.json` with their public halves. Raises OSError, and ValueError for a file that holds no key."""
    folder.mkdir(parents=True, exist_ok=True)
    public = []
    for issuer in issuers:
        path = folder / f"{issuer}.key.json"
        if not path.exists():
            key = OKPKey.generate_key("Ed25519", {"kid": f"{issuer}-1", "use": "sig"})
            write_whole(path, key.as_dict(private=True), 0o600)
        public.append(load_key(path).as_dict(private=False))
    write_whole(folder / "tokens.jwks.json", {"keys": public}, 0o644)


def write_whole(file: Path, document: Mapping[str, Any], mode: int) -> None:
    """Write JSON so that whoever reads the file meanwhile, or after a crash, finds the old content or the new one, whole.
    `mode` is the file's from the start. Raises OSError."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_name(f"{file.name}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        json.dump(document, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)


def load_key(path: Path) -> OKPKey:
    """The key of a JWK file. Raises OSError, or ValueError with a sentence where the file holds none."""
    try:
        return OKPKey.import_key(json.loads(path.read_text()))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_key(path, error) from None


def _no_key(path: Path, error: Exception) -> ValueError:
    return ValueError(
        f"{path} holds no key ({type(error).__name__}); put the file back from a backup, or remove it to have a new key made, "
        "which ends the tokens of the old one."
    )


def load_verifier(path: str) -> Verifier:
    """The verifier of a JWKS file. Raises OSError or ValueError."""
    try:
        return Verifier(KeySet.import_key_set(json.loads(Path(path).read_text())))
    except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise _no_key(Path(path), error) from None


def load_signer(path: str) -> Signer:
    """The signer of a JWK file. Raises OSError or ValueError."""
    return Signer(load_key(Path(path)))
