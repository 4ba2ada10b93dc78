"""Eyes as layers: the white rebuilt behind the iris, the iris completed to a disc, its highlight, the lids on top.

An iris that is moved by warping the picture smears against the lids. Here it is a disc of its own, drawn after the head
was warped, shifted as a whole, and clipped by the opening between the lids, which moves with the head.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import cv2
import numpy as np

from gaze.engines.warp.gaze import IRIS_REACH
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.sclera import iris_reach, rebuild_white
from gaze.face.face import Iris
from gaze.photo.remapping import NO_MAP

_RIM = 0.16
"""Softness of the iris border, in radii."""
_HIGHLIGHT_LAG = 0.5
"""Share of the iris's shift that its highlight makes. A reflection of a far light keeps its place on the cornea's
sphere, whose centre lies about half as far from the eye's centre of rotation as the iris does (5.6 and 10 mm)."""
_RINGS = np.linspace(0.05, 1.45, 15)
"""Radii, in the iris's own, at which its typical colour is read."""
_SHINES = 0.75
"""A highlight is at least that bright beside the white, and of its colour, the light's: the least share in any one."""
_LASHES = (0.08, 0.18)
"""Distance from a lid's edge, in radii, up to which an iris shows lashes, and from which on it does not."""
_SKIN = 0.5
"""Height above the lower lid, in radii, up to which skin may be taken for the iris."""
_HALO, _FEATHER = 0.1, 0.06
"""How far around a highlight it is bright still, in radii, and over which it is taken away."""
_SHADOW = np.linspace(0.05, 0.75, 8)
"""Depths below the upper lid, in radii, at which its shadow on the iris is read; beyond there is none."""
_DARKEST = 0.35
_WHITE, _DISC = 2.4, 1.55
"""Iris radii around an iris that a patch must hold: for the white, and for what an iris covers wherever it looks."""
_PUPIL, _UNLIT = 0.4, 0.35
"""Radius of a pupil, in the iris's, and the share of what is seen of it that no light falls on."""
_LARGEST_LIGHT = 0.12
"""Share of the iris's area up to which what is bright in it is a highlight; else it is the iris's own."""
_FAINT = 1e-3


@dataclass(frozen=True)
class Eye:
    """The layers of one eye. Patches are parts of the portrait around it, discs are squares around the iris's centre.

    Attributes:
        corner: x, y of the patches' first pixel.
        iris: centre and radius in portrait pixels.
        white: (h, w, 3) float32, the patch without the iris.
        lids: (h, w, 2) float32: 1 between the lids; how dark the upper one's shadow makes an iris, 1 where not at all.
        rest: (h, w, 3) float32, what the layers at rest lack of the portrait.
        disc: (s, s, 4) float32, colour and coverage of the whole iris; colour premultiplied.
        off: x and y of the iris's centre beside the discs' middle pixel.
        light: (s, s, 3) float32, the highlight that is added on top.
    """

    corner: tuple[int, int]
    iris: Iris
    white: np.ndarray
    lids: np.ndarray
    rest: np.ndarray
    disc: np.ndarray
    light: np.ndarray
    off: tuple[float, float]


