"""A fifth service, as a stranger writes one from the kit's docstrings: a community lends things to neighbours."""

from datetime import timedelta
from typing import Literal

import sqlalchemy as sa
from fastapi import APIRouter
from sqlmodel import Field, SQLModel

from shared.access import Caller, allow
from shared.database import NAMING
from shared.messaging import CloudEvent, Fact, Handlers, Timer, Timers, Transaction, clocks
from shared.problems import Conflict
from shared.service import Service
from shared.web import EDGE, Edge


class LoanState(Fact, about="loan"):
    """A thing lent to a neighbour for some days."""

    loan: str
    days: int
    status: Literal["asked", "lent", "overdue"]


class LoanAsked(LoanState, type="fenghe.loan.asked.v1"):
    """A neighbour asked for a thing."""


class LoanChanged(LoanState, type="fenghe.loan.changed.v1"):
    """The thing was lent, or for how long was changed."""


class LoanOverdue(LoanState, type="fenghe.loan.overdue.v1"):
    """The thing was not given back in time."""


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Loan(Table, table=True):
    id: str = Field(primary_key=True)
    community: str
    days: int
    status: str = "asked"


router, on, timers = APIRouter(), Handlers(), Timers()


@router.put("/communities/{community}/loans/{loan}", status_code=201)
def put_loan(community: str, loan: str, days: int, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> LoanState:
    """Ask for a thing. Tells `loan.asked`. 409 `loan-taken`."""
    return edge.run(ask, community, loan, days)


def ask(tx: Transaction, community: str, id: str, days: int) -> LoanState:
    if tx.session.get(Loan, id):
        raise Conflict("loan-taken", "There is a loan of this id.")
    tx.session.add(loan := Loan(id=id, community=community, days=days))
    return tx.tell(LoanAsked.from_row(loan))


@on(LoanAsked)
def lend(tx: Transaction, event: CloudEvent[LoanAsked]) -> None:
    loan = tx.session.get_one(Loan, event.subject, with_for_update=True)
    loan.status = "lent"
    tx.tell(LoanChanged.from_row(loan))
    tx.schedule("give-back", loan.id, loan.community, tx.now(loan.community) + timedelta(days=loan.days))


@timers("give-back")
def miss(tx: Transaction, timer: Timer) -> None:
    loan = tx.session.get_one(Loan, timer.subject, with_for_update=True)
    loan.status = "overdue"
    tx.tell(LoanOverdue.from_row(loan))


service = Service(
    "lending",
    "Lending",
    "Things lent to neighbours.",
    "lending",
    Table.metadata,
    routers=[router],
    handlers=[on, clocks.handlers],
    timers=[timers],
)
