"""The next migration of a service, from its models: `python -m deploy.revision registry "what changes"`. Read it before you
commit it."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path

from deploy.services import load
from shared.database import Database
from shared.migrations import revise, revisions, upgrade


def main() -> None:
    """Bring an empty database up to the last migration and write the difference to the models as the next one."""
    name, message = sys.argv[1:]
    service = load(name)
    known, _ = revisions(service)
    following = 1 + max((int(revision[-4:]) for revision in known if revision.startswith(f"{name}_")), default=0)
    with tempfile.TemporaryDirectory() as folder:
        database = Database(f"sqlite:///{Path(folder) / name}.db")
        upgrade(service, database)
        revise(service, database, message, f"{name}_{following:04d}")
        database.close()


if __name__ == "__main__":
    main()
