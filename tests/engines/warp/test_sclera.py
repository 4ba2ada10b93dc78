"""Eyes drawn without an iris and with one: what is rebuilt under the iris is compared with what was there."""

from itertools import pairwise

import cv2
import numpy as np
import pytest

from gaze.engines.warp.lids import Lids
from gaze.engines.warp.sclera import _blurred, lash_shade, rebuild_sclera
from gaze.face.face import Iris, Opening
from tests.faces import parabolas

OPENING = Opening((10.0, 40.0), (90.0, 40.0), (50.0, 26.0), (50.0, 58.0))
LIDS = parabolas(OPENING)
IRIS = Iris(50.0, 40.0, 17.0)
Y, X = np.mgrid[:80, :101].astype(np.float32)
SKIN = np.array([190, 150, 130], np.float32)


def drawn(sclera: np.ndarray, iris: tuple[int, int, int] | None = (60, 40, 30)) -> np.ndarray:
    """(80, 101, 3) float32: `sclera`, of the same shape, between the lids, skin around, an iris on top."""
    inside = Lids(LIDS).coverage(X, Y)[..., None]
    if iris:
        dark = np.clip(IRIS.radius + 0.5 - np.hypot(X - IRIS.x, Y - IRIS.y), 0, 1)[..., None]
        sclera = sclera * (1 - dark) + np.array(iris) * dark
    return (SKIN * (1 - inside) + sclera * inside).astype(np.float32)


def rebuilt(patch: np.ndarray) -> np.ndarray:
    lids = Lids(LIDS)
    return rebuild_sclera(patch, lids, IRIS, lids.coverage(X, Y), 1.18)


def shadow(darkest: float) -> np.ndarray:
    """(80, 101, 1): the upper lid's, as a factor."""
    return np.clip(darkest + Lids(LIDS).depth(X, Y) / 17, darkest, 1)[..., None]


@pytest.mark.parametrize("light", [(225, 225, 225), (170, 160, 150), (90, 85, 95)])
def test_the_white_goes_over_from_one_side_to_the_other(light: tuple[int, int, int]) -> None:
    sclera = np.array(light) * (1 - 0.25 * X / 100)[..., None] * shadow(0.65)
    deep = (Lids(LIDS).coverage(X, Y) == 1) & (np.hypot(X - 50, Y - 40) < 17)
    off = np.abs(rebuilt(drawn(sclera)) - sclera)[deep].mean(1) / light[0]
    assert np.median(off) < 0.04
    assert np.percentile(off, 95) < 0.1


@pytest.mark.parametrize("lit_from", [-45, -27, 27, 45])
def test_the_white_is_about_as_light_as_a_balls_that_is_lit_from_one_side(lit_from: int) -> None:
    """By Lambert's law its shade falls off next to the dark corner: half of it in the middle looked like a cloud."""
    turned = np.arcsin(np.clip((X - 50) / 45, -1, 1)) - np.radians(lit_from)
    sclera = 225 * np.clip(np.cos(turned), 0.1, 1)[..., None] * np.ones(3)
    deep = (Lids(LIDS).coverage(X, Y) == 1) & (np.hypot(X - 50, Y - 40) < 17)
    off = (rebuilt(drawn(sclera)) - sclera)[deep].mean(1) / sclera[deep].max()
    assert np.abs(np.median(off)) < 0.07


def test_the_shadow_of_the_lid_is_as_dark_as_at_the_sides() -> None:
    depth = Lids(LIDS).depth(X, Y)
    below_lid = (depth > 1) & (depth < 5) & (np.abs(X - 50) < 12)
    shown = [rebuilt(drawn(220 * shadow(dark) * np.ones(3)))[below_lid].mean() for dark in (0.3, 0.45, 0.6)]
    assert all(darker + 10 < lighter for darker, lighter in pairwise(shown))


def test_what_lies_along_the_lower_lid_goes_on_across() -> None:
    """No light crescent is left where lashes cross below the iris."""
    lashes = np.where(Lids(LIDS).height(X, Y)[..., None] < 4, 0.4, 1.0)
    sclera = 215 * lashes * np.ones(3)
    height = Lids(LIDS).height(X, Y)
    along = (height > 0) & (height < 3) & (np.abs(X - 50) < 10)
    contrast = 0.6 * 215
    assert np.abs(rebuilt(drawn(sclera)) - sclera)[along].mean() < 0.45 * contrast


def test_skin_and_the_far_white_stay_to_the_bit() -> None:
    patch = drawn(np.full((80, 101, 3), 220.0))
    far = np.hypot(X - 50, Y - 40) > 1.3 * 17
    above = Lids(LIDS).depth(X, Y) < -2
    assert np.array_equal(rebuilt(patch)[far | above], patch[far | above])


