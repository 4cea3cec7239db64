"""The commands of `docs/operations.md` that are for an all-in-one, as they stand there."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.system.conftest import ROOT, AllInOne
from tests.system.operations_document import carry_out, commands


def test_every_command_for_an_all_in_one_works(all_in_one: Callable[[], AllInOne]) -> None:
    system = all_in_one()
    system.start()
    system.quiet()
    folder = system.data.parent
    (folder / "data").symlink_to(system.data)
    # The command of this checkout, and the address where it happens to listen.
    replaced = {".venv/bin/fenghe": f"PYTHONPATH={ROOT} {sys.executable} -m deploy.cli"}
    before = f"export FENGHE_PUBLIC_URL={system.address}"
    blocks = [block for found in commands("all-in-one").values() for block in found]
    printed = [carry_out(block, before, replaced, folder) for block in blocks if not block.kind.endswith("stopped")]
    assert "All is well." in printed[0]
    assert "There are no dead letters to replay." in printed[1]
    system.end()
    (folder / "data").unlink()
    system.data.rename(folder / "data")
    for block in blocks:
        if block.kind.endswith("stopped"):
            carry_out(block, before, replaced, folder)
    copied = AllInOne(folder / "backup")
    copied.start()
    try:
        copied.quiet()
    finally:
        copied.end()
