"""The signing keys of a deployment whose services run apart: a folder for each private key, one for the public halves.

In compose each folder is a volume, so that a private key can be mounted where it signs and nowhere else.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from joserfc.jwk import OKPKey

from deploy.errors import CommandError
from shared.access import make_keys

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
    _write(folder / issuer / f"{issuer}.key.json", key.as_dict(private=True), 0o600)
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
    _write(_public_file(folder), {"keys": list(published.values())}, 0o644)


def _publish(folder: Path) -> None:
    keys = [_private(folder, issuer) for issuer in ISSUERS]
    published = _published(folder) | {str(key.kid): dict(key.as_dict(private=False)) for key in keys}
    _write(_public_file(folder), {"keys": list(published.values())}, 0o644)


def _published(folder: Path) -> dict[str, dict[str, Any]]:
    file = _public_file(folder)
    return {key["kid"]: key for key in json.loads(file.read_text())["keys"]} if file.exists() else {}


def _private(folder: Path, issuer: str) -> OKPKey:
    return OKPKey.import_key(json.loads((folder / issuer / f"{issuer}.key.json").read_text()))


def _public_file(folder: Path) -> Path:
    return folder / "public" / "tokens.jwks.json"


def _write(file: Path, document: dict[str, Any], mode: int) -> None:
    """Whoever reads the file meanwhile finds the old content or the new one, whole."""
    file.parent.mkdir(parents=True, exist_ok=True)
    new = file.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "w") as stream:
        json.dump(document, stream, indent=1)
        stream.flush()
        os.fsync(stream.fileno())
    new.replace(file)
