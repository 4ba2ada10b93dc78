"""In-between frames of scenes that are known: a disc on a textured head before a still background."""

import math
from collections.abc import Callable
from itertools import product

import cv2
import numpy as np
import pytest

from gaze.face.face import Face, Iris, typical_face
from gaze.grid import Cell
from gaze.motion.inbetween import Inbetween
from gaze.motion.keys import cells_of, key_axis
from gaze.motion.ssim import ssim

SIZE, SIDE = 30, 256
AXIS = key_axis(SIZE, 6)
RADIUS = 9.0
FACE: Face = typical_face(Iris(108, 120, 4), Iris(148, 120, 4))
TEXTURE = cv2.GaussianBlur(np.random.default_rng(0).integers(0, 256, (SIDE, SIDE, 3), np.uint8), (0, 0), 2)
TEXTURE = cv2.normalize(TEXTURE, None, 60, 220, cv2.NORM_MINMAX)
Y, X = np.mgrid[:SIDE, :SIDE].astype(np.float32)


def shift(cell: Cell, pixels: float) -> tuple[float, float]:
    """Across and down, for something that goes so far from edge to edge."""
    return (cell.col / (SIZE - 1) - 0.5) * pixels, (cell.row / (SIZE - 1) - 0.5) * pixels


def disc_centre(cell: Cell) -> tuple[float, float]:
    (x, y), (more_x, more_y) = shift(cell, 24), shift(cell, 10)
    return 128 + x + more_x, 120 + y + more_y


def coverage(x: float, y: float, radius: float) -> np.ndarray:
    return np.clip(radius + 0.5 - np.hypot(X - x, Y - y), 0, 1)[..., None]


def scene(cell: Cell) -> np.ndarray:
    """A head of 64 pixels' radius that moves by 24 pixels in all, on it a dark disc that moves by 10 more."""
    x, y = shift(cell, 24)
    moved = np.array([[1, 0, x], [0, 1, y]], np.float32)
    skin = cv2.warpAffine(TEXTURE, moved, (SIDE, SIDE), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)
    # Fading out softly, as motion does in a portrait.
    head = np.clip((80 - np.hypot(X - 128 - x, Y - 128 - y)) / 16, 0, 1)[..., None]
    picture = TEXTURE[::-1] * (1 - head) + skin * head
    dark = coverage(*disc_centre(cell), RADIUS)
    return np.rint(picture * (1 - dark) + 20 * dark).astype(np.uint8)


def with_alpha(cell: Cell) -> np.ndarray:
    """The scene cut out by an edge that moves with the head; what is transparent is of a glaring colour."""
    x, y = shift(cell, 24)
    alpha = np.clip((60.5 - np.hypot(X - 128 - x, Y - 128 - y)), 0, 1)[..., None]
    colour = np.where(alpha > 0, scene(cell), np.array([0, 255, 0], np.uint8))
    return np.dstack([colour, np.rint(alpha * 255).astype(np.uint8)]).astype(np.uint8)


def on_black(frame: np.ndarray) -> np.ndarray:
    return frame[..., :3] * (frame[..., 3:] / 255)


def crossfade(cell: Cell) -> np.ndarray:
    """The mean of the keys around a cell."""
    before = [max(k for k in AXIS if k <= i) for i in (cell.row, cell.col)]
    after = [min(k for k in AXIS if k >= i) for i in (cell.row, cell.col)]
    corners = [scene(Cell(row, col)).astype(float) for row in (before[0], after[0]) for col in (before[1], after[1])]
    return np.mean(corners, axis=0).astype(np.uint8)


@pytest.fixture(scope="module")
def between() -> Inbetween:
    return Inbetween(AXIS, scene, FACE)


CELLS = [Cell(3, 3), Cell(18, 25), Cell(26, 11), Cell(7, 18), Cell(14, 4), Cell(29, 26)]


def test_keys_are_exact(between: Inbetween) -> None:
    for cell in cells_of(AXIS):
        assert np.array_equal(between.frame(cell), scene(cell))


def test_frames_between_are_like_rendered_ones(between: Inbetween) -> None:
    for cell in CELLS:
        made, faded, true = (make(cell)[64:192, 64:192] for make in (between.frame, crossfade, scene))
        assert ssim(made, true) > 0.97
        assert ssim(faded, true) < 0.9


