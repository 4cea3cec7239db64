"""The AsyncAPI documents that are served, read by the reference parser."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.system.conftest import HTTP, ROOT, AllInOne

PARSER = os.environ.get("FENGHE_TEST_ASYNCAPI_PARSER", "")
"""A folder in which `npm install @asyncapi/parser` was run."""
SERVICES = ("registry", "matching", "feedback", "notify")


@pytest.mark.skipif(not PARSER, reason="@asyncapi/parser: set FENGHE_TEST_ASYNCAPI_PARSER to a folder it is installed in")
def test_the_reference_parser_accepts_every_document(sample_system: AllInOne, tmp_path: Path) -> None:
    files = []
    for service in SERVICES:
        files.append(tmp_path / f"{service}.json")
        files[-1].write_text(HTTP.get(f"{sample_system.address}/api/{service}/asyncapi.json").text)
    files.append(tmp_path / "feed.json")
    files[-1].write_text(HTTP.get(f"{sample_system.address}/docs/events/asyncapi.json").text)
    check = ROOT / "tests" / "contracts" / "asyncapi-check.mjs"
    outcome = subprocess.run(
        ["node", str(check), PARSER, *map(str, files)], capture_output=True, text=True, timeout=120, check=False
    )
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr
    assert len(outcome.stdout.splitlines()) == len(files), outcome.stdout
