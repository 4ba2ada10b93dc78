"""The queue of those whose portraits are waiting to be made: one is made at a time, first come, first served."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from types import TracebackType

from gaze.errors import GazeError
from gaze.progress import duration
from gaze.ui.limit import names_of_client

_MOST = 20
_EACH = 2
"""Places that one client may have."""
_PAUSE = 0.5
"""Seconds between two words to those who wait."""


class Queue:
    """Shared by the page and the endpoints for programs."""

    def __init__(self, most: int = _MOST) -> None:
        self._most = most
        self._turns: list[Turn] = []
        self._left = 0
        self._moved = threading.Condition()

    def __len__(self) -> int:
        return len(self._turns)

    def enter(self, seconds: float | None = None) -> Turn:
        """The last place in the queue; whoever has it leaves the queue at the end of the `with` block.

        Args:
            seconds: how long the portrait will take, if that is known.

        Raises:
            GazeError: too many are waiting already, or too many of this client's.
        """
        names = names_of_client()
        with self._moved:
            if any(sum(name in turn.names for turn in self._turns) >= _EACH for name in names):
                raise GazeError(
                    f"You have {_EACH} portraits in progress or in the queue already. Wait until one is finished."
                )
            if len(self._turns) > self._most:
                raise GazeError(f"{self._most} portraits are in the queue already. Try again in a few minutes.")
            turn = Turn(self, seconds, names)
            self._turns.append(turn)
            return turn

    def ahead(self, turn: Turn) -> list[Turn]:
        """Those before a turn, the one that is being made first."""
        with self._moved:
            return self._turns[: self._turns.index(turn)]

    def leave(self, turn: Turn) -> None:
        """Let the next one come up."""
        with self._moved:
            self._turns.remove(turn)
            self._left += 1
            self._moved.notify_all()

    def emptied(self) -> Iterator[None]:
        """Waits, and yields each time that the last one has left the queue; does not end."""
        seen = 0
        while True:
            with self._moved:
                while self._left == seen or self._turns:
                    self._moved.wait()
                seen = self._left
            yield

    def pause(self) -> None:
        """Until the queue has moved, or a moment has passed."""
        with self._moved:
            self._moved.wait(_PAUSE)


class Turn:
    """A place in the queue."""

    def __init__(self, queue: Queue, seconds: float | None, names: tuple[str, ...] = ()) -> None:
        self._queue, self._seconds, self.names = queue, seconds, names
        self._begun: float | None = None

    def __enter__(self) -> Turn:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._queue.leave(self)

    def waiting(self) -> Iterator[str]:
        """Words on the place in the queue, again and again until the turn has come."""
        while before := self._queue.ahead(self):
            place = "You are next" if len(before) == 1 else f"You are number {len(before)} in the queue"
            left = [other.left for other in before]
            known = [seconds for seconds in left if seconds is not None]
            yield f"{place}; about {duration(max(1, round(sum(known))))}." if len(known) == len(left) else f"{place}."
            self._queue.pause()
        self._begun = time.monotonic()

    @property
    def left(self) -> float | None:
        """Seconds until its portrait is finished, not counting those before it."""
        if self._seconds is None:
            return None
        return max(0.0, self._seconds - (time.monotonic() - self._begun if self._begun else 0.0))
