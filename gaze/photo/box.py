"""The box in which untrusted pictures are read: processes with limits, which are killed and replaced when they pass them.

A library, a notebook and the app share it. Nothing but a pipe connects it with this process (`worker`), so that it
works from scripts without a guard, from threads, and after a fork.
"""

from __future__ import annotations

import atexit
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import numpy as np

from gaze.errors import GazeError, PhotoError

WORKERS = 2
SECONDS = 1.6
"""Of the processor, for one picture, on the machine of docs/reliability.md; slower machines have as many times more."""
PATIENCE = 20.0
"""Seconds on the clock for one picture: all there is where the system knows no limit on the processor's."""
MEMORY = 400 * 2**20
"""Bytes that a picture may take, beyond what the process takes at rest."""
_SLOW = 0.5
"""Seconds after which a picture that is still being read has to stand back behind everything else on the machine."""
_STAND_BACK = 10
"""By how much: as for `nice`."""
_START_UP = 60.0
_IDLE = 30.0
"""Seconds after which a process with nothing to do ends, unless processes are to be there ahead."""
_ROWS = 256
"""In each block on the way back: while one goes, the next is made."""
_ALONE: dict[str, Any] = {"creationflags": 0x08000000} if sys.platform == "win32" else {"process_group": 0}
"""No window; and a Ctrl-C is for this process alone."""

_TOO_LONG = "The picture takes too long to be read, as no usual picture does. Export it again, or take another."
_TOO_MUCH = "The picture takes too much memory to be read, as no usual picture does. Export it again, or take another."
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


class Job:
    """A picture that waits to be read, or is being read.

    Args:
        data: gives its file when its turn has come, or what was read of it meanwhile.
        kept: pixels above which it is reduced.
        client: who gave it; of one client, one picture is read at a time. None stands in nobody's way.
        ready: is given what was read, before the next picture of this client.
    """

    def __init__(
        self,
        data: Callable[[], bytes | Pixels],
        kept: int,
        client: str | None = None,
        ready: Callable[[Pixels], None] | None = None,
    ) -> None:
        self.data, self.kept, self.client, self.ready = data, kept, client, ready
        self.done = threading.Event()
        self.cancelled = False
        self.process: _Process | None = None
        self.pixels: Pixels | None = None
        self.error: BaseException | None = None

    def result(self) -> Pixels:
        """What was read, once it is `done`.

        Raises:
            PhotoError: the picture cannot be used.
        """
        if self.error:
            raise self.error
        assert self.pixels
        return self.pixels

    def cancel(self) -> None:
        """Read it no further."""
        self.cancelled = True
        if process := self.process:
            process.kill()


class Box:
    """Reads pictures in processes of their own.

    Args:
        workers: how many at a time.
    """

    def __init__(self, workers: int = WORKERS) -> None:
        self._workers = workers
        self._ahead = False
        self._waiting: OrderedDict[str, deque[Job]] = OrderedDict()
        self._busy: set[str] = set()
        self._moved = threading.Condition()
        self._threads = self._idle = self._count = 0

    def start(self) -> None:
        """Start all processes, and keep them; by themselves they come when there is something to read, and go."""
        with self._moved:
            self._ahead = True
            while self._threads < self._workers:
                self._add_thread()

    def read(self, job: Job) -> Job:
        """Have a picture read as soon as it is its turn."""
        with self._moved:
            self._count += 1
            key = f"#{self._count}" if job.client is None else f"={job.client}"
            self._waiting.setdefault(key, deque()).append(job)
            if self._idle < len(self._waiting) and self._threads < self._workers:
                self._add_thread()
            self._moved.notify_all()
        return job

    def _add_thread(self) -> None:
        self._threads += 1
        threading.Thread(target=self._serve, daemon=True, name="picture box").start()

    def _serve(self) -> None:
        process: _Process | None = None
        while True:
            problem: Exception | None = None
            try:
                process = process if process and process.fit else _Process()
            except (OSError, ValueError) as error:
                problem, process = error, None
            turn = self._next()
            if turn is None:
                if process:
                    process.end()
                return
            key, job = turn
            try:
                if not process:
                    raise GazeError(f"The reader of pictures could not be started: {problem}. Start the program anew.")
                job.process = process
                if job.cancelled:
                    raise GazeError("The picture was not read, since that was cancelled. Try again.")
                job.pixels = process.read(job)
            except BaseException as error:  # whoever waits for the job raises it
                job.error = error
            job.process = None
            with self._moved:
                self._busy.discard(key)
                self._moved.notify_all()
            job.done.set()
            del turn, job  # the next may be long in coming, and this one is large

    def _next(self) -> tuple[str, Job] | None:
        """The job whose turn it is, with its client's key: of those of whom none is read, who was served longest ago.

        None: nothing came for a while, and the thread is not needed any more.
        """
        with self._moved:
            self._idle += 1
            try:
                while not (key := next((key for key in self._waiting if key not in self._busy), "")):
                    came = self._moved.wait(None if self._ahead else _IDLE)
                    if not came and not self._ahead and not self._waiting:
                        self._threads -= 1
                        return None
            finally:
                self._idle -= 1
            jobs = self._waiting.pop(key)
            job = jobs.popleft()
            if jobs:
                self._waiting[key] = jobs
            self._busy.add(key)
            return key, job


