"""`fenghe report`: one table per heading, a CSV file with stable columns."""

from __future__ import annotations

import csv
from pathlib import Path

from tests.system.conftest import AllInOne, fenghe


def test_the_report_of_the_sample_as_tables_and_as_csv(sample_system: AllInOne, tmp_path: Path) -> None:
    sample_system.quiet()
    file = tmp_path / "report.csv"
    outcome = fenghe("report", "--data", str(sample_system.data), "--community", "fenghe", "--csv", str(file))
    assert outcome.returncode == 0, outcome.stderr
    for words in ("丰和社区", "老有所依", "公益类 Public welfare", "合计 total", "受益人次 beneficiaries", "季度 seasons"):
        assert words in outcome.stdout, words
    with file.open(newline="") as stream:
        rows = list(csv.reader(stream))
    assert rows[0] == [
        *("community", "by", "key", "name_zh", "name_en"),
        *("activities", "requests", "projects", "beneficiaries"),
    ]
    headings = [row[1] for row in rows[1:]]
    assert len([row for row in rows if row[1] == "category" and row[2]]) == 12
    assert headings.count("class") == 5
    assert headings[-1] == "total"
    # Every heading adds up to the whole; what belongs to no category, where there is any, has a row of its own.
    for heading in set(headings) - {"total"}:
        columns = zip(*(map(int, row[5:]) for row in rows if row[1] == heading), strict=True)
        assert [sum(column) for column in columns] == [int(figure) for figure in rows[-1][5:]], heading
    without = [row[1:5] for row in rows if row[1] == "category" and not row[2]]
    assert without in ([], [["category", "", "没有类别", "No category"]])
    assert ("没有类别 No category" in outcome.stdout) == bool(without)
    unknown = fenghe("report", "--data", str(sample_system.data), "--community", "nowhere")
    assert (unknown.returncode, unknown.stdout) == (1, "")
    assert unknown.stderr.strip() == "There is no community 'nowhere' here; give its id or its slug."
