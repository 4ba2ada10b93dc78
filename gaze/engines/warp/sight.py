"""How well eyes are seen: behind tinted or reflecting glass, or in very few pixels, an iris cannot be moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gaze.engines.warp.lid_fit import SeenEye, eye_contrast
from gaze.face.face import Face

DIM_EYES = (
    "The eyes are hard to see in this photo, behind glass, in shadow or in few pixels, so they move less than usual. "
    "The head moves as always. A sharper photo without reflections would let them move more."
)
"""Note for the person."""

_CONTRAST = (2.0, 6.0)
"""Grey levels by which it has to be lighter beside an iris than in it: for no motion and for all of it."""
_SHARPNESS = (0.05, 0.2)
"""As `_CONTRAST` for how sharp the eyes are (`gaze.face.sharpness`)."""
_RADIUS = (1.2, 2.2)
"""The same for the radius of the irises, in pixels, and not in those that enlarging the photo made."""


def eye_sight(eyes: Sequence[SeenEye], face: Face) -> float:
    """Share of the eyes' motion that is to be drawn, 0 to 1: of both the same, as the worse one is seen."""
    radius = min(eye.iris.radius for eye in eyes) / max(face.enlarged, 1)
    measures = ((eye_contrast(eyes), _CONTRAST), (face.sharpness, _SHARPNESS), (radius, _RADIUS))
    return float(min(np.clip((value - least) / (enough - least), 0, 1) for value, (least, enough) in measures))
