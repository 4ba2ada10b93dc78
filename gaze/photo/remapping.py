"""What calls of `cv2.remap` share."""

from __future__ import annotations

from functools import lru_cache
from typing import Any

import numpy as np

NO_MAP: Any = None
"""In place of a second map of positions: the types of `cv2.remap` want an array, but OpenCV 5 reads at wrong places
where that is an empty one."""


@lru_cache(maxsize=16)
def pixels(width: int, height: int) -> np.ndarray:
    """(height, width, 2) float32: every pixel's own x and y. The same array each time: do not write to it."""
    grid = np.empty((height, width, 2), np.float32)
    grid[..., 0], grid[..., 1] = np.arange(width), np.arange(height)[:, None]
    grid.setflags(write=False)
    return grid
