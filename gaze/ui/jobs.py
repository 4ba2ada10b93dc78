"""Runs that go on while their page is loaded anew: who has a run's name can follow it again, or stop it."""

from __future__ import annotations

import contextvars
import logging
import threading
import time
from collections.abc import Callable, Generator
from dataclasses import dataclass, replace
from typing import Any

from gaze.errors import GazeError
from gaze.progress import Progress, Result, Steps
from gaze.ui.eta import Meter, Seconds
from gaze.ui.listeners import RUNNING, WAITING
from gaze.ui.queue import Queue
from gaze.ui.visitors import for_visitors

_log = logging.getLogger(__name__)
_PAUSE = 0.5
"""Seconds after which a page that follows hears something, even if nothing has happened."""
_REMEMBERED = 600.0
"""Seconds for which the end of a run is told."""
_MOST_UNWANTED = 1000
_FOLLOWERS = 2
"""Pages that follow one run, the newest: one that is loaded anew, and what it was before."""
UNEXPECTED = "Something went wrong on our side. Your photo and your choices are still here: try again."

Run = Generator[Progress, None, Result]


@dataclass(frozen=True)
class State:
    """What a page is told of a run.

    Attributes:
        phase: "waiting", "making", "done", "failed" or "stopped".
        share: how far it is, 0 to 1.
        left: seconds until the end, if they are known.
        place: how many are before it in the queue.
        shown: what can be played of it by now.
        result: with "done".
        problem: with "failed", what to tell the person.
    """

    phase: str = "waiting"
    share: float = 0.0
    left: float | None = None
    place: int = 0
    shown: Result | None = None
    result: Result | None = None
    problem: str = ""

    @property
    def is_last(self) -> bool:
        """Whether no other follows."""
        return self.phase in ("done", "failed", "stopped")


class Job:
    """One run in a thread of its own.

    Args:
        name: what its page calls it; nobody else can know.
        begin: starts the run.
        queue: those who wait.
        expected: seconds that each stage will take, if they are known.
        learn: called in the end with the seconds that they took.
    """

    def __init__(
        self,
        name: str,
        begin: Callable[[], Run],
        queue: Queue,
        expected: Seconds | None = None,
        learn: Callable[[Seconds], None] = lambda took: None,
    ) -> None:
        self.name = name
        self.state = State()
        self.about: dict[str, Any] = {}
        self._begin, self._queue, self._expected, self._learn = begin, queue, expected, learn
        self._changed = threading.Condition()
        self._stopped = False
        self._followers, self._begun_to_follow, self._left_at = 0, 0, time.monotonic()
        # A GPU that is lent for single calls is lent to whoever asked, which Gradio keeps in the context.
        self._context = contextvars.copy_context()
        self._turn = queue.enter(sum(expected.values()) if expected else None)
        self._thread = threading.Thread(target=self._context.run, args=(self._work,), daemon=True)
        self.ended_at: float | None = None

    def start(self) -> None:
        """Begin to wait in the queue."""
        try:
            self._thread.start()
        except RuntimeError:  # The machine lets nobody have another thread: the place is for those who have one.
            _log.exception("A run could not be started.")
            self._queue.leave(self._turn)
            self._tell(phase="failed", problem=UNEXPECTED)
            self.ended_at = time.monotonic()

    def stop(self) -> None:
        """End it; nothing of it stays."""
        self._stopped = True

    def seen(self) -> None:
        """Somebody has asked for it: it is not given up for a while."""
        self._left_at = time.monotonic()

    def join(self, seconds: float) -> None:
        """Wait until it has ended, but no longer."""
        self._thread.join(seconds)

    @property
    def ended(self) -> bool:
        """Whether its state is the last."""
        return self.state.is_last

    def follow(self) -> Generator[State, None, None]:
        """Its states until the last one, or until others have begun to follow: each keeps a thread."""
        with self._changed:
            self._followers += 1
            self._begun_to_follow += 1
            latest = self._begun_to_follow + _FOLLOWERS
        try:
            while self._begun_to_follow < latest:
                state = self.state
                yield state
                if state.is_last:
                    return
                with self._changed:
                    if self.state is state:
                        self._changed.wait(_PAUSE)
        finally:
            with self._changed:
                self._followers -= 1
                self._left_at = time.monotonic()

    def _tell(self, **changed: Any) -> None:
        with self._changed:
            self.state = replace(self.state, **changed)
            self._changed.notify_all()

    def _is_given_up(self, patience: float) -> bool:
        return self._stopped or (not self._followers and time.monotonic() - self._left_at > patience)

    def _work(self) -> None:
        try:
            with self._turn:
                result = self._wait_and_run()
        except GazeError as error:
            self._tell(phase="failed", problem=for_visitors(error))
        except Exception:
            _log.exception("A portrait could not be made.")
            self._tell(phase="failed", problem=UNEXPECTED)
        else:
            self._tell(**({"phase": "done", "result": result, "share": 1.0} if result else {"phase": "stopped"}))
        finally:
            self.ended_at = time.monotonic()

    def _wait_and_run(self) -> Result | None:
        """The result; None if it was stopped or given up."""
        for _ in self._turn.waiting():
            if self._is_given_up(WAITING):
                return None
            before = self._queue.ahead(self._turn)
            known = [other.left for other in before]
            seconds = None if None in known else sum(left or 0.0 for left in known)
            self._tell(place=len(before), left=seconds)
        if self._is_given_up(WAITING):
            return None
        meter = Meter(self._expected)
        self._tell(phase="making", place=0, left=meter.left)
        with Steps(self._begin()) as steps:
            for step in steps:
                meter.step(step)
                self._tell(share=meter.share, left=meter.left, shown=step.result or self.state.shown)
                if self._is_given_up(RUNNING):
                    return None
        self._learn(meter.took)
        return steps.result


