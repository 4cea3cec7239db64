"""`docs/operations.md`, taken apart: every fenced command, with the section it stands in and the line it begins at."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import time
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
DOCUMENT = ROOT / "docs" / "operations.md"


@dataclass
class Block:
    """Commands that stand together. `kind`: the words after `sh`, such as `all-in-one`; none: they are for compose."""

    line: int
    kind: str
    text: str


@dataclass
class Section:
    """A section that has commands."""

    title: str
    blocks: list[Block] = field(default_factory=list)


def sections() -> list[Section]:
    """The document's sections, in its order. Every fence must say what is in it; programs for receivers (`python`, `js`) are
    no commands, `tests/notify/test_documented_receivers.py` runs them."""
    found: list[Section] = [Section("")]
    inside: Block | None = None
    for number, line in enumerate(DOCUMENT.read_text().splitlines(), 1):
        if inside is not None:
            if line == "```":
                inside = None
            else:
                inside.text += f"{line}\n"
        elif line.startswith("```"):
            assert re.match(r"```(sh( |$)|python$|js$)", line), f"line {number}: what is in this fence? {line}"
            inside = Block(number, line[5:].strip(), "")
            if line.startswith("```sh"):
                found[-1].blocks.append(inside)
        elif line.startswith("#"):
            found.append(Section(line.lstrip("# ")))
    return [section for section in found if section.blocks]


def commands(kind: str = "") -> dict[str, list[Block]]:
    """The blocks for compose, or for an all-in-one, by their sections."""

    def wanted(block: Block) -> bool:
        return block.kind.startswith("all-in-one") == (kind == "all-in-one")

    return {section.title: blocks for section in sections() if (blocks := [block for block in section.blocks if wanted(block)])}


def carry_out(block: Block, before: str, replaced: dict[str, str], folder: Path, within: float = 600) -> str:
    """Run the commands of a block in a folder, after others (`before`), with some words replaced; returns what was printed.
    Raises AssertionError where one fails."""
    text = block.text
    for old, new in replaced.items():
        text = text.replace(old, new)
    clean = {name: value for name, value in os.environ.items() if not re.match(r"FENGHE_|COMPOSE_|\w+_PASSWORD$", name)}
    script = f"set -euo pipefail\n{before}\n{text}"
    process = subprocess.Popen(
        ["bash", "-c", script],
        cwd=folder,
        env=clean,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=within)
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    assert process.returncode == 0, f"docs/operations.md, line {block.line}: ended with {process.returncode}\n{text}\n{output}"
    return output


def timed(began: float) -> str:
    """Seconds since then, for people."""
    return f"{time.monotonic() - began:.1f} s"
