"""An iris lifted off a photo: with its rim, but without its highlight and the lid's shadow, which go other ways."""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

_RIM = 0.16
"""Softness of the iris border, in radii."""
_RINGS = np.linspace(0.05, 1.45, 15)
"""Radii, in the iris's own, at which its typical colour is read."""
_SHINES = 0.75
"""A highlight is at least that bright beside the white, and of its colour, the light's: the least share in any one."""
_LASHES = (0.08, 0.18)
"""Distance from a lid's edge, in radii, up to which an iris shows lashes, and from which on it does not."""
_SKIN = 0.5
"""Height above the lower lid, in radii, up to which skin may be taken for the iris."""
_HALO, _FEATHER = 0.1, 0.06
"""How far around a highlight it is bright still, in radii, and over which it is taken away."""
_SHADOW = np.linspace(0.05, 0.75, 8)
"""Depths below the upper lid, in radii, at which its shadow on the iris is read; beyond there is none."""
_DARKEST = 0.35
_PUPIL, _UNLIT = 0.4, 0.35
"""Radius of a pupil, in the iris's, and the share of what is seen of it that no light falls on."""
_LARGEST_LIGHT = 0.12
"""Share of the iris's area up to which what is bright in it is a highlight; else it is the iris's own."""


class EyePatch(NamedTuple):
    """A part of a portrait around an iris. Lengths are in its radii.

    Attributes:
        patch: (h, w, 3) float32 RGB.
        white: likewise, without the iris.
        opening: (h, w) float32, 1 between the lids.
        distance: (h, w) from the iris's centre.
        depth, height: (h, w) below the upper lid's edge, and above the lower one's.
    """

    patch: np.ndarray
    white: np.ndarray
    opening: np.ndarray
    distance: np.ndarray
    depth: np.ndarray
    height: np.ndarray


def lift_iris(eye: EyePatch, reach: float, radius: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The iris of a photo before the white, what the lids hide of it made up.

    At its rim both shine through each other, since photos are soft: the layer is what the white does not explain.

    Args:
        eye: what is seen around it.
        reach: radius, in the iris's own, up to which something of it is seen.
        radius: in pixels.

    Returns:
        The iris, (h, w, 4) float32, colour and coverage, premultiplied; its highlight, (h, w, 3), to be added; and the
        share of their brightness that the upper lid's shadow leaves irises at each place, (h, w, 1).
    """
    patch, white, opening, distance, depth, height = eye
    cover = np.clip((1 + _RIM / 2 - distance) / _RIM, 0, 1)
    # A layer cannot be darker than black: where the rim is dark farther out, it covers more there.
    least = 1 - ((patch + 0.5) / np.maximum(white, 1)).min(2)
    cover = np.maximum(cover, least * np.clip((reach - distance) / 0.1, 0, 1)).astype(np.float32)[..., None]
    layer = np.dstack([patch - (1 - cover) * white, cover])
    clear = np.clip((np.minimum(depth, height) - _LASHES[0]) / (_LASHES[1] - _LASHES[0]), 0, 1)
    visible = (opening > 0.9) & (distance < reach) & (clear == 1)
    typical = _typical(layer, visible, distance)
    shadow = _shadow(layer, typical, (opening > 0.9) & (distance < 0.85), depth)[..., None]
    excess = layer[..., :3] - typical[..., :3] * shadow
    bright = excess.mean(2)
    spread = float(np.std(bright[visible])) if visible.any() else 0.0
    beside = patch / np.maximum(white, 1)
    shines = (beside.min(2) > _SHINES * np.maximum(1, beside.max(2))) & visible & (distance < 1 - _RIM / 2)
    bright = bright > max(25.0, 1.5 * spread)
    spots = _compact(bright & shines, _LARGEST_LIGHT * (distance < 1).sum())
    # Skin that shows where the lower lid was found too low.
    skin = (bright & (height < _SKIN) & (spots == 0)).astype(np.float32)
    spots = cv2.dilate(spots, np.ones((2 * max(1, round(_HALO * radius)) + 1,) * 2))
    soft = max(0.6, _FEATHER * radius)
    glow, skin = (cv2.GaussianBlur(it, (0, 0), soft)[..., None] for it in (spots, skin))
    light = np.clip(excess, 0, None) * glow
    known = (np.clip((opening - 0.7) / 0.3, 0, 1) * clear)[..., None]
    own = np.minimum((layer[..., :3] - light) / shadow, 255 * cover)
    # Around a highlight a sharpened photo is darker, too.
    layer[..., :3] = own + glow * (typical[..., :3] - own)
    sure = known * np.clip(1 - 2 * skin, 0, 1)
    layer = (layer * sure + typical * (1 - sure)) * (distance < reach)[..., None]
    return layer.astype(np.float32), light * known, shadow


def _shadow(layer: np.ndarray, typical: np.ndarray, visible: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """How much of its brightness the upper lid's shadow leaves an iris, (h, w) float32, by the depth below the lid."""
    ratio = layer[visible][:, :3].sum(1) / np.maximum(typical[visible][:, :3].sum(1), 1)
    depths = depth[visible]
    known, left = [], []
    for at in _SHADOW:
        there = ratio[np.abs(depths - at) < 0.06]
        if len(there) >= 3:
            known.append(at)
            left.append(min(1.0, max(_DARKEST, float(np.sort(there)[len(there) // 2]))))
    return np.interp(depth, [*known, 0.9], [*np.maximum.accumulate(left), 1.0]).astype(np.float32)


def _typical(layer: np.ndarray, visible: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The median of what is visible at the same distance from the iris's centre, (h, w, 4)."""
    inner = distance <= max(0.9, float(distance.min()))
    last = np.array([*np.median(layer[inner], axis=0)[:3], 1], np.float32)
    seen, away = layer[visible], distance[visible]
    profile = []
    for radius in _RINGS:
        there = seen[np.abs(away - radius) < 0.06]
        if len(there) < 3:
            profile.append(last * min(1.0, max(0.0, (1 + _RIM / 2 - radius) / _RIM)))
            continue
        # Highlights are bright and lashes dark: the median passes both over, but on a pupil that is lit for the most.
        last = np.sort(there, axis=0)[int(len(there) * (_UNLIT if radius < _PUPIL else 0.5))]
        profile.append(last)
    channels = [np.interp(distance, _RINGS, values) for values in np.transpose(profile)]
    return np.dstack(channels).astype(np.float32)


def _compact(bright: np.ndarray, most: float) -> np.ndarray:
    """Those of bright spots that are no larger than so many pixels: 1 and 0, float32."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] <= most
    small[0] = False
    return np.asarray(small[labels], np.float32)