class Jobs:
    """All runs of the page's visitors.

    Args:
        queue: those who wait, programs included.
    """

    def __init__(self, queue: Queue) -> None:
        self._queue = queue
        self._jobs: dict[str, Job] = {}
        self._unwanted: dict[str, float] = {}
        self._lock = threading.Lock()

    def start(
        self,
        name: str,
        begin: Callable[[], Run],
        expected: Seconds | None,
        learn: Callable[[Seconds], None],
        about: dict[str, Any],
    ) -> Job:
        """A new run, at the end of the queue; if a run of this name was begun already, that one.

        A page that is loaded anew cannot know whether the app had heard of its run: it asks for the same once more.

        Args:
            name: what its page calls it.
            begin, expected, learn: as for `Job`.
            about: what its page is told of it with each state.

        Raises:
            GazeError: too many are waiting already.
        """
        with self._lock:
            self._forget()
            if job := self._jobs.get(name):
                return job
            job = Job(name, begin, self._queue, expected, learn)
            job.about = about
            if name in self._unwanted:
                job.stop()
            self._jobs[name] = job
        job.start()
        return job

    def stop(self, name: str) -> None:
        """End a run, even if it is only asked for after this."""
        with self._lock:
            self._forget()
            if job := self._jobs.get(name):
                job.stop()
            elif len(self._unwanted) < _MOST_UNWANTED:
                self._unwanted[name] = time.monotonic()

    def _forget(self) -> None:
        now = time.monotonic()
        for name in [name for name, it in self._jobs.items() if it.ended_at and now - it.ended_at > _REMEMBERED]:
            del self._jobs[name]
        for name in [name for name, since in self._unwanted.items() if now - since > _REMEMBERED]:
            del self._unwanted[name]

    def find(self, name: str) -> Job | None:
        """The run of this name, while it is remembered."""
        return self._jobs.get(name)

    def close(self) -> None:
        """Stop all, and wait a little until what they have begun is removed."""
        with self._lock:
            jobs = [job for job in self._jobs.values() if not job.ended]
        for job in jobs:
            job.stop()
        deadline = time.monotonic() + 5
        for job in jobs:
            job.join(max(0.0, deadline - time.monotonic()))
