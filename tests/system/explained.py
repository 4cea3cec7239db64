"""`python -m tests.system.explained FILE …`: `fenghe …`, which at its end writes down every statement with which SQLite went
through a whole table."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from deploy import cli
from tests.architecture.plans import plans


def main() -> None:
    """Run the command; the file is a JSON object of statements with the steps of their plans."""
    written = Path(sys.argv.pop(1))
    with plans() as found:
        try:
            cli.app()
        finally:
            written.write_text(json.dumps({statement: steps for statement, steps in found.items() if steps}))


if __name__ == "__main__":
    main()
