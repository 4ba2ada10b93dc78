"""Drawn irises whose lids the network would have found too close."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.lid_fit import fit_lids
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face, Iris, Opening
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from tests.engines.warp.test_eyes import IRIS, MIDDLE, RADIUS, WHITE, blobs, drawn_face
from tests.faces import with_openings


def cut_off(face: Face, radii: float = 0.6) -> Face:
    """The face as if its lower lids had been found so many radii below the irises' middles: they lie farther down."""
    openings = []
    for it in face.openings:
        openings.append(Opening(it.left, it.right, it.upper, (it.lower[0], MIDDLE[1] + radii * RADIUS)))
    return with_openings(face, openings)


def test_irises_without_an_edge_keep_their_lids() -> None:
    portrait, face = drawn_face()
    eyes = fit_lids(np.full_like(portrait.image, 140), face)
    for eye, iris, lids in zip(eyes, (face.left, face.right), face.lids, strict=True):
        assert eye.iris == iris
        assert np.allclose(eye.lids.upper, lids.upper)
        assert np.allclose(eye.lids.lower, lids.lower)
        assert eye.contrast == pytest.approx(0, abs=1)


def test_lids_do_not_cut_off_what_is_seen_of_an_iris_and_bend_as_lids_do() -> None:
    portrait, face = drawn_face()
    for eye in fit_lids(portrait.image, cut_off(face)):
        assert eye.contrast > 100
        lowest = np.array([[eye.iris.x]]), np.array([[eye.iris.y + 0.97 * RADIUS]])
        assert Lids(eye.lids).height(*lowest)[0, 0] > 0
        slopes = np.diff(eye.lids.lower[:, 1]) / np.diff(eye.lids.lower[:, 0])
        assert np.abs(np.diff(slopes)).max() < 0.9
        assert (np.diff(slopes) < 0.02).all(), "one bow, without a wave around the iris"


@pytest.mark.parametrize("slope", [0.0, 0.1, -0.1])
def test_lids_that_cover_an_iris_lie_where_they_cover_it(slope: float) -> None:
    """Found 0.3 radii too low, and aslant: irises would hang over them."""
    portrait, face = drawn_face(height=7)
    found = cut_off(face, radii=1.0)
    y, x = np.mgrid[: portrait.height, : portrait.width].astype(np.float32)
    for number, iris in enumerate((face.left, face.right)):
        # Sheared around each iris, so that the lids' edges run aslant, and the contours do not.
        sheared = cv2.remap(portrait.image, x, y - slope * (x - iris.x), cv2.INTER_LINEAR)
        eye = fit_lids(sheared, found)[number]
        for across in (-4.0, 0.0, 4.0):
            edge = iris.y + 7 * (1 - (across / 27) ** 2) + slope * across
            assert float(Lids(eye.lids).height(iris.x + across, edge)) == pytest.approx(0, abs=0.8)


def test_lids_stay_where_sclera_is_seen_below_an_iris() -> None:
    portrait, face = drawn_face(height=13)
    for eye, lids in zip(fit_lids(portrait.image, face), face.lids, strict=True):
        assert np.allclose(eye.lids.lower, lids.lower)


def test_eyes_larger_than_a_persons_have_the_lids_that_are_seen() -> None:
    """The network would have found them as wide and as open as a person's."""
    portrait, face = drawn_face(radius=14)
    small = [
        Opening((x - 20.0, y), (x + 20.0, y), (x, y - 10.0), (x, y + 8.0))
        for x, y in ((it.x, it.y) for it in (face.left, face.right))
    ]
    for eye, true in zip(fit_lids(portrait.image, with_openings(face, small)), face.openings, strict=True):
        assert eye.lids.upper[[0, -1], 0] == pytest.approx([true.left[0], true.right[0]], abs=3)
        assert eye.lids.upper[:, 1].min() == pytest.approx(true.upper[1], abs=3)
        assert eye.lids.lower[:, 1].max() == pytest.approx(true.lower[1], abs=3)


def test_eyes_that_are_wide_open_have_the_lids_that_are_seen() -> None:
    """The network would have found the upper ones at the tops of the irises: in looks down they would cut them flat."""
    portrait, face = drawn_face(height=14)
    narrow = [Opening(it.left, it.right, (it.upper[0], MIDDLE[1] - RADIUS), it.lower) for it in face.openings]
    for eye, true in zip(fit_lids(portrait.image, with_openings(face, narrow)), face.openings, strict=True):
        assert eye.lids.upper[:, 1].min() == pytest.approx(true.upper[1], abs=3)


