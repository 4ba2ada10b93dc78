from __future__ import annotations

import json

import numpy as np
import pytest
import torch

from gaze.engines.liveportrait import keypoints
from gaze.engines.liveportrait.keypoints import Motion
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.errors import GazeError
from gaze.grid import Cell, Expression, GazeGrid, Pose, Strengths
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.golden import DATA, Golden

EXACT = {"atol": 2e-6, "rtol": 0}


def stored_motion(golden: Golden, prefix: str) -> Motion:
    parts = ("kp", "exp", "t", "scale", "pitch", "yaw", "roll")
    return Motion(*(torch.from_numpy(golden.part(f"{prefix}.{part}")) for part in parts))


@pytest.fixture(scope="module")
def golden() -> Golden:
    return Golden("keypoints")


@pytest.fixture(scope="module")
def plan() -> list[Pose]:
    """The poses of the published grid, whose axis is rounded to two decimals."""
    cells = json.loads((DATA / "grid_plan.json").read_text())["params"]
    names = ("pupil_x", "pupil_y", "head_yaw", "head_pitch", "eyebrow")
    return [Pose(**{name: cell[name] for name in names}) for cell in cells]


def test_angles_from_bins(golden: Golden) -> None:
    degrees = keypoints.bins_to_degrees(torch.from_numpy(golden.part("headpose.logits")))
    np.testing.assert_allclose(degrees[:, 0], golden.part("headpose.degrees"), atol=1e-4)


def test_rotation(golden: Golden) -> None:
    angles = torch.from_numpy(golden.part("rotation.angles_pitch_yaw_roll"))
    matrices = keypoints.rotation(*angles.split(1, 1))
    np.testing.assert_allclose(matrices, golden.part("rotation.matrix"), **EXACT)


def test_source_keypoints_of_a_batch(golden: Golden) -> None:
    motion = stored_motion(golden, "transform.in")
    np.testing.assert_allclose(keypoints.source_keypoints(motion), golden.part("transform.x"), **EXACT)


def test_edits_of_gaze_and_expression(golden: Golden) -> None:
    """The reference's single edits, as far as they are used here."""
    deltas = golden.part("edits.delta")
    checked = 0
    for (control, value), delta in zip(golden.meta["edits_order"], deltas, strict=True):
        if control == "eyeball_direction":
            x, y = value
            found = keypoints.gaze_edits([Pose(pupil_x=x, pupil_y=y)], lid_term=True)[0]
        elif control == "smile":
            found = keypoints.expression_edits(Expression(smile=value))
        elif control == "eyebrow":
            found = keypoints.expression_edits(Expression(eyebrow=value / 15))
        else:
            continue
        np.testing.assert_allclose(found, delta, atol=1e-8, err_msg=f"{control} {value}")
        checked += 1
    assert checked == 9


def test_a_blink_is_a_wink_of_both_eyes(golden: Golden) -> None:
    order = [control for control, _ in golden.meta["edits_order"]]
    wink = golden.part("edits.delta")[order.index("wink")]
    assert golden.meta["edits_order"][order.index("wink")][1] == 20
    blink = keypoints.expression_edits(Expression(blink=1.0)).numpy()
    for one_eye in ((11, 13), (15, 16)):
        np.testing.assert_allclose(blink[list(one_eye), 1], wink[[11, 13], 1], atol=1e-8)


def test_winks_of_both_eyes_are_a_blink() -> None:
    left, right = (keypoints.expression_edits(Expression(**{f"wink_{side}": 1.0})) for side in ("left", "right"))  # type: ignore[arg-type]
    assert left[[11, 13], 1].abs().min() > 0
    assert left[[15, 16]].abs().max() == 0
    np.testing.assert_allclose(left + right, keypoints.expression_edits(Expression(blink=1.0)), atol=1e-8)


def test_a_pose_has_an_expression_of_its_own(golden: Golden) -> None:
    motion = Motion(
        *(getattr(stored_motion(golden, "transform.in"), part)[:1] for part in vars(Motion)["__match_args__"])
    )
    smile = Expression(smile=0.8, eyebrow=-0.4, wink_right=0.5)
    both = keypoints.driving_keypoints(motion, [Pose(), Pose(expression=smile)], Expression())
    alike = keypoints.driving_keypoints(motion, [Pose()], smile)
    np.testing.assert_allclose(both[1], alike[0], **EXACT)
    np.testing.assert_allclose(both[0], keypoints.driving_keypoints(motion, [Pose()], Expression())[0], **EXACT)


def test_what_expressions_add_is_computed_once_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    """And not for every frame, while a visitor's time on a GPU passes."""
    calls: list[Expression] = []
    edits = keypoints.expression_edits
    monkeypatch.setattr(keypoints, "expression_edits", lambda it: calls.append(it) or edits(it))
    poses = [Pose(expression=Expression(smile=n % 2)) for n in range(30)]
    found = keypoints._own_edits(poses)
    assert len(calls) == 2
    assert found.shape == (30, keypoints.KEYPOINTS, 3)
    assert found[0].abs().max() == 0 < found[1].abs().max()


