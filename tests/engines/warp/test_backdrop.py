"""The person before a striped background: what a turning head uncovers, and what stands still."""

from dataclasses import replace

import numpy as np
import pytest

from gaze.engines.warp import engine
from gaze.engines.warp.backdrop import find_backdrop
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.engines.warp.fill import through_layer
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.photo.portrait import Portrait
from tests import green

CORNERS = [Cell(0, 0), Cell(0, 29), Cell(29, 0), Cell(29, 29)]


@pytest.fixture(scope="module")
def striped(framed: tuple[Portrait, Face]) -> tuple[Portrait, Face]:
    """The example, cut out along a drawn outline, before vertical stripes of two greens, 16 pixels wide."""
    portrait, face = framed
    matte = green.person(face, portrait.height, portrait.width)
    light = np.arange(portrait.width) // 16 % 2 == 0
    stripes = np.where(light[None, :, None], (40, 190, 60), (20, 110, 40)) * np.ones((portrait.height, 1, 1))
    share = matte[..., None] / 255
    image = np.rint(portrait.image * share + stripes * (1 - share)).astype(np.uint8)
    return replace(portrait, image=image, alpha=matte, original=None), face


@pytest.fixture(scope="module")
def source(striped: tuple[Portrait, Face]) -> WarpSource:
    return WarpEngine(straighten=False).prepare(*striped)


def frames(source: WarpSource, strength: float = 1) -> list[np.ndarray]:
    grid = GazeGrid(30, Strengths(strength, strength, strength))
    return list(WarpEngine().render(source, [grid.pose(cell) for cell in CORNERS]))


def test_layer_and_background_together_are_the_photo(striped: tuple[Portrait, Face]) -> None:
    portrait, face = striped
    backdrop = find_backdrop(portrait, face, (slice(None), slice(None)))
    assert backdrop is not None
    layer = backdrop.layer(portrait.image)
    together = layer[..., :3].astype(int) + through_layer(backdrop.behind, layer[..., 3])
    assert np.abs(together - portrait.image).max() <= 1


def test_a_photo_that_ends_beside_the_face_is_one_layer(framed: tuple[Portrait, Face]) -> None:
    """No network tells ears from the little that is left; a matte that came with the photo does."""
    portrait, face = framed
    half = round(1.4 * face.iris_distance)
    cut = np.s_[:, round(face.centre[0]) - half : round(face.centre[0]) + half]
    close = Portrait(np.ascontiguousarray(portrait.image[cut]))
    moved = face.moved(1, half - round(face.centre[0]), 0)
    assert find_backdrop(close, moved, (slice(None), slice(None))) is None
    matte = green.person(moved, close.height, close.width)
    assert find_backdrop(replace(close, alpha=matte), moved, (slice(None), slice(None))) is not None


def test_the_neutral_frame_is_the_photo(striped: tuple[Portrait, Face], source: WarpSource) -> None:
    neutral = WarpEngine().render(source, [Pose()])[0].astype(int)
    assert np.abs(neutral - striped[0].image).max() <= 1


def test_the_stripes_behind_a_turning_head_stay_where_they_are(
    striped: tuple[Portrait, Face], source: WarpSource
) -> None:
    """A pixel that shows background before and after shows the same: no line is bent."""
    portrait, face = striped
    assert portrait.alpha is not None
    reach = 0.32 * face.iris_distance
    outside = find_far(portrait.alpha, reach)
    assert outside.mean() > 0.1
    for frame in frames(source):
        assert np.array_equal(frame[outside], portrait.image[outside])


def test_background_close_to_the_outline_is_not_filled(framed: tuple[Portrait, Face]) -> None:
    """Where the head turns away from it: what is filled there differs, and goes along with the outline as a rim."""
    portrait, face = framed
    matte, unit = green.person(face, portrait.height, portrait.width), face.iris_distance
    rows, cols = np.mgrid[: portrait.height, : portrait.width] // 8
    checked = np.where(((rows + cols) % 2 == 0)[..., None], (40, 190, 60), (20, 110, 40))
    share = matte[..., None] / 255
    image = np.rint(portrait.image * share + checked * (1 - share)).astype(np.uint8)
    source = WarpEngine(straighten=False).prepare(replace(portrait, image=image, alpha=matte, original=None), face)
    close = find_far(matte, 0.05 * unit) & ~find_far(matte, 0.1 * unit)
    close[: round(face.centre[1] - 0.5 * unit)] = close[round(face.centre[1] + unit) :] = False
    middle = round(face.centre[0])
    for col, left_behind in ((0, np.s_[:, middle:]), (29, np.s_[:, :middle])):
        frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(15, col))])[0].astype(int)
        assert close[left_behind].sum() > 100
        assert np.abs(frame - image)[left_behind][close[left_behind]].mean() < 1


