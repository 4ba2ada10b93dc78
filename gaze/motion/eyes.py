"""Where the eyes of the middle key are: what motion needs to know of a face."""

from __future__ import annotations

import math
from dataclasses import dataclass

from gaze.face.face import Face

_USUAL_UNIT = 0.145
"""Iris distance as a share of the longer side, in a portrait that was cut to head and shoulders."""


@dataclass(frozen=True)
class Eyes:
    """The middles of both irises in pixels, x and y; left and right as in the image."""

    left: tuple[float, float]
    right: tuple[float, float]

    @classmethod
    def of(cls, face: Face) -> Eyes:
        """Those of a face."""
        return cls((face.left.x, face.left.y), (face.right.x, face.right.y))

    @classmethod
    def about(cls, width: int, height: int, center: tuple[float, float]) -> Eyes:
        """A guess, where no face was found: `center` is the point between them, as fractions of the frame."""
        half = _USUAL_UNIT * max(width, height) / 2
        x, y = center[0] * width, center[1] * height
        return cls((x - half, y), (x + half, y))

    @property
    def distance(self) -> float:
        """Pixels between them: the unit of length."""
        return max(1.0, math.dist(self.left, self.right))
