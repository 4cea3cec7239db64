"""`fenghe events`: the facts as CloudEvents JSON, one a line."""

from __future__ import annotations

import heapq
import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

import sqlalchemy as sa
from redis.exceptions import RedisError

from deploy.data_folder import DataFolder
from deploy.errors import CommandError
from deploy.services import NAMES
from shared.database import Database
from shared.messaging import entries
from shared.messaging.reader import Reader
from shared.messaging.streams import stream_of
from shared.messaging.tables import outbox
from shared.messaging.valkey import EmbeddedValkey

Line = tuple[str, str, str]
"""Time, id and the line itself: what facts of several tellers are merged by."""


def print_events(data: Path, follow: bool, type: str | None, community: str | None) -> None:
    """Print facts, oldest first, from Redis where it runs, from the databases of a stopped data folder otherwise."""
    url = os.environ.get("FENGHE_REDIS_URL")
    folder = None if url else DataFolder.used(data)
    reader = Reader(url or EmbeddedValkey(folder.valkey).url, NAMES)  # type: ignore[union-attr]
    try:
        reader.ping()
    except (RedisError, OSError) as error:
        if folder is None or follow:
            raise CommandError(f"Nothing runs there to listen to ({error}); start it with: fenghe up") from None
        _print(heapq.merge(*(_lines(_from_database(folder, name)) for name in NAMES)), type, community)
        return
    try:
        _print(heapq.merge(*(_lines(reader.past(name)) for name in NAMES)), type, community)
        if follow:
            _print(_lines(reader.follow()), type, community)
    except KeyboardInterrupt:
        return
    except BrokenPipeError:
        os._exit(0)  # whoever read this has seen enough; Python would complain once more while closing stdout


def _from_database(folder: DataFolder, name: str) -> Iterator[entries.Fields]:
    path = folder.path / f"{name}.db"
    if not path.exists():
        return
    database = Database(f"sqlite:///{path}")
    own = sa.select(outbox).where(outbox.c.stream == stream_of(name)).order_by(outbox.c.time, outbox.c.id)
    with database.reading() as session:
        for row in session.execute(own).mappings():
            yield {key.encode(): value.encode() for key, value in entries.fields_of(dict(row)).items()}
    database.close()


def _lines(told: Iterable[entries.Fields]) -> Iterator[Line]:
    for fields in told:
        try:
            line = entries.json_line(fields)
        except entries.Unreadable:
            continue  # it lies with the dead letters of whoever hears it
        yield fields[b"time"].decode(), fields[b"id"].decode(), line


def _print(lines: Iterable[Line], type: str | None, community: str | None) -> None:
    for _, _, line in lines:
        if type or community:
            event = json.loads(line)
            if (type and event["type"] != type) or (community and event["community"] != community):
                continue
        print(line, flush=True)
