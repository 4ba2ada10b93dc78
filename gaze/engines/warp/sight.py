"""How well eyes are seen: behind tinted or reflecting glass, or in very few pixels, an iris cannot be moved."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from gaze.engines.warp.lid_fit import BLUE, RED, SeenEye, fit_lids
from gaze.face.face import Face

DIM_EYES = (
    "The eyes are hard to see in this photo, behind glass, in shadow or in few pixels, so they move less than usual. "
    "The head moves as always. A sharper photo without reflections would let them move more."
)
"""Note for the person."""

_CONTRAST = (2.0, 6.0)
"""Grey levels by which it has to be lighter beside an iris than in it: for no motion and for all of it."""
_ONE_SIDED = 1 / 3
"""What of that counts where it is on the same side of both irises alone: eyes that look aside have white there."""
_DARK = 40.0
"""Grey levels beside an iris below which it lies in black shadow."""
_SHARPNESS = (0.05, 0.2)
"""As `_CONTRAST` for how sharp the eyes are (`gaze.face.sharpness`)."""
_RADIUS = (1.2, 2.2)
"""The same for the radius of the irises, in pixels, and not in those that enlarging the photo made."""


def see_eyes(image: np.ndarray, face: Face) -> tuple[SeenEye, SeenEye]:
    """Both eyes with lids fitted where irises are seen well: on the red channel they are dark, whatever their colour.

    In coloured light whites may be as dark as they there, but not on the blue one.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: the face.
    """
    red = fit_lids(image, face, RED)
    return red if _contrast(red) >= _CONTRAST[1] else max(red, fit_lids(image, face, BLUE), key=_contrast)


def eye_sight(eyes: Sequence[SeenEye], face: Face) -> float:
    """Share of the eyes' motion that is to be drawn, 0 to 1: of both the same, as the worse one is seen."""
    radius = min(eye.iris.radius for eye in eyes) / max(face.enlarged, 1)
    measures = ((_contrast(eyes), _CONTRAST), (face.sharpness, _SHARPNESS), (radius, _RADIUS))
    return float(min(np.clip((value - least) / (enough - least), 0, 1) for value, (least, enough) in measures))


def _contrast(eyes: Sequence[SeenEye]) -> float:
    """By how many grey levels it is lighter beside irises than in them: at the worse eye, or where both look aside.

    Of an eye that alone lies in black shadow nobody sees how it moves: the other one counts.
    """
    lit = [it for it in eyes if it.beside >= _DARK] or eyes
    one_sided = max(map(min, zip(*(it.contrasts for it in lit), strict=True)))
    return max(min(it.contrast for it in lit), _ONE_SIDED * one_sided)