def test_eyes_are_told_their_ratios_and_the_one_that_is_wanted(golden: Golden) -> None:
    eye, given = EyeRetargeting(), []
    eye.forward = lambda x: given.append(x) or torch.ones(len(x), 63)  # type: ignore[method-assign]
    x_s = keypoints.source_keypoints(stored_motion(golden, "transform.in"))[:1]
    offsets = eye.closing(x_s, (0.3, 0.5), torch.tensor([[0.0], [0.25], [1.0]]))
    assert offsets.shape == (3, 21, 3)
    np.testing.assert_allclose(given[0][:, 63:], [[0.3, 0.5, 0.4], [0.3, 0.5, 0.3], [0.3, 0.5, 0.0]], atol=1e-6)
    np.testing.assert_allclose(given[0][:, :63], x_s.flatten(1).expand(3, -1))


def test_without_the_lid_term_eyeballs_go_twice_as_far() -> None:
    up = [Pose(pupil_y=10)]
    full, half = keypoints.gaze_edits(up)[0], keypoints.gaze_edits(up, lid_term=True)[0]
    np.testing.assert_allclose(full[[11, 15], 1], 2 * half[[11, 15], 1])
    assert full[[13, 16]].abs().max() == 0
    assert half[[13, 16], 1].abs().min() > 0


def test_every_cell_of_the_published_grid(plan: list[Pose], stitching: Stitching) -> None:
    golden = Golden("grid")
    motion = stored_motion(golden, "in")
    x_s = keypoints.source_keypoints(motion)
    np.testing.assert_allclose(x_s, golden.part("x_s"), **EXACT)
    x_d = keypoints.driving_keypoints(motion, plan, Expression())
    np.testing.assert_allclose(x_d.reshape(30, 30, 21, 3), golden.part("x_d"), **EXACT)
    stitched = stitching.correct(x_s, x_d)
    np.testing.assert_allclose(stitched.reshape(30, 30, 21, 3), golden.part("x_d_stitched"), **EXACT)


def test_our_grid_is_the_published_one_but_for_its_rounding(plan: list[Pose]) -> None:
    grid = GazeGrid()
    for index, published in enumerate(plan):
        ours = grid.pose(Cell(*divmod(index, 30)))
        for name in ("pupil_x", "pupil_y", "head_yaw", "head_pitch", "eyebrow"):
            assert getattr(ours, name) == pytest.approx(getattr(published, name), abs=0.0051), (index, name)


def test_strength_zero_is_the_source_but_for_its_depth() -> None:
    motion = rule.motion("still")
    still = GazeGrid(2, Strengths(0, 0, 0)).pose(Cell(0, 0))
    x_d = keypoints.driving_keypoints(motion, [still], Expression())
    x_s = keypoints.source_keypoints(motion)
    np.testing.assert_allclose(x_d[..., :2], x_s[..., :2], **EXACT)
    np.testing.assert_allclose(x_d[..., 2] - x_s[..., 2], motion.t[:, 2:].expand(1, 21), **EXACT)


def test_the_source_is_not_edited() -> None:
    motion = rule.motion("kept")
    before = motion.exp.clone()
    keypoints.driving_keypoints(motion, [Pose(10, 10, 5, 5, 10)] * 3, Expression(smile=1))
    np.testing.assert_array_equal(motion.exp, before)


def test_eye_and_lip_retargeting(golden: Golden, eye: EyeRetargeting, lip: LipRetargeting) -> None:
    x_s = torch.from_numpy(golden.part("editor.x_s")).flatten(1)
    wanted = next(edit for edit in golden.meta["editor"] if "eye_ratio" in edit)
    for network, what in ((eye, "eye"), (lip, "lip")):
        own = torch.from_numpy(golden.part(f"editor.{what}_ratio"))
        target = torch.tensor([[wanted[f"{what}_ratio"]]])
        delta = network(torch.cat([x_s, own, target], 1)).unflatten(1, (21, 3))
        np.testing.assert_allclose(delta, golden.part(f"editor.{what}_delta"), **EXACT)


def test_stitching_of_a_batch_is_that_of_each(stitching: Stitching) -> None:
    x_s = keypoints.source_keypoints(rule.motion("one"))
    x_d = keypoints.source_keypoints(rule.motion("many", 5))
    together = stitching.correct(x_s, x_d)
    for index in range(5):
        np.testing.assert_allclose(together[index : index + 1], stitching.correct(x_s, x_d[index : index + 1]), **EXACT)


@pytest.mark.parametrize(("name", "value"), [("smile", 1.4), ("blink", -1), ("eyebrow", 2), ("smile", float("nan"))])
def test_expressions_out_of_range(name: str, value: float) -> None:
    with pytest.raises(GazeError, match=f"{name} value is"):
        Expression(**{name: value})  # type: ignore[arg-type]
