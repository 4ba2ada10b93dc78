"""Reflections on glasses: they stay on the glass while the eye behind it moves.

A photo is taken for what lies behind the glass with light over it: photo = clear + share · (255 - clear). What lies
behind is not seen where a reflection is bright, and goes on from around it.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

_SCLERA = (1.15, 2.3)
"""Radii around an iris between which what is between the lids is taken for sclera."""
_BRIGHTER, _LEAST = 1.2, 25.0
"""A reflection is so many times as bright as sclera and skin usually are, and by so many grey levels, in each channel.
"""
_LIT, _CLEARLY, _CRISP = 0.9, 1.18, 1.6
"""Most of it is so many times as bright as that share of them beside it, and as what is next to it: skin in the sun
fades."""
_PALE = (0.5, 0.02)
"""Share of the skin's saturation, and what is added to it, up to which a bright place has the light's colour: skin in
the sun has its own."""
_ON_IRIS, _ON_LIDS = 0.85, 0.1
"""Radii up to which a place is on an iris; and what lids leave of a place that is on them."""
_LID_EDGE = 0.3
"""Radii beyond a lid's edge, as it was found, up to which sclera may go on."""
_ACROSS = (0.3, 0.12, 0.15)
"""Shares of it on iris or lids, outside of the iris, and between the lids, at least: what lies on the sclera alone is
sclera, and what lies on the iris alone is mirrored by the eye itself."""
_NEXT, _GAP = 1.2, 0.3
"""Radii from such a reflection within which other bright places are of the same light; and across a gap that is
of it as well."""
_LARGEST = 0.3
"""Share of the patch from which on what is bright is no reflection."""
_HALO, _FEATHER = 0.2, 0.1
"""How far around a reflection it is bright still, in radii, and over which it ends."""
_MOST = 0.95
_BORDER = 0.3
"""Radii from the patch's border over which reflections are left in the photo: they go on beyond it."""


class Glare(NamedTuple):
    """A patch taken apart.

    Attributes:
        clear: (h, w, 3) float32 RGB, without the reflections.
        share: (h, w) float32, of what that lacks of white, what they add.
    """

    clear: np.ndarray
    share: np.ndarray


def find_glare(patch: np.ndarray, opening: np.ndarray, distance: np.ndarray, radius: float) -> Glare | None:
    """The reflections that lie on an eye and around it; None where there are none.

    Args:
        patch: (h, w, 3) float32 RGB.
        opening: (h, w) float32, 1 between the lids.
        distance: (h, w) from the iris's centre, in radii.
        radius: of the iris, in pixels.
    """
    spots = _spots(patch, opening, distance, radius)
    if not spots.any():
        return None
    spots = cv2.dilate(cv2.morphologyEx(spots, cv2.MORPH_CLOSE, _disc(_GAP * radius)), _disc(_HALO * radius))
    feather = max(0.6, _FEATHER * radius)
    where = cv2.dilate(spots, np.ones((3, 3), np.uint8), iterations=round(feather))
    behind = cv2.inpaint(patch.astype(np.uint8), where, max(2.0, 0.3 * radius), cv2.INPAINT_TELEA).astype(np.float32)
    rows, cols = (np.minimum(at, at[::-1]) for at in (np.arange(size, dtype=np.float32) for size in spots.shape))
    inner = np.clip(np.minimum(rows[:, None], cols) / max(_BORDER * radius, 1), 0, 1)
    glow = (cv2.GaussianBlur(spots.astype(np.float32), (0, 0), feather) * inner)[..., None]
    # No darker than the photo: light is only added.
    clear = np.minimum(patch, patch + glow * (behind - patch))
    # One share of all channels: with more of blue on skin, it would be blue on an iris.
    lacks = 255 - clear
    share = ((patch - clear) * lacks).sum(2) / np.maximum((lacks**2).sum(2), 1)
    return Glare(clear.astype(np.float32), np.clip(share, 0, _MOST).astype(np.float32))


def _spots(patch: np.ndarray, opening: np.ndarray, distance: np.ndarray, radius: float) -> np.ndarray:
    """Where the reflections are: (h, w) uint8, 1 and 0."""
    least = patch.min(2)
    saturation = 1 - least / np.maximum(patch.max(2), 1)
    skin, sclera = opening < _ON_LIDS, (opening > 0.9) & (distance > _SCLERA[0]) & (distance < _SCLERA[1])
    if not skin.any():
        return np.zeros(least.shape, np.uint8)
    usual = max(float(np.median(least[at])) for at in (skin, sclera) if at.any())
    pale = saturation < _PALE[0] * float(np.median(saturation[skin])) + _PALE[1]
    bright = (pale & (least > max(_BRIGHTER * usual, usual + _LEAST))).astype(np.uint8)
    count, labels = cv2.connectedComponents(bright)
    iris = (distance < _ON_IRIS) & (opening > 0.5)
    lids = cv2.dilate(opening, _disc(_LID_EDGE * radius)) < _ON_LIDS
    surely = np.zeros(count, bool)
    for label in range(1, count):
        here = labels == label
        shares = ((iris | lids)[here].mean(), (distance[here] > 1).mean(), (opening[here] > 0.5).mean())
        if here.mean() < _LARGEST and np.greater(shares, _ACROSS).all():
            near, far = (cv2.dilate(here.astype(np.uint8), np.ones((size, size))) > 0 for size in (5, 9))
            lit = float(np.quantile(least[(skin | sclera) & ~near], _LIT))
            around = float(np.median(least[far & ~near]))
            surely[label] = np.median(least[here]) > max(_CLEARLY * lit, _CRISP * around)
    chosen = surely[labels]
    if chosen.any():
        next_to = cv2.distanceTransform(1 - chosen.astype(np.uint8), cv2.DIST_L2, 5) < _NEXT * radius
        same = np.unique(labels[next_to])
        chosen = (labels > 0) & np.isin(labels, same)
    return chosen.astype(np.uint8)


def _disc(radius: float) -> np.ndarray:
    """A structuring element of such a radius in pixels."""
    size = 2 * max(1, round(radius)) + 1
    return cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
