import numpy as np
import pytest

from gaze.engines.warp.gaze import IRIS_REACH, IRIS_SWING, Room, eye_motion, find_room
from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris, Opening
from gaze.grid import GAZE_RANGE, Cell, GazeGrid, Pose, Strengths
from tests.faces import parabolas


def at(x: float, y: float) -> Pose:
    """The eyes at x to the right and y down, 1 at the grid's edge."""
    return Pose(pupil_x=x * GAZE_RANGE, pupil_y=-y * GAZE_RANGE)


def test_a_straight_look_moves_nothing() -> None:
    still = eye_motion(Pose())
    assert (*still.across, still.down, still.upper, still.lower) == (0, 0, 0, 0, 0)


def test_the_upper_lid_goes_with_the_gaze() -> None:
    lids = [eye_motion(at(0, y)).upper for y in np.linspace(-1, 1, 9)]
    assert (np.diff(lids) > 0).all()
    assert eye_motion(at(0, -1)).upper < 0 < eye_motion(at(0, 1)).upper


def test_an_iris_that_looks_aside_travels_farther_up_and_down() -> None:
    """As the table of LivePortrait's eyes has it: 0.015 in the middle columns, 0.05 in the outer ones."""
    middle, ends = (eye_motion(at(x, 1)).down - eye_motion(at(x, -1)).down for x in (0, 1))
    assert 2 < ends / middle < 6


@pytest.mark.parametrize("side", [-1, 1])
def test_the_irises_swing_as_far_to_both_sides(side: int) -> None:
    assert eye_motion(at(side, 0)).across == pytest.approx(side * IRIS_SWING, rel=0.02)


def test_a_strength_of_two_goes_on_straight_and_stays_in_the_eye() -> None:
    grid = GazeGrid(30, Strengths(eyes=2))
    looks = [eye_motion(grid.pose(Cell(row, col))) for row in (0, 15, 29) for col in (0, 15, 29)]
    assert all(np.abs(look.across).max() < 0.125 and abs(look.down) < 0.09 for look in looks)
    assert all(abs(look.upper) < 0.09 and abs(look.lower) < 0.09 for look in looks)


@pytest.mark.parametrize("side", [-1, 1])
def test_an_iris_that_looks_aside_goes_across_its_whole_eye(side: int) -> None:
    """Its reach counts from where it looks straight: else one that comes from a corner would stop halfway."""
    room, back = Room(left=(0.3, 0.3), right=(0.3, 0.3)), (-0.08 * side, -0.08 * side)
    straight, away = (eye_motion(at(it, 0), back, room).across for it in (0, -side))
    assert away - straight == pytest.approx(-side * IRIS_SWING, rel=0.05)
    assert np.abs(eye_motion(at(side, 0), back, room).across).max() < 0.02


@pytest.mark.parametrize("side", [-1, 1])
def test_irises_that_lie_elsewhere_in_their_eyes_are_parallel_in_far_looks(side: int) -> None:
    """The one that lies nearer to its corner goes less far there, and farther back."""
    off, room = np.array([0.02, 0.06]), Room(left=(0.1, 0.14), right=(0.06, 0.02))
    if side < 0:
        off, room = -off, Room(left=room.right, right=room.left)
    straight, there, back = (off + eye_motion(at(x, 0), tuple(-off), room).across for x in (0, side, -side))
    assert straight == pytest.approx([0, 0], abs=0.001)
    assert there == pytest.approx([there[0]] * 2, abs=0.006)
    assert back == pytest.approx([back[0]] * 2, abs=0.006)
    as_found = off + eye_motion(at(side, 0), room=room).across
    assert np.ptp(as_found) < 0.25 * np.ptp(off)


def test_irises_go_up_and_down_together() -> None:
    """However far each goes across."""
    apart = eye_motion(at(1, 1), room=Room(right=(0.02, 0.12), below=tuple(np.linspace(0, 0.03, 15))))
    assert np.ptp(apart.across) > 0.04
    assert apart.shifts(np.eye(2)) == pytest.approx(np.column_stack([apart.across, [apart.down] * 2]))
    assert apart.bow[0] < 0.5 * apart.bow[1]


