"""What may be behind a person: a background goes on smoothly, and lines go straight on that both sides of it show.

Horizons, rails and shelves do. What is known of rows is corrected by means over ever larger surroundings.
"""

from __future__ import annotations

import cv2
import numpy as np

_BESIDE = (3, 0.1)
"""Pixels, and iris distances, beside what is hidden whose median stands for a side: at least, and usually."""
_FINE, _COMPARED = 0.15, 0.25
"""Iris distances: a blur up and down that leaves no lines, and one over which lines of both sides are compared."""
_ALIKE = (0.5, 0.8)
"""Correlation of both sides' lines from which on some of them go on behind, and from which on all do."""
_STEP = 8
"""Pixels across from one place of a row that is computed to the next."""
_SLOPES = np.linspace(-0.06, 0.06, 25)
"""How many rows down lines may go for each pixel across: photos are seldom quite level."""
_NOISE = 4.0
"""Variance in grey levels, below which there is nothing to be compared."""


def fill(image: np.ndarray, hidden: np.ndarray, unit: float) -> np.ndarray:
    """The image, and where it is hidden, what is around goes on: (h, w, 3) uint8.

    What the rows say (`_rows`) is corrected by a pyramid of sums and weights of what is left there, read from its top
    down (Gortler et al., "The Lumigraph", 1996: push and pull).

    Args:
        image: (h, w, 3) uint8.
        hidden: (h, w) uint8, 255 where nothing of it is to be used.
        unit: pixels per iris distance.
    """
    guide = _rows(image, hidden, unit)
    known = cv2.bitwise_not(hidden)
    left = cv2.subtract(image, guide, dtype=cv2.CV_16S)
    seen = cv2.multiply(left, cv2.cvtColor(known, cv2.COLOR_GRAY2RGB), scale=1 / 255, dtype=cv2.CV_16S)
    levels: list[np.ndarray] = [cv2.pyrDown(cv2.merge([*cv2.split(seen), known.astype(np.int16)])).astype(np.float32)]
    levels[0][..., 3] /= 255
    while min(levels[-1].shape[:2]) > 4:
        levels.append(cv2.pyrDown(levels[-1]))
    coarse: np.ndarray = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-6)
    for level in levels[-2::-1]:
        coarse = cv2.pyrUp(coarse, dstsize=level.shape[1::-1])
        coarse = coarse + _pulled(level, coarse)
    whole = cv2.pyrUp(np.rint(coarse).astype(np.int16), dstsize=image.shape[1::-1])
    whole = cv2.add(whole, guide, dtype=cv2.CV_8U)
    return np.asarray(cv2.add(through_layer(image, hidden), through_layer(whole, known)))


def through_layer(behind: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What is seen of a background through a layer of such alpha, (h, w, 3) uint8."""
    return cv2.multiply(behind, cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB), scale=1 / 255)


def _rows(image: np.ndarray, hidden: np.ndarray, unit: float) -> np.ndarray:
    """What lies between both sides of each row, (h, w, 3) uint8, with the lines that both of them show."""
    height, width = hidden.shape
    covered = hidden > 0
    first, last = covered.argmax(1), width - covered[:, ::-1].argmax(1)
    rows = np.flatnonzero(covered.any(1))
    if not len(rows):
        return np.zeros_like(image)
    # Above and below what is hidden, the places that are nearest.
    nearest = np.clip(np.arange(height), rows[0], rows[-1])
    nearest = rows[np.searchsorted(rows, nearest)]
    first, last = first[nearest], last[nearest]
    wide = max(_BESIDE[0], round(_BESIDE[1] * unit))
    beside, down = np.arange(wide), np.arange(height)[:, None]
    left = np.median(image[down, np.maximum(first[:, None] - 1 - beside, 0)], axis=1)
    right = np.median(image[down, np.minimum(last[:, None] + beside, width - 1)], axis=1)
    seen = first >= _BESIDE[0], last <= width - _BESIDE[0]
    if not seen[0].any() and not seen[1].any():
        return np.zeros_like(image)
    left, right = (_completed(side, valid) for side, valid in zip((left, right), seen, strict=True))
    left, right = (left if seen[0].any() else right), (right if seen[1].any() else left)
    smooth = [cv2.GaussianBlur(side, (1, 0), 1, sigmaY=_FINE * unit) for side in (left, right)]
    span, start = (last - first + 1).astype(np.float32), (first - 1).astype(np.float32)
    columns = -(-width // _STEP)
    middles = (np.arange(columns, dtype=np.float32) + 0.5) * _STEP - 0.5
    across = np.clip(middles - start[:, None], 0, span[:, None])
    between = smooth[0][:, None] + (across / span[:, None])[..., None] * (smooth[1] - smooth[0])[:, None]
    slope, line = _lines(left - smooth[0], right - smooth[1], span, _COMPARED * unit)
    if line.any():
        line[~(seen[0] & seen[1])] = 0
        from_row = down.astype(np.float32) - np.float32(slope) * across
        between += cv2.remap(line[:, None], np.zeros_like(from_row), from_row, cv2.INTER_LINEAR)
    whole = cv2.resize(cv2.convertScaleAbs(np.maximum(between, 0)), (columns * _STEP, height))
    return whole[:, :width]


def _completed(side: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Colours of rows, (h, 3) float32: where nothing is seen, as in the rows that are next."""
    if not valid.any():
        return side.astype(np.float32)
    rows, all_rows = np.flatnonzero(valid), np.arange(len(side))
    return np.stack([np.interp(all_rows, rows, side[rows, it]) for it in range(3)], 1).astype(np.float32)


def _lines(left: np.ndarray, right: np.ndarray, span: np.ndarray, reach: float) -> tuple[float, np.ndarray]:
    """Lines that go on from the left side to the right one.

    Args:
        left, right: (h, 3) float32, what differs from row to row.
        span: (h,) pixels between the sides.
        reach: rows up and down over which both are compared.

    Returns:
        How many rows down they go for each pixel across; and by their row at the left, (h, 3) float32, what they add:
        the smaller of what both sides show.
    """
    rows = np.arange(len(span))
    there = [np.clip(np.rint(rows + slope * span), 0, len(span) - 1).astype(int) for slope in _SLOPES]
    best = int(np.argmax([(left * right[it]).sum() for it in there]))
    right = right[there[best]]
    products = np.stack([(a * b).sum(1) for a, b in ((left, right), (left, left), (right, right))], 1)
    both, *own = cv2.GaussianBlur(products.astype(np.float32), (1, 0), 1, sigmaY=reach).T
    alike = both / np.sqrt((own[0] + 3 * _NOISE) * (own[1] + 3 * _NOISE))
    share = np.clip((alike - _ALIKE[0]) / (_ALIKE[1] - _ALIKE[0]), 0, 1)[:, None]
    least = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0)
    return float(_SLOPES[best]), (share * least).astype(np.float32)


def _pulled(level: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    weight = level[..., 3:]
    sure = np.minimum(1, 4 * weight)
    return sure * (level[..., :3] / np.maximum(weight, 1e-6) - coarse)