def disc(frame: np.ndarray) -> tuple[float, float, float, float]:
    """Centre, area and elongation of what is dark in the middle of the head, in pixels; from its moments."""
    dark = np.clip((70 - cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(np.float32)) / 50, 0, 1)
    dark[np.hypot(X - 128, Y - 120) > 36] = 0
    m = cv2.moments(dark)
    spread = np.array([[m["mu20"], m["mu11"]], [m["mu11"], m["mu02"]]]) / m["m00"]
    least, most = np.linalg.eigvalsh(spread)
    return m["m10"] / m["m00"], m["m01"] / m["m00"], m["m00"], math.sqrt(most / least)


@pytest.mark.parametrize("cell", CELLS)
def test_a_disc_stays_round_and_goes_its_own_way(between: Inbetween, cell: Cell) -> None:
    x, y, area, elongation = disc(between.frame(cell))
    _, _, true_area, true_elongation = disc(scene(cell))
    true = disc_centre(cell)
    assert math.dist((x, y), true) < 0.5
    assert area == pytest.approx(true_area, rel=0.05)
    assert elongation == pytest.approx(true_elongation, abs=0.04)


def test_a_disc_has_no_ghost(between: Inbetween) -> None:
    """Where the disc is in the keys around, but not in this frame, nothing of it is left."""
    cell = Cell(3, 4)
    ghost = np.zeros((SIDE, SIDE), bool)
    for row, col in product((0, 7), (0, 7)):
        ghost |= coverage(*disc_centre(Cell(row, col)), RADIUS - 1)[..., 0] > 0
    ghost &= coverage(*disc_centre(cell), RADIUS + 2)[..., 0] == 0
    assert ghost.sum() > 50
    darker = [(scene(cell).astype(float) - make(cell))[ghost].clip(0).mean() for make in (between.frame, crossfade)]
    assert darker[0] < 3
    assert darker[1] > 20


def test_the_background_stays_put_to_the_pixel(between: Inbetween) -> None:
    still = np.hypot(X - 128, Y - 128) > 80 + 24
    for cell in CELLS:
        assert np.array_equal(between.frame(cell)[still], TEXTURE[::-1][still])


def test_what_is_mirrored_morphs_mirrored(between: Inbetween) -> None:
    mirrored_face = typical_face(Iris(SIDE - 1 - 148, 120, 4), Iris(SIDE - 1 - 108, 120, 4))
    mirrored = Inbetween(
        AXIS, lambda cell: np.ascontiguousarray(scene(Cell(cell.row, SIZE - 1 - cell.col))[:, ::-1]), mirrored_face
    )
    for cell in CELLS:
        twin = mirrored.frame(Cell(cell.row, SIZE - 1 - cell.col))[:, ::-1]
        assert ssim(between.frame(cell), twin) > 0.985


def test_the_same_frame_comes_out_each_time() -> None:
    frames = [[Inbetween(AXIS, scene, FACE).frame(cell) for cell in order] for order in (CELLS[:3], CELLS[2::-1])]
    assert all(np.array_equal(a, b) for a, b in zip(frames[0], frames[1][::-1], strict=True))


def test_alpha_goes_along_and_no_colour_bleeds() -> None:
    between = Inbetween(AXIS, with_alpha, FACE)
    for cell in CELLS:
        frame, true = between.frame(cell), with_alpha(cell)
        assert frame.shape == true.shape
        assert ssim(np.repeat(frame[..., 3:], 3, 2), np.repeat(true[..., 3:], 3, 2)) > 0.97
        assert np.abs(frame[..., 3].astype(int) - true[..., 3]).mean() < 1
        edge = (frame[..., 3] > 0) & (frame[..., 3] < 255)
        tint = (on_black(frame) - on_black(true))[edge].mean(0)
        assert np.abs(tint).max() < 2, "the colour of what is transparent shows"
    assert np.array_equal(between.frame(Cell(0, 0)), with_alpha(Cell(0, 0)))


def test_a_flat_and_still_scene_stays_as_it_is() -> None:
    flat: Callable[[Cell], np.ndarray] = lambda cell: np.full((64, 48, 3), 99, np.uint8)  # noqa: E731
    face = typical_face(Iris(18, 30, 2), Iris(30, 30, 2))
    assert (Inbetween(AXIS, flat, face).frame(Cell(3, 3)) == 99).all()


def test_a_sweep_has_no_step_at_the_keys(between: Inbetween) -> None:
    def differences(make: Callable[[Cell], np.ndarray]) -> np.ndarray:
        frames = np.stack([make(Cell(18, col))[60:180, 60:190].astype(np.float32) for col in range(SIZE)])
        return np.abs(np.diff(frames, 2, axis=0)).mean((1, 2, 3))

    at_keys = [key - 1 for key in AXIS[1:-1]]
    assert differences(between.frame)[at_keys].max() < 1.5 * differences(scene)[at_keys].max()
