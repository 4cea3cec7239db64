"""A stranger's service, written from the kit's public names alone, stands beside the four: HTTP in, facts out. The fault suite
strikes it (`tests/faults/commands.py`)."""

from __future__ import annotations

import ast
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

import shared.messaging
from shared.events.examples import STATES
from shared.events.registry import CommunityClockMoved
from shared.messaging.testing import Harness
from tests.faults import commands
from tests.messaging import lending
from tests.messaging.lending import Loan, LoanAsked, LoanChanged, LoanOverdue, service

LINES = 36
"""The lines of code of a service that answers, tells, hears and has timers; its imports, docstrings and what a formatter breaks
apart are not counted."""


@pytest.fixture
def shelf(harness: Callable[[Any], Harness]) -> Harness:
    return harness(service)


def ask(shelf: Harness, loan: str, days: Any = 14) -> Any:
    return shelf.client.put(f"/api/lending/communities/c/loans/{loan}", params={"days": days})


def stands(shelf: Harness) -> dict[str, str]:
    return {loan.id: loan.status for loan in shelf.rows(Loan)}


def test_a_loan_goes_its_way_over_http_facts_and_time(shelf: Harness) -> None:
    assert ask(shelf, "ladder").json() == {"community": "c", "loan": "ladder", "days": 14, "status": "asked"}
    told = shelf.told()
    assert [(type(event.data), event.sequence) for event in told] == [(LoanAsked, 1), (LoanChanged, 2)]
    assert stands(shelf) == {"ladder": "lent"}
    clock = {**STATES["community"], "rehearsal": True, "clock_ahead": 14 * 86_400}
    shelf.hear(CommunityClockMoved.model_validate({"community": "c", **clock}))
    [overdue] = shelf.told(LoanOverdue)
    assert (overdue.subject, overdue.data.status, overdue.source) == ("ladder", "overdue", "/fenghe/lending")
    assert stands(shelf) == {"ladder": "overdue"}
    assert not shelf.dead_letters()


def test_what_cannot_be_done_is_a_problem_and_tells_nothing(shelf: Harness) -> None:
    assert ask(shelf, "drill").status_code == 201
    assert ask(shelf, "drill").json()["type"] == "urn:fenghe:problem:loan-taken"
    assert ask(shelf, "saw", days="long").status_code == 422
    assert {event.subject for event in shelf.told()} == {"drill"}


def test_it_has_what_every_service_has(shelf: Harness) -> None:
    told = {LoanAsked.type, LoanChanged.type, LoanOverdue.type}
    channels = shelf.client.get("/api/lending/asyncapi.json").text
    assert all(type in channels for type in told)
    assert shelf.client.get(f"/api/lending/schemas/{LoanAsked.type}.json").json()["description"] == LoanAsked.__doc__
    assert shelf.client.get("/api/lending/health/ready").json() == {"ready": True, "missing": []}


def test_it_knows_the_kits_public_names_alone() -> None:
    tree = ast.parse(Path(lending.__file__).read_text())
    imported = {node.module: node for node in ast.walk(tree) if isinstance(node, ast.ImportFrom) and node.module}
    assert [module for module in imported if module.startswith("shared.messaging")] == ["shared.messaging"]
    assert {alias.name for alias in imported["shared.messaging"].names} <= set(shared.messaging.__all__)


def test_it_is_short_and_the_one_that_the_fault_suite_strikes() -> None:
    tree = ast.parse(Path(lending.__file__).read_text())
    said = (ast.Import, ast.ImportFrom, ast.Expr)
    code = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.stmt) and not isinstance(node, said)}
    calls = {node.lineno for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)}
    decorators = {one.lineno for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) for one in node.decorator_list}
    assert len(code | calls | decorators) <= LINES
    assert set(service.dispatch.types) <= set(commands.service.dispatch.types)
    assert list(commands.service.timers) == list(service.timers)
    assert all(router in commands.service.routers for router in service.routers)
    assert commands.service.metadata is service.metadata


@pytest.mark.parametrize("name", shared.messaging.__all__)
def test_every_public_name_says_what_it_is_for(name: str) -> None:
    assert len((getattr(shared.messaging, name).__doc__ or "").split()) >= 5
