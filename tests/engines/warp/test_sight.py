"""Eyes behind tinted glass, drawn over the example: they stand still, the head does not, and a note says so."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.lid_fit import SeenEye
from gaze.engines.warp.sight import DIM_EYES, eye_sight, see_eyes
from gaze.face.face import Face, Iris
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import drawn_face
from tests.engines.warp.test_lid_fit import cut_off
from tests.faces import typical_face


def tinted(portrait: Portrait, face: Face, share: float) -> Portrait:
    """Dark glass before both eyes, through which so much of them is seen."""
    image = portrait.image.astype(np.float32)
    unit = face.iris_distance
    y, x = np.mgrid[: portrait.height, : portrait.width]
    for iris in (face.left, face.right):
        glass = (np.hypot((x - iris.x) / 0.4, (y - iris.y) / 0.3) < unit)[..., None]
        image = np.where(glass, image * share + 30, image)
    return replace(portrait, image=np.rint(np.clip(image, 0, 255)).astype(np.uint8))


@pytest.mark.parametrize(("share", "sight"), [(0.02, 0.0), (0.9, 1.0)])
def test_eyes_that_are_not_seen_do_not_move(framed: tuple[Portrait, Face], share: float, sight: float) -> None:
    portrait, face = framed
    engine = WarpEngine(straighten=False)
    source = engine.prepare(tinted(portrait, face, share), face)
    assert source.sight == sight
    assert engine.notes() == (() if sight else (DIM_EYES,))
    aside, turned = engine.render(source, [Pose(pupil_x=15), Pose(head_yaw=-7.5)])
    assert (np.abs(aside.astype(int) - source.image).max() > 20) == bool(sight)
    assert np.abs(turned.astype(int) - source.image).max() > 60


@pytest.mark.parametrize(("left", "right", "sight"), [(40, 40, 1), (30, 12, 0.5), (8, 90, 1 / 6), (5, 90, 0)])
def test_white_on_one_side_of_both_irises_shows_that_they_look_aside(left: float, right: float, sight: float) -> None:
    """On their other side there is a corner of the eye: where they are to be seen at all, that white is bright."""
    face = typical_face(Iris(200, 200, 10), Iris(300, 200, 10))
    eyes = [
        SeenEye(face.left, face.lids[0], -2, (left, -9), beside=90),
        SeenEye(face.right, face.lids[1], 4, (right, -9), beside=90),
    ]
    assert eye_sight(eyes, face) == pytest.approx(sight)
    astray = [eyes[0], eyes[1]._replace(contrasts=(-9, right))]
    assert eye_sight(astray, face) == 0


@pytest.mark.parametrize(("side", "dark", "sight"), [(0, 10, 1.0), (1, 10, 1.0), (0, 60, 0.0)])
def test_an_eye_in_black_shadow_moves_with_the_other(
    framed: tuple[Portrait, Face], side: int, dark: int, sight: float
) -> None:
    """Grey that hides it would move, too."""
    portrait, face = framed
    shaded, iris = portrait.image.copy(), (face.left, face.right)[side]
    x, y, r = round(iris.x), round(iris.y), round(iris.radius)
    shaded[y - 3 * r : y + 3 * r, x - 4 * r : x + 4 * r] = dark
    assert eye_sight(see_eyes(shaded, face), face) == sight


@pytest.mark.parametrize("off", [0.0, 0.25])
def test_white_is_looked_for_on_either_side(framed: tuple[Portrait, Face], off: float) -> None:
    """Also beside irises that were found a bit aside of where they are, in radii."""
    portrait, face = framed
    shaded = portrait.image.copy()
    for iris in (face.left, face.right):
        x, y, r = round(iris.x), round(iris.y), round(iris.radius)
        shaded[y - 2 * r : y + 2 * r, x + round(0.7 * iris.radius) : x + 4 * r] = 5
    left, right = (replace(it, x=it.x + off * it.radius) for it in (face.left, face.right))
    face = replace(face, left=left, right=right)
    for eye in see_eyes(shaded, face):
        assert eye.contrast < eye.contrasts[0] > 18
        assert eye.contrasts[1] < 1
    assert eye_sight(see_eyes(shaded, face), face) == 1


def test_blurred_eyes_move_less(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    source = WarpEngine(straighten=False).prepare(portrait, replace(face, sharpness=0.125))
    assert source.sight == pytest.approx(0.5)


def test_pixels_that_enlarging_the_photo_made_show_nothing(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    radius = min(face.left.radius, face.right.radius)
    assert replace(face, enlarged=1.5).moved(2.0).enlarged == 3
    in_few_pixels = replace(face, enlarged=radius / 1.7)
    assert eye_sight(see_eyes(portrait.image, in_few_pixels), in_few_pixels) == pytest.approx(0.5)
    reduced = replace(face, enlarged=0.1)
    assert eye_sight(see_eyes(portrait.image, reduced), reduced) == 1


def test_light_in_which_whites_are_as_red_as_irises_changes_nothing() -> None:
    portrait, face = drawn_face(height=7)
    light = portrait.image.copy()
    light[..., 0] = 90
    found = cut_off(face, radii=1.0)
    for eye, usual in zip(see_eyes(light, found), see_eyes(portrait.image, found), strict=True):
        assert eye.contrast > 60
        np.testing.assert_allclose(eye.lids.lower, usual.lids.lower, atol=0.5)
