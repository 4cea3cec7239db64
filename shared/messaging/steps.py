"""Named steps of the kit at which a process may die. In production each is one comparison with None; only the fault suite
arms them, from inside a child process that it has started itself."""

from __future__ import annotations

from collections.abc import Callable

EVERY_DAY = (
    "command:before-commit",
    "command:after-commit",
    "relay:before-xadd",
    "relay:after-xadd",
    "relay:after-mark",
    "consumer:before-transaction",
    "consumer:before-commit",
    "consumer:after-commit",
    "consumer:after-xack",
    "timer:before-commit",
    "timer:after-commit",
)
HEALING = ("healer:after-epoch", "healer:before-unsent", "healer:after-unsent")
TRIMMING = ("housekeeper:after-forget", "housekeeper:before-xtrim", "housekeeper:after-xtrim")
REPLAYING = ("consumer:after-bury", "replay:before-commit", "replay:after-commit")
LABELS = (*EVERY_DAY, *HEALING, *TRIMMING, *REPLAYING)

_armed: Callable[[str], None] | None = None


def arm(action: Callable[[str], None] | None) -> None:
    """Call `action` with the label of every step from now on; None disarms."""
    global _armed
    _armed = action


def step(label: str) -> None:
    """The process is at this step."""
    if _armed is not None:
        _armed(label)