def before_green(portrait: Portrait, matte: np.ndarray) -> np.ndarray:
    share = matte[..., None] / 255
    return np.rint(portrait.image * share + np.array([40, 190, 60]) * (1 - share)).astype(np.uint8)


def test_hair_that_the_matte_doubts_leaves_no_ghost_behind(framed: tuple[Portrait, Face]) -> None:
    """It moves as a whole, and where it was there is background: as with a matte that is sure."""
    portrait, face = framed
    matte = green.person(face, portrait.height, portrait.width)
    doubted = matte.copy()
    doubted[: round(face.centre[1] - 0.6 * face.iris_distance)] //= 2
    image = before_green(portrait, matte)
    sure, unsure = (
        frames(WarpEngine().prepare(replace(portrait, image=image, alpha=it, original=None), face))
        for it in (matte, doubted)
    )
    assert max(np.abs(a.astype(int) - b).mean() for a, b in zip(sure, unsure, strict=True)) < 0.5


def with_bar(framed: tuple[Portrait, Face], length: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Before green, with a dark line from the brow to the left, so many iris distances long; matte, and where it is."""
    portrait, face = framed
    matte = np.where(green.person(face, portrait.height, portrait.width) > 127, np.uint8(255), np.uint8(0))
    image, row = before_green(portrait, matte), round(face.centre[1] - 0.3 * face.iris_distance)
    edge = int(np.flatnonzero(matte[row])[0])
    start = max(0, edge - round(length * face.iris_distance))
    image[row : row + 3, start:edge] = (30, 40, 25)
    beside = np.zeros(matte.shape, bool)
    beside[
        row : row + 3, max(start, edge - round(0.3 * face.iris_distance)) : edge - round(0.15 * face.iris_distance)
    ] = True
    return image, matte, beside


def test_a_strand_goes_along_as_far_as_it_reaches(framed: tuple[Portrait, Face]) -> None:
    """Nothing of it is left where it was."""
    portrait, face = framed
    image, matte, strand = with_bar(framed, 0.32)
    source = WarpEngine().prepare(replace(portrait, image=image, alpha=matte, original=None), face)
    frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(29, 15))])[0].astype(int)
    assert np.abs(frame - (40, 190, 60)).max(2)[strand].mean() < 20


def test_a_thin_line_that_goes_on_stands_still(framed: tuple[Portrait, Face]) -> None:
    """It is a cable or a shelf, and no strand."""
    portrait, face = framed
    image, matte, line = with_bar(framed, 9)
    source = WarpEngine().prepare(replace(portrait, image=image, alpha=matte, original=None), face)
    frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(29, 15))])[0].astype(int)
    assert np.abs(frame - image).max(2)[line].mean() < 20


def test_a_speck_beside_a_head_stays_with_the_background(framed: tuple[Portrait, Face]) -> None:
    """It hangs together with the person nowhere, so that it is no strand of hair."""
    portrait, face = framed
    matte = np.where(green.person(face, portrait.height, portrait.width) > 127, np.uint8(255), np.uint8(0))
    image, row = before_green(portrait, matte), round(face.centre[1])
    left = int(np.flatnonzero(matte[row])[0]) - round(0.08 * face.iris_distance)
    speck = np.s_[row : row + 2, left : left + 2]
    image[speck] = (20, 60, 20)
    source = WarpEngine().prepare(replace(portrait, image=image, alpha=matte, original=None), face)
    frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(15, 29))])[0].astype(int)
    assert np.abs(frame[speck] - image[speck]).mean() < 1


def test_specks_of_compression_go_along_with_the_outline(framed: tuple[Portrait, Face]) -> None:
    """Before a plain background nothing is left of them where the head was."""
    portrait, face = framed
    matte, unit = green.person(face, portrait.height, portrait.width), face.iris_distance
    image, away = before_green(portrait, matte), ~find_far(matte, 0.2 * unit) & (matte == 0)
    rows, cols = np.mgrid[: portrait.height, : portrait.width] // 2
    specks = away * np.array([-12, 0, 12])[(rows + cols) % 3]
    specked = (image + specks[..., None]).astype(np.uint8)
    source = WarpEngine().prepare(replace(portrait, image=specked, alpha=matte, original=None), face)
    left = away & find_far(matte, 0.05 * unit)
    left[: round(face.centre[1] - 0.5 * unit)] = left[round(face.centre[1] + 0.5 * unit) :] = False
    left[:, round(face.centre[0]) :] = False
    frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(15, 29))])[0].astype(int)
    assert left.sum() > 100
    assert np.abs(frame[left] - image[left]).mean() < 0.4 * np.abs(specks[left]).mean()


def find_far(alpha: np.ndarray, reach: float) -> np.ndarray:
    import cv2

    return np.asarray(cv2.distanceTransform((alpha < 13).astype(np.uint8), cv2.DIST_L2, 5) > reach)


@pytest.mark.parametrize("strength", [1, 2])
def test_what_a_head_uncovers_looks_like_the_background(
    striped: tuple[Portrait, Face], source: WarpSource, strength: float
) -> None:
    """Green all over: no hair or skin is left behind where the head was, beside the neck up."""
    portrait, face = striped
    assert portrait.alpha is not None
    for frame in frames(source, strength):
        positions = np.rint(frame).astype(int)
        was_person = portrait.alpha > 240
        is_green = (positions[..., 1] > 1.5 * positions[..., 0]) & (positions[..., 1] > 1.5 * positions[..., 2])
        uncovered = was_person & is_green
        assert uncovered.sum() > 300 * strength
    assert face.iris_distance > 60


def test_what_hangs_together_with_the_person_nowhere_stands_still(
    striped: tuple[Portrait, Face], source: WarpSource
) -> None:
    """Somebody else, or what the network takes for a person, changes nothing: it lies in the background."""
    portrait, face = striped
    assert portrait.alpha is not None
    other = portrait.alpha.copy()
    other[52:62, 176:186] = 255
    assert (other != portrait.alpha).sum() == 100
    with_other = WarpEngine(straighten=False).prepare(replace(portrait, alpha=other), face)
    assert np.array_equal(frames(with_other), frames(source))


@pytest.mark.parametrize("strength", [1, 2])
def test_no_background_goes_along_with_the_outline(
    striped: tuple[Portrait, Face], source: WarpSource, strength: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What shows nothing but the person is drawn from the photo as it is: the outline never gets so far."""
    monkeypatch.setattr(engine, "_UNCOVERED", (3.0, 3.0))
    layered = WarpEngine(straighten=False).prepare(*striped)
    assert not any(parts.person for parts in layered.parts)
    for frame, whole in zip(frames(source, strength), frames(layered, strength), strict=True):
        assert np.abs(frame.astype(int) - whole).max() <= 3


def test_a_person_that_is_not_seen_is_one_with_the_background(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    nobody = replace(portrait, alpha=np.zeros(portrait.image.shape[:2], np.uint8))
    assert find_backdrop(nobody, face, (slice(None), slice(None))) is None
    source = WarpEngine().prepare(nobody, face)
    assert source.layer is None
    assert np.abs(frames(source)[0].astype(int) - portrait.image).max() > 60


def test_a_black_background_stands_still(striped: tuple[Portrait, Face]) -> None:
    portrait, face = striped
    assert portrait.alpha is not None
    black = replace(portrait, image=np.where((portrait.alpha > 0)[..., None], portrait.image, np.uint8(0)))
    backdrop = find_backdrop(black, face, (slice(None), slice(None)))
    assert backdrop is not None
    assert backdrop.alpha[portrait.alpha == 0].max() == 0


def test_light_that_is_carried_hides_what_it_passes(framed: tuple[Portrait, Face]) -> None:
    """A white lock beside a dark room, say: added to a window, it would glare."""
    portrait, face = framed
    image, matte, _ = with_bar(framed, 0.32)
    lock = np.abs(image.astype(int) - (30, 40, 25)).max(2) == 0
    image = np.where(lock[..., None], (235, 230, 225), image // 2).astype(np.uint8)
    beside = replace(portrait, image=image, alpha=matte, original=None)
    backdrop = find_backdrop(beside, face, (slice(None), slice(None)))
    assert backdrop is not None
    layer = backdrop.layer(image).astype(int)
    assert (layer[..., 0][lock] > 60).mean() > 0.5
    assert (layer[..., :3] - layer[..., 3:]).max() <= 25
