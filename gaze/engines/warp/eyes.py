"""Eyes as layers: the white rebuilt behind the iris, the iris completed to a disc, its highlight, the lids on top.

An iris that is moved by warping the picture smears against the lids. Here it is a disc of its own, drawn after the head
was warped, shifted as a whole, and clipped by the opening between the lids, which moves with the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.engines.warp.lids import Lids
from gaze.engines.warp.sclera import rebuild_white
from gaze.face.face import Contours, Face, Iris
from gaze.photo.remapping import NO_MAP

_RIM = 0.16
"""Softness of the iris border, in radii."""
_HIGHLIGHT_LAG = 0.5
"""Share of the iris's shift that its highlight makes. A reflection of a far light keeps its place on the cornea's
sphere, whose centre lies about half as far from the eye's centre of rotation as the iris does (5.6 and 10 mm)."""
_PURE = 0.88
"""Radius, in the iris's own, up to which a pixel shows nothing of the white: photos are soft."""


@dataclass(frozen=True)
class Eye:
    """The layers of one eye. Patches are parts of the portrait around it, discs are squares around the iris's centre.

    Attributes:
        corner: x, y of the patches' first pixel.
        iris: centre and radius in portrait pixels.
        white: (h, w, 3) float32, the patch without the iris.
        opening: (h, w, 4) float32: 1 between the lids; then what the layers at rest lack of the portrait.
        disc: (s, s, 4) float32, colour and coverage of the whole iris; colour premultiplied.
        light: (s, s, 3) float32, the highlight that is added on top.
    """

    corner: tuple[int, int]
    iris: Iris
    white: np.ndarray
    opening: np.ndarray
    disc: np.ndarray
    light: np.ndarray


def find_eye(image: np.ndarray, face: Face, iris: Iris, contours: Contours) -> Eye:
    """Take one eye of a portrait apart.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: the face the eye belongs to.
        iris: its left or right iris.
        contours: the edges of its lids.
    """
    unit = face.iris_distance
    reach_x, reach_y = 0.46 * unit + 2, 0.40 * unit + 2
    x0, y0 = max(0, int(iris.x - reach_x)), max(0, int(iris.y - reach_y))
    x1, y1 = min(image.shape[1], int(iris.x + reach_x) + 1), min(image.shape[0], int(iris.y + reach_y) + 1)
    patch = image[y0:y1, x0:x1].astype(np.float32)
    y, x = np.mgrid[: y1 - y0, : x1 - x0].astype(np.float32)
    lids = Lids(contours).shifted(-x0, -y0)
    local = Iris(iris.x - x0, iris.y - y0, iris.radius)
    inside = lids.coverage(x, y)
    distance = np.hypot(x - local.x, y - local.y) / iris.radius
    white = rebuild_white(patch, lids, local, inside)
    colour, light = _complete_iris(patch, inside, distance)
    disc, light = _cut_disc(colour, light, local)
    nothing = np.zeros_like(patch)
    eye = Eye((x0, y0), iris, white, np.dstack([inside, nothing]), disc, light)
    rest = patch - _compose(eye, white, inside[..., None], local.x, local.y, np.zeros(2))
    return Eye((x0, y0), iris, white, np.dstack([inside, rest]), disc, light)


def erase_irises(image: np.ndarray, eyes: tuple[Eye, Eye]) -> np.ndarray:
    """The portrait with the whites of the eyes where the irises were."""
    bare = image.copy()
    for eye in eyes:
        x, y = eye.corner
        height, width = eye.white.shape[:2]
        bare[y : y + height, x : x + width] = np.clip(eye.white + 0.5, 0, 255).astype(np.uint8)
    return bare


