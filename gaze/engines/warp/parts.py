"""Which parts of the region are drawn anew in a frame, and how: the person, warped, before a background."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gaze.engines.warp.fill import through_layer
from gaze.engines.warp.region import Band
from gaze.photo.remapping import NO_MAP

_ROW = 256
"""Pixels of a row in which mixed parts lie one after the other."""

Place = tuple[slice, slice]


@dataclass(frozen=True)
class Parts:
    """Rectangles of the region in which something may move.

    Attributes:
        person: rows and columns of those that show nothing but the person.
        mixed: of those that show some of the background, too.
        behind: (n, _ROW, 3) uint8, the background in the mixed ones, pixel after pixel: one call of OpenCV for all of
            them costs less than one for each.
    """

    person: tuple[Place, ...]
    mixed: tuple[Place, ...]
    behind: np.ndarray


def find_parts(bands: Sequence[Band], behind: np.ndarray) -> Parts:
    """Parts for bands of a region with this background, (height, width, 3) uint8."""
    person, mixed = (tuple(band.place for band in bands if band.opaque is opaque) for opaque in (True, False))
    count = sum(behind[place][..., 0].size for place in mixed)
    packed = np.zeros((-(-count // _ROW), _ROW, 3), np.uint8)
    for place, part in _views(packed, mixed):
        part[:] = behind[place]
    return Parts(person, mixed, packed)


def draw_parts(
    parts: Parts, bare: np.ndarray, layer: np.ndarray | None, positions: np.ndarray, out: np.ndarray
) -> None:
    """Draw what each pixel of the parts shows.

    Args:
        parts: of the region.
        bare: (height, width, 3) uint8, the region.
        layer: (height, width, 4) uint8, the person in it, premultiplied; None where there are no mixed parts.
        positions: (height, width, 2) float32, what the region's pixels show.
        out: (height, width, 3) uint8, drawn into.
    """
    for place in parts.person:
        cv2.remap(bare, positions[place], NO_MAP, cv2.INTER_CUBIC, out[place], cv2.BORDER_REPLICATE)
    if layer is None or not parts.mixed:
        return
    at = np.zeros((*parts.behind.shape[:2], 2), np.float32)
    for place, part in _views(at, parts.mixed):
        part[:] = positions[place]
    seen = cv2.remap(layer, at, NO_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    through = through_layer(parts.behind, cv2.extractChannel(seen, 3))
    for place, part in _views(cv2.add(cv2.cvtColor(seen, cv2.COLOR_RGBA2RGB), through), parts.mixed):
        out[place] = part


def _views(packed: np.ndarray, places: Sequence[Place]) -> Iterator[tuple[Place, np.ndarray]]:
    """Rectangles that lie in an array of rows pixel after pixel, as views of it."""
    flat, start = packed.reshape(-1, packed.shape[2]), 0
    for place in places:
        down, across = (part.stop - part.start for part in place)
        yield place, flat[start : start + down * across].reshape(down, across, -1)
        start += down * across
