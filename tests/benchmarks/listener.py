"""The listener whose speed is measured: for each agreement heard it keeps a row and tells one fact. A process of its own:
`python -m tests.benchmarks.listener SETTINGS`, the settings as JSON."""

from __future__ import annotations

import asyncio
import signal
import sys
from datetime import UTC, datetime

import sqlalchemy as sa
from sqlmodel import Field, SQLModel

from deploy.serving import as_a_server
from shared import logs
from shared.database import NAMING
from shared.events import CloudEvent
from shared.events.feedback import EvaluationRecorded
from shared.events.registry import AgreementSigned
from shared.messaging import Handlers, Transaction
from shared.service import Host, Service
from shared.settings import Settings

MOMENT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)


class Table(SQLModel):
    metadata = sa.MetaData(naming_convention=NAMING)


class Agreement(Table, table=True):
    """The projection: one row a subject."""

    __tablename__ = "agreements"
    id: str = Field(primary_key=True)
    organization: str
    status: str
    sequence: int


def answer(heard: AgreementSigned) -> EvaluationRecorded:
    """The fact that is told for a fact heard."""
    return EvaluationRecorded(
        community=heard.community,
        evaluation=heard.agreement,
        party="station",
        organization=heard.organization,
        offer=None,
        item=heard.items[0],
        score=75.0,
        season="2026-Q4",
        recorded_at=MOMENT,
    )


on = Handlers()


@on(AgreementSigned)
def keep_agreements(tx: Transaction, events: list[CloudEvent[AgreementSigned]]) -> None:
    tx.keep(
        Agreement,
        [
            {"id": e.subject, "organization": e.data.organization, "status": e.data.status, "sequence": e.sequence}
            for e in events
        ],
    )
    for event in events:
        tx.tell(answer(event.data))


service = Service("feedback", "Listener", "What is measured", "listener", Table.metadata, handlers=[on])


async def _serve(settings: Settings) -> None:
    ended = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, ended.set)
    host = Host(service, settings)
    await host.start()
    await ended.wait()
    await host.stop()


if __name__ == "__main__":
    as_a_server()  # this and the log as in production
    logs.configure()
    asyncio.run(_serve(Settings.model_validate_json(sys.argv[1])))
