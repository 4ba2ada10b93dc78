"""Circles fitted to irises, on eyes drawn at known places over those of the example."""

from itertools import product

import cv2
import numpy as np
import pytest

from benchmarks.changes import compressed, cropped, grey, noisy, resized, turned
from benchmarks.drawn_eyes import DrawnEyes, draw_eyes, random_eyes
from benchmarks.faces import errors, read_marks
from gaze.face.detection import find_faces
from gaze.face.face import Face
from gaze.face.iris_edge import refine_irises
from gaze.face.irises import FoundEye
from gaze.photo.portrait import Portrait

TRUTH = read_marks("faces.json")["astronaut"]
NOTHING = np.zeros(128, np.float32)
CHANGED = {"as drawn": lambda *it: it, "grey": grey, "noise": noisy, "JPEG 30": compressed, "turned": turned(20)}


def head(image: np.ndarray, distance: float) -> tuple[np.ndarray, Face]:
    """The example's head with so many pixels between the irises."""
    return resized(distance)(*cropped(2.2, 2.2, 2.2)(image, TRUTH))


def network_eyes(image: np.ndarray, truth: Face, off: tuple[float, float], radius: float) -> tuple[FoundEye, FoundEye]:
    """What the network might give: irises that are `off`, in iris distances, of a radius, and the lids of the truth."""
    shift = truth.iris_distance * np.array(off)
    left, right = (
        FoundEye(iris.x + shift[0], iris.y + shift[1], radius * truth.iris_distance, lids.upper, lids.lower, NOTHING)
        for iris, lids in zip((truth.left, truth.right), truth.lids, strict=True)
    )
    return left, right


def off(eyes: tuple[FoundEye, FoundEye], truth: Face) -> tuple[float, float]:
    """Errors of the worse place and of the radius, in iris distances."""
    pairs = list(zip(eyes, (truth.left, truth.right), strict=True))
    place = max(np.hypot(eye.x - iris.x, eye.y - iris.y) for eye, iris in pairs)
    radius = max(abs(eye.radius - iris.radius) for eye, iris in pairs)
    return place / truth.iris_distance, radius / truth.iris_distance


@pytest.mark.parametrize("change", CHANGED)
@pytest.mark.parametrize("distance", [25, 80])
def test_irises_of_people_are_found_where_they_were_drawn(portrait: Portrait, change: str, distance: int) -> None:
    image, truth = head(portrait.image, distance)
    found = []
    for seed in range(4):
        drawn, told = CHANGED[change](*draw_eyes(image, truth, random_eyes(10 * distance + seed)))
        error = errors(find_faces(Portrait(drawn))[0], told)
        found.append((max(error["left"], error["right"]), error["radius"]))
    place, radius = np.median(found, axis=0)
    assert place < 0.025
    assert radius < 0.015
    assert max(it for it, _ in found) < 0.05


@pytest.mark.parametrize("radius", [0.12, 0.14, 0.16])
def test_an_iris_larger_than_a_persons_is_taken_as_large_as_it_is(portrait: Portrait, radius: float) -> None:
    """The network takes it for one of a person, about 0.1, or for its pupil."""
    image, truth = head(portrait.image, 80)
    for seed in range(3):
        drawn, told = draw_eyes(image, truth, random_eyes(seed, (radius, radius)))
        error = errors(find_faces(Portrait(drawn))[0], told)
        assert error["radius"] < 0.02
        assert max(error["left"], error["right"]) < 0.03


@pytest.mark.parametrize(("radius", "seed"), [(0.14, 7), (0.16, 3), (0.16, 7)])
def test_the_pupil_of_a_large_pale_iris_is_not_taken_for_it(portrait: Portrait, radius: float, seed: int) -> None:
    """The pupil is as large as a person's iris, and clearer."""
    image, truth = head(portrait.image, 80)
    drawn, told = draw_eyes(image, truth, random_eyes(seed, (radius, radius)))
    start = network_eyes(drawn, told, (0.0, 0.0), 0.09)
    assert off(refine_irises(drawn, start), told)[1] < 0.015


@pytest.mark.parametrize("across", [-0.05, 0.0, 0.05])
def test_a_network_that_is_off_is_put_right(portrait: Portrait, across: float) -> None:
    image, truth = head(portrait.image, 80)
    drawn, told = draw_eyes(image, truth, DrawnEyes())
    start = network_eyes(drawn, told, (across, 0.01), 0.08)
    place, radius = off(refine_irises(drawn, start), told)
    assert place < 0.015
    assert radius < 0.006


def test_places_lie_between_pixels(portrait: Portrait) -> None:
    """Of irises moved by a fifth of a pixel each time, the places follow."""
    image, truth = head(portrait.image, 60)
    found = []
    for step in range(6):
        drawn, told = draw_eyes(image, truth, DrawnEyes(across=step / 5 / 60))
        start = network_eyes(drawn, told, (-step / 5 / 60, 0.0), 0.09)
        found.append(np.mean([eye.x for eye in refine_irises(drawn, start)]))
    steps = np.diff(found)
    assert found[-1] - found[0] == pytest.approx(1, abs=0.25)
    assert steps.min() > -0.05
    assert steps.max() < 0.5


@pytest.mark.parametrize(("network", "least", "most"), [(0.07, 0.085, 0.089), (0.093,) * 3, (0.15, 0.145, 0.15)])
@pytest.mark.parametrize("what", ["one colour", "noise", "too small"])
def test_where_no_edge_is_clear_irises_are_as_large_as_people_have_them(
    portrait: Portrait, what: str, network: float, least: float, most: float
) -> None:
    """Where the network has them. Drawn ones may be larger, but none are smaller: that may be a pupil."""
    image, truth = head(portrait.image, 60)
    if what == "too small":
        image, truth = resized(3)(image, truth)
    elif what == "one colour":
        image = np.full_like(image, 140)
    else:
        image = np.random.default_rng(0).integers(100, 150, image.shape, np.uint8)
    start = network_eyes(image, truth, (0.0, 0.0), network)
    found = refine_irises(image, start)
    for eye, before in zip(found, start, strict=True):
        assert least - 1e-6 <= eye.radius / truth.iris_distance <= most + 1e-6
        assert eye._replace(radius=before.radius) == before


def test_light_and_contrast_change_nothing(portrait: Portrait) -> None:
    image, truth = head(portrait.image, 80)
    drawn, told = draw_eyes(image, truth, DrawnEyes(across=0.03))
    start = network_eyes(drawn, told, (0.0, 0.0), 0.09)
    bright, radius = off(refine_irises(drawn, start), told)
    for gain, lift in product((0.5, 1.0), (0, 60)):
        dim = np.clip(drawn * gain + lift, 0, 255).astype(np.uint8)
        place, size = off(refine_irises(dim, start), told)
        assert place == pytest.approx(bright, abs=0.01)
        assert size == pytest.approx(radius, abs=0.01)


def test_it_reads_a_picture_and_leaves_it_alone(portrait: Portrait) -> None:
    image, truth = head(portrait.image, 40)
    before = image.copy()
    start = network_eyes(image, truth, (0.01, 0.0), 0.09)
    first = refine_irises(image, start)
    again = refine_irises(cv2.copyMakeBorder(image, 0, 9, 0, 9, cv2.BORDER_REFLECT), start)
    np.testing.assert_array_equal(image, before)
    assert (first[0].x, first[1].y, first[0].radius) == (again[0].x, again[1].y, again[0].radius)
    assert first[0].radius == first[1].radius
