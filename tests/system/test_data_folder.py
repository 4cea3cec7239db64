"""The data folder: made by `fenghe up` alone, its keys written whole, and no other command makes one by a slip of the pen."""

from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from deploy import cli, season
from deploy.data_folder import DataFolder, DataFolderError
from deploy.sample_community import Sample
from shared.access import load_signer, load_verifier, make_keys
from tests.system.conftest import ROOT, fenghe


@pytest.mark.parametrize(
    "command",
    [
        ["token", "--role", "operator"],
        ["events"],
        ["import", str(ROOT / "deploy" / "sample" / "offers.csv"), "--community", "fenghe"],
        ["republish"],
        ["dead-letters"],
        ["dead-letters", "registry", "--replay-all"],
    ],
)
def test_a_mistyped_folder_is_told_and_not_made(tmp_path: Path, command: list[str]) -> None:
    data = tmp_path / "dtaa"
    outcome = fenghe(*command, "--data", str(data))
    sentence = f"Nothing has run in {data} yet; start it with: fenghe up --data {data}\n"
    assert (outcome.returncode, outcome.stdout, outcome.stderr) == (1, "", sentence)
    assert not data.exists()


def test_migrate_makes_the_databases_and_no_keys(tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert fenghe("migrate", "--data", str(data)).returncode == 0
    assert sorted(path.name for path in data.glob("*.db")) == ["feedback.db", "matching.db", "notify.db", "registry.db"]
    assert not (data / "keys").exists()
    assert fenghe("token", "--role", "operator", "--data", str(data)).returncode == 1


def test_keys_are_made_under_the_lock(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path / "data")
    assert not folder.path.exists()
    with pytest.raises(DataFolderError, match="not locked"):
        folder.make_keys()
    folder.lock()
    try:
        folder.make_keys()
    finally:
        folder.unlock()
    modes = {path.name: path.stat().st_mode & 0o777 for path in folder.keys.iterdir()}
    assert modes["registry.key.json"] == modes["matching.key.json"] == 0o600
    assert folder.path.stat().st_mode & 0o777 == 0o700


def test_keys_made_twice_stay_and_half_a_file_is_never_seen(tmp_path: Path) -> None:
    make_keys(tmp_path)
    before = (tmp_path / "registry.key.json").read_bytes()
    stop = threading.Event()
    broken: list[Exception] = []

    def read() -> None:
        while not stop.is_set():
            try:
                load_verifier(str(tmp_path / "tokens.jwks.json"))
            except (OSError, ValueError) as error:
                broken.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    for _ in range(30):
        make_keys(tmp_path)
    stop.set()
    reader.join()
    assert broken == []
    assert (tmp_path / "registry.key.json").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir() if path.name.endswith(".new")] == []


@pytest.mark.parametrize("content", ["", "{", "{}", "[]", '{"kty": "OKP", "crv": "Ed25519", "x": "!"}', "\x00"])
def test_a_key_file_that_cannot_be_read_is_told_in_a_sentence(tmp_path: Path, content: str) -> None:
    keys = tmp_path / "data" / "keys"
    make_keys(keys)
    (keys / "registry.key.json").write_text(content)
    with pytest.raises(ValueError, match=r"registry\.key\.json holds no key"):
        load_signer(str(keys / "registry.key.json"))
    with pytest.raises(ValueError, match=r"registry\.key\.json holds no key"):
        make_keys(keys)


def test_the_commands_say_that_a_key_is_empty(tmp_path: Path) -> None:
    data = tmp_path / "data"
    make_keys(data / "keys")
    (data / "keys" / "registry.key.json").write_text("")
    make_keys(tmp_path / "keys" / "registry", ["registry"])
    (tmp_path / "keys" / "registry" / "registry.key.json").write_text("")
    for command in (
        ["up", "--data", str(data), "--port", "0"],
        ["token", "--role", "operator", "--data", str(data)],
        ["keys", str(tmp_path / "keys")],
    ):
        outcome = fenghe(*command)
        assert outcome.returncode == 1
        assert "registry.key.json holds no key" in outcome.stderr
        assert "Traceback" not in outcome.stderr


def test_a_token_is_somebodys_and_an_operators_is_no_communitys(tmp_path: Path) -> None:
    make_keys(tmp_path / "keys")
    verifier = load_verifier(str(tmp_path / "keys" / "tokens.jwks.json"))

    def token(*arguments: str) -> str | None:
        outcome = fenghe("token", "--data", str(tmp_path), *arguments)
        assert outcome.returncode == 0, outcome.stderr
        return verifier.caller(outcome.stdout.strip()).subject

    expert = ["--role", "expert", "--community", "c"]
    first, second = token(*expert), token(*expert)
    assert first and second and first != second
    assert token(*expert, "--subject", "e-17") == "e-17"
    outcome = fenghe("token", "--data", str(tmp_path), "--role", "operator", "--community", "c")
    assert (outcome.returncode, outcome.stdout) == (1, "")
    assert outcome.stderr == "An operator belongs to no community; leave --community out.\n"
    assert fenghe("token", "--data", str(tmp_path), *expert, "--subject", "x" * 101).returncode == 1


def test_a_sample_that_was_once_opened_is_never_touched_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = DataFolder(tmp_path)
    make_keys(folder.keys)
    opened: list[str] = []

    def cut_short(address: str, token: str, sample: Sample) -> str:
        opened.append(address)
        if len(opened) == 1:
            raise season.SeasonError("killed")
        return "c"

    monkeypatch.setattr(season, "open_sample", cut_short)
    with pytest.raises(season.SeasonError):
        cli._open_sample("first", folder)
    for address in ("second", "third"):
        cli._open_sample(address, folder)
    assert opened == ["first", "second"]


def test_the_public_keys_are_all_that_is_published(tmp_path: Path) -> None:
    make_keys(tmp_path)
    published = json.loads((tmp_path / "tokens.jwks.json").read_text())["keys"]
    assert [(key["kid"], "d" in key) for key in published] == [("registry-1", False), ("matching-1", False)]
