"""Maps of a person with a drawn ear that the network doubts."""

import cv2
import numpy as np
import pytest

from gaze.engines.warp import backdrop
from gaze.engines.warp.doubt import settle
from gaze.engines.warp.engine import WarpEngine
from gaze.face.face import Face
from gaze.face.person import SIDE
from gaze.grid import Cell, GazeGrid
from gaze.photo.portrait import Portrait
from tests import green

DOUBTED = 0.3


def with_ear(portrait: Portrait, face: Face, u: float = 1.45, v: float = 0.3) -> tuple[np.ndarray, np.ndarray]:
    """A map that falls off at the head's edge within two pixels, with a doubted ear at (u, v); the ear's mask."""
    matte = green.person(face, portrait.height, portrait.width)
    x, y = np.meshgrid(np.arange(portrait.width), np.arange(portrait.height))
    across, down = face.to_frame(x, y)
    ear = (np.hypot((across - u) / 0.25, (down - v) / 0.4) < 1) & (matte < 128)
    found = cv2.resize(matte, (SIDE, SIDE), interpolation=cv2.INTER_AREA).astype(np.float32) / 255
    doubted = cv2.resize(ear.astype(np.float32), (SIDE, SIDE), interpolation=cv2.INTER_AREA) * DOUBTED
    return np.maximum(found, doubted), ear


def settled(found: np.ndarray, portrait: Portrait, face: Face) -> np.ndarray:
    return settle(found, face, portrait.width, portrait.height)


def test_an_ear_that_is_doubted_is_the_heads(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    found, ear = with_ear(portrait, face)
    core = cv2.resize(cv2.erode(ear.astype(np.uint8), np.ones((9, 9))), (SIDE, SIDE)) > 0
    assert core.sum() > 50
    assert found[core].max() < 0.35
    assert settled(found, portrait, face)[core].min() > 0.5


def test_edges_stay_where_they_are(framed: tuple[Portrait, Face]) -> None:
    portrait, face = framed
    found, _ = with_ear(portrait, face, u=9)
    assert np.array_equal(settled(found, portrait, face), found)


@pytest.mark.parametrize(("u", "v"), [(2.4, 0.3), (1.4, 1.6)])
def test_what_is_far_from_the_face_or_below_it_stays_doubted(framed: tuple[Portrait, Face], u: float, v: float) -> None:
    portrait, face = framed
    found, ear = with_ear(portrait, face, u, v)
    assert ear.any()
    assert np.array_equal(settled(found, portrait, face), found)


def test_an_ear_that_is_doubted_goes_with_the_head(
    framed: tuple[Portrait, Face], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Red on a grey wall: nothing red is left at its outer edge when the head has turned away."""
    portrait, face = framed
    found, ear = with_ear(portrait, face)
    matte = green.person(face, portrait.height, portrait.width)[..., None] / 255
    image = np.rint(portrait.image * matte + 128 * (1 - matte)).astype(np.uint8)
    image[ear] = (200, 60, 60)
    monkeypatch.setattr(backdrop, "find_person", lambda image: found)
    source = WarpEngine(straighten=False).prepare(Portrait(image), face)
    frame = WarpEngine().render(source, [GazeGrid(30).pose(Cell(15, 0))])[0]
    across = np.arange(portrait.width)
    outer = ear & (across > across[ear.any(0)].max() - 4)
    assert redness(image)[outer].min() > 200
    assert redness(frame)[outer].max() < 100


def redness(picture: np.ndarray) -> np.ndarray:
    return np.asarray(picture.astype(int) @ (2, -1, -1))
