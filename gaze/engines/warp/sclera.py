"""The sclera of an eye, rebuilt where its iris was: what is seen when the iris has moved away."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris
from gaze.photo.remapping import NO_MAP

_HOLE = (1.18, 1.5)
"""Radius around the iris, in its own, within which the sclera has to be rebuilt: of a sharp iris, and of any."""
_AS_SCLERA = 0.85
"""Share of the way from the iris's brightness to the sclera's from which on a place shows nothing of the iris."""
_AROUND = 2.3
"""Radius around the iris up to which what is seen between the lids is taken for sclera."""
_NEAR = 0.5
"""Iris radii over which what is seen counts less, away from the iris: corners are pink and in shade."""
_UNDER = 0.3
"""How far below the lower lid's edge, in iris radii, the iris may still be seen: the edge is not found that well."""
_RISE = 0.35
"""Height above the lower lid, in iris radii, up to which the eye is filled from its sides."""
_LEVELS = np.linspace(0, 1, 11)
"""Shares of the way from the upper lid to the lower one at which the sclera is read at the sides."""
_SPREAD = 0.12
"""How far around these levels it is read."""
_DOUBT = 0.05
"""Weight of a side's mean colour beside what is read at a level, as a share of what is read where that is most."""
_ENOUGH, _OWN = 0.5, 0.4
"""Area of sclera, in squared iris radii, from which on a side stands for itself alone; and its share where it has
next to nothing."""
_SHADED, _DIMMEST = 0.8, 0.5
"""Brightness of a side that is not seen, as a share of the other's, if the skin is as bright on both: corners lie in
shade; and the least share of it that the light on the skin leaves."""
_ROUND = 1.5
"""Power of the way to the darker side with which it gets as dark: a ball's shade falls off the slower, the farther it
is from its dark side. By Lambert's law it were 1.4 to 2.6, for sides of next to no and of half the other's light."""
_CORNER = 0.06
"""Share of an eye's width next to its corners that nothing is continued from."""
_FAINT = 0.05
"""Share of its surroundings that has to be seen for a place to go by them rather than by what is farther off."""
_LEVEL, _CLEAN = 0.6, 0.2
"""Share of the way from the upper lid to the lower one at which no lashes are; and the blur, in iris radii, there."""
_WITHIN, _DARKER = (0.8, 1.0), 0.15
"""Radii up to which all is the iris's, and from which on only what is darker; by that share of what the iris is."""
_EDGE = 0.1
"""Iris radii below the lower lid's edge from which on that holds there, too."""
_BAND = (0.3, 0.7)
"""Iris radii below the upper lid's edge up to which what is darker is lashes and shade, and to which that fades."""
_FINE = 4.0
"""Pixels: the blur that a smaller field is given in place of a wider one."""
_MOST_GRAIN = 5.0
"""Grey levels."""
_NOISE = np.array([[1, -2, 1], [-2, 4, -2], [1, -2, 1]], np.float32)
"""Shows noise, but neither slopes nor the bend of edges along rows and columns."""