def test_lids_next_to_an_iris_are_where_the_network_finds_them() -> None:
    portrait, face = drawn_face(height=11)
    for eye, lids in zip(fit_lids(portrait.image, face), face.lids, strict=True):
        assert np.allclose(eye.lids.upper, lids.upper)


def test_mirrored_eyes_are_fitted_alike() -> None:
    portrait, face = drawn_face()
    found = cut_off(face)
    flipped, mirror = Portrait(np.ascontiguousarray(portrait.image[:, ::-1])), found.mirrored(portrait.width)
    for one, other in zip(fit_lids(portrait.image, found), fit_lids(flipped.image, mirror)[::-1], strict=True):
        assert one.contrast == pytest.approx(other.contrast, abs=0.1)
        across = portrait.width - 1 - other.lids.lower[::-1, 0]
        assert np.allclose(one.lids.lower, np.column_stack([across, other.lids.lower[::-1, 1]]), atol=0.05)


def smaller(iris: Iris) -> Iris:
    return replace(iris, radius=0.95 * iris.radius)


@pytest.mark.parametrize("x", [-15.0, 15.0])
def test_no_ring_is_left_of_an_iris_that_was_found_a_little_small(x: float) -> None:
    portrait, face = drawn_face()
    found = replace(face, left=smaller(face.left), right=smaller(face.right))
    engine = WarpEngine(straighten=False)
    frame = engine.render(engine.prepare(portrait, found), [Pose(pupil_x=x)])[0]
    discs = blobs(frame)
    assert len(discs) == 2
    for (_, _, radius, ratio), middle in zip(discs, (200, 300), strict=True):
        assert radius == pytest.approx(RADIUS, rel=0.1)
        assert ratio > 0.9
        side = -int(np.sign(x))
        uncovered = frame[MIDDLE[1] - 3 : MIDDLE[1] + 4, middle + side * 9 - 3 : middle + side * 9 + 4].astype(int)
        assert np.abs(uncovered - WHITE).max() < 24


@pytest.mark.parametrize("up", [-15.0, 15.0])
def test_the_white_is_no_darker_and_no_lighter_than_it_was(up: float) -> None:
    """Whatever a look uncovers between the lids lies between iris and sclera, or nearly so."""
    portrait, face = drawn_face()
    source = WarpEngine(straighten=False).prepare(portrait, face)
    for x in (-15.0, 0.0, 15.0):
        frame = WarpEngine().render(source, [Pose(pupil_x=x, pupil_y=up)])[0].astype(int)
        eyes = frame[MIDDLE[1] - 30 : MIDDLE[1] + 30, 150:350]
        assert eyes.max() <= max(WHITE) + 14
        assert eyes.min() >= min(IRIS) - 14


@pytest.mark.parametrize(("colour", "most"), [(IRIS, 2.0), ((160, 125, 90), 0.5)])
def test_lids_go_less_far_or_stay_where_lashes_end_where_an_iris_would(
    colour: tuple[int, int, int], most: float
) -> None:
    """It gets lighter there as well, but along the lid and not around the iris; and lashes are darker than most irises.

    With the edge of the iris itself there, they would go 2.6 pixels.
    """
    portrait, face = drawn_face(height=8)
    is_iris = np.abs(portrait.image.astype(int) - IRIS).max(2) < 60
    image = np.where(is_iris[..., None], np.array(colour, np.uint8), portrait.image)
    image = cv2.resize(image, None, fx=4, fy=4, interpolation=cv2.INTER_CUBIC)
    for x in (face.left.x, face.right.x):
        s = np.linspace(-1, 1, 60)
        line = np.stack([x + 27 * s, MIDDLE[1] + 8 * (1 - s**2) + 1.5], 1)
        cv2.polylines(image, [np.round(4 * line + 1.5).astype(np.int32)], False, (20, 12, 10), 12, cv2.LINE_AA)
    lashes = cv2.resize(image, portrait.image.shape[1::-1], interpolation=cv2.INTER_AREA)
    for eye, found in zip(fit_lids(lashes, face), face.lids, strict=True):
        assert np.abs(eye.lids.lower[:, 1] - found.lower[:, 1]).max() < most
