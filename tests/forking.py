"""Processes of the tests: forked from a server that has everything imported, so that a start takes milliseconds; a kill is a
real one."""

from __future__ import annotations

import multiprocessing
import os
import runpy
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

CONTEXT = multiprocessing.get_context("forkserver")
CONTEXT.set_forkserver_preload(["tests.faults.replica"])


def be_fenghe(arguments: Sequence[str], environment: Mapping[str, str], folder: Path) -> None:
    """Be the command `fenghe` from here on, as `python -m deploy.cli` is it; what it prints is in the files `output` and
    `errors` of a folder."""
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(Path(__file__).parent.parent)
    for number, file in enumerate((Path(os.devnull), folder / "output", folder / "errors")):
        os.dup2(os.open(file, os.O_RDWR | os.O_CREAT, 0o600), number)
    sys.stdin, sys.stdout, sys.stderr = open(0), open(1, "w", encoding="utf-8"), open(2, "w", encoding="utf-8")  # noqa: SIM115
    sys.argv = ["fenghe", *arguments]
    runpy.run_module("deploy.cli", run_name="__main__", alter_sys=True)
