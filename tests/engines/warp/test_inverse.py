import numpy as np

from gaze.engines.warp.inverse import pixels, source_positions

STRIDE = 4
ROWS, COLS = 40, 50


def forward(size: float) -> np.ndarray:
    """A smooth displacement whose slopes reach `size` / 40 · π."""
    y, x = (np.mgrid[:ROWS, :COLS] + 0.5) * STRIDE - 0.5
    across = size * np.sin(np.pi * x / 80) * np.cos(np.pi * y / 160)
    down = size * np.cos(np.pi * x / 160) * np.sin(np.pi * y / 80)
    return np.stack([across, down], 2).astype(np.float32)


def missed(size: float, steps: int) -> float:
    """How many pixels what is shown at a place lies off where it should, at most; the border left out."""
    field = forward(size)
    shown = source_positions(field, STRIDE, COLS * STRIDE, ROWS * STRIDE, steps)
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
    assert missed(8.0, 2) < 0.25
    assert missed(16.0, 4) < 0.5


def test_each_step_comes_closer() -> None:
    assert missed(16.0, 0) > missed(16.0, 1) > missed(16.0, 2)


def test_nothing_moves_where_nothing_is_displaced() -> None:
    still = source_positions(np.zeros((ROWS, COLS, 2), np.float32), STRIDE, 199, 158, 2)
    assert np.array_equal(still, pixels(199, 158))
