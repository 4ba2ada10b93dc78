"""Brows and eyes keep their shape in every look, also where the picture ends just above them."""

import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine, displacement
from gaze.engines.warp.head import YAW_RANGE, head_fields, head_shift
from gaze.face.face import Face
from gaze.face.topology import LEFT_UPPER_LID, RIGHT_UPPER_LID
from gaze.face.typical import typical_mesh
from gaze.grid import Cell, GazeGrid, Strengths
from gaze.photo.portrait import Portrait

LOOKS = [Cell(row, col) for row in (0, 15, 29) for col in (0, 15, 29)]
ENGINE = WarpEngine(straighten=False)


def turning(degrees: float) -> np.ndarray:
    """(3, 3): turns rows of x, y and z to the image's right, and enlarges them as far as eyes come closer by that."""
    angle = np.radians(degrees)
    turn = [[np.cos(angle), 0, np.sin(angle)], [0, 1, 0], [-np.sin(angle), 0, np.cos(angle)]]
    return np.array(turn) / np.cos(angle)


def cut_close(portrait: Portrait, face: Face) -> tuple[Portrait, Face]:
    """From just above the brows to just below the chin."""
    unit = face.iris_distance
    top = round(min(edge[:, 1].min() for brow in face.brows for edge in brow) - 0.16 * unit)
    left, bottom = round(face.outline[:, 0].min() - 0.2 * unit), round(face.outline[:, 1].max() + 0.3 * unit)
    right = round(face.outline[:, 0].max() + 0.2 * unit)
    return Portrait(np.ascontiguousarray(portrait.image[top:bottom, left:right])), face.moved(1, -left, -top)


def thickness(field: np.ndarray, face: Face) -> np.ndarray:
    """Of both brows, at three places each: as a share of that in the photo. They reach lower than the mesh says."""
    found = []
    for brow in face.brows:
        for point in (1, 2, 3):
            x = round((brow.upper[point, 0] + brow.lower[point, 0]) / 2)
            top, bottom = (round(float(np.interp(x, *edge.T))) for edge in brow)
            bottom += round(0.05 * face.iris_distance)
            found.append(1 + (field[bottom, x, 1] - field[top, x, 1]) / (bottom - top))
    return np.array(found)


@pytest.mark.parametrize("close", [False, True])
def test_brows_keep_their_thickness(framed: tuple[Portrait, Face], close: bool) -> None:
    portrait, face = cut_close(*framed) if close else framed
    source, grid = ENGINE.prepare(portrait, face), GazeGrid(30)
    for look in LOOKS:
        kept = thickness(ENGINE.displacement(source, grid.pose(look)), face)
        assert np.abs(kept - 1).max() < 0.15
        assert abs(kept.mean() - 1) < 0.1


def slants(field: np.ndarray, face: Face) -> list[float]:
    """Degrees by which the inner ends of both brows go down beside the outer ones. The example's eyes are level."""
    found = []
    for brow, outer in zip(face.brows, (0, -1), strict=True):
        ends = (brow.upper + brow.lower)[[outer, -1 - outer]] / 2
        down = [field[round(y), round(x), 1] for x, y in ends]
        found.append(float(np.degrees(np.arctan2(down[1] - down[0], abs(np.diff(ends[:, 0])[0])))))
    return found


@pytest.mark.parametrize("row", [0, 29])
@pytest.mark.parametrize("col", [0, 15, 29])
def test_a_nod_is_no_frown(framed: tuple[Portrait, Face], row: int, col: int) -> None:
    """Carried by the depth of the face, brows would be 4 degrees steeper."""
    portrait, face = framed
    field = ENGINE.displacement(ENGINE.prepare(portrait, face), GazeGrid(30).pose(Cell(row, col)))
    assert abs(np.mean(slants(field, face))) < 1.2


