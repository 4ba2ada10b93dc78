from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from gaze.errors import GazeError
from gaze.ui.queue import Queue


def words(queue: Queue, seconds: float | None = None) -> str:
    """What somebody who comes now is told first."""
    with queue.enter(seconds) as turn:
        return next(turn.waiting(), "")


def test_one_at_a_time_in_the_order_they_came() -> None:
    queue = Queue()
    with queue.enter() as first:
        assert list(first.waiting()) == []
        with queue.enter():
            assert words(queue) == "You are number 2 in the queue."
        assert words(queue) == "You are next."
    assert words(queue) == ""
    assert len(queue) == 0


def test_the_time_is_told_when_all_before_are_known() -> None:
    queue = Queue()
    with queue.enter(40) as first:
        assert list(first.waiting()) == []
        assert words(queue) == "You are next; about 40 s."
        with queue.enter(100):
            assert words(queue) == "You are number 2 in the queue; about 2 min."
            with queue.enter(None):
                assert words(queue) == "You are number 3 in the queue."


def test_the_time_that_is_told_goes_down_while_a_portrait_is_made() -> None:
    """Kills: the seconds since its beginning are not taken off."""
    queue = Queue()
    with queue.enter(40) as first:
        assert first.left == 40
        list(first.waiting())
        earlier = first.left
        assert earlier is not None
        told = [first.left or 0 for _ in range(10_000)]
        assert told[-1] < earlier <= 40


def test_an_error_leaves_the_line() -> None:
    queue = Queue()
    with pytest.raises(ZeroDivisionError), queue.enter():
        _ = 1 / 0
    assert len(queue) == 0


def test_a_full_line_is_said_kindly() -> None:
    queue = Queue(most=2)
    for _ in range(3):
        queue.enter()
    with pytest.raises(GazeError, match="2 portraits are in the queue already"):
        queue.enter()


def test_a_client_has_two_places_whatever_it_calls_itself() -> None:
    queue = Queue()

    def come(address: str, session: str | None) -> None:
        LocalContext.request.set(SimpleNamespace(session_hash=session, client=SimpleNamespace(host=address)))  # type: ignore[arg-type]
        try:
            queue.enter()
        finally:
            LocalContext.request.set(None)

    come("192.0.2.1", "a")
    come("192.0.2.1", "b")
    with pytest.raises(GazeError, match="You have 2 portraits in progress or in the queue already"):
        come("192.0.2.1", "c")
    come("192.0.2.2", "d")
    come("192.0.2.3", "d")
    with pytest.raises(GazeError, match="You have 2"):
        come("192.0.2.4", "d")
    come("2001:db8:1:2::1", None)
    come("2001:db8:1:2::2", None)
    with pytest.raises(GazeError, match="You have 2"):
        come("2001:db8:1:2::3", None)
    queue.leave(queue._turns[0])
    come("192.0.2.1", "c")
    for _ in range(3):
        queue.enter()  # from Python, of nobody in particular
