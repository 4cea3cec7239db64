"""Every life cycle has one table of transitions, in its service's rules, followed by nothing else; and every table is tried by
a stateful test, in any order."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.test_house import ROOT, tree

STATEFUL = {"run_state_machine_as_test", "wander"}
"""What lets Hypothesis find the order."""


def tables() -> Iterator[tuple[str, str]]:
    """The module and the name of every table of transitions."""
    for path in sorted((ROOT / "services").rglob("*.py")):
        for node in tree(path).body:
            if isinstance(node, ast.AnnAssign) and ast.unparse(node.annotation) == "LifeCycle":
                assert isinstance(node.target, ast.Name)
                yield ".".join(path.relative_to(ROOT).with_suffix("").parts), node.target.id


def named(code: ast.Module) -> set[tuple[str, str]]:
    """The module and the name of whatever a file imports by name, or takes from a module it imports."""
    found: set[tuple[str, str]] = set()
    modules: dict[str, str] = {}
    for node in ast.walk(code):
        if isinstance(node, ast.ImportFrom) and node.module:
            found |= {(node.module, alias.name) for alias in node.names}
            modules |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    for node in ast.walk(code):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
            found.add((modules[node.value.id], node.attr))
    return found


def called(code: ast.Module) -> set[str]:
    """The names of the functions and methods that a file calls."""
    calls = (node.func for node in ast.walk(code) if isinstance(node, ast.Call))
    return {
        one.attr if isinstance(one, ast.Attribute) else one.id for one in calls if isinstance(one, ast.Attribute | ast.Name)
    }


def test_every_table_of_transitions_is_in_the_rules() -> None:
    found = list(tables())
    assert len(found) >= 17
    assert [module for module, _ in found if not module.endswith(".rules")] == []


def test_every_table_of_transitions_is_tried_in_any_order() -> None:
    tried: set[tuple[str, str]] = set()
    for path in (ROOT / "tests").rglob("test_*.py"):
        code = tree(path)
        if called(code) & STATEFUL:
            tried |= named(code)
    assert [f"{module}.{name}" for module, name in tables() if (module, name) not in tried] == []


def test_every_table_of_transitions_is_followed() -> None:
    """What is in a table and followed by nobody is a promise that nobody keeps."""
    used: set[tuple[str, str]] = set()
    for path in (ROOT / "services").rglob("*.py"):
        used |= named(tree(path))
    assert [f"{module}.{name}" for module, name in tables() if (module, name) not in used] == []
