"""How close a morphed frame comes to the rendered one, where people look: at the eyes."""

from __future__ import annotations

import numpy as np

from gaze.grid import Cell, Look
from gaze.motion.eyes import Eyes
from gaze.motion.ssim import ssim

_EYE_BOX = (0.32, 0.22)
"""Half of what is looked at to judge an eye, in iris distances: no more, so that still skin does not make up for it."""
_HEAD_TRAVEL = 0.26
"""How far the head carries an eye at the grid's edge, in iris distances."""


def likeness(
    morphed: np.ndarray, rendered: np.ndarray, eyes: Eyes, look: Look | Cell, size: int, strength: float = 1.0
) -> float:
    """Structural similarity of the eyes, the mean of both; an eye that the head carries out of the picture is left out.

    Args:
        morphed, rendered: (height, width, 3 or 4) uint8 of one size.
        eyes: of the frame that looks straight.
        look: of these frames.
        size: rows and columns of the grid.
        strength: of the head's motion.
    """
    pairs = [(morphed[box], rendered[box]) for box in eye_boxes(eyes, look, size, strength)]
    found = [ssim(*pair) for pair in pairs if pair[0].size]
    return float(np.mean(found)) if found else 1.0


def eye_boxes(eyes: Eyes, look: Look | Cell, size: int, strength: float = 1.0) -> list[tuple[slice, slice]]:
    """Rows and columns around each eye, about where the head carries it in a look. Arguments as for `likeness`."""
    unit = eyes.distance
    dx, dy = (_HEAD_TRAVEL * strength * unit * (2 * place / (size - 1) - 1) for place in (look.col, look.row))
    across, down = (part * unit for part in _EYE_BOX)
    return [
        (
            slice(max(0, round(y + dy - down)), max(8, round(y + dy + down))),
            slice(max(0, round(x + dx - across)), max(8, round(x + dx + across))),
        )
        for x, y in (eyes.left, eyes.right)
    ]
