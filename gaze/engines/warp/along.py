"""Lines of a background that run along a person's outline and behind it, as beams behind a crown: both ends are joined.

A mirror shows what is straight out of the outline, and of such a line nothing. Here each place looks both ways along
it, to where it is seen again.
"""

from __future__ import annotations

from typing import NamedTuple

import cv2
import numpy as np

from gaze.engines.warp.ease import fall, smoothstep
from gaze.engines.warp.smaller import as_large
from gaze.photo.remapping import NO_MAP, pixels

_ALONG, _LEVEL = (0.5, 0.8), (0.6, 0.75)
"""Cosine of the angle between a line and straight out, and how much a line rises: up to which it is joined, and from
which on it is not. Uprights beside a cheek end at shoulders."""
_COHERENT = (0.5, 0.8)
"""Coherence of the structure tensor up to which there is no line, and from which on there is."""
DEEP = (0.35, 0.8)
"""Iris distances within the outline up to which all is shown of lines and of a mirror, and from which on nothing."""
_FAR, _PAST = (0.8, 1.4), 0.25
"""Iris distances to the nearer end: up to which a line is joined, and from which on it is not; and how far past its end
it is looked at at most."""
_DIFFERENT = (25, 60)
"""Grey levels by which both ends differ at most, where they count alike; and from which on it is no line."""
_STEPS = 10
"""Steps to an end, each as long as the outline is away."""
_ENOUGH = 0.1
"""Share of a line below which there is none."""


class Structure(NamedTuple):
    """What a background changes around places, and the outline there: (h, w) float32 each.

    Attributes:
        x, y: straight out of the outline, of length 1 where that is sure.
        xx, xy, yy: the structure tensor.
        noise: what of that is no line.
    """

    x: np.ndarray
    y: np.ndarray
    xx: np.ndarray
    xy: np.ndarray
    yy: np.ndarray
    noise: np.ndarray


def join(image: np.ndarray, depth: np.ndarray, structure: Structure, unit: float, times: int) -> np.ndarray | None:
    """What lines show where they are hidden: (h, w, 4) uint8, premultiplied by how much there is; None if nothing.

    Args:
        image: (h, w, 4) uint8, premultiplied by how little of it is hidden, the last channel.
        depth: how many pixels of a copy places lie within the outline, below zero outside; float32.
        structure: of that copy.
        unit: pixels per iris distance in the copy.
        times: by what the copy is smaller.
    """
    across, down, share = _lines(depth, structure, unit)
    if share.max() < _ENOUGH:
        return None
    at = np.nonzero(share)
    place, way = (np.stack(it, 1)[:, None].astype(np.float32) for it in (at[::-1], (across[at], down[at])))
    free = np.maximum(depth + 1.5, 0).astype(np.float32)
    comes, ends = [], []
    for side in (-1, 1):
        end = place.copy()
        for _ in range(_STEPS):
            end += side * _seen(free, end) * way
        far = np.linalg.norm(end - place, axis=2, keepdims=True)
        come = side * (far + np.minimum(far, _PAST * unit)) * way
        found = _seen(image, times * (place + come + 0.5) - 0.5)[:, 0].astype(np.float32)
        inside = np.clip(_seen(depth, end)[:, 0, 0] + 1, 0, 1)
        comes.append(come)
        ends.append((far[:, 0, 0], found[:, :3], (1 - inside) * smoothstep(found[:, 3] / 255)))
    (left, one, valid), (right, other, valid_too) = ends
    weight, weight_too = valid / np.maximum(left, 1) ** 2, valid_too / np.maximum(right, 1) ** 2
    part = weight / np.maximum(weight + weight_too, 1e-9)
    apart = 2 * np.minimum(part, 1 - part) * np.abs(one - other).max(1)
    nearer = np.where(weight > weight_too, left, right) / unit
    share[at] *= np.maximum(valid, valid_too) * fall((nearer - _FAR[0]) / (_FAR[1] - _FAR[0]))
    share[at] *= fall((apart - _DIFFERENT[0]) / (_DIFFERENT[1] - _DIFFERENT[0]))
    share = cv2.blur(cv2.erode(share, np.ones((3, 3), np.uint8)), (3, 3))
    if share.max() < _ENOUGH:
        return None
    total = np.zeros_like(image)
    grown = np.zeros((*depth.shape, 2), np.float32)
    for come, weights in zip(comes, (part, 1 - part), strict=True):
        grown[at] = times * come[:, 0]
        mine = np.zeros_like(share)
        mine[at] = weights
        shares = as_large(cv2.convertScaleAbs(share * mine, alpha=255), times, image.shape)
        total = cv2.add(total, part_of(taken(image, as_large(grown, times, image.shape)), shares))
    return total


def taken(image: np.ndarray, come: np.ndarray) -> np.ndarray:
    """An image in which each pixel shows what is so far across and down from it; 0 beyond the border."""
    at = come + pixels(*image.shape[1::-1])
    return cv2.remap(image, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)


def part_of(image: np.ndarray, share: np.ndarray) -> np.ndarray:
    """A share of an image, (h, w, 4) uint8; share: (h, w) uint8."""
    return cv2.multiply(image, cv2.merge([share] * 4), scale=1 / 255)


def _lines(depth: np.ndarray, structure: Structure, unit: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The way along lines to the right, across and down, and where there are any: (h, w) float32 each."""
    x, y, xx, xy, yy, noise = structure
    gap = np.hypot(xx - yy, 2 * xy)
    tilt = (xx - yy) / np.maximum(gap, 1e-6)
    across, down = np.sqrt(np.maximum(1 - tilt, 0) / 2), -np.sign(xy) * np.sqrt(np.maximum(1 + tilt, 0) / 2)
    share = smoothstep((gap / (xx + yy + 2 * noise + 1e-6) - _COHERENT[0]) / (_COHERENT[1] - _COHERENT[0]))
    share *= fall((np.abs(down) - _LEVEL[0]) / (_LEVEL[1] - _LEVEL[0]))
    share *= fall((np.abs(across * x + down * y) - _ALONG[0]) / (_ALONG[1] - _ALONG[0]))
    share *= fall((depth / unit - DEEP[0]) / (DEEP[1] - DEEP[0])) * (depth > -1)
    return across, down, share.astype(np.float32)


def _seen(image: np.ndarray, at: np.ndarray) -> np.ndarray:
    """An image at places, (rows, cols, 2) float32: (rows, cols, channels); 0 beyond the border."""
    found = cv2.remap(image, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_CONSTANT)
    return found if found.ndim == 3 else found[..., None]
