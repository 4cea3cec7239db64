"""Many rows in one statement, on both databases: every kind of column, more rows than one statement takes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime

import sqlalchemy as sa

from shared.database import JSON, Database, UTCDateTime
from shared.messaging import sets

table = sa.Table(
    "kept",
    sa.MetaData(),
    sa.Column("place", sa.String, primary_key=True),
    sa.Column("number", sa.Integer, primary_key=True),
    sa.Column("words", sa.Text),
    sa.Column("score", sa.Float),
    sa.Column("on_day", sa.Date),
    sa.Column("at", UTCDateTime),
    sa.Column("more", JSON),
    sa.Column("is_new", sa.Boolean),
)
NAMES = [column.name for column in table.columns]
MOMENT = datetime(2026, 11, 25, 9, 30, 0, 250_000, tzinfo=UTC)
AWKWARD = ["", 'in "quotes"', "back\\slash", "{a,b}", "NULL", "two\nlines", "丰和社区 🏮", "it's", "%s %b ?", None]
COUNT = 2 * sets.AT_ONCE + 1


def row_of(number: int) -> tuple[object, ...]:
    words = AWKWARD[number % len(AWKWARD)]
    score = (1, 0.5, None)[number % 3]
    return ("p", number, words, score, date(2026, 1, 1), MOMENT, {"a": [words, 1]}, number % 2 == 0)


def test_rows_come_back_as_they_were_written(database_url: Callable[[str], str]) -> None:
    database = Database(database_url("sets"))
    table.create(database.engine)
    rows = [row_of(number) for number in range(COUNT)]
    written = database.transact(lambda s: sets.insert(s, table, NAMES, rows, "ON CONFLICT DO NOTHING", ("number",)))
    assert sorted(number for (number,) in written) == list(range(COUNT))
    again = database.transact(lambda s: sets.insert(s, table, NAMES, rows[:3], "ON CONFLICT DO NOTHING", ("number",)))
    assert again == []
    with database.reading() as session:
        assert [tuple(row) for row in session.execute(sa.select(table).order_by(table.c.number))] == rows

    marks = [("p", number, f"marked {number}") for number in range(0, COUNT, 2)]
    database.transact(lambda s: sets.update(s, table, ("place", "number", "words"), marks))
    alike = {"place": "q", "at": MOMENT, "more": None}
    database.transact(lambda s: sets.insert(s, table, ("number", "words"), [(1, "x"), (2, "y")], alike=alike))
    with database.reading() as session:
        words = {number: words for number, words in session.execute(sa.select(table.c.number, table.c.words)) if number > 2}
        for number in range(3, COUNT):
            assert words[number] == (row_of(number)[2] if number % 2 else f"marked {number}")
        kept = session.execute(sa.select(table.c.number, table.c.words, table.c.at, table.c.more).where(table.c.place == "q"))
        assert sorted(kept) == [(1, "x", MOMENT, None), (2, "y", MOMENT, None)]
    assert database.transact(lambda s: sets.insert(s, table, NAMES, [])) == []
    database.close()
