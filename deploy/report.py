"""`fenghe report`: what was done for residents, as a table for each heading, and as CSV."""

from __future__ import annotations

import csv
from pathlib import Path
from typing import get_args

from rich.console import Console
from rich.table import Table

from deploy.data_folder import databases
from deploy.errors import CommandError
from services.feedback import queries
from services.feedback.views import By, Outcome, Outcomes
from shared.migrations import is_current

COLUMNS = ("community", "by", "key", "name_zh", "name_en", "activities", "requests", "projects", "beneficiaries")
"""The columns of the CSV file: contract. The whole stands in a row of its own, by `total`; in that of what belongs to no
category the key is empty."""
HEADINGS: dict[By, str] = {
    "category": "十二有 categories",
    "class": "五类组织 classes",
    "organization": "社会组织 organizations",
    "season": "季度 seasons",
}
WIDTH = 110
"""Columns of the tables where the output is no terminal."""


def report(data: Path, community: str | None, season: str | None, file: Path | None) -> None:
    """Print the outcomes of a community (id or slug), or of all, of one season or of all time; write them to a CSV file where
    one is given. Raises CommandError."""
    outcomes: list[tuple[str, list[Outcomes]]] = []
    with databases(["feedback"], data) as ((service, database),):
        if not is_current(service, database):
            raise CommandError("The database of feedback is not up to date; run: fenghe migrate feedback")
        with database.reading() as session:
            communities = queries.communities(session, community)
            if community is not None and not communities:
                raise CommandError(f"There is no community {community!r} here; give its id or its slug.")
            for one in communities:
                by = [queries.outcomes(session, one.id, by, season) for by in get_args(By)]
                outcomes.append((f"{one.name_zh} {one.name_en}" + (f" · {season}" if season else ""), by))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDTH)
    for name, headings in outcomes:
        console.print(f"\n{name}", style="bold", highlight=False)
        for heading in headings:
            console.print(_table(heading))
    if file is not None:
        _write(file, [heading for _, headings in outcomes for heading in headings])


def _table(outcomes: Outcomes) -> Table:
    table = Table(title=HEADINGS[outcomes.by], title_justify="left", show_footer=True)
    total = outcomes.total
    table.add_column("", "合计 total")
    for name, figure in (
        ("活动 activities", total.activities),
        ("办结需求 requests", total.requests),
        ("项目 projects", total.projects),
        ("受益人次 beneficiaries", total.beneficiaries),
    ):
        table.add_column(name, str(figure), justify="right")
    for row in outcomes.rows:
        name = row.name_zh if row.name_zh == row.name_en else f"{row.name_zh} {row.name_en}"
        table.add_row(name, *(str(figure) for figure in (row.activities, row.requests, row.projects, row.beneficiaries)))
    return table


def _write(file: Path, headings: list[Outcomes]) -> None:
    try:
        with file.open("w", newline="", encoding="utf-8") as stream:
            writer = csv.DictWriter(stream, COLUMNS)
            writer.writeheader()
            for outcomes in headings:
                for row in outcomes.rows:
                    writer.writerow(_record(outcomes, outcomes.by, row))
                if outcomes.by == get_args(By)[-1]:
                    writer.writerow(_record(outcomes, "total", outcomes.total))
    except OSError as error:
        raise CommandError(f"{file}: {error.strerror}.") from None
    print(f"{file}: written")


def _record(outcomes: Outcomes, by: str, row: Outcome) -> dict[str, object]:
    return {"community": outcomes.community, "by": by, **row.model_dump()}
