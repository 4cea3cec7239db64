"""An upgrade: the images of this checkout are the old version; the new one tells a fact type that gained a field.

The new images are made from the old ones, with the changed files of a temporary folder laid over them.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

from tests.drills.deployment import ROOT, Compose, fenghe, run

NEW_FIELD = "heard_by"
CHANGES = {
    "shared/events/matching/requests.py": (
        r"(class RequestState\(Fact, about=\"request\"\):\n    \"\"\".*?\"\"\"\n)",
        rf"\1\n    {NEW_FIELD}: str | None = 'the new version'\n",
    ),
    "shared/version.py": (r"(?m)^VERSION = [^\n]*$", "VERSION = 'new'"),
}
"""What the new version changes in its files: an optional field with a value, the only change a released fact may see."""


def build(services: Sequence[str], old: str, tag: str) -> None:
    """Make the new version's images under `tag`, from those of `old`."""
    with tempfile.TemporaryDirectory(prefix="drills-") as folder:
        for name, (pattern, replacement) in CHANGES.items():
            text, count = re.subn(pattern, replacement, (ROOT / name).read_text(), flags=re.DOTALL)
            assert count == 1, f"{name} has changed: {pattern} is there {count} times"
            (target := Path(folder) / name).parent.mkdir(parents=True, exist_ok=True)
            target.write_text(text)
        for image in services:
            (Path(folder) / "Dockerfile").write_text(f"FROM fenghe/{image}:{old}\nCOPY shared/ /app/shared/\n")
            run("docker", "build", "--quiet", "--tag", f"fenghe/{image}:{tag}", folder, within=300)


def side_by_side(compose: Compose, services: Sequence[str], finished: Callable[[], int], lives: int) -> list[str]:
    """Run new replicas of services beside the old ones until `lives` requests came to their end, then the new ones alone.
    `finished` counts those that did."""
    before, token = dict(compose.scale), compose.token()
    old = [container for service in services for container in compose.containers(service)]
    tag = compose.tag
    build(services, tag, f"{tag}-new")
    compose.set(FENGHE_TAG=f"{tag}-new")
    try:
        compose.up(**{service: 2 * before[service] for service in services})
    finally:
        compose.set(FENGHE_TAG=tag)
    begun = finished()
    compose.eventually("requests come to their end between old and new", lambda: finished() >= begun + lives)
    status = fenghe("status", "--url", compose.url, "--token", token)
    assert "several versions run side by side" in status.stdout, status.stdout + status.stderr
    for container in old:
        run("docker", "stop", "--time", "30", container)
        run("docker", "rm", container)
    compose.up(**before)
    return [f"{lives} requests and more while both ran, {len(old)} old containers and as many new ones"]
