"""Writes the golden sample and schema of every fact that has none yet, and what is new into the changelog of the contract.
What is there is never written again: it was released. Run as `python -m tests.contracts.release`."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path

from deploy.services import NAMES
from shared.asyncapi import fact_schema
from shared.events import catalogue
from shared.events.changes import Change, changes, write
from shared.events.examples import example
from tests.contracts.compatibility import gained

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"
SCHEMAS = HERE / "schemas"


def unwritten(known: list[Change]) -> list[Change]:
    """What the released facts have become and the changelog does not say yet, as of today."""
    today = date.today().isoformat()
    released = {change.type for change in known if change.change == "released"}
    public = {change.type for change in known if change.public}
    fields = {(change.type, change.field) for change in known if change.change == "gained"}
    found = []
    for fact in (fact for fact in catalogue() if fact.teller in NAMES):
        if fact.type not in released:
            found.append(Change(today, fact.type, "released", fact.public))
        elif fact.public and fact.type not in public:
            found.append(Change(today, fact.type, "made-public", True))
        for field in gained(json.loads((SCHEMAS / f"{fact.type}.json").read_text()), fact_schema(fact)):
            if (fact.type, field) not in fields:
                found.append(Change(today, fact.type, "gained", fact.public, field))
    return found


def main() -> None:
    """Write what is missing, and say so."""
    for fact in (fact for fact in catalogue() if fact.teller in NAMES):
        for folder, document in ((SAMPLES, example(fact).as_json()), (SCHEMAS, fact_schema(fact))):
            path = folder / f"{fact.type}.json"
            if not path.exists():
                path.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
                print(f"released {path.relative_to(HERE)}")
    known = changes()
    new = unwritten(known)
    if new:
        write(known + new)
    for change in new:
        print(f"in the changelog: {change.type} {change.change} {change.field}")


if __name__ == "__main__":
    main()
