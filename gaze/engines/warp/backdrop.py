"""The person in front of the background: a head that moves uncovers what is behind it, which a photo does not show.

A portrait is taken for a layer over a background B: image = layer + (1 - alpha) · B. B is the photo where nobody is
seen, and goes on smoothly behind the outline. With the layer defined as image - (1 - alpha) · B, the neutral frame is
the photo itself, whatever the matte, and strands of hair that the matte misses move with the head all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.engines.warp.doubt import settle
from gaze.engines.warp.fill import fill, through_layer
from gaze.engines.warp.halo import without_halo
from gaze.engines.warp.smaller import as_large, smaller, times_smaller
from gaze.engines.warp.strands import AROUND, find_hidden
from gaze.face.face import Face
from gaze.face.person import find_person
from gaze.photo.portrait import Portrait

_SURE = (0.25, 0.75)
"""What the network's map is stretched from: it is soft at the outline, by a few of its own pixels."""
_FAINT = 25
"""Alpha up to which places do not hang together."""
_SEEN = 0.8
"""Share of the face that the network has to see; else the picture is one layer."""
_LIGHTER = 24
"""Grey levels by which a layer may be lighter than the little that it hides: noise in a white wall is no light."""
_NARROW = 3.0
"""Iris distances across below which a picture is one layer: beside a face with its ears little background is left to
stand still, and the network takes ears for it, which would be left behind or cut.

An average face is 2.1 wide without its ears.
"""


@dataclass(frozen=True)
class Backdrop:
    """The layers of a part of a portrait.

    Attributes:
        alpha: (h, w) uint8, of the person.
        behind: (h, w, 3) uint8, the background, filled where the person is.
    """

    alpha: np.ndarray
    behind: np.ndarray

    def layer(self, image: np.ndarray) -> np.ndarray:
        """The person of a picture of this part: (h, w, 4) uint8, colours premultiplied."""
        through = through_layer(self.behind, self.alpha)
        return cv2.merge([*cv2.split(cv2.subtract(image, through)), self.alpha])


def find_backdrop(portrait: Portrait, face: Face, part: tuple[slice, slice]) -> Backdrop | None:
    """The layers of a part of a portrait, rows and columns; None where all is one."""
    image = portrait.image[part]
    if portrait.alpha is None and image.shape[1] < _NARROW * face.iris_distance:
        return None
    alpha = _matte(portrait, face)
    if alpha is None:
        return None
    alpha = _joined(alpha, face)[part]
    hidden, close = find_hidden(image, alpha, face.iris_distance)
    behind = without_halo(fill(image, hidden, close, face.iris_distance), alpha, face.iris_distance)
    # Light that hides nothing would glare before what is as light itself.
    lighter = cv2.max(behind, cv2.addWeighted(image, 1, image, 0, -_LIGHTER))
    least = cv2.max(_opacity(image, behind), _opacity(cv2.bitwise_not(lighter), cv2.bitwise_not(behind)))
    return Backdrop(cv2.max(alpha, least), behind)


def _opacity(image: np.ndarray, behind: np.ndarray) -> np.ndarray:
    """How much a layer hides at least, (h, w) uint8, as it cannot be darker than black; of negatives: than white."""
    black = cv2.threshold(behind, 0, 255, cv2.THRESH_BINARY_INV)[1]
    red, green, blue = cv2.split(cv2.max(black, cv2.divide(image, behind, scale=255)))
    return np.asarray(cv2.bitwise_not(cv2.min(cv2.min(red, green), blue)))


def _joined(alpha: np.ndarray, face: Face) -> np.ndarray:
    """A matte without what hangs together with a face nowhere: others, and what the network takes for someone."""
    times = times_smaller(face.iris_distance)
    copy = smaller(alpha, times)
    _, labels = cv2.connectedComponents((copy > _FAINT).astype(np.uint8), connectivity=4, ltype=cv2.CV_16U)
    face_mask = np.zeros_like(copy)
    cv2.fillPoly(face_mask, [np.round(face.outline / times).astype(np.int32)], 1)
    own = labels == np.bincount(labels[face_mask > 0], minlength=2)[1:].argmax() + 1
    size = 2 * max(1, round(AROUND * face.iris_distance / times)) + 1
    disc = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (size, size))
    around = cv2.dilate(np.where(own, np.uint8(255), np.uint8(0)), disc)
    return np.asarray(cv2.min(alpha, as_large(around, times, alpha.shape)))


def _matte(portrait: Portrait, face: Face) -> np.ndarray | None:
    """Of the person, (height, width) uint8; None where the face is not seen."""
    if portrait.alpha is not None:
        return portrait.alpha if _share_seen(portrait.alpha, face.outline) >= _SEEN else None
    found = find_person(portrait.image)
    size = portrait.image.shape[1::-1]
    if _share_seen(_stretched(found), face.outline * found.shape[::-1] / size) < _SEEN:
        return None
    settled = settle(found, face, *size)
    return _stretched(cv2.resize(settled, size, interpolation=cv2.INTER_LINEAR))


def _stretched(found: np.ndarray) -> np.ndarray:
    """The network's map as a matte, uint8."""
    low, high = _SURE
    gain = 255 / (high - low)
    return cv2.addWeighted(found, gain, found, 0, -gain * low, dtype=cv2.CV_8U)


def _share_seen(alpha: np.ndarray, outline: np.ndarray) -> float:
    mask = np.zeros_like(alpha)
    cv2.fillPoly(mask, [np.round(outline).astype(np.int32)], 1)
    return float(alpha[mask > 0].mean() / 255) if mask.any() else 0.0
