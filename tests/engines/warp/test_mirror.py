"""What a mirror along an outline shows, and where there is none."""

import numpy as np
import pytest

from gaze.engines.warp import mirror as module
from gaze.engines.warp.fill import through_layer
from gaze.engines.warp.mirror import mirror

HEIGHT, WIDTH, UNIT = 200, 300, 64
Y, X = np.mgrid[:HEIGHT, :WIDTH]
CHECKS = np.where(((X // 8 + Y // 8) % 2)[..., None] > 0, (220, 210, 200), (40, 60, 50)).astype(np.uint8)


def mirrored(hidden: np.ndarray, image: np.ndarray = CHECKS) -> np.ndarray:
    mask = np.where(hidden, np.uint8(255), np.uint8(0))
    return mirror(through_layer(image, mask), mask, mask, UNIT).astype(int)


def test_beside_a_straight_outline_it_shows_what_is_as_far_on_the_other_side() -> None:
    found = mirrored(X >= 152)
    for away in range(1, 20):
        shown = found[60:140, 151 + away]
        assert np.abs(shown[:, :3] - CHECKS[60:140, 152 - away]).mean() < 40
        assert (shown[:, 3] > 220).all()


def test_deep_in_and_outside_the_picture_it_ends() -> None:
    assert mirrored(X >= 150)[..., 3][:, 150 + int(0.85 * UNIT) :].max() == 0
    assert mirrored(X >= 10)[60:140, 30:][..., 3].max() == 0


def test_between_two_outlines_there_is_none() -> None:
    found = mirrored(np.abs(X - 150) <= 16)[60:140]
    assert found[:, 148:153, 3].max() < 10
    assert found[:, [136, 164], 3].min() > 200


def test_beside_an_outline_that_winds_it_folds_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """Colours say where each pixel looks: neighbours are shown as in a mirror everywhere."""
    monkeypatch.setattr(module, "join", lambda *_: None)
    edge, step = 150 + 40 * np.sin(Y / 20), 4
    found = mirrored(edge <= X, np.dstack([X * 0.8, Y * 1.2, X]).astype(np.uint8))
    across, down = (np.roll(found, -step, axis) for axis in (1, 0))
    (ax, ay), (bx, by) = ((it[..., 0] - found[..., 0], it[..., 1] - found[..., 1]) for it in (across, down))
    whole = (np.minimum(found, np.minimum(across, down))[..., 3] > 250) & (edge + 6 < X) & (X < 290)
    whole &= (Y > 10) & (Y < 190)
    assert whole.sum() > 1000
    assert (ax * by - ay * bx > 5)[whole].mean() < 0.01


def test_where_it_would_show_what_is_hidden_it_ends_softly() -> None:
    """A gap beside the outline, with something else that is hidden behind it."""
    alpha = mirrored((X >= 150) | ((X > 100) & (X < 130)))[100, 150:190, 3]
    assert alpha[4] > 200
    assert alpha[26:].max() == 0
    assert np.abs(np.diff(alpha)).max() < 80
