"""`fenghe keys`: the signing keys of services that run apart, made, rotated, forgotten."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from deploy import signing_keys
from deploy.errors import CommandError
from shared.access import load_signer, load_verifier
from shared.problems import Problem
from tests.system.conftest import fenghe


def public(folder: Path) -> str:
    return str(folder / "public" / "tokens.jwks.json")


def signed(folder: Path) -> str:
    return load_signer(str(folder / "registry" / "registry.key.json")).sign(role="operator")


def test_keys_are_made_once_each_in_its_folder(tmp_path: Path) -> None:
    for _ in range(2):
        outcome = fenghe("keys", str(tmp_path))
        assert outcome.returncode == 0, outcome.stderr
    assert sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*.key.json")) == [
        "matching/matching.key.json",
        "registry/registry.key.json",
    ]
    assert {path.stat().st_mode & 0o777 for path in tmp_path.rglob("*.key.json")} == {0o600}
    published = json.loads(Path(public(tmp_path)).read_text())["keys"]
    assert sorted(key["kid"] for key in published) == ["matching-1", "registry-1"]
    assert not [key for key in published if "d" in key]
    assert load_verifier(public(tmp_path)).caller(signed(tmp_path)).role == "operator"


def test_after_a_rotation_old_tokens_are_valid_until_their_key_is_forgotten(tmp_path: Path) -> None:
    signing_keys.make(tmp_path)
    old = signed(tmp_path)
    assert signing_keys.rotate(tmp_path, "registry") == "registry-2"
    signing_keys.make(tmp_path)  # as the next start does
    new = signed(tmp_path)
    verifier = load_verifier(public(tmp_path))
    assert verifier.caller(old) == verifier.caller(new)

    with pytest.raises(CommandError, match="in use"):
        signing_keys.forget(tmp_path, "registry-2")
    signing_keys.forget(tmp_path, "registry-1")
    verifier = load_verifier(public(tmp_path))
    assert verifier.caller(new).role == "operator"
    with pytest.raises(Problem, match="not valid"):
        verifier.caller(old)
    assert signing_keys.rotate(tmp_path, "registry") == "registry-3"


def test_a_typo_is_answered_by_a_sentence(tmp_path: Path) -> None:
    outcome = fenghe("keys", str(tmp_path), "--rotate", "notify")
    assert (outcome.returncode, outcome.stderr) == (1, "'notify' signs no tokens: registry or matching.\n")
