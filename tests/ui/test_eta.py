import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaze.options import Options
from gaze.progress import Progress
from gaze.ui.eta import STAGES, Estimates, Meter


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_nothing_is_expected_before_something_was_made() -> None:
    assert Estimates().expect("warp", Options()) is None
    assert Meter(None).left is None


def test_engines_and_sizes_are_learnt_apart() -> None:
    estimates = Estimates()
    estimates.learn("warp", Options(), {"render": 2.0})
    assert estimates.expect("warp", Options()) == {"render": 2.0}
    assert estimates.expect("liveportrait", Options()) is None
    assert estimates.expect("warp", Options(frame_size=640)) is None


def test_what_a_run_took_is_what_the_next_one_expects() -> None:
    clock = Clock()
    meter = Meter(None, clock)
    for stage, seconds in (("read", 1), ("render", 5), ("encode", 2), ("done", 0)):
        meter.step(Progress(stage, 0, 10, ""))
        clock.now += seconds
        meter.step(Progress(stage, 10, 10, ""))
    assert meter.took["render"] == 5
    assert meter.share == 1
    again = Meter(meter.took, clock)
    again.step(Progress("render", 5, 10, ""))
    assert again.share == pytest.approx((1 + 2.5) / 8)
    assert again.left == pytest.approx(8)
    clock.now += 3
    assert again.left is not None
    assert again.left < 6


def test_a_stage_that_tells_nothing_moves_the_bar_by_its_usual_time() -> None:
    clock = Clock()
    meter = Meter({"render": 1.0, "pack": 3.0}, clock)
    shares = []
    for _ in range(8):
        meter.step(Progress("pack", 0, 1, ""))
        shares.append(meter.share)
        clock.now += 0.5
    assert shares[:3] == pytest.approx([0.25, 0.375, 0.5])
    assert shares[-1] < 1


def test_a_run_that_is_slower_than_the_last_one_never_counts_upwards() -> None:
    clock = Clock()
    meter = Meter({"render": 4.0}, clock)
    told: list[float] = []
    for done in range(11):
        meter.step(Progress("render", done, 10, ""))
        told.append(meter.left or 0.0)
        clock.now += 2
    assert told == sorted(told, reverse=True)


@given(
    st.lists(
        st.tuples(st.sampled_from(STAGES[:-1]), st.integers(0, 50), st.integers(0, 50), st.floats(0, 9)), max_size=40
    ),
    st.dictionaries(st.sampled_from(STAGES), st.floats(0, 100)),
)
def test_the_bar_never_falls_and_the_time_never_rises(
    steps: list[tuple[str, int, int, float]], expected: dict[str, float]
) -> None:
    clock = Clock()
    meter = Meter(expected, clock)
    shares, times = [0.0], []
    for stage, done, total, seconds in steps:
        clock.now += seconds
        meter.step(Progress(stage, done, total, ""))
        shares.append(meter.share)
        times.append(meter.left)
    assert shares == sorted(shares)
    assert 0 <= shares[-1] < 1
    known = [time for time in times if time is not None]
    assert known == sorted(known, reverse=True)
    assert all(time >= 0 for time in known)
