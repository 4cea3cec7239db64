"""Writes the golden sample and schema of every fact that has none yet. What is there is never written again: it was
released. Run as `python -m tests.contracts.release`."""

from __future__ import annotations

import json
from pathlib import Path

from shared.asyncapi import fact_schema
from shared.events import catalogue
from shared.events.examples import example

HERE = Path(__file__).parent
SAMPLES = HERE / "samples"
SCHEMAS = HERE / "schemas"


def main() -> None:
    """Write what is missing, and say so."""
    for fact in catalogue():
        for folder, document in ((SAMPLES, example(fact).as_json()), (SCHEMAS, fact_schema(fact))):
            path = folder / f"{fact.type}.json"
            if not path.exists():
                path.write_text(json.dumps(document, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
                print(f"released {path.relative_to(HERE)}")


if __name__ == "__main__":
    main()
