"""What goes on behind a person from both sides and from above.

A head that moves uncovers a narrow strip. What lies above the head goes on behind its top, what lies beside it behind
its sides, ever softer.
"""

from __future__ import annotations

import cv2
import numpy as np

_BESIDE = (3, 0.1)
"""Pixels, and iris distances, beside what is hidden whose median stands for a side: at least, and usually."""
_STEP = 8
"""Pixels across from one place of a row that is computed to the next."""
_COVERED = 25
"""How much a place is hidden that is not looked at: of 255."""
_STREAKS = 0.15
"""Iris distances over which a median takes thin things from what goes on: hairs, lamps, leaves."""
_SOFTER, _SOFTEST = 0.3, 6
"""How far what goes on is blurred, as a share of how far it has gone; and steps, each twice as soft as the last."""


def beyond(image: np.ndarray, hidden: np.ndarray, around: np.ndarray, unit: float) -> np.ndarray:
    """What goes on around a person, of what is nearer, more: (h, w, 3) uint8; black where nothing does.

    Args:
        image: (h, w, 3) uint8.
        hidden: (h, w) uint8, 255 where nothing of it is to be used.
        around: (h, w) uint8, 255 where it goes on.
        unit: pixels per iris distance.
    """
    height, width = around.shape
    covered, known = around > _COVERED, hidden <= _COVERED
    if not covered.any():
        return np.zeros_like(image)
    rows = np.flatnonzero(covered.any(1))
    first, last = (_nearest(rows, ends) for ends in (covered.argmax(1), width - covered[:, ::-1].argmax(1)))
    top = _nearest(np.flatnonzero(covered.any(0)), covered.argmax(0))
    columns = -(-width // _STEP)
    middles = (np.arange(columns, dtype=np.float32) + 0.5) * _STEP - 0.5
    span = (last - first + 1).astype(np.float32)[:, None]
    from_left = middles - (first - 1).astype(np.float32)[:, None]
    across = np.clip(from_left, 0, span)
    below = np.arange(height)[:, None] - top[np.minimum(middles.astype(int), width - 1)]

    found = _from_sides(image, known, first, last, across, unit)
    above = _from_above(image, known, top, unit)
    if above is not None:
        above = _continued(above, np.broadcast_to(middles, across.shape), _softness(below, unit))
        beside, below = np.abs(np.minimum(from_left, span - from_left)) + 1, np.abs(below) + 1
        nearer = (beside**2 / (beside**2 + below**2)).astype(np.float32)[..., None]
        found = above if found is None else _mixed(found, above, nearer)
    if found is None:
        return np.zeros_like(image)
    whole = cv2.resize(cv2.convertScaleAbs(found), (columns * _STEP, height))
    return np.asarray(whole[:, :width])


def _from_sides(
    image: np.ndarray, known: np.ndarray, first: np.ndarray, last: np.ndarray, across: np.ndarray, unit: float
) -> np.ndarray | None:
    """What lies between both sides of each row: (h, columns, 3) float32.

    Args:
        image, unit: as above.
        known: (h, w) bool, where it is to be used.
        first, last: (h,) the first hidden column of each row, and the one after the last.
        across: (h, columns) how far places lie from the last one at the left that is seen.
    """
    width, wide = image.shape[1], _wide(unit)
    beside, down = np.arange(wide), np.arange(len(image))[:, None]
    at = np.maximum(first[:, None] - 1 - beside, 0), np.minimum(last[:, None] + beside, width - 1)
    left, right = (np.median(image[down, it], axis=1) for it in at)
    shown = [2 * np.count_nonzero(known[down, it], axis=1) > wide for it in at]
    seen = (first >= _BESIDE[0]) & shown[0], (last <= width - _BESIDE[0]) & shown[1]
    if not seen[0].any() and not seen[1].any():
        return None
    left, right = (_completed(side, valid) for side, valid in zip((left, right), seen, strict=True))
    left, right = (left if seen[0].any() else right), (right if seen[1].any() else left)
    span = (last - first + 1).astype(np.float32)[:, None]
    row = np.broadcast_to(down.astype(np.float32), across.shape)
    from_left, from_right = (
        _continued(_ever_softer(side, unit), row, _softness(far, unit))
        for side, far in ((left, across), (right, span - across))
    )
    return _mixed(from_left, from_right, (across / span)[..., None])


def _from_above(image: np.ndarray, known: np.ndarray, top: np.ndarray, unit: float) -> np.ndarray | None:
    """What comes down each column, ever softer: (steps, w, 3) uint8; `top`: (w,) the first hidden row of each."""
    at = np.maximum(top - 1 - np.arange(_wide(unit))[:, None], 0), np.arange(len(top))
    seen = (top >= _BESIDE[0]) & (2 * np.count_nonzero(known[at], axis=0) > len(at[0]))
    if not seen.any():
        return None
    return cv2.convertScaleAbs(_ever_softer(_completed(np.median(image[at], axis=0), seen), unit))


def _ever_softer(side: np.ndarray, unit: float) -> np.ndarray:
    """What is seen along a side, (n, 3), for each step of `_softness`: (steps, n, 3) float32."""
    width = 2 * max(1, round(_STREAKS * unit / 2)) + 1
    calm = cv2.medianBlur(cv2.convertScaleAbs(side)[:, None], width)[:, 0].astype(np.float32)
    blurs = (_SOFTER * _wide(unit) * (2**step - 1) for step in range(1, _SOFTEST))
    return np.stack(
        [calm, *(cv2.GaussianBlur(calm[None], (0, 1), it, borderType=cv2.BORDER_REPLICATE)[0] for it in blurs)]
    )


def _continued(softer: np.ndarray, along: np.ndarray, steps: np.ndarray) -> np.ndarray:
    """What `_ever_softer` found at places along a side, so many steps softer: arrays of one shape."""
    return np.asarray(cv2.remap(softer, along, steps, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE))


def _softness(far: np.ndarray, unit: float) -> np.ndarray:
    """How many steps softer what goes on is so far from where it is seen."""
    return np.log2(1 + np.maximum(far, 0) / _wide(unit)).astype(np.float32)


def _mixed(one: np.ndarray, other: np.ndarray, share: np.ndarray) -> np.ndarray:
    return one + share * (other - one)


def _wide(unit: float) -> int:
    """Pixels beside what is hidden that are looked at."""
    return max(_BESIDE[0], round(_BESIDE[1] * unit))


def _nearest(places: np.ndarray, values: np.ndarray) -> np.ndarray:
    """Values at these places, and before and after them those of the first and of the last."""
    at = np.clip(np.arange(len(values)), places[0], places[-1])
    return np.asarray(values[places[np.searchsorted(places, at)]])


def _completed(side: np.ndarray, valid: np.ndarray) -> np.ndarray:
    """Colours of rows, (h, 3) float32: where nothing is seen, as in the rows that are next."""
    if not valid.any():
        return side.astype(np.float32)
    rows, all_rows = np.flatnonzero(valid), np.arange(len(side))
    return np.stack([np.interp(all_rows, rows, side[rows, it]) for it in range(3)], 1).astype(np.float32)