class _Process:
    """One process that reads pictures.

    Raises:
        OSError: it does not start.
    """

    def __init__(self) -> None:
        paths = [str(Path(path).resolve()) for path in sys.path if path]
        worker = Path(__file__).with_name("worker.py")
        self._process = subprocess.Popen(
            [sys.executable, "-I", str(worker), json.dumps(paths)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            **_ALONE,
        )
        _STARTED.append(self._process)
        self._there: IO[bytes] = self._process.stdin  # type: ignore[assignment]
        self._back: IO[bytes] = self._process.stdout  # type: ignore[assignment]
        self.fit = True
        with self._watched(_START_UP):
            self._answer()
        self.fit = True

    def kill(self) -> None:
        """End it at once, whatever it does."""
        self.fit = False
        with suppress(OSError):
            self._process.kill()

    def read(self, job: Job) -> Pixels:
        """What the process makes of a job's picture.

        Raises:
            PhotoError: nothing that can be used.
        """
        started = time.monotonic()
        try:
            with self._watched(PATIENCE):
                return self._ask(job)
        except PhotoError:
            raise
        except (OSError, ValueError) as error:
            self.kill()
            code = self._process.wait()
            late = time.monotonic() - started >= PATIENCE
            too_long = late or code in (-getattr(signal, "SIGPROF", 0), -getattr(signal, "SIGXCPU", 0))
            raise PhotoError(_TOO_LONG if too_long else _DAMAGED) from error
        finally:
            if not self.fit:
                self.end()

    def _ask(self, job: Job) -> Pixels:
        data = job.data()
        if isinstance(data, Pixels):
            return data
        asked = {"bytes": len(data), "kept": job.kept, "memory": MEMORY, "seconds": SECONDS, "rows": _ROWS}
        self._there.write(json.dumps(asked).encode() + b"\n")
        self._there.write(data)
        self._there.flush()
        del data
        answer = self._answer()
        if "refused" in answer:
            raise PhotoError(str(answer["refused"]))
        if "memory" in answer:
            self.fit = False
            raise PhotoError(_TOO_MUCH)
        height, width = int(answer["height"]), int(answer["width"])
        if not 0 < height * width <= job.kept:
            raise ValueError("more than was asked for")
        pixels = self._pixels(height, width, bool(answer["has_alpha"]), tuple(map(str, answer["notes"])))
        if job.ready:
            job.ready(pixels)
        return pixels

    def _pixels(self, height: int, width: int, has_alpha: bool, notes: tuple[str, ...]) -> Pixels:
        rgb = np.empty((height, width, 3), np.uint8)
        alpha = np.empty((height, width), np.uint8) if has_alpha else None
        for top in range(0, height, _ROWS):
            self._fill(rgb[top : top + _ROWS])
            if alpha is not None:
                self._fill(alpha[top : top + _ROWS])
        return Pixels(rgb, alpha, notes)

    def _fill(self, block: np.ndarray) -> None:
        left = memoryview(block).cast("B")
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
    def _watched(self, patience: float) -> Iterator[None]:
        """In the block the process's time runs; when it is over, the process ends."""
        timers = threading.Timer(patience, self.kill), threading.Timer(_SLOW, self._stand_back)
        for timer in timers:
            timer.daemon = True
            timer.start()
        try:
            yield
        finally:
            for timer in timers:
                timer.cancel()

    def _stand_back(self) -> None:
        self.fit = False  # it cannot come forward again
        if hasattr(os, "setpriority"):
            with suppress(OSError):
                os.setpriority(os.PRIO_PROCESS, self._process.pid, _STAND_BACK)

    def end(self) -> None:
        """End it, and leave nothing of it."""
        self.kill()
        self._process.wait()
        for pipe in (self._there, self._back):
            with suppress(OSError):
                pipe.close()
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