def draw_eye(
    eye: Eye, frame: np.ndarray, positions: np.ndarray, region: tuple[int, int], moved: np.ndarray, shift: np.ndarray
) -> None:
    """Put an iris into a frame whose head has been warped.

    Args:
        eye: the layers.
        frame: (height, width, 3) uint8, drawn into.
        positions: (h, w, 2) float32, for each pixel of the warped region the region's position it shows.
        region: x, y of the region's first pixel in the frame.
        moved: x, y in pixels, how far the head carries the eye.
        shift: x, y in pixels, how far the gaze moves the iris inside the eye.
    """
    height, width = eye.white.shape[:2]
    left, top = np.round(np.subtract(eye.corner, region) + moved).astype(int)
    rows = slice(max(top, 0), min(top + height, positions.shape[0]))
    cols = slice(max(left, 0), min(left + width, positions.shape[1]))
    at = positions[rows, cols] + np.array(np.subtract(region, eye.corner), np.float32)
    if min(at.shape) < 2:
        return
    view = frame[region[1] + rows.start : region[1] + rows.stop, region[0] + cols.start : region[0] + cols.stop]
    layers = cv2.remap(eye.opening, at, NO_MAP, cv2.INTER_LINEAR)
    x = eye.iris.x + moved[0] - region[0] - cols.start
    y = eye.iris.y + moved[1] - region[1] - rows.start
    drawn = _compose(eye, view.astype(np.float32), layers[..., :1], x, y, shift)
    drawn += layers[..., 1:] * np.float32(np.exp(-((np.hypot(*shift) / (0.15 * eye.iris.radius)) ** 2)))
    view[:] = np.clip(drawn + 0.5, 0, 255).astype(np.uint8)


def _compose(eye: Eye, below: np.ndarray, opening: np.ndarray, x: float, y: float, shift: np.ndarray) -> np.ndarray:
    """The iris that rests at (x, y) moved by `shift` and drawn over `below`, clipped by the opening; its highlight."""
    size = below.shape[1::-1]
    disc = _place(eye.disc, x + shift[0], y + shift[1], size)
    light = _place(eye.light, x + _HIGHLIGHT_LAG * shift[0], y + _HIGHLIGHT_LAG * shift[1], size)
    cover = disc[..., 3:]
    return below + opening * (disc[..., :3] + light * cover - below * cover)


def _place(square: np.ndarray, x: float, y: float, size: tuple[int, ...]) -> np.ndarray:
    """A square of layers with its middle at (x, y) of an empty picture."""
    half = square.shape[0] // 2
    move = np.array([[1, 0, x - half], [0, 1, y - half]], np.float64)
    return cv2.warpAffine(square, move, size, flags=cv2.INTER_LINEAR)


def _complete_iris(patch: np.ndarray, opening: np.ndarray, distance: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The iris with what the lids hide filled in by its typical colour at the same radius; and its highlight apart."""
    visible = (opening > 0.9) & (distance < _PURE)
    rings = 10
    ring = np.minimum((distance * rings / _PURE).astype(int), rings)
    profile = np.zeros((rings + 1, 3), np.float32)
    last = np.median(patch[visible if visible.any() else distance < _PURE], axis=0)
    for index in range(rings + 1):
        there = visible & (ring == index)
        # Highlights are bright and lashes dark: the median passes both over.
        last = np.median(patch[there], axis=0) if there.sum() >= 3 else last
        profile[index] = last
    position = np.clip(distance * rings / _PURE - 0.5, 0, rings - 1)
    low = np.minimum(position.astype(int), rings - 1)
    share = (position - low)[..., None]
    typical = profile[low] * (1 - share) + profile[low + 1] * share
    excess = (patch - typical).mean(2)
    spread = float(np.std(excess[visible])) if visible.any() else 0.0
    bright = (excess > max(25.0, 1.5 * spread)) & visible
    glow = cv2.GaussianBlur(cv2.dilate(bright.astype(np.float32), np.ones((3, 3))), (0, 0), 0.6)[..., None]
    light = np.clip(patch - typical, 0, None) * glow
    known = (np.clip((opening - 0.7) / 0.3, 0, 1) * np.clip((_PURE - distance) / 0.1 + 0.5, 0, 1))[..., None]
    return (patch - light) * known + typical * (1 - known), light * known


def _cut_disc(colour: np.ndarray, light: np.ndarray, iris: Iris) -> tuple[np.ndarray, np.ndarray]:
    """The iris as centred squares: premultiplied colour and coverage (s, s, 4), its highlight (s, s, 3); float32."""
    half = int(np.ceil(iris.radius * (1 + _RIM))) + 2
    size = 2 * half + 1
    move = np.array([[1, 0, half - iris.x], [0, 1, half - iris.y]], np.float64)
    square, shine = (
        cv2.warpAffine(layer.astype(np.float32), move, (size, size), flags=cv2.INTER_LINEAR, borderMode=border)
        for layer, border in ((colour, cv2.BORDER_REPLICATE), (light, cv2.BORDER_CONSTANT))
    )
    y, x = np.mgrid[:size, :size] - half
    cover = np.clip((1 + _RIM / 2 - np.hypot(x, y) / iris.radius) / _RIM, 0, 1).astype(np.float32)
    return np.dstack([square * cover[..., None], cover]), shine
