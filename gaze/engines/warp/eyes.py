"""Eyes as layers: the sclera rebuilt behind the iris, the iris completed to a disc, its highlight, the lids on top.
Reflections on glasses lie over all of them.

An iris that is moved by warping the picture smears against the lids. Here it is a disc of its own, drawn after the head
was warped, shifted as a whole, and clipped by the opening between the lids, which moves with the head.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gaze.engines.warp.gaze import IRIS_REACH
from gaze.engines.warp.glare import find_glare
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.lift import EyePatch, lift_iris
from gaze.engines.warp.sclera import iris_reach, lash_shade, rebuild_sclera
from gaze.face.face import Iris
from gaze.photo.remapping import NO_MAP

_HIGHLIGHT_LAG = 0.56
"""Share of the iris's shift that its highlight makes. A reflection of a far light keeps its place on the cornea's
sphere, whose centre lies about half as far from the eye's centre of rotation as the iris does (5.6 and 10 mm)."""
_STAYS = 0.55
"""Radii from the centre that a highlight stays within, where it did so at rest: nearer to the rim it is lost."""
_SCLERA, _DISC = 2.4, 1.55
"""Iris radii around an iris that a patch must hold: for the sclera, and for what an iris covers wherever it looks."""
_LIT = (0.8, 0.98)
"""Radii up to which a highlight is as bright as in the photo, and from which on it is gone."""
_UNDER = 0.5
"""Widths of the upper lid's soft edge that an iris goes on under it: in it, as a photo shows it, sclera shines."""
_CENTRE, _STEEPEST = 2.2, 0.5
"""Radii from an iris to the centre that its eye turns around, by which it is foreshortened; the largest sine of that
angle. By anatomy, 10 mm and 5.9 mm, it were 1.7 radii: irises as narrow as that are no longer taken for round."""
_FAINT = 1e-3
_GLARING = 0.05
"""Share of a reflection from which on nothing is read of the eye behind it."""


@dataclass(frozen=True)
class Eye:
    """The layers of one eye. Patches are parts of the portrait around it, discs are squares around the iris's centre.

    Attributes:
        corner: x, y of the patches' first pixel.
        iris: centre and radius in portrait pixels.
        sclera: (h, w, 3) float32, the patch without the iris.
        lids: (h, w, 2) float32: 1 between the lids; how dark the upper one's shadow makes an iris, 1 where not at all.
        rest: (h, w, 3) float32, what the layers at rest lack of the portrait.
        disc: (s, s, 4) float32, colour and coverage of the whole iris; colour premultiplied.
        off: x and y of the iris's centre beside the discs' middle pixel.
        light: (s, s, 3) float32, the highlight: the share of what the iris lacks of white that it adds.
        glint: (2,) x and y of its middle beside the iris's centre, in pixels.
        lit: (s, s) float32, where it is: it fades towards the rim, or it would bite into the iris.
        glare: (h, w) float32, reflections on glasses: the share of what is behind them lacks of white that they add;
            None where there are none.
    """

    corner: tuple[int, int]
    iris: Iris
    sclera: np.ndarray
    lids: np.ndarray
    rest: np.ndarray
    disc: np.ndarray
    light: np.ndarray
    glint: np.ndarray
    lit: np.ndarray
    off: tuple[float, float]
    glare: np.ndarray | None = None


def find_eye(
    image: np.ndarray, unit: float, iris: Iris, lids: Lids, glasses: bool = False, reach: float = IRIS_REACH
) -> Eye:
    """Take one eye of a portrait apart.

    Args:
        image: (height, width, 3) uint8 RGB.
        unit: iris distance in pixels.
        iris: of the eye.
        lids: around it.
        glasses: whether it is behind some, which may mirror light.
        reach: iris distances that the iris may move across.
    """
    around = max(_SCLERA * iris.radius, _DISC * iris.radius + reach * unit) + 3
    x0, y0 = max(0, int(iris.x - around)), max(0, int(iris.y - around))
    x1, y1 = min(image.shape[1], int(iris.x + around) + 1), min(image.shape[0], int(iris.y + around) + 1)
    patch = image[y0:y1, x0:x1].astype(np.float32)
    y, x = np.mgrid[: y1 - y0, : x1 - x0].astype(np.float32)
    lids = lids.shifted(-x0, -y0)
    local = Iris(iris.x - x0, iris.y - y0, iris.radius)
    inside = lids.coverage(x, y)
    distance = np.hypot(x - local.x, y - local.y) / iris.radius
    glare = find_glare(patch, inside, distance, iris.radius) if glasses else None
    behind = patch
    if glare:
        # At rest, the reflections make the photo of this.
        behind = 255 - (255 - patch) / (1 - glare.share[..., None])
        patch = glare.clear
        inside = inside * (glare.share < _GLARING)
    seen = iris_reach(patch, inside, distance)
    sclera = rebuild_sclera(patch, lids, local, inside, seen)
    depth, height = lids.depth(x, y) / iris.radius, lids.height(x, y) / iris.radius
    layer, light, shadow = lift_iris(EyePatch(patch, sclera, inside, local, distance, depth, height), seen)
    lit = np.clip((_LIT[1] - distance) / (_LIT[1] - _LIT[0]), 0, 1)[..., None]
    disc, light, lit = (_cut(it, local, seen) for it in (layer, light, lit))
    off = (local.x % 1, local.y % 1)
    shade = lash_shade(sclera, lids, iris.radius)
    covers = np.dstack([lids.coverage(x, y, _UNDER), np.minimum(shadow[..., 0], shade)])
    eye = Eye((x0, y0), iris, sclera, covers, sclera, disc, light, _middle(light, off), lit[..., 0], off)
    eye = replace(eye, glare=glare.share if glare else None)
    return replace(eye, rest=behind - _compose(eye, sclera, eye.lids, local.x, local.y, np.zeros(2)))


