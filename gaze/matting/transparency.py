"""A photo that is cut out already: its own transparency as the matte, and clean colours at its soft edges.

Programs leave something of an old background at soft edges: they multiply colours with alpha (then it is black), or
cut along an edge without freeing its colours. Both obey c = alpha · f + (1 - alpha) · b with one colour b, which is
found and taken out again.
"""

from __future__ import annotations

from dataclasses import replace

import cv2
import numpy as np

from gaze.photo.portrait import Portrait

_CLEAR, _OPAQUE = 3, 252
"""Alpha up to which nothing is seen, and from which all is: lossy files waver by so much."""
_TINY = 1 / 20_000
"""Share of the picture up to which a hole, or a speck, is dirt."""
_NEAR = 8 / 512
"""Radius in which the colours of opaque neighbours are looked up, as a share of the longer side."""
_ENOUGH = 50
"""Soft pixels that it takes to tell an old background."""
_NEARER = 0.8
"""Share of the distance from the neighbours' colours that may be left when an old background is taken out."""
_BEYOND, _FEW = 6.0, 0.03
"""Levels beyond the range of colours that count, as they are seen, and the share of pixels that may be so."""
_FAINT = 0.25
"""Alpha below which the neighbours' colours count more than the pixel's own, which are noise divided by alpha."""


def use_transparency(portrait: Portrait) -> Portrait:
    """The portrait with a clean matte, and in `image` the colours of what is seen, continued where nothing is.

    Args:
        portrait: `image` on white, as photos are read.

    Returns:
        The same where nothing is transparent; `alpha` None where only dirt was.
    """
    if portrait.alpha is None:
        return portrait
    matte = clean_alpha(portrait.alpha)
    if matte.min() == 255:
        return replace(portrait, alpha=None)
    return replace(portrait, image=_colours(portrait.image, portrait.alpha, matte), alpha=matte)


def as_picture(portrait: Portrait) -> np.ndarray:
    """A photo as it was read, as one picture: (height, width, 3 or 4) uint8."""
    if portrait.alpha is None:
        return portrait.image
    share = np.maximum(portrait.alpha, 1).astype(np.float32)[..., None] / 255
    own = np.clip((portrait.image - 255 * (1 - share)) / share, 0, 255)
    return np.dstack([np.rint(own).astype(np.uint8), portrait.alpha])


def clean_alpha(alpha: np.ndarray) -> np.ndarray:
    """Alpha without tiny holes and specks, 0 where hardly anything is seen: (height, width) uint8."""
    matte = np.where(alpha >= _OPAQUE, 255, np.where(alpha <= _CLEAR, 0, alpha)).astype(np.uint8)
    most = max(1, round(_TINY * alpha.size))
    matte[_small(matte < 255, most)] = 255
    matte[_small(matte > 0, most)] = 0
    return matte


def _small(mask: np.ndarray, most: int) -> np.ndarray:
    """Where connected parts of a mask of at most so many pixels are."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8), connectivity=8)
    small = stats[:, cv2.CC_STAT_AREA] <= most
    small[0] = False
    return small[labels]


def _colours(image: np.ndarray, alpha: np.ndarray, matte: np.ndarray) -> np.ndarray:
    share = np.maximum(alpha, 1).astype(np.float32)[..., None] / 255
    own = (image.astype(np.float32) - 255 * (1 - share)) / share
    around = _continued(own, alpha >= _OPAQUE)
    soft = (alpha > 40) & (alpha < 240)
    background = _old_background(own[soft], around[soft], share[soft])
    if background is not None:
        own = (own - (1 - share) * background) / share
    trust = np.clip(share / _FAINT, 0, 1) ** 2
    filled = (matte == 255) & (alpha < _OPAQUE)
    mixed = np.where(filled[..., None], around, trust * own + (1 - trust) * around)
    return np.rint(np.clip(mixed, 0, 255)).astype(np.uint8)


def _continued(colours: np.ndarray, opaque: np.ndarray) -> np.ndarray:
    """Colours of opaque pixels, continued over all others: means of ever wider squares."""
    near = 2 * max(1, round(_NEAR * max(opaque.shape))) + 1
    weight = opaque.astype(np.float32)
    known = np.where(opaque[..., None], colours, 0).astype(np.float32)
    result = np.full_like(known, colours[opaque].mean(axis=0) if opaque.any() else 127)
    for side in (16 * near + 1, 4 * near + 1, near):
        total = cv2.blur(weight, (side, side))[..., None]
        mean = cv2.blur(known, (side, side)) / np.maximum(total, 1e-6)
        sure = np.minimum(1, total * side)
        result = sure * mean + (1 - sure) * result
    return result


def _old_background(own: np.ndarray, around: np.ndarray, share: np.ndarray) -> np.ndarray | None:
    """The one colour that soft edges have too much of, (3,) float32; None if there is none.

    Black and white are tried, and what the colours tend to as alpha falls to 0. It has to bring them much nearer to
    those of their opaque neighbours, and hardly any out of range.

    Args:
        own, around: (n, 3) float32, colours of soft pixels, and of opaque ones near them.
        share: (n, 1) float32, alpha in 0 to 1.
    """
    if len(own) < _ENOUGH:
        return None
    line = np.linalg.lstsq(np.hstack([np.ones_like(share), share]), own, rcond=None)[0]
    best, least = None, _NEARER * float(np.abs(own - around).mean())
    for colour in (np.zeros(3), np.full(3, 255.0), np.clip(line[0], 0, 255)):
        freed = (own - (1 - share) * colour) / share
        beyond = np.abs(freed - np.clip(freed, 0, 255)) * share > _BEYOND
        off = float(np.abs(np.clip(freed, 0, 255) - around).mean())
        if off < least and beyond.any(axis=1).mean() < _FEW:
            best, least = colour.astype(np.float32), off
    return best