def iris_reach(patch: np.ndarray, opening: np.ndarray, distance: np.ndarray) -> float:
    """Radius, in the iris's own, up to which a photo, soft as it is, shows some of the iris.

    Args:
        patch: (h, w, 3) float32 RGB.
        opening: (h, w) float32, 1 between the lids.
        distance: (h, w) float32 from the iris's centre, in radii.
    """
    between = (opening > 0.95) & (distance < _HOLE[1] + 0.35)
    red, away = patch[..., 0][between], distance[between]
    radii = np.arange(0.85, _HOLE[1] + 0.3, 0.06)
    rings = [red[np.abs(away - radius) < 0.06] for radius in radii]
    levels = np.array([np.sort(ring)[len(ring) // 2] if len(ring) >= 4 else np.nan for ring in rings])
    known = np.isfinite(levels)
    if known.sum() < 4 or np.nanmax(levels) - levels[known][0] < 1:
        return _HOLE[0]
    levels, radii = np.maximum.accumulate(levels[known]), radii[known]
    share = (levels - levels[0]) / (levels[-1] - levels[0])
    return float(np.clip(np.interp(_AS_SCLERA, share, radii), *_HOLE))


def rebuild_sclera(patch: np.ndarray, lids: Lids, iris: Iris, opening: np.ndarray, reach: float) -> np.ndarray:
    """The patch with the sclera of the eye where the iris was.

    Its colour goes over from what is seen on the one side of the iris to what is seen on the other, at the same share
    of the way from lid to lid: so lashes and the lid's shadow lie on it as they do at the sides. Where the
    sclera that is seen differs from that, the difference goes on smoothly, and so does the grain. Along the lower lid
    all that is seen at the sides, lashes included, goes on across.

    Args:
        patch: (h, w, 3) float32 RGB.
        lids: of the eye, in the patch's pixels.
        iris: likewise.
        opening: (h, w) float32, what the lids cover: 1 between them.
        reach: radius, in the iris's own, up to which something of it is seen (`iris_reach`).
    """
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    distance = np.hypot(x - iris.x, y - iris.y) / iris.radius
    middle = float(lids.local(iris.x, iris.y)[0])
    share = np.clip(0.5 + (lids.local(x, y)[0] - middle) / (2 * reach * iris.radius), 0, 1)[..., None]
    seen = (opening > 0.85) & (distance > reach) & (distance < _AROUND)
    depth, height = lids.depth(x, y), lids.height(x, y)
    level = np.clip(depth / np.maximum(depth + height, 1e-3), 0, 1)
    left, right = _sides(patch, seen, share[..., 0], level, opening, distance, _ENOUGH * iris.radius**2)
    # How far on to the right side's colour: the darker one's comes late.
    way = share**_ROUND if left.mean() > right.mean() else 1 - (1 - share) ** _ROUND
    sclera = _at_level(left, level) * (1 - way) + _at_level(right, level) * way
    sclera *= _continued(patch / np.maximum(sclera, 1), seen, iris.radius)
    sclera += _grain(patch, seen & (opening > 0.99))[..., None]

    ends = _CORNER * lids.length, (1 - _CORNER) * lids.length
    places = (float(np.clip(middle + side * 1.1 * reach * iris.radius, *ends)) for side in (-1, 1))
    low_left, low_right = (cv2.remap(patch, lids.beside(x, y, to), NO_MAP, cv2.INTER_LINEAR) for to in places)
    low = np.clip(1 - height / (_RISE * iris.radius), 0, 1)[..., None]
    filled = sclera * (1 - low) + (low_left * (1 - share) + low_right * share) * low

    under = np.clip((height / iris.radius + _UNDER) / 0.1, 0, 1) * np.clip(depth / lids.soft + 0.5, 0, 1)
    hole = np.clip((reach + 0.1 - distance) / 0.2, 0, 1) * under
    hole = (hole * (1 - low[..., 0] * (1 - _covered(patch, filled, opening, distance, height, iris.radius))))[..., None]
    return (patch * (1 - hole) + np.clip(filled, 0, 255) * hole).astype(np.float32)


def _covered(
    patch: np.ndarray,
    filled: np.ndarray,
    opening: np.ndarray,
    distance: np.ndarray,
    height: np.ndarray,
    radius: float,
) -> np.ndarray:
    """Where an iris may cover what is `filled` in, (h, w), 0 to 1: outside of its circle, and of its lids, only what is
    darker.

    What is as bright there is the sclera itself, or the rim of the lower lid, which lies where the picture shows it.
    """
    lacks = filled.mean(2) - patch.mean(2)
    within = lacks[(distance < _WITHIN[0]) & (opening > 0.9)]
    if not len(within):
        return np.ones_like(lacks)
    darker = cv2.GaussianBlur(lacks, (0, 0), _CLEAN * radius / 2) / max(float(np.median(within)), 1.0)
    outside = np.clip((distance - _WITHIN[0]) / (_WITHIN[1] - _WITHIN[0]), 0, 1)
    outside = np.maximum(outside, np.clip(-height / (_EDGE * radius), 0, 1))
    return np.asarray(1 - outside * (1 - np.clip(darker / _DARKER, 0, 1)))


def lash_shade(sclera: np.ndarray, lids: Lids, radius: float) -> np.ndarray:
    """What the upper lid's lashes and their shadow leave of the brightness behind them: (h, w) float32, 0 to 1.

    Args:
        sclera: (h, w, 3) float32, an eye without its iris.
        lids: of the eye, in its pixels.
        radius: of its iris.
    """
    y, x = np.mgrid[: sclera.shape[0], : sclera.shape[1]].astype(np.float32)
    depth = lids.depth(x, y)
    grey = sclera.mean(2)
    below = np.maximum((depth + lids.height(x, y)) * _LEVEL, 0) - depth
    at = np.dstack([x + below * lids.across[0], y + below * lids.across[1]]).astype(np.float32)
    clean = cv2.remap(cv2.GaussianBlur(grey, (0, 0), _CLEAN * radius), at, NO_MAP, cv2.INTER_LINEAR)
    band = np.clip((_BAND[1] - depth / radius) / (_BAND[1] - _BAND[0]), 0, 1)
    return np.asarray(1 - band * (1 - np.clip(grey / np.maximum(clean, 1), 0, 1)), np.float32)


def _sides(
    patch: np.ndarray,
    seen: np.ndarray,
    share: np.ndarray,
    level: np.ndarray,
    opening: np.ndarray,
    distance: np.ndarray,
    enough: float,
) -> tuple[np.ndarray, np.ndarray]:
    """The sclera to the left and to the right of the iris at `_LEVELS`, (levels, 3) each.

    What little is seen next to a corner is darker than the sclera farther in: where that is less than `enough` pixels,
    the brighter side stands for the darker one in part; where nothing is, all of it does, in the corner's shade and in
    the light that falls on the skin there. Where nothing is seen on both sides, skin, a little paler, stands for it.
    """
    places = seen & (share <= 0.2), seen & (share >= 0.8)
    left, right = (_profile(patch[at], level[at], distance[at]) for at in places)
    around = (opening < 0.1) & (distance < 2.5)
    if left is None and right is None:
        skin = np.median(patch[around] if around.any() else patch.reshape(-1, 3), axis=0)
        pale = np.tile(0.75 * skin + 0.25 * skin.mean(), (len(_LEVELS), 1))
        return pale, pale
    if left is None or right is None:
        grey = patch.mean(2)
        skins = [float(np.median(grey[at])) for at in (around & (share < 0.2), around & (share > 0.8)) if at.any()]
        light = skins[0] / max(skins[1], 1.0) if len(skins) == 2 else 1.0
        if left is None:
            return _SHADED * float(np.clip(light, _DIMMEST, 1)) * right, right  # type: ignore[operator, return-value]
        return left, _SHADED * float(np.clip(1 / max(light, 1e-3), _DIMMEST, 1)) * left
    own = [_OWN + (1 - _OWN) * min(1.0, float(at.sum()) / enough) for at in places]
    if left.mean() < right.mean():
        return own[0] * left + (1 - own[0]) * right, right
    return left, own[1] * right + (1 - own[1]) * left


def _profile(colours: np.ndarray, levels: np.ndarray, distance: np.ndarray) -> np.ndarray | None:
    """The sclera at `_LEVELS`, of pixels, (n, 3), at such levels and so far from the iris: means around each."""
    if len(colours) < 3:
        return None
    near = np.exp(-(((_LEVELS[:, None] - levels) / _SPREAD) ** 2) / 2) * np.exp((distance.min() - distance) / _NEAR)
    grey = colours.mean(1)
    usual = np.interp(levels, _LEVELS, _means(near, grey[:, None])[:, 0])
    # Lashes, and what lids and iris leak into the sclera, are darker than it is at their level.
    return _means(near * np.clip((grey / np.maximum(usual, 1) - 0.65) / 0.25, 0.02, 1), colours)


def _means(weights: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Of values, (n, k), by weights, (levels, n); where these are faint, of all values: (levels, k)."""
    whole = weights.sum(0)
    doubt = _DOUBT * weights.sum(1).max()
    found: np.ndarray = (weights @ values + doubt * (whole @ values / whole.sum())) / (
        weights.sum(1, keepdims=True) + doubt
    )
    return found


def _at_level(profile: np.ndarray, level: np.ndarray) -> np.ndarray:
    """Colours of a profile, (levels, 3), at levels between: (h, w, 3) float32."""
    return np.dstack([np.interp(level, _LEVELS, profile[:, channel]) for channel in range(3)]).astype(np.float32)


def _continued(ratio: np.ndarray, seen: np.ndarray, radius: float) -> np.ndarray:
    """Ratios, (h, w, 3), where they are seen, and what goes on smoothly from there: 1 where nothing is near.

    Normalised convolutions of ever smaller reach (Knutsson and Westin, 1993). Lashes and veins do not count.
    """
    weight = (seen * np.clip((ratio.mean(2) - 0.6) / 0.2, 0, 1)).astype(np.float32)
    found = np.ones_like(ratio)
    for reach in (2.0, 1.0, 0.5, 0.25):
        near = _blurred(weight, reach * radius)[..., None]
        mean = _blurred(ratio * weight[..., None], reach * radius) / np.maximum(near, 1e-6)
        found += near / (near + _FAINT) * (mean - found)
    return found


def _blurred(field: np.ndarray, sigma: float) -> np.ndarray:
    """A Gaussian blur; wide ones are made of a smaller field, which is as smooth, and takes far less time."""
    step = max(1, int(sigma / _FINE))
    height, width = field.shape[:2]
    small = cv2.resize(field, (-(-width // step), -(-height // step)), interpolation=cv2.INTER_AREA)
    return cv2.resize(cv2.GaussianBlur(small, (0, 0), sigma / step), (width, height))


def _grain(patch: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Noise as strong as that of the sclera that is seen, and no stronger than that around, (h, w); always the same.

    Its strength by Immerkær, "Fast Noise Variance Estimation", 1996, with a median, which leaves out lashes.
    """
    fine = np.abs(cv2.filter2D(patch.mean(2), -1, _NOISE)) / 6
    strength = min(_MOST_GRAIN, *(1.48 * float(np.median(it)) for it in (fine[seen], fine))) if seen.sum() >= 12 else 0
    return np.float32(strength) * np.random.default_rng(0).normal(0, 1, patch.shape[:2]).astype(np.float32)