def erase_irises(image: np.ndarray, eyes: tuple[Eye, ...]) -> np.ndarray:
    """The portrait with the scleras of the eyes where the irises were."""
    bare = image.copy()
    for eye in eyes:
        x, y = eye.corner
        height, width = eye.sclera.shape[:2]
        bare[y : y + height, x : x + width] = np.clip(eye.sclera + 0.5, 0, 255).astype(np.uint8)
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
    at_rest = float(np.exp(-((np.hypot(*shift) / (0.15 * eye.iris.radius)) ** 2)))
    resting = at_rest > _FAINT
    if resting or eye.glare is not None:
        (height, width), corner = eye.sclera.shape[:2], np.subtract(eye.corner, region) + moved
    else:
        height = width = eye.disc.shape[0] + 2
        corner = np.array([eye.iris.x, eye.iris.y]) - region + moved + shift - height / 2
    left, top = np.round(corner).astype(int)
    rows = slice(max(top, 0), min(top + height, positions.shape[0]))
    cols = slice(max(left, 0), min(left + width, positions.shape[1]))
    at = positions[rows, cols] + np.array(np.subtract(region, eye.corner), np.float32)
    if min(at.shape) < 2:
        return
    view = frame[region[1] + rows.start : region[1] + rows.stop, region[0] + cols.start : region[0] + cols.stop]
    lids = cv2.remap(eye.lids, at, NO_MAP, cv2.INTER_LINEAR)
    x = eye.iris.x + moved[0] - region[0] - cols.start
    y = eye.iris.y + moved[1] - region[1] - rows.start
    drawn = _compose(eye, view.astype(np.float32), lids, x, y, shift)
    if resting:
        drawn += cv2.remap(eye.rest, at, NO_MAP, cv2.INTER_LINEAR) * np.float32(at_rest)
    if eye.glare is not None:
        corner = np.subtract(eye.corner, region) + moved - (cols.start, rows.start)
        drawn += _place(eye.glare, corner, drawn.shape[1::-1])[..., None] * (255 - drawn)
    view[:] = np.clip(drawn + 0.5, 0, 255).astype(np.uint8)


def _compose(eye: Eye, below: np.ndarray, lids: np.ndarray, x: float, y: float, shift: np.ndarray) -> np.ndarray:
    """The iris that rests at (x, y) moved by `shift` and drawn over `below`, in and under the lids; its highlight."""
    size = below.shape[1::-1]
    corner = np.array([x, y]) - eye.off - eye.disc.shape[0] // 2
    middle = np.array([x, y]) + shift
    turned = _turned(shift / eye.iris.radius)
    disc = _place(eye.disc, corner + shift, size, turned, middle)
    light = _place(eye.light, corner + shift + _behind(eye, shift), size)
    lit = _place(eye.lit, corner + shift, size, turned, middle)[..., None]
    seen = below * (1 - disc[..., 3:]) + disc[..., :3] * lids[..., 1:]
    seen += light * lit * (255 - seen)
    return below + lids[..., :1] * (seen - below)


def _behind(eye: Eye, shift: np.ndarray) -> np.ndarray:
    """How far a highlight goes on an iris that has been moved, x and y in pixels: it stays behind, but is not lost."""
    place = eye.glint + (_HIGHLIGHT_LAG - 1) * shift
    most = max(_STAYS * eye.iris.radius, float(np.hypot(*eye.glint)))
    return np.asarray(place * min(1.0, most / max(float(np.hypot(*place)), 1e-6)) - eye.glint)


def _middle(light: np.ndarray, off: tuple[float, float]) -> np.ndarray:
    """Of a highlight, x and y beside the iris's centre; the centre where there is none."""
    weight = light.sum(2)
    y, x = np.indices(weight.shape) - weight.shape[0] // 2
    whole = max(float(weight.sum()), 1e-6)
    middle = np.array([(weight * x).sum(), (weight * y).sum()]) / whole
    return np.asarray(middle - off if weight.any() else np.zeros(2))


def _turned(shift: np.ndarray) -> np.ndarray:
    """(2, 2): how an iris is foreshortened that has moved so many radii, x and y: it turns away along with its eye."""
    sine = float(np.hypot(*shift)) / _CENTRE
    if sine < _FAINT:
        return np.eye(2)
    cosine = math.sqrt(1 - min(sine, _STEEPEST) ** 2)
    way = shift / np.hypot(*shift)
    return np.asarray(np.eye(2) - (1 - cosine) * np.outer(way, way))


def _place(
    square: np.ndarray,
    corner: np.ndarray,
    size: tuple[int, ...],
    turned: np.ndarray | None = None,
    middle: np.ndarray | None = None,
) -> np.ndarray:
    """A square of layers with its first pixel at `corner`, x and y, of an empty picture; `turned` around `middle`."""
    move = np.array([[1, 0, corner[0]], [0, 1, corner[1]]], np.float64)
    if turned is not None and middle is not None:
        move = np.column_stack([turned, turned @ (corner - middle) + middle])
    return cv2.warpAffine(square, move, size, flags=cv2.INTER_CUBIC)


def _cut(layer: np.ndarray, iris: Iris, reach: float) -> np.ndarray:
    """The square around an iris, its middle the pixel that the centre lies in; nothing beyond the patch."""
    half = int(np.ceil(iris.radius * reach)) + 2
    x, y = int(np.floor(iris.x)) + half, int(np.floor(iris.y)) + half
    padded = np.pad(layer, ((2 * half, 2 * half), (2 * half, 2 * half), (0, 0)))
    return np.ascontiguousarray(padded[y : y + 2 * half + 1, x : x + 2 * half + 1])
