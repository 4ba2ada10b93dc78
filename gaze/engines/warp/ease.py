"""How shares begin and end smoothly."""

from __future__ import annotations

import numpy as np


def smoothstep(t: np.ndarray) -> np.ndarray:
    """0 up to 0, smoothly up to 1 at 1 and beyond."""
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def fall(t: np.ndarray) -> np.ndarray:
    """1 up to 0, smoothly down to 0 at 1 and beyond."""
    return 1 - smoothstep(t)