def test_straightening_is_added() -> None:
    assert eye_motion(Pose(), straighten=(0.05, 0.03)).across == pytest.approx([0.05, 0.03], rel=0.01)


@pytest.mark.parametrize("x", [-1, 0, 1])
def test_no_white_is_seen_above_an_iris_that_looks_down(x: int) -> None:
    """The upper lid follows at least as far as the iris goes."""
    before, after = eye_motion(at(x, 0)), eye_motion(at(x, 1))
    assert after.upper > 0.8 * (after.down - min(before.down, 0))
    assert eye_motion(at(x, -1)).upper < 0.01


def test_a_part_of_a_look_is_that_part_of_each_motion() -> None:
    whole, half = eye_motion(at(1, 1)), eye_motion(at(1, 1)).scaled(0.5)
    assert (*half.across, half.down) == (*(whole.across / 2), whole.down / 2)
    assert (half.upper, half.lower) == (whole.upper / 2, whole.lower / 2)


def test_narrow_eyes_move_less_up_and_down_and_as_far_across() -> None:
    wide, narrow = eye_motion(at(0.7, -0.7)), eye_motion(at(0.7, -0.7), room=Room(0.07))
    assert (narrow.across == wide.across).all()
    assert (narrow.upper, narrow.lower) == pytest.approx((wide.upper / 2, wide.lower / 2))
    assert narrow.down == pytest.approx(wide.down / 2, rel=0.05)
    assert [Room(gap).share for gap in (0.01, 0.14, 0.4)] == [0.4, 1, 1.25]


@pytest.mark.parametrize(("yaw", "share"), [(10, 1.0), (-23.5, 0.8), (23.5, 0.8), (40, 0.6)])
def test_eyes_of_turned_faces_move_less_up_and_down(yaw: float, share: float) -> None:
    straight, turned = (eye_motion(at(0.7, 0.7), room=Room(yaw=it)) for it in (0.0, yaw))
    assert (turned.across == straight.across).all()
    assert (turned.upper, turned.lower) == pytest.approx((share * straight.upper, share * straight.lower), rel=0.1)
    assert turned.down == pytest.approx(share * straight.down, rel=0.1)


@pytest.mark.parametrize("x", [-1, 0, 1])
def test_the_middle_of_an_iris_stays_between_the_lids(x: int) -> None:
    up, down = (eye_motion(at(x, y), room=Room(0.15, (0.02,) * 15, (0.02,) * 15)) for y in (-1, 1))
    assert up.down - up.upper > -0.02
    assert down.down - down.lower < 0.02


def test_how_much_room_an_iris_has_is_seen_wherever_it_goes() -> None:
    lids = Lids(parabolas(Opening((0.0, 50.0), (40.0, 50.0), (20.0, 42.0), (20.0, 56.0))))
    room = find_room([Iris(20.0, 48.0, 10.0)] * 2, [lids] * 2, 100.0)
    above, below = np.array(room.above), np.array(room.below)
    assert room.gap == pytest.approx(0.14, abs=0.003)
    # Up to three tenths of the radius below the upper lid; a fiftieth of it deeper behind the lower lid than at rest.
    assert (above[7], below[7]) == pytest.approx((0.03, 0.002), abs=0.003)
    assert (np.diff(above[:8]) > 0).all()
    assert (np.diff(below[:8]) > 0).all()
    assert above == pytest.approx(above[::-1], abs=1e-6)
    assert room.lid[7] == pytest.approx(0.06 - 0.033, abs=0.003)
    assert (np.diff(room.lid[:8]) >= 0).all()


@pytest.mark.parametrize("x", [-1, 0, 1])
def test_an_upper_lid_leaves_an_iris_that_looks_down_its_round_sides(x: int) -> None:
    free, held = (eye_motion(at(x, 1), room=room) for room in (Room(), Room(lid=(0.01,) * 15, below=(0.01,) * 15)))
    assert held.upper - held.down < 0.0101
    assert 0 < held.upper < 0.75 * free.upper
    assert held.upper > 0.9 * held.down


