"""A process that reads pictures, with limits; it runs `worker`, and a pipe is all that connects it with this one."""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from gaze.errors import PhotoError

SECONDS = 1.0
"""Of the processor, for one picture, on the machine of docs/reliability.md; slower machines have as many times more."""
MORE_SECONDS = 0.5
"""The same, for the pixels of the largest that its format may have; a smaller one has its share of them."""
PATIENCE = 20.0 if sys.platform == "win32" else 60.0
"""Seconds on the clock for one picture: few where the system knows no limit on the processor's."""
MEMORY = 400 * 2**20
"""Bytes that a picture may take, beyond what the process takes at rest."""
_SLOW = 0.5
"""Seconds after which a picture that is still being read has to stand back behind everything else on the machine."""
_STAND_BACK = 10
"""By how much: as for `nice`."""
_START_UP = 60.0
_ROWS = 256
"""In each block on the way back: while one goes, the next is made."""
_ALONE: dict[str, Any] = {"creationflags": 0x08000000} if sys.platform == "win32" else {"process_group": 0}
"""No window; and a Ctrl-C is for this process alone."""

_TOO_LONG = "The picture takes too long to be read. Export it again, or take another."
_TOO_MUCH = "The picture takes too much memory to be read. Export it again, or take another."
_DAMAGED = "The picture is damaged or cut off. Export it again, or take another."


@dataclass(frozen=True)
class Pixels:
    """A picture as the box gives it.

    Attributes:
        rgb: (height, width, 3) uint8, sRGB.
        alpha: (height, width) uint8, or None.
        notes: what was changed, in sentences for the person.
    """

    rgb: np.ndarray
    alpha: np.ndarray | None
    notes: tuple[str, ...]


class Process:
    """One process that reads pictures.

    Raises:
        OSError: it does not start.
    """

    def __init__(self) -> None:
        paths = [str(Path(path).resolve()) for path in sys.path if path]
        worker = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", "-S", str(worker), json.dumps(paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **_ALONE,
        )
        _STARTED.append(self._process)
        self._there: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        self._back: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        self._worn = False
        try:
            # However slowly it starts, it stands back for nothing: it would for all pictures that it reads.
            with self._watched(_START_UP, stands_back=False):
                self._answer()
        except (OSError, ValueError, RuntimeError):
            self.end()
            raise

    @property
    def fit(self) -> bool:
        """Whether it can read another picture; one that is not is ended by whoever has it."""
        return not self._worn and self._process.poll() is None

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self._worn = True
        with suppress(OSError):
            self._process.kill()

    def read(self, data: bytes, most: int) -> Pixels:
        """What the process makes of a picture.

        Args:
            data: its file.
            most: pixels above which it is reduced.

        Raises:
            PhotoError: nothing that can be used.
        """
        started = time.monotonic()
        try:
            with self._watched(PATIENCE):
                return self._ask(data, most)
        except PhotoError:
            raise
        except (OSError, ValueError, KeyError, TypeError) as error:  # the last two: its answer is none of the worker's
            self.kill()
            code = self._process.wait()
            late = time.monotonic() - started >= PATIENCE
            too_long = late or code in (-getattr(signal, "SIGPROF", 0), -getattr(signal, "SIGXCPU", 0))
            raise PhotoError(_TOO_LONG if too_long else _DAMAGED) from error

    def _ask(self, data: bytes, most: int) -> Pixels:
        limits = {"memory": MEMORY, "seconds": SECONDS, "more": MORE_SECONDS}
        asked = {"bytes": len(data), "most": most, "rows": _ROWS, **limits}
        self._there.write(json.dumps(asked).encode() + b"\n")
        self._there.write(data)
        self._there.flush()
        del data
        answer = self._answer()
        if "refused" in answer:
            raise PhotoError(str(answer["refused"]))
        if "memory" in answer:
            self._worn = True
            raise PhotoError(_TOO_MUCH)
        height, width = int(answer["height"]), int(answer["width"])
        if not 0 < height * width <= most:
            raise ValueError("more than was asked for")
        return self._pixels(height, width, bool(answer["has_alpha"]), tuple(map(str, answer["notes"])))

    def _pixels(self, height: int, width: int, has_alpha: bool, notes: tuple[str, ...]) -> Pixels:
        rgb = np.empty((height, width, 3), np.uint8)
        alpha = np.empty((height, width), np.uint8) if has_alpha else None
        for top in range(0, height, _ROWS):
            self._fill(rgb[top : top + _ROWS])
            if alpha is not None:
                self._fill(alpha[top : top + _ROWS])
        return Pixels(rgb, alpha, notes)

    def _fill(self, block: np.ndarray) -> None:
        left = memoryview(block.reshape(-1))  # type: ignore[arg-type]
        while left:
            got = self._back.readinto(left)  # type: ignore[attr-defined]
            if not got:
                raise OSError("The process ended.")
            left = left[got:]

    def _answer(self) -> dict[str, Any]:
        line = self._back.readline(2**16)
        if not line:
            raise OSError("The process ended.")
        answer: dict[str, Any] = json.loads(line)
        return answer

    @contextmanager
    def _watched(self, patience: float, stands_back: bool = True) -> Iterator[None]:
        """End the process if the block takes longer than so many seconds."""
        timers = [threading.Timer(patience, self.kill)]
        if stands_back:
            timers.append(threading.Timer(_SLOW, self._stand_back))
        try:
            for timer in timers:
                timer.daemon = True
                timer.start()
            yield
        finally:
            for timer in timers:
                timer.cancel()

    def _stand_back(self) -> None:
        self._worn = True  # it cannot come forward again
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _STAND_BACK)

    def end(self) -> None:
        """End it, and release what it held here."""
        self.kill()
        self._process.wait()
        for pipe in (self._there, self._back):
            with suppress(OSError):
                pipe.close()
        with suppress(ValueError):  # a forked child has none in its list
            _STARTED.remove(self._process)


_STARTED: list[subprocess.Popen[bytes]] = []
"""Those that run."""


@atexit.register
def _end_all() -> None:
    for process in _STARTED:
        with suppress(OSError):
            process.kill()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_STARTED.clear)  # they are its parent's
