"""Closing eyes: the upper lid drawn down over the eye, of the photo's own skin, with its lashes along the edge.

Two layers per eye. Skin from the fold above is stretched down to where the edge of the lid is. The lashes, and the line
in which the lids meet, are a shade along that edge: by how much the edge of the open lid is darker than the skin above
it. It is turned down, since lashes that point up from an open lid point down from a closed one.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from gaze.engines.warp.ease import fall
from gaze.engines.warp.lids import Lids
from gaze.face.face import Contours
from gaze.grid import Expression
from gaze.photo.remapping import NO_MAP

# Lengths in iris distances.
_FOLD, _TO_BROW = 0.16, 0.6
"""Above the edge of the upper lid, as far as its skin is stretched; and at most this share of the way to the brow."""
_LASHES = 0.075
"""Of the strip along the edge of the open lid that is lashes, not skin."""
_LINE, _LINE_DEPTH = 0.014, 0.35
"""Half the width of the line in which closed lids meet, and how dark it is at least."""
_OVER, _OVER_GAP = 0.01, 0.1
"""How far beyond the edge of the lower lid the upper one comes to lie, and more of that by the gap: where the edge is
is not known that well."""
_STRETCH = 0.85
"""Skin is stretched more towards the edge, as far as this share of what would turn it over."""
_BELOW = 0.06
"""Over which the shade of the lashes ends below the edge."""
_CORNER = 0.15
"""Beyond the corners, over which all of that ends."""
_SMOOTH = 0.03
"""Blur across the lid of skin that is stretched much, which would look combed."""
_UNDER, _FROM_UNDER = 0.13, 0.3
"""Below the edge of the lower lid, where its skin lends the closed lid colour, and how much: the fold lies in shade."""


@dataclass(frozen=True)
class ClosingLid:
    """The upper lid of one eye. Fields are of a patch of the portrait around it.

    Attributes:
        corner: x, y of the patch's first pixel.
        patch: (h, w, 3) float32 RGB.
        shade: (h, w, 3) float32, 0 to 1: what lashes take from the skin at the edge of the open lid.
        depth: (h, w) float32, pixels below the edge of the upper lid.
        gap: (h, w) float32, pixels from there to the edge of the lower lid, on the same line across the eye.
        inside: (h, w) float32: 1 between the corners, less and less beyond them.
        smooth: (h, w, 3) float32, the patch blurred.
        fold: pixels above the upper lid's edge as far as skin is stretched.
        across: (2,) the way down in the image.
        unit: iris distance in pixels.
    """

    corner: tuple[int, int]
    patch: np.ndarray
    shade: np.ndarray
    depth: np.ndarray
    gap: np.ndarray
    inside: np.ndarray
    smooth: np.ndarray
    fold: float
    across: np.ndarray
    unit: float

    def drawn(self, closed: float) -> np.ndarray:
        """The lid, closed so far (0 to 1): (h, w, 4) float32 RGB times alpha, and alpha."""
        unit, depth, fold = self.unit, self.depth, self.fold
        edge = closed * (self.gap * (1 + _OVER_GAP) + _OVER * unit * self.inside)
        lashes = np.minimum(_LASHES * unit, 0.5 * fold) * self.inside * min(1.0, 4 * closed)
        way = edge + lashes
        part = np.clip((depth + fold) / (fold + edge), 0, 1)
        power = np.clip(_STRETCH * (fold + edge) / np.maximum(way, 1e-3), 1, 3)
        way_here = way * part**power
        skin = self._moved(self.patch, way_here)
        much = np.clip(way_here / (0.15 * unit), 0, 1)[..., None]
        skin += much * (self._moved(self.smooth, way_here) - skin)
        under = self._moved(self.smooth, depth - self.gap - _UNDER * unit)
        skin += _FROM_UNDER * much * (under - skin)
        below = depth - edge
        # Turned down at the edge; above it what is left of the lashes fades.
        shade = self._moved(self.shade, depth + np.abs(below))
        shade = shade * np.clip(1 - np.abs(below) / max(_BELOW * unit, 1), 0, 1)[..., None]
        line = _LINE_DEPTH * np.exp(-((below / max(_LINE * unit, 0.7)) ** 2))
        shade = (1 - (1 - shade) * (1 - line[..., None])) * (self.inside**3 * min(1.0, 4 * closed))[..., None]
        cover = np.clip(0.5 - below / max(1.0, 0.012 * unit), 0, 1) * np.clip((depth + fold) / (0.3 * fold), 0, 1)
        cover = (cover * np.clip(way / 1.5, 0, 1))[..., None]
        alpha = cover + (1 - cover) * shade.mean(-1, keepdims=True)
        return np.dstack([skin * (1 - shade) * cover, alpha]).astype(np.float32)

    def _moved(self, picture: np.ndarray, way: np.ndarray) -> np.ndarray:
        """A picture of the patch of which each place shows what lies `way` pixels further up across the eye."""
        y, x = np.mgrid[: way.shape[0], : way.shape[1]].astype(np.float32)
        at = np.dstack([x - way * self.across[0], y - way * self.across[1]]).astype(np.float32)
        return cv2.remap(picture, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def find_closing_lid(image: np.ndarray, contours: Contours, brow: Contours, unit: float) -> ClosingLid:
    """What is needed to close one eye.

    Args:
        image: (height, width, 3) uint8 RGB.
        contours: the edges of its lids.
        brow: the edges of the brow above it.
        unit: iris distance in pixels.
    """
    lids = Lids(contours)
    points = np.vstack([contours.upper, contours.lower])
    margin = (_FOLD + 0.12) * unit
    x0, y0 = np.maximum(np.floor(points.min(0) - margin), 0).astype(int)
    x1, y1 = np.ceil(points.max(0) + margin).astype(int) + 1
    patch = image[y0:y1, x0:x1].astype(np.float32)
    y, x = np.mgrid[y0 : y0 + patch.shape[0], x0 : x0 + patch.shape[1]].astype(np.float32)
    depth = lids.depth(x, y)
    along, _ = lids.local(x, y)
    beyond = np.maximum(np.maximum(-along, along - lids.length), 0) / (_CORNER * unit)
    to_brow = float(-lids.depth(brow.lower[:, 0], brow.lower[:, 1]).min())
    lid = ClosingLid(
        (int(x0), int(y0)),
        patch,
        np.zeros_like(patch),
        depth.astype(np.float32),
        np.maximum(depth + lids.height(x, y), 0).astype(np.float32),
        fall(beyond).astype(np.float32),
        cv2.GaussianBlur(patch, (0, 0), max(0.5, _SMOOTH * unit)),
        float(np.clip(_TO_BROW * to_brow, 1.5 * _LASHES * unit, _FOLD * unit)),
        lids.across.astype(np.float32),
        unit,
    )
    # The skin that the lashes hide: that just above them, all along.
    skin = lid._moved(lid.smooth, lid.depth + _LASHES * unit)
    shade = np.clip(1 - patch / np.maximum(skin, 1), 0, 0.9)
    strip = np.clip((depth + 1.6 * _LASHES * unit) / (0.4 * _LASHES * unit), 0, 1)[..., None]
    return replace(lid, shade=(shade * strip).astype(np.float32))


def closed_eyes(expression: Expression) -> tuple[float, float]:
    """How far the left and the right eye are closed, 0 to 1: all that this engine does of an expression."""
    blink = max(0.0, expression.blink)
    return max(blink, expression.wink_left), max(blink, expression.wink_right)


def draw_lid(
    lid: ClosingLid, closed: float, frame: np.ndarray, positions: np.ndarray, region: tuple[int, int], moved: np.ndarray
) -> None:
    """Put a lid into a frame that shows the open eye.

    Args:
        lid: of one eye.
        closed: 0 to 1.
        frame: (height, width, 3) uint8, drawn into.
        positions: (h, w, 2) float32, for each pixel of the warped region the region's position it shows.
        region: x, y of the region's first pixel in the frame.
        moved: x, y in pixels, how far the head carries the eye.
    """
    height, width = lid.depth.shape
    left, top = np.round(np.subtract(lid.corner, region) + moved).astype(int)
    rows = slice(max(top, 0), min(top + height, positions.shape[0]))
    cols = slice(max(left, 0), min(left + width, positions.shape[1]))
    at = positions[rows, cols] + np.array(np.subtract(region, lid.corner), np.float32)
    if min(at.shape) < 2:
        return
    layer = cv2.remap(lid.drawn(closed), at, NO_MAP, cv2.INTER_LINEAR)
    view = frame[region[1] + rows.start : region[1] + rows.stop, region[0] + cols.start : region[0] + cols.stop]
    view[:] = np.clip(view * (1 - layer[..., 3:]) + layer[..., :3] + 0.5, 0, 255).astype(np.uint8)
