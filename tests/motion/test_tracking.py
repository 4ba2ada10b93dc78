import numpy as np
import pytest

from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_looks
from gaze.motion.lattice import find_changed, find_moving, plan_mesh
from gaze.motion.motion import Motion
from gaze.motion.rank import MAX_RANK, reduce_rank
from gaze.motion.tracking import find_motion
from tests.motion.faces import AXIS, EYES, displacement, keys, shift_of

LOOKS = key_looks(AXIS)


def at_keys(motion: Motion) -> np.ndarray:
    """(n², rows, columns, 2): the displacements of the keys."""
    return motion.displacement(motion.coefficients).reshape(-1, *motion.mesh.shape, 2)


@pytest.mark.parametrize("known", [True, False])
def test_the_motion_of_keys_is_found(known: bool) -> None:
    motion = find_motion(keys(), AXIS, EYES, (lambda number: displacement(LOOKS[number])) if known else None)
    column = min(range(len(motion.mesh.columns)), key=lambda i: abs(motion.mesh.columns[i] - 80))
    row = min(range(len(motion.mesh.rows)), key=lambda j: abs(motion.mesh.rows[j] - 70))
    found = at_keys(motion)[:, row, column]
    true = np.array([shift_of(look) for look in LOOKS])
    assert np.abs(found - true).max() < (0.2 if known else 0.6)


@pytest.mark.parametrize("known", [True, False])
def test_what_stands_still_is_exactly_still(known: bool) -> None:
    motion = find_motion(keys(), AXIS, EYES, (lambda number: displacement(LOOKS[number])) if known else None)
    assert not motion.coefficients[2, 2].any()
    assert not at_keys(motion)[12].any()
    still = motion.moving < 255
    assert still[[0, -1]].all()
    assert still[:, [0, -1]].all()
    assert not motion.fields[:, still].any()


def test_few_fields_hold_the_motion_of_all_keys() -> None:
    motion = find_motion(keys(), AXIS, EYES, lambda number: displacement(LOOKS[number]))
    assert motion.rank == 2, "it goes across and down, and no other way"


def test_an_engine_that_does_not_know_is_tracked() -> None:
    asked = find_motion(keys(), AXIS, EYES, lambda _: None)
    tracked = find_motion(keys(), AXIS, EYES)
    assert np.array_equal(asked.fields, tracked.fields)


def test_equal_keys_give_equal_motion() -> None:
    one, other = (find_motion(keys(), AXIS, EYES) for _ in range(2))
    assert one.fields.tobytes() == other.fields.tobytes()
    assert one.coefficients.tobytes() == other.coefficients.tobytes()


def test_keys_that_do_not_differ_move_nothing() -> None:
    same = {number: keys()[12] for number in range(25)}
    motion = find_motion(same, AXIS, EYES)
    assert (motion.rank, int(motion.moving.max())) == (0, 0)


def test_what_is_hidden_is_doubted() -> None:
    """A bar slides over the picture: what it covers in a key is not to be taken from there."""
    frames = keys()
    for number, look in enumerate(LOOKS):
        left = 60 + round(3 * shift_of(look)[0])
        frames[number] = frames[number].copy()
        frames[number][30:120, left : left + 24] = (250, 250, 250)
    motion = find_motion(frames, AXIS, EYES)
    assert motion.trust is not None
    assert motion.trust.min() < 128
    assert (motion.trust[2, 2] == 255).all(), "the middle key shows itself"
    assert np.median(motion.trust) == 255
    assert find_motion(keys(), AXIS, EYES).trust is None


def test_the_mesh_is_fine_at_the_eyes_and_covers_what_changes() -> None:
    changed = find_changed(keys(), 12)
    mesh = plan_mesh(changed, EYES)
    rows, cols = np.nonzero(changed)
    assert mesh.columns[0] <= cols.min() < cols.max() < mesh.columns[-1]
    assert mesh.rows[0] <= rows.min() < rows.max() < mesh.rows[-1]
    gaps = {x: b - x for x, b in zip(mesh.rows, mesh.rows[1:], strict=False)}
    near = [gap for y, gap in gaps.items() if 48 <= y <= 70]
    far = [gap for y, gap in gaps.items() if y > 90]
    assert max(near) < min(far)
    assert np.all(np.diff(mesh.columns) > 0)


def test_noise_is_no_change() -> None:
    """Frames that were coded before differ everywhere, a little."""
    rng = np.random.default_rng(0)
    noisy = {n: np.clip(f + rng.integers(-3, 4, f.shape), 0, 255).astype(np.uint8) for n, f in keys().items()}
    changed = find_changed(noisy, 12)
    assert not changed[:6].any()
    assert changed[70, 80]


def test_moving_reaches_over_every_cell_in_which_something_changes() -> None:
    changed = np.zeros((100, 100), np.uint8)
    changed[50, 50] = 1
    mesh = plan_mesh(changed, Eyes((40, 50), (60, 50)))
    moving = find_moving(mesh, changed)
    assert moving.max() == 255
    assert not moving[[0, -1]].any()


def test_a_rank_is_enough_or_the_most() -> None:
    rng = np.random.default_rng(4)
    fields = rng.normal(0, 5, (25, 9, 8, 2)).astype(np.float32)
    fields[12] = 0
    coefficients, basis, unit = reduce_rank(fields, 12, 40.0)
    assert coefficients.shape == (25, MAX_RANK)
    assert np.abs(coefficients).max() <= 1 + 1e-6
    smooth = rng.normal(0, 1, (25, 3)) @ rng.normal(0, 5, (3, 9 * 8 * 2))
    smooth[12] = 0
    coefficients, basis, unit = reduce_rank(smooth.reshape(25, 9, 8, 2).astype(np.float32), 12, 40.0)
    assert basis.shape[0] == 3
    again = coefficients @ (basis.reshape(3, -1) * unit)
    assert np.abs(again - smooth).max() < 0.2


def test_what_few_points_do_alone_is_kept_where_it_is_known() -> None:
    """As irises do: it is little of the whole motion, but people look there."""
    x, y = EYES.left
    down, across = np.mgrid[: keys()[12].shape[0], : keys()[12].shape[1]] + 0.5
    iris = np.clip(2 - np.hypot(across - x, down - y) / 4, 0, 1)[..., None] * np.array([0.6, 0.3])
    swings = np.array([np.cos(7 * number) - np.cos(7 * 12) for number in range(25)])
    motion = find_motion(
        keys(), AXIS, EYES, lambda number: displacement(LOOKS[number]) + np.float32(swings[number] * iris)
    )
    column = min(range(len(motion.mesh.columns)), key=lambda i: abs(motion.mesh.columns[i] - x))
    row = min(range(len(motion.mesh.rows)), key=lambda j: abs(motion.mesh.rows[j] - y))
    place = round(motion.mesh.rows[row] - 0.5), round(motion.mesh.columns[column] - 0.5)
    true = np.array([displacement(LOOKS[number])[place] + swings[number] * iris[place] for number in range(25)])
    assert np.abs(at_keys(motion)[:, row, column] - true).max() < 0.2
