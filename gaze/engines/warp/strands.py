"""What of a photo is hidden behind a person: what the matte shows, hair beside it that it misses, and lone strands.

What is left in the background stands still where the head was; what is taken from it moves with the head.
"""

from __future__ import annotations

import cv2
import numpy as np

from gaze.engines.warp.ease import fall
from gaze.engines.warp.smaller import as_large, smaller, times_smaller

AROUND = 0.1
"""How far outside the matte, in iris distances, the photo may still show the person."""
_FAINT = 25
"""Alpha up to which nothing is taken for the person."""
_DOUBTED = 4
"""How much more of the background is hidden than the matte says of the person."""
_NEAREST, _BESIDE, _ALIKE = 0.02, 0.1, 4
"""What around the person and its strands is hidden in any case, and how much of the background farther out is looked
at, in iris distances; and grey levels by which it may be darker or lighter than anywhere there."""
_STRANDS = (0.35, 0.5)
"""Iris distances outside the matte over which strands end that are longer, softly."""
_PASSING = 0.7
"""Iris distances outside the matte from which on nothing that is thin is hair."""
_THIN, _LOUD, _LOUDER, _BUSY = 0.06, 16, 1.5, 0.2
"""Half of how wide strands are at most, in iris distances; grey levels by which they differ from both sides at least;
and how many times as much as anything that is thin in the background, so far around."""
_HUES, _HUE = (12, 0.3), 15
"""Pixels per iris distance of a copy in which hues are found, and iris distances around that they are the mean of; and
grey levels of chroma by which hair differs from what lies between both at most."""
_HALF = np.s_[::2, ::2]
"""Rows and columns in which what is nearest is looked for."""


def find_hidden(image: np.ndarray, alpha: np.ndarray, unit: float) -> tuple[np.ndarray, np.ndarray]:
    """A matte with the hair around it that it misses; and all that is close to it, without strands: (h, w) uint8.

    What is no other than the background farther out is left as it is: filled, it would differ a little, and the layer
    would carry the difference along as a rim. Nor is what hangs together with the person nowhere a strand. What the
    matte doubts is hidden as a whole: half of it would stay behind.

    Args:
        image: (h, w, 3) uint8.
        alpha: (h, w) uint8, of the person.
        unit: pixels per iris distance.
    """
    times = times_smaller(unit)
    person, shown, unit = smaller(alpha, times), smaller(image, times), unit / times
    person = cv2.convertScaleAbs(person, alpha=_DOUBTED)
    away = cv2.distanceTransform((person <= _FAINT).astype(np.uint8), cv2.DIST_L2, 5)
    away = np.asarray(away / unit, np.float32)
    around = cv2.inRange(away, (0,), (AROUND,))
    near = _square(_NEAREST * unit)
    person = cv2.dilate(person, near)
    hair = cv2.max(cv2.min(_unlike(shown, around, unit), around), _strands(shown, away, unit))
    # Colours run along outlines.
    asked = cv2.min(hair, cv2.inRange(away, (AROUND / 2,), (_STRANDS[1],)))
    hair[_other_hue(shown, asked, person, cv2.bitwise_not(cv2.max(person, around)), unit)] = 0
    own = cv2.max(person, hair)
    count, labels = cv2.connectedComponents(own, connectivity=8, ltype=cv2.CV_16U)
    joined = np.bincount(labels[person > 0], minlength=count) > 0
    own[~joined[labels]] = 0
    # Softly: an edge that is cut would show where the head was.
    soft = cv2.blur(cv2.dilate(own, near), near.shape)
    return as_large(soft, times, alpha.shape), as_large(around, times, alpha.shape)


def _square(reach: float) -> np.ndarray:
    """What is around a place, so many pixels each way, and at least one."""
    return np.ones((2 * max(1, round(reach)) + 1,) * 2, np.uint8)


def _range(image: np.ndarray, hidden: np.ndarray, reach: float) -> tuple[np.ndarray, np.ndarray]:
    """The darkest and lightest that each channel is around each place where nothing is hidden: (h, w, 3) uint8."""
    colours, window = cv2.cvtColor(hidden, cv2.COLOR_GRAY2RGB), _square(reach)
    darkest = cv2.erode(cv2.bitwise_or(image, colours), window)
    return darkest, cv2.dilate(cv2.bitwise_and(image, cv2.bitwise_not(colours)), window)


def _unlike(image: np.ndarray, around: np.ndarray, unit: float) -> np.ndarray:
    """Where an image is other than anywhere near outside a place, (h, w) uint8: (h, w) uint8."""
    darkest, lightest = _range(image, around, (AROUND + _BESIDE) * unit)
    apart = cv2.max(cv2.subtract(darkest, image), cv2.subtract(image, lightest))
    return cv2.bitwise_not(cv2.inRange(apart, (0,) * 3, (_ALIKE,) * 3))