def find_eye(image: np.ndarray, unit: float, iris: Iris, lids: Lids) -> Eye:
    """Take one eye of a portrait apart.

    Args:
        image: (height, width, 3) uint8 RGB.
        unit: iris distance in pixels.
        iris: of the eye.
        lids: around it.
    """
    around = max(_WHITE * iris.radius, _DISC * iris.radius + IRIS_REACH * unit) + 3
    x0, y0 = max(0, int(iris.x - around)), max(0, int(iris.y - around))
    x1, y1 = min(image.shape[1], int(iris.x + around) + 1), min(image.shape[0], int(iris.y + around) + 1)
    patch = image[y0:y1, x0:x1].astype(np.float32)
    y, x = np.mgrid[: y1 - y0, : x1 - x0].astype(np.float32)
    lids = lids.shifted(-x0, -y0)
    local = Iris(iris.x - x0, iris.y - y0, iris.radius)
    inside = lids.coverage(x, y)
    distance = np.hypot(x - local.x, y - local.y) / iris.radius
    reach = iris_reach(patch, inside, distance)
    white = rebuild_white(patch, lids, local, inside, reach)
    depth, height = lids.depth(x, y) / iris.radius, lids.height(x, y) / iris.radius
    layer, light, shadow = _lift_iris(patch, white, inside, distance, depth, height, reach, iris.radius)
    disc, light, off = *(_cut(it, local, reach) for it in (layer, light)), (local.x % 1, local.y % 1)
    eye = Eye((x0, y0), iris, white, np.dstack([inside, shadow]), white, disc, light, off)
    return replace(eye, rest=patch - _compose(eye, white, eye.lids, local.x, local.y, np.zeros(2)))


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
    lids = cv2.remap(eye.lids, at, NO_MAP, cv2.INTER_LINEAR)
    x = eye.iris.x + moved[0] - region[0] - cols.start
    y = eye.iris.y + moved[1] - region[1] - rows.start
    drawn = _compose(eye, view.astype(np.float32), lids, x, y, shift)
    at_rest = float(np.exp(-((np.hypot(*shift) / (0.15 * eye.iris.radius)) ** 2)))
    if at_rest > _FAINT:
        drawn += cv2.remap(eye.rest, at, NO_MAP, cv2.INTER_LINEAR) * np.float32(at_rest)
    view[:] = np.clip(drawn + 0.5, 0, 255).astype(np.uint8)


def _compose(eye: Eye, below: np.ndarray, lids: np.ndarray, x: float, y: float, shift: np.ndarray) -> np.ndarray:
    """The iris that rests at (x, y) moved by `shift` and drawn over `below`, in and under the lids; its highlight."""
    size = below.shape[1::-1]
    corner = np.array([x, y]) - eye.off - eye.disc.shape[0] // 2
    disc = _place(eye.disc, corner + shift, size)
    light = _place(eye.light, corner + _HIGHLIGHT_LAG * shift, size)
    cover = disc[..., 3:]
    return below + lids[..., :1] * (disc[..., :3] * lids[..., 1:] + light * cover - below * cover)


def _place(square: np.ndarray, corner: np.ndarray, size: tuple[int, ...]) -> np.ndarray:
    """A square of layers with its first pixel at `corner`, x and y, of an empty picture."""
    move = np.array([[1, 0, corner[0]], [0, 1, corner[1]]], np.float64)
    return cv2.warpAffine(square, move, size, flags=cv2.INTER_LINEAR)


