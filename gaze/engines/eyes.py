"""Eyes as layers: the white rebuilt behind the iris, the iris completed to a disc, its highlight, the lids on top.

An iris that is moved by warping the picture smears against the lids. Here it is a disc of its own, drawn after the head
was warped, shifted as a whole, and clipped by the opening between the lids, which moves with the head.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np

from gaze.faces import Face, Iris

# Half the width of an opening, how far its middle lies below the iris, in iris distances.
_HALF_WIDTH = 0.25
_LID_SEARCH_UP, _LID_SEARCH_DOWN = np.linspace(-1.15, -0.35, 17), np.linspace(0.55, 1.25, 15)
_EDGE = 0.14
"""Softness of the iris border, in radii."""
_NO_MAP = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class Eye:
    """The layers of one eye; arrays are patches of the portrait around it.

    Attributes:
        corner: x, y of the patch's first pixel.
        iris: centre and radius in portrait pixels.
        opening: (h, w) float32, 1 between the lids.
        white: (h, w, 3) float32, the patch without the iris.
        disc: (s, s, 4) float32, colour and coverage of the whole iris, centred; colour premultiplied.
        light: (h, w, 3) float32, the highlight that is added on top.
        rest: (h, w, 3) float32, what the layers at rest lack of the portrait.
    """

    corner: tuple[int, int]
    iris: Iris
    opening: np.ndarray
    white: np.ndarray
    disc: np.ndarray
    light: np.ndarray
    rest: np.ndarray


def find_eye(image: np.ndarray, face: Face, iris: Iris) -> Eye:
    """Take one eye of a portrait apart.

    Args:
        image: (height, width, 3) uint8 RGB.
        face: the face the eye belongs to.
        iris: its left or right iris.
    """
    unit = face.iris_distance
    reach_x, reach_y = 0.46 * unit + 2, 0.40 * unit + 2
    x0, y0 = max(0, int(iris.x - reach_x)), max(0, int(iris.y - reach_y))
    x1, y1 = min(image.shape[1], int(iris.x + reach_x) + 1), min(image.shape[0], int(iris.y + reach_y) + 1)
    patch = image[y0:y1, x0:x1].astype(np.float32)
    px, py = np.meshgrid(np.arange(x0, x1) - iris.x, np.arange(y0, y1) - iris.y)
    cos, sin = np.cos(face.roll), np.sin(face.roll)
    u, v = (px * cos + py * sin) / unit, (py * cos - px * sin) / unit
    radius = iris.radius / unit

    upper, lower = _find_lids(patch, u, v, radius)
    opening = _opening(u, v, upper, lower, 1.0 / unit)
    distance = np.hypot(u, v) / radius
    white = _rebuild_white(patch, u, v, opening, distance)
    colour, light = _complete_iris(patch, distance, opening)
    local = Iris(iris.x - x0, iris.y - y0, iris.radius)
    disc = _cut_disc(colour, local)
    bare = Eye((x0, y0), iris, opening, white, disc, light, np.zeros_like(patch))
    rest = patch - _compose(bare, white, opening, light, local.x, local.y)
    return Eye((x0, y0), iris, opening, white, disc, light, rest)


def erase_irises(image: np.ndarray, eyes: tuple[Eye, Eye]) -> np.ndarray:
    """The portrait with the whites of the eyes where the irises were."""
    bare = image.copy()
    for eye in eyes:
        x, y = eye.corner
        height, width = eye.opening.shape
        bare[y : y + height, x : x + width] = np.clip(eye.white + 0.5, 0, 255).astype(np.uint8)
    return bare


def draw_eye(eye: Eye, frame: np.ndarray, positions: np.ndarray, region: tuple[int, int], shift: np.ndarray) -> None:
    """Put an iris into a frame whose head has been warped.

    Args:
        eye: the layers.
        frame: (height, width, 3) uint8, drawn into.
        positions: (h, w, 2) float32, for each pixel of the warped region the region's position it shows.
        region: x, y of the region's first pixel in the frame.
        shift: x, y in pixels, how far the gaze moves the iris inside the eye.
    """
    near = positions + np.array(np.subtract(region, eye.corner), np.float32)
    height, width = eye.opening.shape
    # The head's warp is smooth, so where the eye's middle went tells where its patch went.
    inside = (near[..., 0] > 1) & (near[..., 0] < width - 2) & (near[..., 1] > 1) & (near[..., 1] < height - 2)
    rows, cols = np.flatnonzero(inside.any(1)), np.flatnonzero(inside.any(0))
    if not len(rows):
        return
    top, left = rows[0], cols[0]
    at = np.ascontiguousarray(near[top : rows[-1] + 1, left : cols[-1] + 1])
    view = frame[region[1] + top : region[1] + rows[-1] + 1, region[0] + left : region[0] + cols[-1] + 1]
    layers = np.dstack([eye.opening, eye.light, eye.rest])
    opening, light, rest = np.split(_remap(layers, at), [1, 4], axis=2)
    x, y = _locate(at, eye.iris.x - eye.corner[0], eye.iris.y - eye.corner[1])
    drawn = _compose(eye, view.astype(np.float32), opening[..., 0], light, x + shift[0], y + shift[1])
    near_rest = np.exp(-((np.hypot(*shift) / (0.25 * eye.iris.radius)) ** 2))
    view[:] = np.clip(drawn + rest * near_rest + 0.5, 0, 255).astype(np.uint8)


def _remap(layers: np.ndarray, at: np.ndarray) -> np.ndarray:
    """cv2.remap takes at most four channels with a border."""
    parts = [
        np.atleast_3d(cv2.remap(np.ascontiguousarray(part), at, _NO_MAP, cv2.INTER_LINEAR))
        for part in np.split(layers, range(4, layers.shape[2], 4), axis=2)
    ]
    return np.dstack(parts)


def _locate(at: np.ndarray, x: float, y: float) -> tuple[float, float]:
    """Where in the map `at` the position (x, y) shows: the inverse of the map at one point."""
    far = (at[..., 0] - x) ** 2 + (at[..., 1] - y) ** 2
    nearest = divmod(int(far.argmin()), far.shape[1])
    row, col = min(max(nearest[0], 1), at.shape[0] - 2), min(max(nearest[1], 1), at.shape[1] - 2)
    jacobian = np.stack([at[row, col + 1] - at[row, col - 1], at[row + 1, col] - at[row - 1, col]], 1) / 2
    step = np.linalg.solve(jacobian, np.array([x, y]) - at[row, col])
    return col + float(step[0]), row + float(step[1])


def _compose(eye: Eye, below: np.ndarray, opening: np.ndarray, light: np.ndarray, x: float, y: float) -> np.ndarray:
    """The iris at patch position (x, y) over `below`, clipped by the opening, and the highlight."""
    half = eye.disc.shape[0] // 2
    place = np.array([[1, 0, x - half], [0, 1, y - half]], np.float64)
    disc = cv2.warpAffine(eye.disc, place, below.shape[1::-1], flags=cv2.INTER_LINEAR)
    cover = opening[..., None] * disc[..., 3:]
    return below * (1 - cover) + opening[..., None] * (disc[..., :3] + light * disc[..., 3:])


def _find_lids(patch: np.ndarray, u: np.ndarray, v: np.ndarray, radius: float) -> tuple[float, float]:
    """Heights v of the upper and lower lid above and below the iris centre, from the steps in brightness there."""
    grey = cv2.GaussianBlur(patch.mean(2), (0, 0), 0.8)
    near = np.abs(u) < 0.6 * radius
    step = 0.12 * radius

    def level(at: float) -> float:
        weight = near * np.clip(1 - np.abs(v - at) / step, 0, 1)
        return float((grey * weight).sum() / max(weight.sum(), 1e-6))

    def best(candidates: np.ndarray, sign: int, expected: float) -> float:
        contrast = max(float(grey.std()), 1.0)
        scores = [
            sign * (level(c * radius + step) - level(c * radius - step)) / contrast - 0.6 * (c - expected) ** 2
            for c in candidates
        ]
        return float(candidates[int(np.argmax(scores))]) * radius

    return best(_LID_SEARCH_UP, -1, -0.8), best(_LID_SEARCH_DOWN, 1, 0.95)


def _opening(u: np.ndarray, v: np.ndarray, upper: float, lower: float, pixel: float) -> np.ndarray:
    """Two parabolas through the corners of the eye; soft over about two pixels."""
    along = np.clip(1 - (u / _HALF_WIDTH) ** 2, 0, 1)
    corner = 0.3 * lower
    top = corner + (upper - corner) * along
    bottom = corner + (lower - corner) * along
    soft = max(1.5 * pixel, 0.018)
    inside = np.minimum(v - top, bottom - v) / soft
    return np.clip(inside * 0.5 + 0.5, 0, 1).astype(np.float32) * (along > 0)


def _rebuild_white(
    patch: np.ndarray, u: np.ndarray, v: np.ndarray, opening: np.ndarray, distance: np.ndarray
) -> np.ndarray:
    """The patch with the white of the eye, continued from what is visible of it, in place of the iris."""
    grey = patch.mean(2)
    seen = (opening > 0.9) & (distance > 1.2) & (distance < 2.2)
    if seen.sum() >= 6:
        # Lashes and the rim of the iris are dark: the brighter half is the white.
        seen &= grey >= np.percentile(grey[seen], 50)
    else:
        seen = (opening < 0.1) & (distance < 3)
    terms = np.stack([np.ones_like(u), u, v], -1)
    damping = np.diag([0.0, 0.02, 0.02]) * max(int(seen.sum()), 1)
    a, b = terms[seen], patch[seen]
    model = terms @ np.linalg.solve(a.T @ a + damping + 1e-6 * np.eye(3), a.T @ b)
    model = np.clip(model, b.min(0), b.max(0))
    cover = np.clip((1.3 - distance) / 0.2, 0, 1) * opening
    return (patch * (1 - cover[..., None]) + model * cover[..., None]).astype(np.float32)


def _complete_iris(patch: np.ndarray, distance: np.ndarray, opening: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The iris with what the lids hide filled in by its mean colour at the same radius; and its highlight apart."""
    visible = (opening > 0.85) & (distance < 1.25)
    rings = np.clip((distance * 8).astype(int), 0, 12)
    profile = np.zeros((13, 3), np.float32)
    last = np.median(patch[distance < 0.9], axis=0)
    for ring in range(13):
        there = visible & (rings == ring)
        last = np.median(patch[there], axis=0) if there.sum() >= 3 else last
        profile[ring] = last
    position = np.clip(distance * 8 - 0.5, 0, 12)
    low = np.floor(position).astype(int)
    t = (position - low)[..., None]
    mean = profile[low] * (1 - t) + profile[np.minimum(low + 1, 12)] * t
    excess = (patch - mean).mean(2)
    threshold = max(25.0, 2.0 * float(np.std(excess[visible & (distance < 0.9)])) if visible.any() else 25.0)
    bright = cv2.GaussianBlur(((excess > threshold) & visible & (distance < 0.85)).astype(np.float32), (0, 0), 0.8)
    light = np.clip(patch - mean, 0, None) * np.clip(bright * 2, 0, 1)[..., None]
    known = np.clip((opening - 0.6) / 0.4, 0, 1)[..., None]
    colour = (patch - light) * known + mean * (1 - known)
    return colour.astype(np.float32), light.astype(np.float32)


def _cut_disc(colour: np.ndarray, iris: Iris) -> np.ndarray:
    """The iris as a centred square of colour and coverage, premultiplied: (s, s, 4) float32."""
    half = int(np.ceil(iris.radius * (1 + _EDGE))) + 2
    size = 2 * half + 1
    move = np.array([[1, 0, half - iris.x], [0, 1, half - iris.y]], np.float64)
    square = cv2.warpAffine(colour, move, (size, size), flags=cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    y, x = np.mgrid[:size, :size] - half
    cover = np.clip((1 + _EDGE / 2 - np.hypot(x, y) / iris.radius) / _EDGE, 0, 1).astype(np.float32)
    return np.dstack([square * cover[..., None], cover])
