"""What an operator can mend is said in a sentence, also where a command loads hardly anything."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest
import typer

from deploy.sentences import MENDED_BY_AN_OPERATOR, sentences
from shared.problems import Conflict, Problem
from tests.system.conftest import ROOT


@pytest.mark.parametrize(("module", "name"), MENDED_BY_AN_OPERATOR)
def test_what_can_be_mended_is_said_in_a_sentence(module: str, name: str, capsys: pytest.CaptureFixture[str]) -> None:
    kind = getattr(importlib.import_module(module), name)
    error = Conflict("taken", "It is taken.") if kind is Problem else kind("It is taken.")
    with pytest.raises(typer.Exit) as ended, sentences():
        raise error
    assert (ended.value.exit_code, capsys.readouterr().err) == (1, "It is taken.\n")


def test_a_bug_keeps_its_traceback() -> None:
    with pytest.raises(ZeroDivisionError), sentences():
        raise ZeroDivisionError


def test_a_command_that_asks_for_no_service_loads_none_of_what_services_are_made_of() -> None:
    code = """
import runpy, sys
sys.argv = ["fenghe", "allocate", "none.json"]
try:
    runpy.run_module("deploy.cli", run_name="__main__")
except SystemExit as ended:
    assert ended.code == 1
print({"sqlalchemy", "fastapi", "redis", "alembic"} & set(sys.modules))
"""
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
    assert "none.json cannot be read" in done.stderr
