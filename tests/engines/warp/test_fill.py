"""What is made up behind a person: lines go on, and nothing else becomes one."""

from typing import Any

import cv2
import numpy as np
import pytest

from gaze.engines.warp import fill as module
from gaze.engines.warp.fill import fill

HEIGHT, WIDTH, UNIT = 240, 300, 60.0
Y, X = np.mgrid[:HEIGHT, :WIDTH].astype(float)
HIDDEN = np.where(np.hypot((X - 150) / 70, (Y - 150) / 100) < 1, 255, 0).astype(np.uint8)
DEEP = np.hypot((X - 150) / 60, (Y - 150) / 90) < 1
UNCOVERED = (HIDDEN > 0) & (cv2.distanceTransform(HIDDEN, cv2.DIST_L2, 5) < 0.32 * UNIT)
"""As far in as heads turn."""


def wall(slope: float, middle: int = 130) -> np.ndarray:
    """A white rail, seven pixels high, between a dark and a blue wall; so many rows lower for each pixel across."""
    row = Y - middle - slope * (X - 150)
    colour = np.where(row[..., None] < 0, (80, 75, 70), (90, 110, 180))
    return np.where((np.abs(row) <= 3)[..., None], (220, 220, 225), colour).astype(np.uint8)


def with_person(background: np.ndarray) -> np.ndarray:
    return np.where(HIDDEN[..., None] > 0, (200, 30, 20), background).astype(np.uint8)


@pytest.mark.parametrize("slope", [0.0, -0.2, 0.7])
def test_a_rail_goes_straight_on_behind_a_head(slope: float) -> None:
    background = wall(slope)
    off = np.abs(fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(int) - background)
    assert off[HIDDEN == 0].max() == 0
    beside = UNCOVERED & (np.abs(Y - 130 - slope * (X - 150)) < 20)
    assert beside.sum() > 1000
    assert off[beside].mean() < 8


@pytest.mark.parametrize("slope", [0.0, -0.25, 0.25])
def test_an_edge_that_runs_along_a_crown_is_joined_behind_it(slope: float) -> None:
    """The lower edge of a beam, say, of which nothing is seen above the head."""
    edge = 62 + slope * (X - 150)
    background = np.where((edge > Y)[..., None], (20, 190, 220), (200, 190, 170)).astype(np.uint8)
    off = np.abs(fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(int) - background).max(2)
    crown = UNCOVERED & (np.abs(X - 150) < 25) & (np.abs(Y - edge) > 2)
    assert (crown & (edge < Y)).sum() > 200
    assert off[crown].mean() < 30


def test_what_is_uncovered_is_as_rich_as_what_is_beside_it() -> None:
    """Leaves, say, are no even green behind the head."""
    grain = cv2.GaussianBlur(np.random.default_rng(5).normal(0, 80, (HEIGHT, WIDTH)), (0, 0), 2)
    leaves = (110 + grain)[..., None].clip(0, 255).astype(np.uint8) * np.ones(3, np.uint8)
    filled = fill(with_person(leaves), HIDDEN, HIDDEN, UNIT)[..., 1]
    assert filled[UNCOVERED].std() > 0.8 * leaves[..., 1].std()


def test_nothing_hidden_shows_in_a_mirror_and_nothing_is_torn() -> None:
    """Between a jaw and a raised collar, and beside hair that ends in points, mirrors would look at the person."""
    spikes = (X > 210) & (X < 270) & (2 * np.abs((X - 150) % 20 - 10) < Y - 120)
    hidden = np.maximum(HIDDEN, np.where(spikes, np.uint8(255), np.uint8(0)))
    background = np.dstack([np.full_like(X, 120), np.full_like(X, 130), 140 + X / 8])
    image = np.where(hidden[..., None] > 0, (200, 30, 20), background).astype(np.uint8)
    filled = fill(image, hidden, hidden, UNIT).astype(int)
    assert np.abs(filled - background)[hidden > 0].max() < 20


def test_noise_does_not_become_lines() -> None:
    """Leaves, say: rows behind the head are about as bright as each other."""
    grain = np.random.default_rng(3).normal(0, 40, (HEIGHT, WIDTH, 1))
    leaves = (110 + grain).clip(0, 255).astype(np.uint8) * np.ones(3)
    filled = fill(with_person(leaves), HIDDEN, HIDDEN, UNIT).astype(float)
    rows = filled[80:230, 130:170].mean((1, 2))
    assert np.abs(np.diff(rows)).mean() < 2
    assert abs(filled[DEEP].mean() - 110) < 12


def test_sides_that_differ_go_over_into_each_other() -> None:
    background = np.where(X[..., None] < 150, (40, 40, 60), (180, 200, 190)).astype(np.uint8)
    filled = fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(float)
    assert (np.diff(filled[150, 80:220].mean(1)) > -1).all()
    assert filled[DEEP][:, 0].max() < 190  # nothing of the person