def _lift_iris(
    patch: np.ndarray,
    white: np.ndarray,
    opening: np.ndarray,
    distance: np.ndarray,
    depth: np.ndarray,
    height: np.ndarray,
    reach: float,
    radius: float,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """The iris before the white, (h, w, 4) premultiplied, what the lids hide of it made up; its highlight; its shadow.

    At its rim both shine through each other, since photos are soft: the layer is what the white does not explain.
    """
    cover = np.clip((1 + _RIM / 2 - distance) / _RIM, 0, 1)
    # A layer cannot be darker than black: where the rim is dark farther out, it covers more there.
    least = 1 - ((patch + 0.5) / np.maximum(white, 1)).min(2)
    cover = np.maximum(cover, least * np.clip((reach - distance) / 0.1, 0, 1)).astype(np.float32)[..., None]
    layer = np.dstack([patch - (1 - cover) * white, cover])
    clear = np.clip((np.minimum(depth, height) - _LASHES[0]) / (_LASHES[1] - _LASHES[0]), 0, 1)
    visible = (opening > 0.9) & (distance < reach) & (clear == 1)
    typical = _typical(layer, visible, distance)
    shadow = _shadow(layer, typical, (opening > 0.9) & (distance < 0.85), depth)[..., None]
    excess = layer[..., :3] - typical[..., :3] * shadow
    bright = excess.mean(2)
    spread = float(np.std(bright[visible])) if visible.any() else 0.0
    beside = patch / np.maximum(white, 1)
    shines = (beside.min(2) > _SHINES * np.maximum(1, beside.max(2))) & visible & (distance < 1 - _RIM / 2)
    bright = bright > max(25.0, 1.5 * spread)
    spots = _compact(bright & shines, _LARGEST_LIGHT * (distance < 1).sum())
    # Skin that shows where the lower lid was found too low.
    skin = (bright & (height < _SKIN) & (spots == 0)).astype(np.float32)
    spots = cv2.dilate(spots, np.ones((2 * max(1, round(_HALO * radius)) + 1,) * 2))
    soft = max(0.6, _FEATHER * radius)
    glow, skin = (cv2.GaussianBlur(it, (0, 0), soft)[..., None] for it in (spots, skin))
    light = np.clip(excess, 0, None) * glow
    known = (np.clip((opening - 0.7) / 0.3, 0, 1) * clear)[..., None]
    own = np.minimum((layer[..., :3] - light) / shadow, 255 * cover)
    # Around a highlight a sharpened photo is darker, too.
    layer[..., :3] = own + glow * (typical[..., :3] - own)
    sure = known * np.clip(1 - 2 * skin, 0, 1)
    layer = (layer * sure + typical * (1 - sure)) * (distance < reach)[..., None]
    return layer.astype(np.float32), light * known, shadow


def _shadow(layer: np.ndarray, typical: np.ndarray, visible: np.ndarray, depth: np.ndarray) -> np.ndarray:
    """How much of its brightness the upper lid's shadow leaves an iris, (h, w) float32, by the depth below the lid."""
    ratio = layer[visible][:, :3].sum(1) / np.maximum(typical[visible][:, :3].sum(1), 1)
    depths = depth[visible]
    known, left = [], []
    for at in _SHADOW:
        there = ratio[np.abs(depths - at) < 0.06]
        if len(there) >= 3:
            known.append(at)
            left.append(min(1.0, max(_DARKEST, float(np.sort(there)[len(there) // 2]))))
    return np.interp(depth, [*known, 0.9], [*np.maximum.accumulate(left), 1.0]).astype(np.float32)


def _typical(layer: np.ndarray, visible: np.ndarray, distance: np.ndarray) -> np.ndarray:
    """The median of what is visible at the same distance from the iris's centre, (h, w, 4)."""
    inner = distance <= max(0.9, float(distance.min()))
    last = np.array([*np.median(layer[inner], axis=0)[:3], 1], np.float32)
    seen, away = layer[visible], distance[visible]
    profile = []
    for radius in _RINGS:
        there = seen[np.abs(away - radius) < 0.06]
        if len(there) < 3:
            profile.append(last * min(1.0, max(0.0, (1 + _RIM / 2 - radius) / _RIM)))
            continue
        # Highlights are bright and lashes dark: the median passes both over, but on a pupil that is lit for the most.
        last = np.sort(there, axis=0)[int(len(there) * (_UNLIT if radius < _PUPIL else 0.5))]
        profile.append(last)
    channels = [np.interp(distance, _RINGS, values) for values in np.transpose(profile)]
    return np.dstack(channels).astype(np.float32)


def _compact(bright: np.ndarray, most: float) -> np.ndarray:
    """Those of bright spots that are no larger than so many pixels: 1 and 0, float32."""
    _, labels, stats, _ = cv2.connectedComponentsWithStats(bright.astype(np.uint8))
    small = stats[:, cv2.CC_STAT_AREA] <= most
    small[0] = False
    return np.asarray(small[labels], np.float32)


def _cut(layer: np.ndarray, iris: Iris, reach: float) -> np.ndarray:
    """The square around an iris, its middle the pixel that the centre lies in; nothing beyond the patch."""
    half = int(np.ceil(iris.radius * reach)) + 2
    x, y = int(np.floor(iris.x)) + half, int(np.floor(iris.y)) + half
    padded = np.pad(layer, ((2 * half, 2 * half), (2 * half, 2 * half), (0, 0)))
    return np.ascontiguousarray(padded[y : y + 2 * half + 1, x : x + 2 * half + 1])
