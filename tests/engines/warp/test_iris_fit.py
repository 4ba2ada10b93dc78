"""Drawn irises that the network would have found too small and off their middle."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.iris_fit import fit_eyes
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face, Iris
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import IRIS, MIDDLE, RADIUS, WHITE, blobs, drawn_face


def misread(face: Face, size: float, right: float, down: float) -> Face:
    """The face as if its irises had been found smaller, and off by so many of their radii."""

    def off(iris: Iris) -> Iris:
        return Iris(iris.x + right * iris.radius, iris.y + down * iris.radius, iris.radius * size)

    return replace(face, left=off(face.left), right=off(face.right))


@pytest.mark.parametrize(("size", "right", "down"), [(0.72, -0.2, -0.1), (0.8, 0.15, 0.1), (1.0, 0.0, 0.0)])
def test_the_circles_are_laid_where_the_edges_are(size: float, right: float, down: float) -> None:
    portrait, face = drawn_face()
    found = misread(face, size, right, down)
    for eye, truth in zip(fit_eyes(portrait.image, (found.left, found.right), found.lids), (200, 300), strict=True):
        assert (eye.iris.x, eye.iris.y) == pytest.approx((truth, MIDDLE[1]), abs=1.0)
        assert eye.iris.radius == pytest.approx(RADIUS, rel=0.07)
        assert eye.contrast > 100


def test_irises_without_an_edge_stay_as_they_were_found() -> None:
    portrait, face = drawn_face()
    flat = np.full_like(portrait.image, 140)
    for eye, iris in zip(fit_eyes(flat, (face.left, face.right), face.lids), (face.left, face.right), strict=True):
        assert eye.iris == iris
        assert eye.contrast == pytest.approx(0, abs=1)


def test_lids_do_not_cut_off_what_is_seen_of_an_iris() -> None:
    """Their lower edges were found a third of a radius too high."""
    portrait, face = drawn_face()
    raised = []
    for lids in face.lids:
        x, y = lids.lower.T
        raised.append(lids._replace(lower=np.column_stack([x, np.minimum(y, MIDDLE[1] + 0.6 * RADIUS)])))
    for eye in fit_eyes(portrait.image, (face.left, face.right), (raised[0], raised[1])):
        lowest = np.array([[eye.iris.y + 0.97 * RADIUS]]), np.array([[eye.iris.x]])
        assert Lids(eye.lids).height(lowest[1], lowest[0])[0, 0] > 0


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_no_ring_is_left_of_an_iris_that_was_found_too_small(x: float) -> None:
    portrait, face = drawn_face()
    frame = WarpEngine(straighten=False).render(
        WarpEngine(straighten=False).prepare(portrait, misread(face, 0.75, 0.0, 0.0)), [Pose(pupil_x=x)]
    )[0]
    found = blobs(frame)
    assert len(found) == 2
    for (_, _, radius, ratio), middle in zip(found, (200, 300), strict=True):
        assert radius == pytest.approx(RADIUS, rel=0.1)
        assert ratio > 0.9
        side = -int(np.sign(x))
        uncovered = frame[MIDDLE[1] - 3 : MIDDLE[1] + 4, middle + side * 9 - 3 : middle + side * 9 + 4].astype(int)
        assert np.abs(uncovered - WHITE).max() < 24


@pytest.mark.parametrize("up", [-15.0, 15.0])
def test_the_white_is_no_darker_and_no_lighter_than_it_was(up: float) -> None:
    """Whatever a look uncovers between the lids lies between iris and white, or nearly so."""
    portrait, face = drawn_face()
    source = WarpEngine(straighten=False).prepare(portrait, face)
    for x in (-15.0, 0.0, 15.0):
        frame = WarpEngine().render(source, [Pose(pupil_x=x, pupil_y=up)])[0].astype(int)
        eyes = frame[MIDDLE[1] - 30 : MIDDLE[1] + 30, 150:350]
        assert eyes.max() <= max(WHITE) + 14
        assert eyes.min() >= min(IRIS) - 14


def test_mirrored_eyes_are_fitted_alike() -> None:
    portrait, face = drawn_face()
    found = misread(face, 0.75, 0.1, 0.0)
    flipped, mirror = Portrait(np.ascontiguousarray(portrait.image[:, ::-1])), found.mirrored(portrait.width)
    here = fit_eyes(portrait.image, (found.left, found.right), found.lids)
    there = fit_eyes(flipped.image, (mirror.left, mirror.right), mirror.lids)
    for one, other in zip(here, there[::-1], strict=True):
        assert one.iris.x == pytest.approx(portrait.width - 1 - other.iris.x, abs=0.3)
        assert one.iris.radius == pytest.approx(other.iris.radius, rel=0.03)
