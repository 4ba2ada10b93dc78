import pytest

from gaze.options import PREVIEW, Options
from gaze.ui.eta import Pace


def test_nothing_is_expected_before_something_was_made() -> None:
    assert Pace().expect("warp", Options()) is None


def test_the_preview_tells_what_the_instant_engine_will_take() -> None:
    pace = Pace()
    pace.learn_preview(PREVIEW, 2)
    pace.learn_preview(PREVIEW, 0.5)
    pace.learn_preview(PREVIEW, 1)
    times = pace.expect("warp", Options())
    assert times
    assert times.ready == pytest.approx(0.5 * 9 * 4)
    assert times.total is None
    assert pace.expect("liveportrait", Options()) is None


def test_a_portrait_that_was_made_tells_more() -> None:
    pace = Pace()
    pace.learn_preview(PREVIEW, 1)
    pace.learn("warp", Options(), 20, 40)
    times = pace.expect("warp", Options(frame_size=1024))
    assert times
    assert (times.ready, times.total) == (80, 160)
    assert "last one" in times.source
    other = pace.expect("warp", Options(keys=6))
    assert other
    assert other.total is None