def _strands(image: np.ndarray, away: np.ndarray, unit: float) -> np.ndarray:
    """What is thin and other than at the nearest place where no strands are: (h, w) uint8.

    Args:
        image: (h, w, 3) uint8.
        away: (h, w), how many iris distances places lie outside the person.
        unit: pixels per iris distance.
    """
    strands, width = np.zeros(away.shape, np.uint8), _square(_THIN * unit)
    lighter, darker = (cv2.morphologyEx(image, it, width) for it in (cv2.MORPH_TOPHAT, cv2.MORPH_BLACKHAT))
    red, green, blue = cv2.split(cv2.max(lighter, darker))
    thin = cv2.max(cv2.max(red, green), blue)
    at = np.nonzero((thin > _LOUD) & (away > 0) & (away <= _STRANDS[1]))
    hidden = cv2.inRange(away[_HALF], (0,), (_STRANDS[1],))
    outside = np.flatnonzero(hidden == 0)
    if not len(at[0]) or not len(outside):
        return strands
    loudest = cv2.dilate(cv2.subtract(thin[_HALF], hidden), _square(_BUSY * unit / 2))
    labels = cv2.distanceTransformWithLabels(hidden, cv2.DIST_L2, 5, labelType=cv2.DIST_LABEL_PIXEL)[1]
    nearest = np.zeros(len(outside) + 1, np.int64)
    nearest[labels.ravel()[outside]] = outside
    nearest = nearest[labels[at[0] // 2, at[1] // 2]]
    darkest, lightest = (it.reshape(-1, 3)[nearest] for it in _range(image[_HALF], hidden, _BESIDE * unit / 2))
    colour = image[at]
    apart = np.maximum(np.maximum(darkest, colour) - colour, colour - np.minimum(colour, lightest)).max(1)
    own = (apart > _ALIKE) & (thin[at] > _LOUDER * loudest.ravel()[nearest])
    own &= ~_passing(thin, away)[at[0] // 2, at[1] // 2]
    strands[at] = 255 * own * fall((away[at] - _STRANDS[0]) / (_STRANDS[1] - _STRANDS[0]))
    return strands


def _other_hue(image: np.ndarray, hair: np.ndarray, person: np.ndarray, outside: np.ndarray, unit: float) -> np.ndarray:
    """Where what may be hair has a hue that is no mixture of the background's and the person's: letters, flowers.

    In shadow the person is greyer.

    Args:
        image: (h, w, 3) uint8.
        hair, person, outside: (h, w) uint8, what is asked about, and what is surely the one or the other.
        unit: pixels per iris distance.

    Returns:
        (h, w) bool.
    """
    times, found = times_smaller(unit, _HUES[0]), np.zeros(hair.shape, bool)
    at = np.nonzero(hair)
    block = at[0] // times, at[1] // times
    hues = cv2.cvtColor(image, cv2.COLOR_RGB2YCrCb)[..., 1:]
    small, size = smaller(hues, times).astype(np.float32), (2 * round(_HUES[1] * unit / times) + 1,) * 2
    shares = [smaller(it, times).astype(np.float32) for it in (person, outside)]
    weights = [cv2.blur(it, size)[block] for it in shares]
    own, back = (
        cv2.blur(small * share[..., None], size)[block] / np.maximum(weight, 1)[:, None]
        for share, weight in zip(shares, weights, strict=True)
    )
    off, apart = hues[at] - back, np.full(len(at[0]), np.inf, np.float32)
    for grey in (0, 0.5, 1):
        way = own + grey * (128 - own) - back
        mixed = np.clip((way * off).sum(1) / np.maximum((way * way).sum(1), 1), 0, 1)
        apart = np.minimum(apart, np.hypot(*(off - mixed[:, None] * way).T))
    found[at] = (apart > _HUE) & (np.minimum(*weights) > _FAINT)
    return found


def _passing(thin: np.ndarray, away: np.ndarray) -> np.ndarray:
    """Where what is thin goes on farther out than hair, or to the border, as poles and twigs: (h / 2, w / 2) bool.

    Args:
        thin: (h, w) uint8, how much what is thin differs from both its sides.
        away: (h, w), how many iris distances places lie outside the person.
    """
    seen, away = cv2.dilate(thin, np.ones((3, 3), np.uint8))[_HALF], away[_HALF]
    beside = ((seen > _LOUD) & (away > AROUND)).astype(np.uint8)
    count, labels = cv2.connectedComponents(beside, connectivity=8, ltype=cv2.CV_16U)
    far = away > _PASSING
    for end in (0, -1):
        far[end] |= away[end] > _STRANDS[0]
        far[:, end] |= away[:, end] > _STRANDS[0]
    passing = np.bincount(labels[far], minlength=count) > 0
    passing[0] = False
    return np.asarray(passing[labels])
