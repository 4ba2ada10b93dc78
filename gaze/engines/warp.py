"""The instant engine: 2.5-D image warping on the CPU, with nothing to download.

All lengths are in the face frame: origin between the irises, u through them to the right, v down, unit the distance
between them. How far each part of a face moves is measured on LivePortrait's own frames for this grid (one published
result, made left-right symmetric): `_HEAD` below. Those few points are interpolated to a smooth field that fades to
nothing at the hair's edge, the neck and the picture's border.

Per frame, the field for the pose is inverted on a coarse lattice by fixed-point steps, scaled up, and the moving region
is resampled once. The eyes are layers (`gaze.engines.eyes`), so that irises stay round.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import cv2
import numpy as np

from gaze.engines.eyes import Eye, draw_eye, erase_irises, find_eye
from gaze.faces import Face
from gaze.grid import GAZE_RANGE, Pose
from gaze.portrait import Portrait

_YAW_RANGE = GAZE_RANGE / 2
"""Degrees of head turn for which `_HEAD` was measured."""

# (u, v, shift across at full yaw, shift down at full pitch); points with u > 0 stand for both sides.
_HEAD = (
    (0.00, -0.88, 0.250, 0.233),  # forehead
    (0.00, -0.02, 0.234, 0.246),  # bridge of the nose
    (0.00, 0.76, 0.253, 0.257),  # tip of the nose
    (0.00, 1.69, 0.163, 0.123),  # chin
    (1.07, 0.15, 0.089, 0.140),  # outline of the cheek
    (0.41, 1.09, 0.178, 0.165),  # corner of the mouth
    (0.72, -0.40, 0.206, 0.219),  # brow
    (0.73, -0.02, 0.213, 0.212),  # outer corner of the eye
    (0.27, 0.08, 0.224, 0.225),  # inner corner of the eye
)
# Where motion has faded to nothing: an ellipse through the hair's outer edge and the neck.
_STILL_CENTRE, _STILL_RADII = (0.0, 0.15), (2.0, 2.65)
_FADE = 0.65
"""Share of the way from that rim inwards over which motion sets in; the wider, the less it stretches."""

_BROW = (0.68, -0.46, 0.36, 0.26, -0.08)  # u, v, spread across, spread down, shift down at full raise
_UPPER_LID = (0.50, -0.11, 0.20, 0.06, 0.016)  # ..., shift down when looking fully down
_GAZE_SHIFT = (0.080, 0.013)  # of the irises inside the eyes, across and down, at full gaze

_EDGE_SLOPE = 0.7
_STEPS = 4
_NO_MAP = np.empty((0, 0), np.float32)


@dataclass(frozen=True)
class WarpSource:
    """What `prepare` found out about a portrait.

    Attributes:
        image: the portrait, (height, width, 3) uint8.
        region: x, y, width, height in pixels outside which nothing ever moves.
        lidless: the region with both irises painted out, (height, width, 3) uint8.
        stride: pixels between the points of the lattice on which displacements are computed.
        fields: (4, rows, cols) float32 on the lattice: across per yaw, down per pitch, per brow raise, per look down.
        room: (2, rows, cols) float32, pixels to the nearest picture border, across and down.
        axes: (2, 2): the face frame's u and v as image vectors, in pixels.
        eyes: the layers of both eyes.
    """

    image: np.ndarray
    region: tuple[int, int, int, int]
    lidless: np.ndarray
    stride: int
    fields: np.ndarray
    room: np.ndarray
    axes: np.ndarray
    eyes: tuple[Eye, Eye]


class WarpEngine:
    """See the module's text."""

    name = "warp"

    def prepare(self, portrait: Portrait, face: Face) -> WarpSource:
        """Fields and eye layers of a portrait. A face of any size and tilt; the portrait in the frames' size."""
        image = portrait.image
        axes = _axes(face)
        stride = max(2, round(face.iris_distance / 18))
        x0, y0, width, height = region = _moving_region(face, axes, portrait.width, portrait.height)
        # Lattice points lie at the middle of blocks of stride × stride pixels, the convention of cv2.resize.
        across = (np.arange(-(-width // stride)) + 0.5) * stride - 0.5 + x0
        down = (np.arange(-(-height // stride)) + 0.5) * stride - 0.5 + y0
        px, py = np.meshgrid(across, down)
        u, v = _to_face(px, py, face, axes)
        room = np.stack([np.minimum(px, portrait.width - 1 - px), np.minimum(py, portrait.height - 1 - py)])
        eyes = (find_eye(image, face, face.left), find_eye(image, face, face.right))
        lidless = erase_irises(image, eyes)[y0 : y0 + height, x0 : x0 + width]
        fields = _fields(u, v).astype(np.float32)
        room = np.maximum(room, 0).astype(np.float32)
        return WarpSource(image, region, np.ascontiguousarray(lidless), stride, fields, room, axes, eyes)

    def render(self, source: WarpSource, poses: Sequence[Pose]) -> np.ndarray:
        """One frame for each pose: (len(poses), height, width, 3) uint8."""
        frames = np.empty((len(poses), *source.image.shape), np.uint8)

        def render_one(index: int) -> None:
            frames[index] = source.image
            _render_region(source, poses[index], frames[index])

        with ThreadPoolExecutor(os.cpu_count()) as pool:
            list(pool.map(render_one, range(len(poses))))
        return frames


def displacement(source: WarpSource, pose: Pose) -> np.ndarray:
    """Where the points of the lattice go: (rows, cols, 2) float32, pixels across and down."""
    yaw, pitch = -pose.head_yaw / _YAW_RANGE, pose.head_pitch / _YAW_RANGE
    across, down, brow, lid = source.fields
    du = yaw * across
    dv = pitch * down + pose.eyebrow / GAZE_RANGE * brow - pose.pupil_y / GAZE_RANGE * lid
    moved = np.stack([du * axis[0] + dv * axis[1] for axis in source.axes.T])
    return np.ascontiguousarray(_within(moved, source.room).transpose(1, 2, 0), np.float32)


def _axes(face: Face) -> np.ndarray:
    """Rows: u and v of the face frame as image vectors, in pixels."""
    cos, sin = np.cos(face.roll), np.sin(face.roll)
    return face.iris_distance * np.array([[cos, sin], [-sin, cos]])


def _to_face(px: np.ndarray, py: np.ndarray, face: Face, axes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Image positions to face coordinates u, v."""
    dx, dy = px - face.centre[0], py - face.centre[1]
    unit = face.iris_distance**2
    return (dx * axes[0, 0] + dy * axes[0, 1]) / unit, (dx * axes[1, 0] + dy * axes[1, 1]) / unit


def _moving_region(face: Face, axes: np.ndarray, width: int, height: int) -> tuple[int, int, int, int]:
    """The upright rectangle around the ellipse of motion, inside the picture: x, y, width, height."""
    centre = np.array(face.centre) + np.array(_STILL_CENTRE) @ axes
    reach = np.hypot(*(np.array(_STILL_RADII)[:, None] * axes)) + 2
    x0, y0 = np.clip(np.floor(centre - reach), 0, (width - 1, height - 1)).astype(int)
    x1, y1 = np.clip(np.ceil(centre + reach), (x0 + 1, y0 + 1), (width, height)).astype(int)
    return int(x0), int(y0), int(x1 - x0), int(y1 - y0)


def _fields(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """The four displacement fields (see `WarpSource.fields`) at face coordinates."""
    across, down = _head_field(u, v)
    return np.stack([across, down, _both_sides(u, v, *_BROW), _both_sides(u, v, *_UPPER_LID)])


def _head_field(u: np.ndarray, v: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """`_HEAD` interpolated by thin-plate splines, with a rim of still points, faded out towards that rim."""
    points = np.array([(s * p[0], *p[1:]) for p in _HEAD for s in ((1, -1) if p[0] else (1,))])
    angle = np.linspace(0, 2 * np.pi, 24, endpoint=False)
    rim = np.stack([_STILL_CENTRE[i] + _STILL_RADII[i] * f(angle) for i, f in enumerate((np.sin, np.cos))], 1)
    known = np.vstack([points[:, :2], rim])
    # The fade takes something from the outer points as well: they are raised by as much before.
    values = np.vstack([points[:, 2:] / _fade(points[:, 0], points[:, 1])[:, None], np.zeros((len(rim), 2))])

    def kernel(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        square = ((a[:, None] - b[None]) ** 2).sum(-1)
        return 0.5 * square * np.log(square + 1e-12)

    weights = np.linalg.solve(kernel(known, known) + 1e-3 * np.eye(len(known)), values)
    at = np.stack([u.ravel(), v.ravel()], 1)
    shifts = (kernel(at, known) @ weights).reshape(*u.shape, 2)
    fade = _fade(u, v)
    return shifts[..., 0] * fade, shifts[..., 1] * fade


def _fade(u: np.ndarray, v: np.ndarray) -> np.ndarray:
    """1 well inside the still rim, 0 from it outwards."""
    distance = np.hypot((u - _STILL_CENTRE[0]) / _STILL_RADII[0], (v - _STILL_CENTRE[1]) / _STILL_RADII[1])
    return _smoothstep((1 - distance) / _FADE)


def _both_sides(
    u: np.ndarray, v: np.ndarray, at_u: float, at_v: float, spread_u: float, spread_v: float, size: float
) -> np.ndarray:
    """A smooth bump at (±at_u, at_v) that is exactly zero beyond 2.5 spreads."""
    far = ((np.abs(u) - at_u) / spread_u) ** 2 + ((v - at_v) / spread_v) ** 2
    return size * np.exp(-far / 2) * _smoothstep((2.5 - np.sqrt(far)) / 1.0)


def _smoothstep(t: np.ndarray) -> np.ndarray:
    t = np.clip(t, 0, 1)
    return t * t * (3 - 2 * t)


def _within(moved: np.ndarray, room: np.ndarray) -> np.ndarray:
    """Hold displacements below the way to the picture's border, softly, so that nothing from beyond it shows."""
    limit = _EDGE_SLOPE * room + 1e-6
    return moved * limit / (limit**4 + moved**4) ** 0.25


def _inverse_map(source: WarpSource, pose: Pose) -> np.ndarray:
    """For each pixel of the region, the position in the region it shows: (height, width, 2) float32.

    Solves p + d(p) = q for p by fixed-point steps p ← q - d(p) on the lattice.
    """
    _, _, width, height = source.region
    forward = displacement(source, pose)
    rows, cols = forward.shape[:2]
    lattice = np.stack(np.meshgrid(np.arange(cols), np.arange(rows)), -1).astype(np.float32)
    back = -forward
    for _ in range(_STEPS):
        at = lattice + back / np.float32(source.stride)
        back = -cv2.remap(forward, at, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    size = (cols * source.stride, rows * source.stride)
    offsets = cv2.resize(back, size, interpolation=cv2.INTER_LINEAR)[:height, :width]
    return offsets + _pixels(width, height)


def _pixels(width: int, height: int) -> np.ndarray:
    return np.stack(np.meshgrid(np.arange(width), np.arange(height)), -1).astype(np.float32)


def _render_region(source: WarpSource, pose: Pose, frame: np.ndarray) -> None:
    """Draw the moving region of one pose into `frame`."""
    x0, y0, width, height = source.region
    positions = _inverse_map(source, pose)
    view = frame[y0 : y0 + height, x0 : x0 + width]
    view[:] = cv2.remap(source.lidless, positions, _NO_MAP, cv2.INTER_CUBIC, borderMode=cv2.BORDER_REPLICATE)
    shift = np.array([pose.pupil_x * _GAZE_SHIFT[0], -pose.pupil_y * _GAZE_SHIFT[1]]) / GAZE_RANGE @ source.axes
    for eye in source.eyes:
        draw_eye(eye, frame, positions, (x0, y0), shift)
