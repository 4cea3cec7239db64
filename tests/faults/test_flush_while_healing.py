"""T4, at its worst moment: Redis loses its data a second time while the first loss is being looked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import redis

from shared.database import Database
from shared.messaging import outbox
from shared.messaging.entries import fields_of
from shared.messaging.healing import Healer
from shared.messaging.transaction import transact
from tests.faults.arena import STREAM
from tests.faults.substrates import Substrate
from tests.messaging.child import Table, apply, service


def test_what_is_lost_in_the_middle_of_healing_is_found_the_next_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with Substrate("sqlite", "valkey").new(tmp_path) as ground, redis.Redis.from_url(ground.server.url) as client:
        database = Database(ground.database("child", Table.metadata))
        _, (row,) = transact(database, service.name, "http://x", lambda tx: apply(tx, "a"), lambda: None)
        entry_id: bytes = client.xadd(STREAM, fields_of(row))  # type: ignore[arg-type,assignment]
        database.transact(lambda session: outbox.mark_sent(session, [(STREAM, row["id"], entry_id.decode())]))
        healer = Healer(database, client, [STREAM])
        look = healer._check

        def look_and_lose(stream: str) -> int:
            found = look(stream)
            client.flushall()
            return found

        with monkeypatch.context() as meanwhile:
            meanwhile.setattr(healer, "_check", look_and_lose)
            assert healer.heal() == 0
        assert healer.heal() == 1
        database.close()
