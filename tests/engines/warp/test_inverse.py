import numpy as np
import pytest

from gaze.engines.warp.inverse import moved_on, source_positions
from gaze.photo.remapping import pixels

STRIDE = 4
ROWS, COLS = 40, 50


def forward(size: float) -> np.ndarray:
    """A smooth displacement whose slopes reach `size` / 40 · π."""
    y, x = (np.mgrid[:ROWS, :COLS] + 0.5) * STRIDE - 0.5
    across = size * np.sin(np.pi * x / 80) * np.cos(np.pi * y / 160)
    down = size * np.cos(np.pi * x / 160) * np.sin(np.pi * y / 80)
    return np.stack([across, down], 2).astype(np.float32)


def missed(size: float) -> float:
    """How many pixels what is shown at a place lies off where it should, at most; the border left out."""
    field = forward(size)
    shown = source_positions(field, STRIDE, COLS * STRIDE, ROWS * STRIDE)
    x, y = shown[..., 0], shown[..., 1]
    moved = np.stack(
        [
            x + size * np.sin(np.pi * x / 80) * np.cos(np.pi * y / 160),
            y + size * np.cos(np.pi * x / 160) * np.sin(np.pi * y / 80),
        ],
        2,
    )
    off = np.hypot(*(moved - pixels(COLS * STRIDE, ROWS * STRIDE)).transpose(2, 0, 1))
    return float(off[30:-30, 30:-30].max())


def test_what_a_pixel_shows_is_moved_to_it() -> None:
    assert missed(8.0) < 0.25
    assert missed(16.0) < 0.5


def test_it_is_found_beside_lids() -> None:
    """Where most of what lies between two places is gone: from a bad start Newton's method would go astray."""
    y = (np.mgrid[:ROWS, :COLS][0] + 0.5) * STRIDE - 0.5
    edge, slope = 80.0, 0.7
    field = np.zeros((ROWS, COLS, 2), np.float32)
    field[..., 1] = slope * np.clip(edge - y, 0, 20)
    shown = source_positions(field, STRIDE, COLS * STRIDE, ROWS * STRIDE)[:, COLS * STRIDE // 2, 1]
    true = y[:, 0]
    there = true + field[:, 0, 1]
    assert (np.diff(there) > 0).all()
    found = np.interp(np.arange(ROWS * STRIDE), there, true)
    assert np.abs(shown - found)[30:-30].max() < 2
    assert np.abs(shown - found)[30:-30].mean() < 0.1


def test_nothing_moves_where_nothing_is_displaced() -> None:
    still = source_positions(np.zeros((ROWS, COLS, 2), np.float32), STRIDE, 199, 158)
    assert np.abs(still - pixels(199, 158)).max() < 1e-3


def test_what_was_moved_before_is_moved_on_from_there() -> None:
    """Two that narrow a place to less than half each fold nothing; their sum does."""
    x = (np.mgrid[:ROWS, :COLS][1] + 0.5) * STRIDE
    field = np.zeros((ROWS, COLS, 2), np.float32)
    field[..., 0] = -0.6 * np.clip(x - 60, 0, 80)
    both = field + moved_on(field, field, STRIDE)
    widths = 1 + np.diff(both[..., 0], axis=1) / STRIDE
    narrow = widths[:, 25:30]
    assert narrow == pytest.approx(np.full(narrow.shape, 0.4 * 0.4), abs=0.02)
    assert widths.min() > 0
    assert np.diff(2 * field[..., 0], axis=1).min() / STRIDE < -1
