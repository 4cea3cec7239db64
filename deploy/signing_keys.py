"""The signing keys of a deployment whose services run apart: a folder for each private key, one for the public halves.

In compose each folder is a volume, so that a private key can be mounted where it signs and nowhere else.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from deploy.errors import CommandError
from shared.access import load_key, make_keys, write_whole

ISSUERS = ("registry", "matching")


def make(folder: Path) -> None:
    """Make what is missing: `<issuer>/<issuer>.key.json` for each issuer, and `public/tokens.jwks.json` with the public
    halves. Public keys that are in that file already stay, so that older tokens go on being valid."""
    for issuer in ISSUERS:
        make_keys(folder / issuer, [issuer])
    _publish(folder)


def rotate(folder: Path, issuer: str) -> str:
    """Give an issuer a new private key under the next number (`registry-2`). The public half of the old one stays published.
    Returns the new key's id. Raises CommandError."""
    if issuer not in ISSUERS:
        raise CommandError(f"{issuer!r} signs no tokens: {' or '.join(ISSUERS)}.")
    make(folder)
    numbers = [int(kid.rpartition("-")[2]) for kid in _published(folder) if kid.startswith(f"{issuer}-")]
    kid = f"{issuer}-{max(numbers) + 1}"
    key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig"})
    write_whole(folder / issuer / f"{issuer}.key.json", key.as_dict(private=True), 0o600)
    _publish(folder)
    return kid


def forget(folder: Path, kid: str) -> None:
    """Take a public key out: the tokens it signed are no longer valid. Raises CommandError for a key in use."""
    published = _published(folder)
    if kid not in published:
        raise CommandError(f"There is no key {kid!r} here: {', '.join(sorted(published)) or 'none'}.")
    if kid in {str(_private(folder, issuer).kid) for issuer in ISSUERS}:
        raise CommandError(f"{kid} is the key in use; rotate it first.")
    del published[kid]
    write_whole(_public_file(folder), {"keys": list(published.values())}, 0o644)


def _publish(folder: Path) -> None:
    keys = [_private(folder, issuer) for issuer in ISSUERS]
    published = _published(folder) | {str(key.kid): dict(key.as_dict(private=False)) for key in keys}
    write_whole(_public_file(folder), {"keys": list(published.values())}, 0o644)


def _published(folder: Path) -> dict[str, dict[str, Any]]:
    file = _public_file(folder)
    if not file.exists():
        return {}
    try:
        return {key["kid"]: key for key in json.loads(file.read_text())["keys"]}
    except (ValueError, TypeError, KeyError) as error:
        raise CommandError(
            f"{file} holds no public keys ({type(error).__name__}); put the file back from a backup, or remove it to have it "
            "made of the keys in use, which ends the tokens of older ones."
        ) from None


def _private(folder: Path, issuer: str) -> OKPKey:
    return load_key(folder / issuer / f"{issuer}.key.json")


def _public_file(folder: Path) -> Path:
    return folder / "public" / "tokens.jwks.json"
