"""The white of an eye, rebuilt where its iris was: what is seen when the iris has moved away."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.lids import Lids
from gaze.face.face import Iris
from gaze.photo.remapping import NO_MAP

_HOLE = 1.18
"""Radius around the iris, in its own, within which the white has to be rebuilt."""
_UNDER = 0.2
"""How far below the lower lid's edge, in iris radii, the iris may still be seen: the edge is not found that well."""
_RISE = 0.35
"""Height above the lower lid, in iris radii, up to which the eye is filled from its sides."""
_FAINT = 0.05
"""Share of its surroundings that has to be seen for a place to go by them rather than by what is farther off."""
_MOST_GRAIN = 5.0
"""Grey levels."""


def rebuild_white(patch: np.ndarray, lids: Lids, iris: Iris, opening: np.ndarray) -> np.ndarray:
    """The patch with the white of the eye where the iris was.

    Its colour goes over from what is seen on the one side of the iris to what is seen on the other. Under the upper lid
    it is darkened as it is there, by lashes and by the lid's shadow. What the white that is seen differs from that goes
    on smoothly, and its grain. Along the lower lid all that is seen at the sides, lashes included, goes on across.

    Args:
        patch: (h, w, 3) float32 RGB.
        lids: of the eye, in the patch's pixels.
        iris: likewise.
        opening: (h, w) float32, what the lids cover: 1 between them.
    """
    y, x = np.mgrid[: patch.shape[0], : patch.shape[1]].astype(np.float32)
    distance = np.hypot(x - iris.x, y - iris.y) / iris.radius
    middle = float(lids.local(iris.x, iris.y)[0])
    share = np.clip(0.5 + (lids.local(x, y)[0] - middle) / (2 * _HOLE * iris.radius), 0, 1)[..., None]
    seen = (opening > 0.85) & (distance > _HOLE) & (distance < 2.3)
    left, right = _side_colours(patch, seen, share[..., 0], opening, distance)
    white = left * (1 - share) + right * share
    depth = lids.depth(x, y)
    shade = _lid_shade(patch.mean(2) / np.maximum(white.mean(2), 1), seen, depth / iris.radius)
    white *= shade[..., None]
    white *= _continued(patch / np.maximum(white, 1), seen, iris.radius)
    white += _grain(patch, seen & (opening > 0.99))[..., None]

    height = lids.height(x, y) / iris.radius
    sides = [
        cv2.remap(patch, lids.beside(x, y, middle + side * 1.1 * _HOLE * iris.radius), NO_MAP, cv2.INTER_LINEAR)
        for side in (-1, 1)
    ]
    low = np.clip(1 - height / _RISE, 0, 1)[..., None]
    filled = white * (1 - low) + (sides[0] * (1 - share) + sides[1] * share) * low

    under = np.clip((height + _UNDER) / 0.1, 0, 1) * np.clip(depth / lids.soft + 0.5, 0, 1)
    hole = (np.clip((_HOLE + 0.1 - distance) / 0.2, 0, 1) * under)[..., None]
    return (patch * (1 - hole) + np.clip(filled, 0, 255) * hole).astype(np.float32)


def _continued(ratio: np.ndarray, seen: np.ndarray, radius: float) -> np.ndarray:
    """Ratios, (h, w, 3), where they are seen, and what goes on smoothly from there: 1 where nothing is near.

    Normalised convolutions of ever smaller reach (Knutsson and Westin, 1993). Lashes and veins do not count.
    """
    weight = (seen * np.clip((ratio.mean(2) - 0.6) / 0.2, 0, 1)).astype(np.float32)
    found = np.ones_like(ratio)
    for reach in (2.0, 1.0, 0.5, 0.25):
        near = cv2.GaussianBlur(weight, (0, 0), reach * radius)[..., None]
        mean = cv2.GaussianBlur(ratio * weight[..., None], (0, 0), reach * radius) / np.maximum(near, 1e-6)
        found += near / (near + _FAINT) * (mean - found)
    return found


def _grain(patch: np.ndarray, seen: np.ndarray) -> np.ndarray:
    """Noise as strong as that of the white that is seen, (h, w); the same each time."""
    grey = patch.mean(2)
    fine = grey - cv2.GaussianBlur(grey, (0, 0), 1.0)
    # The median leaves out the edges of veins and lashes.
    strength = min(_MOST_GRAIN, 1.48 * float(np.median(np.abs(fine[seen])))) if seen.sum() >= 12 else 0.0
    noise = np.random.default_rng(0).normal(0, 1, grey.shape).astype(np.float32)
    noise -= cv2.GaussianBlur(noise, (0, 0), 1.0)
    return noise * np.float32(strength / max(float(noise.std()), 1e-6))


def _side_colours(
    patch: np.ndarray, seen: np.ndarray, share: np.ndarray, opening: np.ndarray, distance: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """The white to the left and to the right of the iris; the one for the other where only one is seen.

    Where none is, the skin around, a little paler, stands for it.
    """
    left, right = _lightest(patch[seen & (share <= 0)]), _lightest(patch[seen & (share >= 1)])
    if left is None and right is None:
        skin = np.median(patch[(opening < 0.1) & (distance < 2.5)], axis=0)
        left = 0.75 * skin + 0.25 * skin.mean()
    return (right if left is None else left), (left if right is None else right)  # type: ignore[return-value]


def _lightest(colours: np.ndarray) -> np.ndarray | None:
    """Mean of the lighter third, (n, 3): lashes, and what lids and iris leak into the white, are darker than it."""
    if len(colours) < 3:
        return None
    grey = colours.mean(1)
    return colours[grey >= np.percentile(grey, 66)].mean(0)


def _lid_shade(brightness: np.ndarray, seen: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """How dark the white is for each pixel, 0 to 1, by its depth below the upper lid in iris radii.

    Taken from `brightness`, relative to the lightest white, where that is `seen`; at least a faint shadow.
    """
    depths = np.linspace(0.05, 0.85, 9)
    levels = np.minimum(1, 0.65 + depths)
    for index, at in enumerate(depths):
        there = seen & (np.abs(depth - at) < 0.08)
        if there.sum() >= 4:
            levels[index] = min(levels[index], float(np.median(brightness[there])))
    levels = np.maximum.accumulate(np.maximum(levels, 0.3))
    return np.interp(depth, np.append(depths, 1.1), np.append(levels, 1.0)).astype(np.float32)
