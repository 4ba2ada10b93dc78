"""The box in which untrusted pictures are read: processes with limits, replaced when they pass them.

A library, a notebook and the app share it. Nothing but a pipe connects it with this process (`worker`), so that it
works from scripts without a guard, from threads, and after a fork.
"""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Callable
from traceback import clear_frames

from gaze.errors import GazeError
from gaze.photo.process import Pixels, Process

WORKERS = 2
_IDLE = 30.0
"""Seconds after which a process with nothing to do ends, unless processes are to be there ahead."""


class Job:
    """A picture that waits to be read, or is being read.

    Args:
        data: gives its file when its turn has come, or what was read of it meanwhile.
        most: pixels above which it is reduced.
        client: who gave it; of one client, one picture is read at a time. None stands in nobody's way.
        ready: is given what was read, before the next picture of this client.
    """

    def __init__(
        self,
        data: Callable[[], bytes | Pixels],
        most: int,
        client: str | None = None,
        ready: Callable[[Pixels], None] | None = None,
    ) -> None:
        self.data, self.most, self.client, self.ready = data, most, client, ready
        self.done = threading.Event()
        self.cancelled = False
        self.process: Process | None = None
        self.pixels: Pixels | None = None
        self.error: BaseException | None = None
        self._lock = threading.Lock()

    def result(self) -> Pixels:
        """What was read, once it is `done`; to be asked for once.

        Raises:
            PhotoError: the picture cannot be used.
        """
        if self.error:
            try:
                raise self.error
            finally:
                # The error knows who waited for the job; if the job went on to know the error, both would stay, with
                # the picture's file, until the garbage is collected.
                self.error = None
        assert self.pixels
        return self.pixels

    def cancel(self) -> None:
        """Stop reading it."""
        self.cancelled = True
        with self._lock:  # else the process may be reading another by now
            if self.process:
                self.process.kill()

    def let_go(self) -> None:
        """Forget the process, which reads another picture from now on: `cancel` must not end it."""
        with self._lock:
            self.process = None


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
        self._threads = self._count = 0

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
            if self._threads < min(self._workers, len(self._busy) + len(self._waiting)):
                self._add_thread()
            self._moved.notify_all()
        return job

    def _add_thread(self) -> None:
        threading.Thread(target=self._serve, daemon=True, name="picture box").start()
        self._threads += 1  # not before: where the machine lets nobody have another thread, there is none

    def _serve(self) -> None:
        process: Process | None = None
        while True:
            process, _ = _renewed(process)
            turn = self._next()
            if turn is None:
                if process:
                    process.end()
                return
            key, job = turn
            process, problem = _renewed(process)  # it may have been ended, or have failed to start, while nobody asked
            try:
                if not process:
                    raise GazeError(f"The process that reads pictures did not start: {problem}. Restart the program.")
                _read(job, process)
            except BaseException as error:  # whoever waits for the job raises it
                job.error = _without_locals(error)
            job.let_go()
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
            while not (key := next((key for key in self._waiting if key not in self._busy), "")):
                came = self._moved.wait(None if self._ahead else _IDLE)
                if not came and not self._ahead and not self._waiting:
                    self._threads -= 1
                    return None
            jobs = self._waiting.pop(key)
            job = jobs.popleft()
            if jobs:
                self._waiting[key] = jobs
            self._busy.add(key)
            return key, job


def _read(job: Job, process: Process) -> None:
    job.process = process
    if job.cancelled:
        raise GazeError("Reading the picture was cancelled. Try again.")
    data = job.data()
    job.pixels = data if isinstance(data, Pixels) else process.read(data, job.most)
    if job.ready:
        job.ready(job.pixels)


def _without_locals(error: BaseException) -> BaseException:
    """An error that still tells where it came from, but holds nothing that lay there: the picture's file."""
    told: BaseException | None = error
    while told:
        clear_frames(told.__traceback__)
        told = told.__cause__ or told.__context__
    return error


def _renewed(process: Process | None) -> tuple[Process | None, Exception | None]:
    """A process that can read: this one, or a new one in its place; or None, and why there is none."""
    if process and process.fit:
        return process, None
    if process:
        process.end()
    try:
        return Process(), None
    except (OSError, ValueError, RuntimeError) as error:  # the last: no thread to watch it with
        return None, error
