import secrets
import threading
from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any, cast

import pytest

from gaze.errors import GazeError
from gaze.progress import Progress, Result
from gaze.ui import jobs as module
from gaze.ui.jobs import Job, Jobs, State
from gaze.ui.queue import Queue

RESULT = cast(Any, Result)(Path("x"), None, "warp", "", ())


class Work:
    """A run whose steps wait until they are let go."""

    def __init__(self) -> None:
        self.go, self.begun, self.closed = threading.Event(), threading.Event(), threading.Event()
        self.error: Exception | None = None

    def __call__(self) -> Generator[Progress, None, Result]:
        try:
            self.begun.set()
            yield Progress("render", 1, 2, "")
            while not self.go.wait(0.01):
                yield Progress("render", 1, 2, "")
            if self.error:
                raise self.error
            yield Progress("done", 2, 2, "")
            return RESULT
        finally:
            self.closed.set()


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def jobs(queue: Queue) -> Jobs:
    return Jobs(queue)


@pytest.fixture
def start(jobs: Jobs) -> Callable[[Work], Job]:
    return lambda work: jobs.start(secrets.token_hex(16), work, None, lambda took: None, {})


def last(job: Job) -> State:
    *_, state = job.follow()
    return state


def test_a_run_goes_on_without_its_page_and_is_followed_again(jobs: Jobs, start: Callable[[Work], Job]) -> None:
    work = Work()
    job = start(work)
    states = job.follow()
    assert next(states).phase in ("waiting", "making")
    work.begun.wait(10)
    states.close()  # the page is loaded anew
    work.go.set()
    found = jobs.find(job.name)
    assert found is job
    assert last(found) == State("done", 1.0, None, 0, None, RESULT)


def test_of_the_pages_that_follow_one_run_the_newest_are_told(start: Callable[[Work], Job]) -> None:
    """Each keeps a thread: else one visitor could have them all."""
    work = Work()
    job = start(work)
    first, second, third = (job.follow() for _ in range(3))
    assert next(first)
    assert next(second)
    assert next(third)
    assert list(first) == []
    assert next(second)
    work.go.set()
    for states in (second, third):
        *_, state = states
        assert state.phase == "done"


def test_a_run_that_is_stopped_is_closed_and_leaves_the_line(queue: Queue, start: Callable[[Work], Job]) -> None:
    work = Work()
    job = start(work)
    work.begun.wait(10)
    job.stop()
    assert last(job).phase == "stopped"
    assert work.closed.is_set()
    assert len(queue) == 0


def test_a_run_that_gets_no_thread_is_told_and_gives_up_its_place(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As where a container bounds them."""

    def refuse(_: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    job = Job("name", lambda: iter(()), queue)  # type: ignore[arg-type, return-value]
    monkeypatch.setattr(threading.Thread, "start", refuse)
    job.start()
    assert (job.state.phase, job.state.problem) == ("failed", module.UNEXPECTED)
    assert job.ended_at is not None
    assert len(queue) == 0


def test_who_waits_is_told_the_place_and_may_leave(queue: Queue, start: Callable[[Work], Job]) -> None:
    works = [Work(), Work(), Work()]
    first, second, third = map(start, works)
    assert next(state.place for state in third.follow() if state.place) == 2
    second.stop()
    assert last(second).phase == "stopped"
    assert not works[1].begun.is_set()
    works[0].go.set()
    works[2].go.set()
    assert (last(first).phase, last(third).phase) == ("done", "done")
    assert len(queue) == 0


@pytest.mark.parametrize("waits", [False, True])
def test_a_run_that_no_page_follows_ends_after_a_while(
    start: Callable[[Work], Job], monkeypatch: pytest.MonkeyPatch, waits: bool
) -> None:
    monkeypatch.setattr(module, "WAITING" if waits else "RUNNING", 0.05)
    works = [Work(), Work()] if waits else [Work()]
    started = [start(work) for work in works]
    started[-1].join(10)
    assert started[-1].state.phase == "stopped"
    works[0].go.set()
    assert last(started[0]).phase == ("done" if waits else "stopped")


def test_a_run_that_is_followed_may_take_as_long_as_it_takes(
    start: Callable[[Work], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RUNNING", 0.05)
    work = Work()
    job = start(work)
    states = job.follow()
    next(states)
    job.join(0.3)
    assert not job.ended
    work.go.set()
    *_, state = states
    assert state.phase == "done"


def test_errors_are_told_in_words_and_faults_are_logged(
    start: Callable[[Work], Job], caplog: pytest.LogCaptureFixture
) -> None:
    for error, told in (
        (GazeError("No room. Make some."), "No room. Make some."),
        (KeyError("secret"), module.UNEXPECTED),
    ):
        work = Work()
        work.error = error
        work.go.set()
        state = last(start(work))
        assert (state.phase, state.problem) == ("failed", told)
    assert "KeyError: 'secret'" in caplog.text


def test_the_end_of_the_app_stops_all(jobs: Jobs, start: Callable[[Work], Job]) -> None:
    works = [Work(), Work()]
    started = [start(work) for work in works]
    works[0].begun.wait(10)
    jobs.close()
    assert all(job.ended for job in started)
    assert works[0].closed.is_set()


def test_ends_are_forgotten_after_a_while(
    jobs: Jobs, start: Callable[[Work], Job], monkeypatch: pytest.MonkeyPatch
) -> None:
    work = Work()
    work.go.set()
    old = start(work)
    last(old)
    old.join(10)
    assert jobs.find(old.name) is old
    monkeypatch.setattr(module, "_REMEMBERED", -1.0)
    new = start(work)
    assert jobs.find(old.name) is None
    last(new)