@pytest.mark.parametrize("degrees", [-25, 0, 15])
@pytest.mark.parametrize("row", [0, 29])
def test_eyes_keep_their_slant_in_a_nod(degrees: float, row: int) -> None:
    """From inner to outer corner. Carried by the depth of the face, the far one would be 3 to 6 degrees steeper."""
    mesh = typical_mesh() @ turning(degrees)
    for lid in (LEFT_UPPER_LID, RIGHT_UPPER_LID):
        corners = mesh[[lid[0], lid[-1]], :2]
        fields = head_fields(corners[:, 0], corners[:, 1], mesh, yaw=degrees)
        _, down = head_shift(fields, GazeGrid(30).pose(Cell(row, 15)), degrees / YAW_RANGE)
        before, after = (np.diff(it, axis=0)[0] for it in (corners, corners + np.stack([0 * down, down], 1)))
        assert abs(np.degrees(np.arctan2(*after[::-1]) - np.arctan2(*before[::-1]))) < 1


@pytest.mark.parametrize("degrees", [-25, 0, 15])
def test_glasses_are_as_rigid_as_a_pane(degrees: float) -> None:
    """Both rims move as one plane does: the depth of nose and temples behind them would bend them by 0.05 aside."""
    turns = np.linspace(0, 2 * np.pi, 60, endpoint=False)
    rim = np.column_stack([0.4 * np.cos(turns), 0.14 + 0.34 * np.sin(turns), np.full(60, -0.2)])
    u, v, _ = (np.vstack([rim + (side, 0, 0) for side in (-0.55, 0.55)]) @ turning(degrees)).T
    fields = head_fields(u, v, typical_mesh() @ turning(degrees), worn=1.0, yaw=degrees)
    terms = np.column_stack([np.ones(120), u, v])
    for look in LOOKS:
        for moved in head_shift(fields, GazeGrid(30).pose(look), degrees / YAW_RANGE):
            assert np.abs(moved - terms @ np.linalg.lstsq(terms, moved)[0]).max() < 0.006


@pytest.mark.parametrize("strength", [1, 2])
def test_nothing_folds_where_the_picture_is_cut_close(framed: tuple[Portrait, Face], strength: float) -> None:
    source = ENGINE.prepare(*cut_close(*framed))
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    for look in LOOKS:
        field = displacement(source, grid.pose(look)) / source.stride
        dx, dy = np.gradient(field, axis=1), np.gradient(field, axis=0)
        assert ((1 + dx[..., 0]) * (1 + dy[..., 1]) - dx[..., 1] * dy[..., 0]).min() > 0.1


def test_a_head_that_has_no_room_moves_less_that_way_only(framed: tuple[Portrait, Face]) -> None:
    portrait, face = cut_close(*framed)
    grid, free, held = GazeGrid(30), ENGINE.prepare(*framed).leeway, ENGINE.prepare(portrait, face).leeway
    up, down, left = (grid.pose(Cell(*look)) for look in ((0, 15), (29, 15), (15, 0)))
    assert free.held(up).head_pitch == pytest.approx(up.head_pitch, rel=0.01)
    assert 0.15 < held.held(up).head_pitch / up.head_pitch < 0.5
    assert held.held(up).eyebrow < 0.3 * up.eyebrow
    assert 0.5 < held.held(down).head_pitch / down.head_pitch < 0.8
    assert held.held(left).head_yaw > 0.7 * left.head_yaw
    assert held.held(left).pupil_x == left.pupil_x


def test_lashes_are_not_drawn_out(framed: tuple[Portrait, Face]) -> None:
    """What lies between a brow and the lid below it, when both go up, is stretched by less than two thirds."""
    portrait, face = framed
    source = ENGINE.prepare(portrait, face)
    for look in LOOKS[:3]:
        field = ENGINE.displacement(source, GazeGrid(30).pose(look))
        for brow, lids in zip(face.brows, face.lids, strict=True):
            x = round(float(lids.upper[:, 0].mean()))
            top, bottom = (round(float(np.interp(x, *edge.T))) for edge in (brow.lower, lids.upper))
            assert 1.1 < 1 + np.diff(field[top:bottom, x, 1]).max() < 5 / 3
