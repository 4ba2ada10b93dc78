"""The person in front of the background: a head that moves uncovers what is behind it, which a photo does not show.

A portrait is taken for a layer over a background B: image = layer + (1 - alpha) · B. B is the photo where nobody is
seen, and goes on smoothly behind the outline. With the layer defined as image - (1 - alpha) · B, the neutral frame is
the photo itself, whatever the matte, and strands of hair that the matte misses move with the head all the same.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.face.face import Face
from gaze.face.person import find_person
from gaze.photo.portrait import Portrait

_SURE = (0.25, 0.75)
"""What the network's map is stretched from: it is soft at the outline, by a few of its own pixels."""
_AROUND = 0.1
"""How far outside the matte, in iris distances, the photo may still show strands: that is filled as well."""
_SEEN = 0.8
"""Share of the face that the network has to see; else the picture is one layer."""


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
        return np.dstack([cv2.subtract(image, through), self.alpha])


def through_layer(behind: np.ndarray, alpha: np.ndarray) -> np.ndarray:
    """What is seen of a background through a layer of such alpha, (h, w, 3) uint8."""
    return cv2.multiply(behind, cv2.cvtColor(cv2.bitwise_not(alpha), cv2.COLOR_GRAY2RGB), scale=1 / 255)


def find_backdrop(portrait: Portrait, face: Face, part: tuple[slice, slice]) -> Backdrop | None:
    """The layers of a part of a portrait, rows and columns; None where the network does not see the person."""
    alpha = _matte(portrait)
    if _share_seen(alpha, face) < _SEEN:
        return None
    image, alpha = portrait.image[part], alpha[part]
    reach = max(1, round(_AROUND * face.iris_distance))
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * reach + 1, 2 * reach + 1))
    hidden = cv2.dilate(alpha, kernel)
    behind = _fill(image, hidden)
    # A layer cannot be darker than black: where less of the background is there, less of it shines through.
    ratio = cv2.split((image.astype(np.float32) + 0.5) / np.maximum(behind, 1))
    least = 255 - np.floor(255 * np.minimum(cv2.min(cv2.min(*ratio[:2]), ratio[2]), 1))
    return Backdrop(np.maximum(alpha, least.astype(np.uint8)), behind)


def _matte(portrait: Portrait) -> np.ndarray:
    if portrait.alpha is not None:
        return portrait.alpha
    found = cv2.resize(find_person(portrait.image), portrait.image.shape[1::-1], interpolation=cv2.INTER_LINEAR)
    low, high = _SURE
    return np.rint(255 * np.clip((found - low) / (high - low), 0, 1)).astype(np.uint8)


def _share_seen(alpha: np.ndarray, face: Face) -> float:
    mask = np.zeros_like(alpha)
    cv2.fillPoly(mask, [np.round(face.outline).astype(np.int32)], 1)
    return float(alpha[mask > 0].mean() / 255) if mask.any() else 0.0


def _fill(image: np.ndarray, hidden: np.ndarray) -> np.ndarray:
    """The image, and where it is hidden, (h, w) uint8, what is around goes on: means over ever larger surroundings.

    A pyramid of sums and weights, read from its top down (Gortler et al., "The Lumigraph", 1996: push and pull).
    """
    seen = through_layer(image, hidden)
    levels: list[np.ndarray] = [cv2.pyrDown(np.dstack([seen, cv2.bitwise_not(hidden)])).astype(np.float32)]
    levels[0][..., 3] /= 255
    while min(levels[-1].shape[:2]) > 4:
        levels.append(cv2.pyrDown(levels[-1]))
    coarse: np.ndarray = levels[-1][..., :3] / np.maximum(levels[-1][..., 3:], 1e-6)
    for level in levels[-2::-1]:
        coarse = cv2.pyrUp(coarse, dstsize=level.shape[1::-1])
        coarse = coarse + _pulled(level, coarse)
    whole = cv2.pyrUp(np.clip(np.rint(coarse), 0, 255).astype(np.uint8), dstsize=image.shape[1::-1])
    return cv2.add(seen, through_layer(whole, cv2.bitwise_not(hidden)))


def _pulled(level: np.ndarray, coarse: np.ndarray) -> np.ndarray:
    weight = level[..., 3:]
    sure = np.minimum(1, 4 * weight)
    return sure * (level[..., :3] / np.maximum(weight, 1e-6) - coarse)
