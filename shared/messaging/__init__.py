"""The kit: every decision that was acknowledged is told; every fact takes effect exactly once at each listener, in any
order, over any crash; what cannot be handled is kept with its cause and can be replayed.

What a service imports of it stands here. A service is written in this order; `tests/messaging/lending.py` is one, whole:

1. Its facts: a base for each subject and a class for each thing that can happen to it, in a module that bears the service's
   name (`Fact`). A docstring is a fact's reference.

       class LoanState(Fact, about="loan"):
           loan: str
           status: str

       class LoanAsked(LoanState, type="fenghe.loan.asked.v1"):
           \"\"\"A neighbour asked for a thing.\"\"\"

2. Its tables: SQLModel classes on a MetaData of its own with `shared.database.NAMING`. What it keeps of others' facts has a
   column `sequence`. Its database has the kit's tables too; its own are made by its migrations.

3. Its actions: functions of a `Transaction` that write rows and tell facts, and neither commit nor do anything else.

       def ask(tx: Transaction, caller: Caller, terms: LoanTerms) -> LoanView:
           tx.session.add(Loan(...))
           tx.tell(LoanAsked(...))

4. Its routes: `@router.post(...)` functions that say who may call them and run one action, `edge.run(ask, caller, terms)`,
   or read, `edge.read(query, ...)` (`shared/web.py`, `shared/access.py`).

5. Its handlers: what it does when it hears facts, its own among them (`Handlers`). Replicas share the work.

       on = Handlers()

       @on(LoanAsked)
       def lend(tx: Transaction, event: CloudEvent[LoanAsked]) -> None: ...

6. Its timers: what it does when the time has come (`Timers`). For the time it asks `tx.now(community)` or, in a query,
   `clocks.now(session, community)`.

7. The value that names all of it, which production runs and tests put into a `Harness` (`shared/messaging/testing.py`):

       service = Service("lending", "Lending", "Things lent", "lending", Table.metadata, routers=[router],
                         handlers=[on, clocks.handlers], timers=[timers])
"""

from shared.database import insert
from shared.events import CloudEvent, Fact
from shared.messaging import clocks
from shared.messaging.handlers import Handlers
from shared.messaging.timers import Timer, Timers
from shared.messaging.transaction import Transaction

__all__ = ["CloudEvent", "Fact", "Handlers", "Timer", "Timers", "Transaction", "clocks", "insert"]
