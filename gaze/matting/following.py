"""Which place of the photo each pixel of a frame shows, where the engine does not know: by optical flow."""

from __future__ import annotations

import cv2
import numpy as np

from gaze.photo.remapping import pixels

_SEARCH_UNIT = 72.0
"""Pixels between the irises in the pictures that flow is searched in."""
_FINEST = 2
"""How often these are halved for the last step of the search."""
_BLOCK = 4
"""Pixels across a block of them that moves as one."""


def find_positions(frame: np.ndarray, photo: np.ndarray, unit: float) -> np.ndarray:
    """Where in the photo each pixel of a frame is: (height, width, 2) float32, x and y in pixels.

    Dense inverse search (Kroeger et al., "Fast Optical Flow using Dense Inverse Search", 2016), averaged over blocks.

    Args:
        frame, photo: luma, (height, width) uint8.
        unit: pixels between the irises.
    """
    height, width = photo.shape
    blocks = [max(4, round(side * _SEARCH_UNIT / unit / _BLOCK)) for side in (width, height)]
    size = (blocks[0] * _BLOCK, blocks[1] * _BLOCK)
    small = [cv2.resize(each, size, interpolation=cv2.INTER_AREA) for each in (frame, photo)]
    search = cv2.DISOpticalFlow.create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    search.setFinestScale(_FINEST)
    flow = search.calc(small[0], small[1], np.zeros((size[1], size[0], 2), np.float32))
    there: np.ndarray = cv2.resize(cv2.resize(flow, blocks, interpolation=cv2.INTER_AREA), (width, height))
    there *= np.array([width / size[0], height / size[1]], np.float32)
    return there + pixels(width, height)
