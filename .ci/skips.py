"""Say which tests were skipped that may not be: `python .ci/skips.py REPORT…` (JUnit XML). Exit code 1 where there are any."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from xml.etree import ElementTree

ALLOWED = Path(__file__).parent / "allowed-skips"


def main(reports: list[str]) -> int:
    lines = [line.strip() for line in ALLOWED.read_text().splitlines()]
    allowed = [re.compile(line) for line in lines if line and not line.startswith("#")]
    refused = []
    for report in reports:
        for case in ElementTree.parse(report).iter("testcase"):  # noqa: S314  (our own report)
            for skipped in case.iter("skipped"):
                name = f"{case.get('classname')}::{case.get('name')}: {skipped.get('message') or ''}"
                if skipped.get("type") != "pytest.xfail" and not any(line.fullmatch(name) for line in allowed):
                    refused.append(name)
    for name in refused:
        print(f"skipped, and not in {ALLOWED.parent.name}/{ALLOWED.name}: {name}", file=sys.stderr)
    return 1 if refused else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
