"""A head in a picture that ends next to it moves less, and in a way that a morph between few keys can follow."""

from collections.abc import Callable

import numpy as np
import pytest

from gaze.engines.warp.border import Border
from gaze.engines.warp.leeway import Leeway, find_leeway
from gaze.engines.warp.region import tilt_axes
from gaze.face.face import Iris
from gaze.grid import GazeGrid, Look, Pose, Strengths
from gaze.motion.keys import USUAL, key_axis
from gaze.motion.morph import hermite_weights
from tests.faces import typical_face

GRID = GazeGrid(30)
AXIS = key_axis(GRID.size, USUAL)
ROOMS = {"wide": ((2.0, 2.0), (2.0, 2.0)), "no room above": ((0.22, 0.18), (0.06, 0.12)), "none": ((0.05, 0.05),) * 2}


def leeway(most: tuple[tuple[float, float], ...], tilt: float = 0.0) -> Leeway:
    return Leeway(np.ones((2, 1, 1), np.float32), np.array(most), tilt_axes(tilt))


def moved(pose: Pose) -> np.ndarray:
    """What is morphed: the turn of the head, as a share of that at the grid's edge, and its brows'."""
    return np.array([pose.head_yaw / 7.5, pose.head_pitch / 7.5, pose.eyebrow / 15])


def between_keys(found: Callable[[Look], Pose], look: Look) -> np.ndarray:
    """The same as a morph has it: by a cubic through the keys."""
    rows, cols = hermite_weights(AXIS, look.row), hermite_weights(AXIS, look.col)
    return np.asarray(
        sum(
            down * across * moved(found(Look(row, col)))
            for row, down in zip(AXIS, rows, strict=True)
            for col, across in zip(AXIS, cols, strict=True)
            if abs(down * across) > 1e-9
        )
    )


@pytest.mark.parametrize("tilt", [0.0, 0.3])
@pytest.mark.parametrize("most", ROOMS.values(), ids=ROOMS)
def test_a_morph_between_keys_can_follow(most: tuple[tuple[float, float], ...], tilt: float) -> None:
    def held(look: Look) -> Pose:
        return leeway(most, tilt).held(GRID.pose(look))

    chance = np.random.default_rng(1)
    for row, col in chance.uniform(0, GRID.size - 1, (40, 2)):
        look = Look(float(row), float(col))
        off = np.abs(between_keys(held, look) - moved(held(look)))
        assert off[:2].max() < 0.004
        assert off[2] < 0.03  # brows rise in looks up alone, from one key on


@pytest.mark.parametrize("strength", [1, 2])
@pytest.mark.parametrize("most", ROOMS.values(), ids=ROOMS)
def test_features_stay_where_there_is_room(most: tuple[tuple[float, float], ...], strength: float) -> None:
    grid, turns = GazeGrid(30, Strengths(strength, strength, strength)), []
    for place in np.linspace(0, GRID.size - 1, 25):
        pose = leeway(most).held(grid.pose(Look(float(place), float(place))))
        turns.append((-pose.head_yaw / 7.5 * 0.24, pose.head_pitch / 7.5 * 0.21))
    for axis, way in enumerate(np.array(turns).T):
        assert (np.diff(way) > -1e-6).all()
        assert -most[axis][0] <= way[0] <= -0.7 * min(most[axis][0], abs((0.24, 0.21)[axis] * strength))
        assert 0.7 * min(most[axis][1], (0.24, 0.21)[axis] * strength) <= way[-1] <= most[axis][1]


def test_the_middle_stands_still() -> None:
    assert leeway(ROOMS["none"]).held(Pose()) == Pose()


@pytest.mark.parametrize(("above", "least", "most"), [(0.2, 0.4, 0.7), (0.7, 0.7, 0.9), (1.6, 0.99, 1.0)])
def test_a_forehead_that_ends_at_the_border_is_not_drawn_out(above: float, least: float, most: float) -> None:
    """How far a head nods, of what it would: `above` iris distances are seen above its brows."""
    face = typical_face(Iris(250, 300, 9), Iris(350, 300, 9))
    brows = float(np.vstack([*face.brows[0], *face.brows[1]])[:, 1].min())
    at = np.zeros((1, 1))
    room = find_leeway(face, at, at, Border(0, round(brows - 100 * above), 600, 900))
    nod = GRID.pose(Look(29, 14.5)).head_pitch
    share = room.held(GRID.pose(Look(29, 14.5))).head_pitch / nod
    assert least < share <= most
    assert share * 0.21 <= 0.1 + 0.125 * above