def test_above_a_head_goes_on_what_lies_above_it() -> None:
    """A light sky, with a dark coat beside the head; at its other side somebody stands in front of all."""
    background = np.where(((X < 120) & (Y > 30))[..., None], (30, 35, 45), (190, 210, 230)).astype(np.uint8)
    hidden = np.maximum(HIDDEN, np.where((X > 200) & (Y > 55), np.uint8(255), np.uint8(0)))
    filled = fill(np.where(hidden[..., None] > 0, 90, background).astype(np.uint8), hidden, hidden, UNIT).astype(int)
    crown = (HIDDEN > 0) & (Y < 72) & (np.abs(X - 165) < 20)
    assert crown.sum() > 500
    assert np.abs(filled - background)[crown].max() < 60


def test_a_corner_of_a_wall_goes_on_below_where_the_hair_hides_it() -> None:
    background = np.where((X < 160)[..., None], (200, 190, 180), (140, 130, 125)).astype(np.uint8)
    filled = fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(int)
    uncovered = HIDDEN.astype(bool) & (Y < 66)
    off = np.abs(filled - background).max(2)
    assert off[uncovered & (np.abs(X - 160) > 5)].max() < 12


def test_lines_at_sides_that_differ_are_no_horizon() -> None:
    """A light house to the left and a dark one to the right, with alike rows of windows; the dark one is above, too."""
    windows = 15 * np.sign(np.sin(Y / 2))[..., None]
    background = (np.where((X < 142)[..., None], (205, 200, 200), (60, 80, 90)) + windows).astype(np.uint8)
    filled = fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(float)
    crown = (HIDDEN > 0) & (Y < 85) & (np.abs(X - 170) < 20)
    assert np.abs(filled[crown].mean(0) - (60, 80, 90)).max() < 15


def test_an_edge_at_one_side_is_crisp_where_it_begins() -> None:
    background = np.where(((X > 150) & (Y > 150))[..., None], (40, 45, 60), (215, 220, 225)).astype(np.uint8)
    filled = fill(with_person(background), HIDDEN, HIDDEN, UNIT).astype(int)
    uncovered = (HIDDEN > 0) & (X > 206) & (np.abs(Y - 150) > 3) & (np.abs(Y - 150) < 12)
    assert uncovered.sum() > 200
    assert np.abs(filled - background)[uncovered].mean() < 15


def test_strands_at_one_side_make_no_stairs() -> None:
    """Beside the person it is white, and green farther out: rows with a strand do not go on in green alone."""
    strands = ((Y // 8) % 2 == 0) & (np.abs(Y - 150) < 60) & (X > 150) & (X < 250)
    hidden = np.maximum(HIDDEN, np.where(strands, np.uint8(255), np.uint8(0)))
    background = np.where((X < 245)[..., None], (235, 240, 235), (60, 120, 50)).astype(np.uint8)
    filled = fill(np.where(hidden[..., None] > 0, 30, background).astype(np.uint8), hidden, HIDDEN, UNIT).astype(float)
    assert np.abs(np.diff(filled[120:180, 190:205].mean((1, 2)))).max() < 5


@pytest.mark.parametrize("hidden", [0, 255])
def test_all_or_nothing_hidden(hidden: int) -> None:
    image = wall(0)
    everywhere = np.full((HEIGHT, WIDTH), hidden, np.uint8)
    filled = fill(image, everywhere, everywhere, UNIT)
    assert filled.shape == image.shape
    assert hidden or np.array_equal(filled, image)


def test_a_head_at_the_border_takes_what_the_other_side_shows() -> None:
    background = wall(0, 70)
    hidden = np.roll(HIDDEN, -100, 1)
    hidden[:, 250:] = 0
    filled = fill(np.where(hidden[..., None] > 0, 20, background).astype(np.uint8), hidden, hidden, UNIT)
    assert np.abs(filled[140:230, :60].astype(int) - (90, 110, 180)).mean() < 8


def test_a_larger_photo_costs_little_more_and_shows_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, beyond = [], module.beyond

    def seen(image: np.ndarray, *about: Any) -> np.ndarray:
        asked.append(image.shape)
        return beyond(image, *about)

    monkeypatch.setattr(module, "beyond", seen)
    image = with_person(wall(0.02))
    size = (3 * WIDTH - 1, 3 * HEIGHT - 2)
    hidden = cv2.resize(HIDDEN, size)
    large = fill(cv2.resize(image, size), hidden, hidden, 3 * UNIT)
    once = fill(image, HIDDEN, HIDDEN, UNIT)
    assert asked == [image.shape, image.shape]
    assert large.shape == (*size[::-1], 3)
    off = np.abs(cv2.resize(large, (WIDTH, HEIGHT), interpolation=cv2.INTER_AREA).astype(int) - once)
    assert off[DEEP].mean() < 3
