"""Eyes behind tinted glass, drawn over the example: they stand still, the head does not, and a note says so."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.lid_fit import fit_lids
from gaze.engines.warp.sight import DIM_EYES, eye_sight
from gaze.face.face import Face
from gaze.grid import Pose
from gaze.photo.portrait import Portrait


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


def test_blurred_eyes_move_less(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    source = WarpEngine(straighten=False).prepare(portrait, replace(face, sharpness=0.125))
    assert source.sight == pytest.approx(0.5)


def test_pixels_that_enlarging_the_photo_made_show_nothing(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    radius = min(face.left.radius, face.right.radius)
    assert replace(face, enlarged=1.5).moved(2.0).enlarged == 3
    in_few_pixels = replace(face, enlarged=radius / 1.7)
    assert eye_sight(fit_lids(portrait.image, in_few_pixels), in_few_pixels) == pytest.approx(0.5)
    reduced = replace(face, enlarged=0.1)
    assert eye_sight(fit_lids(portrait.image, reduced), reduced) == 1
