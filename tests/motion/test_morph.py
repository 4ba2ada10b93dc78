"""The morph of any look: against frames whose true motion is known."""

import weakref

import cv2
import numpy as np
import pytest

from gaze.grid import Cell, Look
from gaze.motion.keys import key_looks
from gaze.motion.morph import Morph, coefficients_at, hermite_weights
from gaze.motion.motion import Mesh, Motion
from gaze.motion.ssim import ssim
from gaze.motion.tracking import find_motion
from tests.motion.faces import AXIS, BACKGROUND, EYES, displacement, frame, keys, shift_of, texture

LOOKS = key_looks(AXIS)


@pytest.fixture(scope="module")
def motion() -> Motion:
    return find_motion(keys(), AXIS, EYES, lambda number: displacement(LOOKS[number]))


@pytest.fixture(scope="module")
def tracked() -> Motion:
    return find_motion(keys(), AXIS, EYES)


@pytest.mark.parametrize("known", [True, False])
def test_the_morph_at_a_key_is_the_key(motion: Motion, tracked: Motion, known: bool) -> None:
    morph = Morph(motion if known else tracked, keys())
    for number, look in enumerate(LOOKS):
        assert np.abs(morph(look).astype(int) - keys()[number]).max() <= 1


def test_halfway_between_two_shifted_pictures_is_the_picture_shifted_half() -> None:
    def shifted(across: float) -> np.ndarray:
        move = np.array([[1, 0, across], [0, 1, 0]], np.float64)
        return cv2.warpAffine(texture(5, 96, 80), move, (96, 80), flags=cv2.INTER_CUBIC, borderMode=cv2.BORDER_REFLECT)

    frames = {number: shifted(8 * (number % 3 - 1)) for number in range(9)}
    mesh = Mesh(tuple(range(0, 97, 8)), tuple(range(0, 81, 8)))
    moving = np.zeros(mesh.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    field = np.where(moving[..., None] == 255, np.array([800, 0]), 0).astype(np.int16)[None]
    coefficients = np.tile(np.array([-1, 0, 1], np.float32)[None, :, None], (3, 1, 1))
    one = Motion((0.0, 14.5, 29.0), mesh, field, 0.01, coefficients, moving)
    made = Morph(one, frames)(Look(14.5, 14.5 + 7.25))
    inner = (slice(24, 56), slice(30, 66))
    assert np.abs(made[inner].astype(int) - shifted(4)[inner]).mean() < 1.5
    blended = (frames[4][inner].astype(int) + frames[5][inner]) / 2
    assert np.abs(blended - shifted(4)[inner]).mean() > 10


def test_a_morph_goes_with_its_frames_when_nobody_has_it_any_more(motion: Motion) -> None:
    """Kills: it stays, as many megabytes as all keys, until the garbage is collected."""
    morph = Morph(motion, keys())
    morph(Look(1.5, 1.5))
    gone = weakref.ref(morph)
    del morph
    assert gone() is None


@pytest.mark.parametrize("known", [True, False])
def test_looks_between_keys_come_close_to_the_true_frames(motion: Motion, tracked: Motion, known: bool) -> None:
    morph = Morph(motion if known else tracked, keys())
    rng = np.random.default_rng(3)
    for row, col in rng.uniform(0, 29, (8, 2)):
        look = Look(float(row), float(col))
        assert ssim(morph(look), frame(look)) > 0.985


def test_the_background_stands_still_to_the_bit(motion: Motion) -> None:
    morph = Morph(motion, keys())
    still = np.ones(BACKGROUND.shape[:2], bool)
    still[motion.mesh.box] = False
    assert still.any()
    for look in (Look(0, 0), Look(3.3, 21.7), Look(29, 14.5)):
        made = morph(look)
        assert np.array_equal(made[still], keys()[12][still])
        assert np.array_equal(made[:8], BACKGROUND[:8])


def test_transparency_moves_with_the_colours() -> None:
    frames = keys(alpha=True)
    morph = Morph(find_motion(frames, AXIS, EYES, lambda number: displacement(LOOKS[number])), frames)
    for look in (Look(4.0, 25.0), Look(18.2, 10.1)):
        made, true = morph(look), frame(look, alpha=True)
        assert np.abs(made[..., 3].astype(int) - true[..., 3]).mean() < 2
        solid = true[..., 3] > 250
        assert np.abs(made[solid].astype(int) - true[solid]).mean() < 4


def test_what_is_transparent_lends_no_colour() -> None:
    frames = keys(alpha=True)
    for painted in frames.values():
        painted[..., :3][painted[..., 3] == 0] = (255, 0, 255)
    plain = keys(alpha=True)
    looks = (Look(4.0, 25.0), Look(18.2, 10.1))
    motion = find_motion(plain, AXIS, EYES, lambda number: displacement(LOOKS[number]))
    for look in looks:
        made, expected = Morph(motion, frames)(look), Morph(motion, plain)(look)
        seen = made[..., 3] > 16
        assert np.abs(made[seen].astype(int) - expected[seen]).max() <= 24


def test_a_key_that_does_not_show_a_point_does_not_count_there(motion: Motion) -> None:
    trust = np.full((5, 5, *motion.mesh.shape), 255, np.uint8)
    trust[0, 0] = 0
    doubted = Motion(motion.looks, motion.mesh, motion.fields, motion.unit, motion.coefficients, motion.moving, trust)
    spoilt = {**keys(), 0: np.zeros_like(keys()[0])}
    look = Look(1.0, 1.0)
    good, bad, saved = (
        Morph(how, of)(look).astype(int) for how, of in ((motion, keys()), (motion, spoilt), (doubted, spoilt))
    )
    inside = motion_of_all(motion)
    assert np.abs(bad - good)[inside].mean() > 40
    assert np.abs(saved - good)[inside].mean() < 12


def motion_of_all(motion: Motion) -> np.ndarray:
    """Where the picture is all morph, well inside."""
    x, y = np.meshgrid(np.arange(160), np.arange(150))
    return np.asarray(np.hypot((x - 80) / 30, (y - 70) / 30) < 1)


def test_cells_and_looks_are_the_same_places(motion: Motion) -> None:
    morph = Morph(motion, keys())
    assert np.array_equal(morph(Cell(3, 20)), morph(Look(3.0, 20.0)))


@pytest.mark.parametrize("looks", [(0.0, 7.25, 14.5, 21.75, 29.0), (0.0, 3.0, 10.0, 16.0, 19.0)])
def test_positions_pass_through_the_keys_smoothly(looks: tuple[float, ...]) -> None:
    values = np.array([0.0, 1.0, 0.5, 2.0, 2.5])
    at = [float(hermite_weights(looks, look) @ values) for look in looks]
    assert at == pytest.approx(values)
    step = 1e-4
    for knot in looks[1:-1]:
        before = (hermite_weights(looks, knot) - hermite_weights(looks, knot - step)) @ values / step
        after = (hermite_weights(looks, knot + step) - hermite_weights(looks, knot)) @ values / step
        assert before == pytest.approx(after, abs=2e-3)


@pytest.mark.parametrize("looks", [(0.0, 7.25, 14.5, 21.75, 29.0), (0.0, 3.0, 10.0, 16.0, 19.0)])
def test_even_motion_stays_even(looks: tuple[float, ...]) -> None:
    for look in np.linspace(0, looks[-1], 23):
        assert float(hermite_weights(looks, float(look)) @ np.array(looks)) == pytest.approx(float(look))


def test_displacements_of_looks_between_are_near_the_true_ones(motion: Motion) -> None:
    look = Look(5.0, 22.0)
    moved = motion.displacement(coefficients_at(motion, look))
    inner = moved[len(motion.mesh.rows) // 2, len(motion.mesh.columns) // 2]
    assert inner == pytest.approx(shift_of(look), abs=0.3)
