"""The kit: every decision that was acknowledged is told; every fact takes effect exactly once at each listener, in any
order, over any crash; what cannot be handled is kept with its cause and can be replayed.

What a service imports of it stands here. A service is written in this order; `tests/messaging/lending.py` is one, whole, of
36 lines of code:

1. Its facts: a base for each subject and a class for each thing that can happen to it, in a module that bears the service's
   name (`Fact`). A docstring is a fact's reference.

       class LoanState(Fact, about="loan"):
           loan: str
           days: int
           status: str

       class LoanAsked(LoanState, type="fenghe.loan.asked.v1"):
           \"\"\"A neighbour asked for a thing.\"\"\"

2. Its tables: SQLModel classes on a MetaData of its own. What it keeps of others' facts has a column `sequence`. Its database
   has the kit's tables too; its own are made by its migrations.

       class Table(SQLModel):
           metadata = sa.MetaData(naming_convention=shared.database.NAMING)

       class Loan(Table, table=True):
           id: str = Field(primary_key=True)
           ...

3. Its actions: functions of a `Transaction` that write rows and tell facts, and neither commit nor do anything else, for they
   may be run again. What cannot be done is raised (`shared/problems.py`), and undoes both.

       def ask(tx: Transaction, community: str, id: str, days: int) -> LoanState:
           tx.session.add(loan := Loan(id=id, community=community, days=days))
           return tx.tell(LoanAsked.from_row(loan))

4. Its routes: functions that say who may call them and run one action, or read, `edge.read(query, ...)` (`shared/web.py`,
   `shared/access.py`). What comes often and locks no row shares transactions: `edge.run_together`.

       @router.put("/communities/{community}/loans/{loan}")
       def put_loan(community: str, loan: str, days: int, caller: Caller = allow("anyone"), edge: Edge = EDGE) -> LoanState:
           return edge.run(ask, community, loan, days)

5. Its handlers: what it does when it hears facts, its own among them (`Handlers`), once each, in any order. Replicas share the
   work. What it keeps of others' facts it keeps whole (`tx.keep`): a late older one changes nothing. With `at_once=True` what
   its own commands tell takes effect with the command. Some days after facts are forgotten the inbox forgets them too; the last
   one of a subject can still be sent again (`fenghe republish`), and must then find nothing left to do, as in `tx.keep`.

       on = Handlers()

       @on(LoanAsked)
       def lend(tx: Transaction, event: CloudEvent[LoanAsked]) -> None: ...

       @on(OfferPublished, OfferChanged)
       def keep_offers(tx: Transaction, events: list[CloudEvent[OfferPublished]]) -> None:
           tx.keep(Offer, [{"id": e.subject, "title": e.data.title_zh, "sequence": e.sequence} for e in events])

6. Its timers: what it does when the time has come (`Timers`), set with `tx.schedule("give-back", loan.id, community, due_at)`.
   For the time it asks `tx.now(community)` or, in a query, `clocks.now(session, community)`.

       timers = Timers()

       @timers("give-back")
       def miss(tx: Transaction, timer: Timer) -> None: ...

7. The value that names all of it, which production runs and tests put into a `Harness` (`shared/messaging/testing.py`):

       service = Service("lending", "Lending", "Things lent", "lending", Table.metadata, routers=[router],
                         handlers=[on, clocks.handlers], timers=[timers])
"""

from shared.database import insert
from shared.events import CloudEvent, Fact
from shared.messaging import clocks, sets
from shared.messaging.handlers import Handlers
from shared.messaging.timers import Timer, Timers
from shared.messaging.transaction import Transaction

__all__ = ["CloudEvent", "Fact", "Handlers", "Timer", "Timers", "Transaction", "clocks", "insert", "sets"]
