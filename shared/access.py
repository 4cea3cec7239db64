"""Who is calling: tokens (JWT, EdDSA), roles, and what a caller may touch.

registry signs the tokens of staff, organizations, experts, operators and systems; matching signs the link that a resident
gets for one request. Every service verifies both with public keys from its settings and asks nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Literal, get_args

from fastapi import Depends, Request
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet, OKPKey

from shared import clock
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


class Verifier:
    """Verifies tokens with public keys. A key named `matching…` is good for residents' links and nothing else."""

    def __init__(self, keys: KeySet) -> None:
        self._keys = keys
        self._claims = jwt.JWTClaimsRegistry(
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
    """A route's dependency: the caller, if the caller's role is one of `roles`."""

    def __init__(self, roles: tuple[Role, ...]) -> None:
        self.roles = roles

    def __call__(self, request: Request) -> Caller:
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
            return caller
        if caller.role == "anyone":
            raise unauthenticated(f"This needs a token; it is for: {', '.join(self.roles)}.")
        raise Forbidden(f"This is for {', '.join(self.roles)}; the token's role is {caller.role}.")


def allow(*roles: Role) -> Any:
    """Who may call a route; `anyone` needs no token. The caller is the dependency's value."""
    return Depends(Allowed(roles))


def make_keys(folder: Path, issuers: Iterable[str] = ("registry", "matching")) -> None:
    """Make what is missing in a folder: a private key for each issuer (`registry.key.json`, readable by its owner alone)
    and `tokens.jwks.json` with their public halves."""
    folder.mkdir(parents=True, exist_ok=True)
    public = []
    for issuer in issuers:
        path = folder / f"{issuer}.key.json"
        if not path.exists():
            key = OKPKey.generate_key("Ed25519", {"kid": f"{issuer}-1", "use": "sig"})
            path.touch(mode=0o600)
            path.write_text(json.dumps(key.as_dict(private=True)))
        public.append(OKPKey.import_key(json.loads(path.read_text())).as_dict(private=False))
    (folder / "tokens.jwks.json").write_text(json.dumps({"keys": public}, indent=1))


def load_verifier(path: str) -> Verifier:
    """The verifier of a JWKS file. Raises OSError or ValueError."""
    return Verifier(KeySet.import_key_set(json.loads(Path(path).read_text())))


def load_signer(path: str) -> Signer:
    """The signer of a JWK file. Raises OSError or ValueError."""
    return Signer(OKPKey.import_key(json.loads(Path(path).read_text())))
