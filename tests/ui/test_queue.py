from types import SimpleNamespace

import pytest
from gradio.context import LocalContext

from gaze.errors import GazeError
from gaze.ui.queue import Line, duration


def words(line: Line, seconds: float | None = None) -> str:
    """What somebody who comes now is told first."""
    with line.enter(seconds) as turn:
        return next(turn.waiting(), "")


def test_one_at_a_time_in_the_order_they_came() -> None:
    line = Line()
    with line.enter() as first:
        assert list(first.waiting()) == []
        with line.enter():
            assert words(line) == "You are number 2 in line."
        assert words(line) == "You are next."
    assert words(line) == ""
    assert len(line) == 0


def test_the_time_is_told_when_all_before_are_known() -> None:
    line = Line()
    with line.enter(40) as first:
        assert list(first.waiting()) == []
        assert words(line) == "You are next; about 40 s."
        with line.enter(100):
            assert words(line) == "You are number 2 in line; about 2 min."
            with line.enter(None):
                assert words(line) == "You are number 3 in line."


def test_the_time_that_is_told_goes_down_while_a_portrait_is_made() -> None:
    """Kills: the seconds since its beginning are not taken off."""
    line = Line()
    with line.enter(40) as first:
        assert first.left == 40
        list(first.waiting())
        earlier = first.left
        assert earlier is not None
        told = [first.left or 0 for _ in range(10_000)]
        assert told[-1] < earlier <= 40


def test_an_error_leaves_the_line() -> None:
    line = Line()
    with pytest.raises(ZeroDivisionError), line.enter():
        _ = 1 / 0
    assert len(line) == 0


def test_a_full_line_is_said_kindly() -> None:
    line = Line(most=2)
    for _ in range(3):
        line.enter()
    with pytest.raises(GazeError, match="2 portraits are waiting to be made already"):
        line.enter()


def test_times_are_told_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0.2, 12.3, 89, 200)] == ["1 s", "12 s", "89 s", "3 min"]


def test_a_client_has_two_places_whatever_it_calls_itself() -> None:
    line = Line()

    def come(address: str, session: str | None) -> None:
        LocalContext.request.set(SimpleNamespace(session_hash=session, client=SimpleNamespace(host=address)))  # type: ignore[arg-type]
        try:
            line.enter()
        finally:
            LocalContext.request.set(None)

    come("192.0.2.1", "a")
    come("192.0.2.1", "b")
    with pytest.raises(GazeError, match="2 portraits of yours are being made or waiting already"):
        come("192.0.2.1", "c")
    come("192.0.2.2", "d")
    come("192.0.2.3", "d")
    with pytest.raises(GazeError, match="of yours"):
        come("192.0.2.4", "d")
    come("2001:db8:1:2::1", None)
    come("2001:db8:1:2::2", None)
    with pytest.raises(GazeError, match="of yours"):
        come("2001:db8:1:2::3", None)
    line.leave(line._turns[0])
    come("192.0.2.1", "c")
    for _ in range(3):
        line.enter()  # from Python, of nobody in particular
