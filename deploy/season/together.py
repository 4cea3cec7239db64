"""Several seasons side by side on one deployment: when it is quiet, it is quiet for all of them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from deploy.season.deployment import SeasonError

FAILED_BESIDE = "Another season that was played beside this one has failed."


class Together:
    """Lets seasons wait for quiet together: as long as one of them goes on, a deployment never is quiet. Once all that play
    are waiting, one looks, and all go on. Safe to use from several threads, one for each season."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._playing = 0
        self._waiting = 0
        self._looking = False
        self._looks = 0
        self._failed = False

    @contextmanager
    def playing(self) -> Iterator[None]:
        """While a season is played; where it fails, the others end at their next look. Raises SeasonError where one has."""
        with self._changed:
            self._changed.wait_for(lambda: not self._looking)
            if self._failed:
                raise SeasonError(FAILED_BESIDE)
            self._playing += 1
        try:
            yield
        except BaseException:
            self._failed = True
            raise
        finally:
            with self._changed:
                self._playing -= 1
                self._changed.notify_all()

    def quiet(self, look: Callable[[], None]) -> None:
        """Return once the deployment is quiet; `look` waits for that, and one season calls it for all. Raises what it raises,
        SeasonError where another season failed."""
        with self._changed:
            look_before = self._looks
            self._waiting += 1
            self._changed.notify_all()
            self._changed.wait_for(
                lambda: self._looks != look_before or (self._waiting == self._playing and not self._looking),
            )
            is_mine = self._looks == look_before
            self._looking = self._looking or is_mine
        if is_mine:
            self._look(look)
        if self._failed:
            raise SeasonError(FAILED_BESIDE)

    def _look(self, look: Callable[[], None]) -> None:
        try:
            if not self._failed:
                look()
        except BaseException:
            self._failed = True
            raise
        finally:
            with self._changed:
                self._looks += 1
                self._waiting = 0
                self._looking = False
                self._changed.notify_all()