def test_where_no_white_is_seen_pale_skin_stands_for_it() -> None:
    narrow = Opening((34.0, 40.0), (66.0, 40.0), (50.0, 26.0), (50.0, 58.0))
    lids = Lids(parabolas(narrow))
    inside = lids.coverage(X, Y)
    patch = (SKIN * (1 - inside[..., None]) + np.array([60, 40, 30]) * inside[..., None]).astype(np.float32)
    middle = rebuild_sclera(patch, lids, IRIS, inside, 1.18)[44, 50]
    assert middle == pytest.approx((SKIN + SKIN.mean()) / 2, abs=20)


def test_a_dark_speck_beside_the_iris_does_not_stand_for_a_whole_side() -> None:
    """Of an iris in the corner of an eye: what is seen there is the corner."""
    at, lids = Iris(62.0, 40.0, 17.0), Lids(LIDS)
    inside = lids.coverage(X, Y)
    dark = np.clip(at.radius + 0.5 - np.hypot(X - at.x, Y - at.y), 0, 1)
    eyeball = np.where(X < 60, 220.0, 40.0) * (1 - dark) + 45 * dark
    patch = (SKIN * (1 - inside[..., None]) + (eyeball * inside)[..., None]).astype(np.float32)
    sclera = rebuild_sclera(patch, lids, at, inside, 1.18)
    assert 110 < sclera[40, 72].mean() < 200


def test_wide_blurs_are_those_of_a_smaller_field() -> None:
    """So wide that what is left out cannot be seen, and in place: a field that is steeper on one side."""
    field = np.random.default_rng(1).random((111, 94, 3)).astype(np.float32) + X[:80, :94].mean(0)[None, :, None] / 100
    for sigma in (3.0, 9.0, 30.0):
        off = np.abs(_blurred(field, sigma) - cv2.GaussianBlur(field, (0, 0), sigma))
        assert off.max() < 0.02, sigma


def test_lashes_shade_what_moves_behind_them() -> None:
    depth = Lids(LIDS).depth(X, Y)
    lashes = np.where((depth < 4) & (X % 8 < 3), 0.3, 1.0)[..., None]
    shade = lash_shade((210 * lashes * np.ones(3)).astype(np.float32), Lids(LIDS), IRIS.radius)
    under = (depth > 0) & (depth < 3.5) & (np.abs(X - 50) < 25)
    assert shade[under & (lashes[..., 0] < 1)].max() < 0.4
    assert shade[under & (lashes[..., 0] == 1)].min() > 0.95
    assert shade[depth > 0.7 * IRIS.radius].min() == 1


def test_the_rim_of_the_lower_lid_stays_where_no_iris_covers_it() -> None:
    """Lids are not found that well: a light rim lies inside of them, below an iris that ends above it."""
    height = Lids(LIDS).height(X, Y)
    iris = np.clip(IRIS.radius + 0.5 - np.hypot(X - IRIS.x, Y - IRIS.y), 0, 1)[..., None]
    rim = (np.abs(height) < 2) & (np.abs(X - 50) < 14) & (iris[..., 0] == 0)
    patch = drawn(np.full(3, 170.0) * np.ones((80, 101, 1)))
    patch[rim] = (235, 180, 180)
    away = rim & (np.hypot(X - IRIS.x, Y - IRIS.y) > IRIS.radius + 2)
    assert away.sum() > 15
    assert np.abs(rebuilt(patch) - patch)[away].max() < 15


@pytest.mark.parametrize(("level", "stays"), [(235.0, True), (70.0, False)])
def test_below_a_lid_that_covers_an_iris_only_what_is_darker_goes(level: float, stays: bool) -> None:
    """A light rim is the lid's own; a foot of the iris, since lids are not found that well, would be left behind."""
    lids = Lids(parabolas(Opening((10.0, 40.0), (90.0, 40.0), (50.0, 24.0), (50.0, 50.0))))
    height, inside = lids.height(X, Y), lids.coverage(X, Y)[..., None]
    dark = np.clip(IRIS.radius + 0.5 - np.hypot(X - IRIS.x, Y - IRIS.y), 0, 1)[..., None]
    patch = (SKIN * (1 - inside) + (220 * (1 - dark) + 45 * dark) * inside).astype(np.float32)
    strip = (height < -2) & (height > -4.2) & (np.abs(X - 50) < 8)
    patch[strip] = level
    found = rebuild_sclera(patch, lids, IRIS, inside[..., 0], 1.18)[strip]
    assert (np.abs(found - patch[strip]).mean() < 12) == stays
    assert stays or np.abs(found - SKIN).mean() < 40