def test_the_worse_one_of_two_eyes_says_how_far_the_lids_come_down() -> None:
    open_wide, narrow = (
        Lids(parabolas(Opening((0.0, 50.0), (40.0, 50.0), (20.0, 50.0 - up), (20.0, 58.0)))) for up in (14, 5)
    )
    irises = [Iris(20.0, 48.0, 10.0)] * 2
    both, worse = (find_room(irises, [each, narrow], 100.0) for each in (open_wide, narrow))
    assert both.lid == worse.lid
    # 0.65 of the 3 pixels of the iris that are seen above its middle are left.
    assert worse.lid[7] == pytest.approx(0.35 * 0.03, abs=0.003)


@pytest.mark.parametrize(("left", "way"), [(13.0, 0.03), (15.0, 0.04), (20.0, 0.09), (40.0, 0.125)])
def test_an_iris_stays_off_the_corner_of_its_own_eye(left: float, way: float) -> None:
    """The middle comes no nearer than 1.1 radii, but three tenths of a radius of way are always left."""
    lids = Lids(parabolas(Opening((-left, 50.0), (60.0, 50.0), (10.0, 42.0), (10.0, 56.0))))
    free = Lids(parabolas(Opening((-60.0, 50.0), (60.0, 50.0), (0.0, 42.0), (0.0, 56.0))))
    room = find_room([Iris(0.0, 48.0, 10.0)] * 2, [lids, free], 100.0)
    assert min(room.left[0], IRIS_REACH) == pytest.approx(way)
    held, other = -eye_motion(at(-2, 0), room=room).across
    assert held <= way
    assert other > 0.115, "the other one goes on"
    assert eye_motion(at(-0.4, 0), room=room).across == pytest.approx(-0.0215, abs=0.001)


def test_the_lower_lid_gives_way_to_an_iris_and_comes_after_it() -> None:
    close = Room(below=(0.01,) * 15, white=(0.0,) * 15)
    for y, sign in ((1, 1), (-1, -1)):
        alone, together = (eye_motion(at(0, y), room=room) for room in (Room(), close))
        assert 0.005 < sign * (together.lower - alone.lower) <= 0.024


@pytest.mark.parametrize("x", [-1, -0.5, 0, 1])
def test_a_lower_lid_sets_out_and_halts_gradually(x: float) -> None:
    """Morphs go by a cubic between few keys, which cannot follow a speed that jumps."""
    close = Room(0.26, below=(0.015,) * 15, white=(0.02,) * 15)
    ways = np.array([eye_motion(at(x, y), room=close).lower for y in np.linspace(-1, 1, 401)])
    speeds = np.diff(ways)
    assert np.abs(np.diff(speeds)).max() < 0.05 * np.abs(speeds).max()


@pytest.mark.parametrize("room", [0.0, 0.005, 0.015, 0.1])
def test_a_lower_lid_rests_while_the_look_is_straight(room: float) -> None:
    still = eye_motion(Pose(), room=Room(below=(room,) * 15, white=(room,) * 15))
    assert (still.down, still.lower) == (0, 0)


@pytest.mark.parametrize("x", [-1, 1])
def test_the_bow_of_the_lids_goes_along_with_a_look_aside(x: int) -> None:
    look = eye_motion(at(0.6 * x, 0))
    assert look.bow == pytest.approx(0.55 * look.across, rel=0.01)
    assert np.abs(eye_motion(at(2 * x, 0)).bow).max() < 0.058


@pytest.mark.parametrize("y", [-1, 1])
def test_closing_eyes_go_back_up_and_down_but_not_across(y: int) -> None:
    look = eye_motion(at(0.6, y))
    shut, half = look.closing(1), look.closing(0.5)
    assert (shut.down, shut.upper, shut.lower, *shut.bow) == (0, 0, 0, 0, 0)
    assert (shut.across == look.across).all()
    assert (half.across == look.across).all()
    assert half.down == pytest.approx(look.down / 2)
