"""A fifth service, as a stranger writes one from the kit's docstrings: registered organizations lend things to neighbours."""

from __future__ import annotations

from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter
from sqlmodel import Field, SQLModel

from shared.access import Caller, allow
from shared.database import NAMING
from shared.events.examples import STATES
from shared.events.registry import OrganizationChanged, OrganizationRegistered, OrganizationState
from shared.messaging import CloudEvent, Fact, Handlers, Timer, Timers, Transaction, clocks
from shared.problems import Conflict, NotFound
from shared.service import Service
from shared.web import EDGE, Edge


class LoanState(Fact, about="loan"):
    """A thing lent to a neighbour for some days."""

    loan: str
    lender: str
    days: int
    status: Literal["asked", "lent", "overdue"]


class LoanAsked(LoanState, type="fenghe.loan.asked.v1"):
    """A neighbour asked for a thing."""


class LoanChanged(LoanState, type="fenghe.loan.changed.v1"):
    """The thing was lent, or for how long was changed."""


class LoanOverdue(LoanState, type="fenghe.loan.overdue.v1"):
    """The thing was not given back in time."""


STATES["loan"] = {"loan": "loan-1", "lender": "organization-1", "days": 14, "status": "asked"}


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Lender(Table, table=True):
    id: str = Field(primary_key=True)
    community: str
    sequence: int


class Loan(Table, table=True):
    id: str = Field(primary_key=True)
    community: str
    lender: str
    days: int
    status: str


class LoanTerms(SQLModel):
    lender: str
    days: int = Field(ge=0, le=365)


router, on, timers = APIRouter(), Handlers(), Timers()


@router.put("/loans/{loan}", status_code=201)
def put_loan(loan: str, body: LoanTerms, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> LoanState:
    """Ask for a thing. Tells `loan.asked`. 404 `lender-unknown`, 409 `loan-taken`."""
    return edge.run(ask, loan, body)


@router.get("/loans/{loan}")
def get_loan(loan: str, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> LoanState:
    """Where a loan stands."""
    return edge.read(lambda session: _known(session.get(Loan, loan), loan))


def ask(tx: Transaction, id: str, terms: LoanTerms) -> LoanState:
    lender = tx.session.get(Lender, terms.lender)
    if lender is None:
        raise NotFound("lender", terms.lender, "lender")
    return open_loan(tx, Loan(id=id, community=lender.community, status="asked", **terms.model_dump()))


def open_loan(tx: Transaction, loan: Loan) -> LoanState:
    if tx.session.get(Loan, loan.id):
        raise Conflict("loan-taken", "There is a loan of this id.")
    tx.session.add(loan)
    tx.tell(LoanAsked.model_validate(_state(loan)))
    return LoanState.model_validate(_state(loan))


@on(OrganizationRegistered, OrganizationChanged)
def keep_lenders(tx: Transaction, events: list[CloudEvent[OrganizationState]]) -> None:
    tx.keep(Lender, [{"id": e.subject, "community": e.community, "sequence": e.sequence} for e in events])


@on(LoanAsked)
def lend(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
    loan = tx.session.get_one(Loan, event.subject, with_for_update=True)
    loan.status = "lent"
    tx.tell(LoanChanged.model_validate(_state(loan)))
    tx.schedule("give-back", loan.id, loan.community, tx.now(loan.community) + timedelta(days=loan.days))


@timers("give-back")
def miss(tx: Transaction, timer: Timer) -> None:
    loan = tx.session.get_one(Loan, timer.subject, with_for_update=True)
    loan.status = "overdue"
    tx.tell(LoanOverdue.model_validate(_state(loan)))


def _state(loan: Loan) -> dict[str, object]:
    return {"loan": loan.id, **loan.model_dump(exclude={"id"})}


def _known(loan: Loan | None, id: str) -> LoanState:
    if loan is None:
        raise NotFound("loan", id)
    return LoanState.model_validate(_state(loan))


service = Service(
    "lending",
    "Lending",
    "Things that organizations lend to neighbours.",
    "lending",
    Table.metadata,
    routers=[router],
    handlers=[on, clocks.handlers],
    timers=[timers],
)
