"""`fenghe import` on rows and files that are broken in ways a form never is."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from deploy import importing
from deploy.data_folder import databases
from deploy.errors import CommandError
from deploy.importing import import_files
from services.registry.models import Community, Organization
from shared.clock import now
from shared.imports import Import
from shared.messaging import Transaction
from shared.migrations import upgrade

HEADER = "title,text"


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A data folder with one community, whose registry also takes in a kind of rows that breaks its tables."""
    for name in [name for name in os.environ if name.startswith("FENGHE_")]:
        monkeypatch.delenv(name)
    with databases(["registry"], tmp_path / "data", make=True) as ((service, database),):
        upgrade(service, database)
        community = Community(id="c", slug="fenghe", name_zh="丰和", name_en="Fenghe", rehearsal=False, opened_at=now())
        database.transact(lambda session: session.add(community))

        def row(tx: Transaction, caller: Any, community: str, values: Any) -> None:
            status = "applied" if values["text"] == "good" else values["text"]
            if status == "too long":
                raise sa.exc.DataError("INSERT", {}, Exception("value too long\nDETAIL: more"))
            organization = Organization(
                id=values["title"],
                community=community,
                name_zh=values["title"],
                name_en="",
                organization_class="culture",
                introduction_zh="",
                introduction_en="",
                origin="absorbed",
                credit_code=None,
                status=status,
                applied_at=now(),
            )
            tx.session.add(organization)

        kind = Import("rows", ("title", "text"), row)
        monkeypatch.setattr(importing, "_target", lambda file, columns: importing._Target(service, kind))
        yield tmp_path / "data"


@pytest.fixture
def take_in(data: Path, tmp_path: Path) -> Callable[[str], int]:
    def take_in(text: str) -> int:
        file = tmp_path / "rows.csv"
        file.write_bytes(text.encode())
        return import_files([file], "fenghe", data)

    return take_in


def test_a_nul_character_is_refused_with_its_column(take_in: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(f"{HEADER}\na,go\x00od\nb,good\n") == 1
    output = capsys.readouterr()
    assert "rows.csv:2: text: the value has a NUL character (U+0000) in it; take it out" in output.err
    assert "1 rows taken in, 1 refused" in output.out


def test_what_the_database_refuses_is_a_refused_row(take_in: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    assert take_in(f"{HEADER}\na,good\na,good\nb,no such status\nc,too long\nd,good\n") == 3
    output = capsys.readouterr()
    assert "2 rows taken in, 3 refused" in output.out
    for line, words in ((3, "UNIQUE"), (4, "CHECK"), (5, "value too long")):
        (message,) = [text for text in output.err.splitlines() if f"rows.csv:{line}: the database refuses it" in text]
        assert words in message


def test_a_file_that_is_no_csv_is_told_with_its_line(take_in: Callable[[str], int], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(CommandError, match=r"rows\.csv:3: this is not readable as CSV: field larger than"):
        take_in(f"{HEADER}\na,good\nb,{'x' * 200_000}\n")
    with pytest.raises(CommandError, match=r"rows\.csv:1: this is not readable as CSV"):
        take_in("x" * 200_000)
