"""What goes on behind a person from both sides and from above.

A head that moves uncovers a narrow strip. What lies above the head goes on behind its top, what lies beside it behind
its sides, ever softer. Lines that both sides show go straight on, as horizons, rails and shelves do.
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
_APART = (20, 50)
"""Grey levels between both sides up to which such a line ends what lies above, as horizons do, and from which on it
does not: what is on either side of it goes on at that side alone.
"""
_STEP = 8
"""Pixels across from one place of a row that is computed to the next."""
_SLOPES = np.linspace(-0.06, 0.06, 25)
"""How many rows down lines may go for each pixel across: photos are seldom quite level."""
_NOISE = 4.0
"""Variance in grey levels, below which there is nothing to be compared."""
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

    def everywhere(found: np.ndarray) -> np.ndarray:
        return np.asarray(cv2.resize(found, (columns * _STEP, height))[:, :width])

    sides, ended = _from_sides(image, known, first, last, across, int(rows[0]), unit)
    above = _from_above(image, known, top, unit)
    if sides is not None:
        sides = everywhere(cv2.convertScaleAbs(np.maximum(sides, 0)))
    if above is None:
        return np.zeros_like(image) if sides is None else sides
    softer = everywhere(_softness(below, unit))
    at = np.broadcast_to(np.arange(width, dtype=np.float32), softer.shape)
    above = _continued(above, at, softer)
    if sides is None:
        return above
    beside, below = np.abs(np.minimum(from_left, span - from_left)) + 1, np.abs(below) + 1
    nearer = beside**2 / (beside**2 + below**2)
    share = everywhere(((1 - ended) * nearer).astype(np.float32))
    return np.asarray(cv2.blendLinear(sides, above, 1 - share, share))


def _from_sides(
    image: np.ndarray,
    known: np.ndarray,
    first: np.ndarray,
    last: np.ndarray,
    across: np.ndarray,
    start: int,
    unit: float,
) -> tuple[np.ndarray | None, np.ndarray]:
    """What lies between both sides of each row, with the lines that both of them show.

    Args:
        image, unit: as above.
        known: (h, w) bool, where it is to be used.
        first, last: (h,) the first hidden column of each row, and the one after the last.
        across: (h, columns) how far places lie from the last one at the left that is seen.
        start: the first row of which something is hidden.

    Returns:
        (h, columns, 3) float32; and (h, columns) how surely such a line has ended what comes down from above, 0 to 1.
    """
    width, wide = image.shape[1], _wide(unit)
    beside, down = np.arange(wide), np.arange(len(image))[:, None]
    at = np.maximum(first[:, None] - 1 - beside, 0), np.minimum(last[:, None] + beside, width - 1)
    left, right = (np.median(image[down, it], axis=1) for it in at)
    shown = [2 * np.count_nonzero(known[down, it], axis=1) > wide for it in at]
    seen = (first >= _BESIDE[0]) & shown[0], (last <= width - _BESIDE[0]) & shown[1]
    ended = np.zeros_like(across)
    if not seen[0].any() and not seen[1].any():
        return None, ended
    left, right = (_completed(side, valid) for side, valid in zip((left, right), seen, strict=True))
    left, right = (left if seen[0].any() else right), (right if seen[1].any() else left)
    smooth = [cv2.GaussianBlur(side, (1, 0), 1, sigmaY=_FINE * unit) for side in (left, right)]
    span = (last - first + 1).astype(np.float32)
    way, row = across / span[:, None], np.broadcast_to(down.astype(np.float32), across.shape)
    from_left, from_right = (
        _continued(_ever_softer(side, unit), row, _softness(far, unit))
        for side, far in ((left, across), (right, span[:, None] - across))
    )
    between = _mixed(from_left, from_right, way[..., None])
    slope, alike, line = _lines(left - smooth[0], right - smooth[1], span, _COMPARED * unit)
    alike[~(seen[0] & seen[1])] = 0
    if alike.any():
        at = np.zeros_like(row), row - np.float32(slope) * across
        lines = _mixed(smooth[0][:, None], smooth[1][:, None], way[..., None])
        lines += cv2.remap(line[:, None], *at, cv2.INTER_LINEAR)
        between = _mixed(between, lines, cv2.remap(alike, *at, cv2.INTER_LINEAR)[..., None])
        alike[:start] = 0
        apart = np.abs(smooth[0] - smooth[1]).max(1, keepdims=True).astype(np.float32)
        alike *= np.clip((_APART[1] - apart) / (_APART[1] - _APART[0]), 0, 1)
        ended = cv2.remap(np.maximum.accumulate(alike), *at, cv2.INTER_LINEAR)
    return between, ended


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


def _lines(left: np.ndarray, right: np.ndarray, span: np.ndarray, reach: float) -> tuple[float, np.ndarray, np.ndarray]:
    """Lines that go on from the left side to the right one.

    Args:
        left, right: (h, 3) float32, what differs from row to row.
        span: (h,) pixels between the sides.
        reach: rows up and down over which both are compared.

    Returns:
        How many rows down they go for each pixel across; and by their row at the left how much both sides are alike
        there, (h, 1) float32, 0 to 1, and what lines add, (h, 3) float32: the smaller of what both sides show.
    """
    rows = np.arange(len(span))
    there = [np.clip(np.rint(rows + slope * span), 0, len(span) - 1).astype(int) for slope in _SLOPES]
    best = int(np.argmax([(left * right[it]).sum() for it in there]))
    right = right[there[best]]
    products = np.stack([(a * b).sum(1) for a, b in ((left, right), (left, left), (right, right))], 1)
    both, *own = cv2.GaussianBlur(products.astype(np.float32), (1, 0), 1, sigmaY=reach).T
    alike = both / np.sqrt((own[0] + 3 * _NOISE) * (own[1] + 3 * _NOISE))
    alike = np.clip((alike - _ALIKE[0]) / (_ALIKE[1] - _ALIKE[0]), 0, 1)[:, None]
    least = np.where(left * right > 0, np.sign(left) * np.minimum(np.abs(left), np.abs(right)), 0)
    return float(_SLOPES[best]), alike.astype(np.float32), least.astype(np.float32)
