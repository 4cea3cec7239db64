"""A disk of a few hundred megabytes under PostgreSQL and Redis, a file system in memory, that can really be filled up."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from types import TracebackType

from tests.drills.deployment import run

MEGABYTES = 1536
VOLUMES = ("postgres", "redis")


class SmallDisk:
    """A context manager; `override` is the compose file that puts the volumes there. Takes root."""

    def __init__(self, folder: Path) -> None:
        self._place = folder / "disk"
        self._ballast = self._place / "ballast"
        self.override = folder / "disk.yaml"

    def __enter__(self) -> SmallDisk:
        self._place.mkdir()
        run("mount", "-t", "tmpfs", "-o", f"size={MEGABYTES}m,mode=755", "fenghe-drills", str(self._place))
        lines = ["volumes:"]
        for volume in VOLUMES:
            (self._place / volume).mkdir()
            (self._place / volume).chmod(0o777)  # each server knows its own user only
            options = f"{{type: none, o: bind, device: {self._place / volume}}}"
            lines += [f"  {volume}:", "    driver: local", f"    driver_opts: {options}"]
        self.override.write_text("\n".join(lines) + "\n")
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        run("umount", "--lazy", str(self._place), check=False)

    def fill(self) -> None:
        """Take every byte that is left."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (2**24, 2**12):
                try:
                    while True:
                        os.posix_fallocate(ballast.fileno(), os.fstat(ballast.fileno()).st_size, size)
                except OSError as full:
                    if full.errno != errno.ENOSPC:
                        raise

    def make_room(self) -> None:
        """Give them back."""
        self._ballast.unlink(missing_ok=True)
