"""The instant engine: 2.5-D image warping on the CPU, with nothing to download.

`gaze.engines.warp.head` says how far each part of the face moves. Per frame, that displacement is inverted on a coarse
lattice and scaled up, and the moving region is resampled once. The person is a layer before the
background (`gaze.engines.warp.backdrop`), which stands still. The eyes are layers, too (`gaze.engines.warp.eyes`), so
that irises stay round.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import cv2
import numpy as np

from gaze.engines.base import Engine
from gaze.engines.warp.backdrop import find_backdrop
from gaze.engines.warp.blink import closed_eyes, draw_lid, find_closing_lid
from gaze.engines.warp.border import find_border
from gaze.engines.warp.carry import Anchors, find_anchors, in_pixels
from gaze.engines.warp.ease import smoothstep
from gaze.engines.warp.eyes import Eye, draw_eye, erase_irises, find_eye
from gaze.engines.warp.follow import Follower, find_follower
from gaze.engines.warp.gaze import IRIS_REACH, EyeMotion, Room, eye_motion, find_room
from gaze.engines.warp.head import YAW_RANGE, HeadFields, head_fields, head_shift
from gaze.engines.warp.inverse import moved_on, source_positions
from gaze.engines.warp.leeway import Leeway, find_leeway
from gaze.engines.warp.lids import Lids
from gaze.engines.warp.parts import Parts, draw_parts, find_parts
from gaze.engines.warp.region import find_bands, find_outside, frame_axes, moving_region
from gaze.engines.warp.rims import glasses_worn, lid_freedom, lid_reach
from gaze.engines.warp.sight import DIM_EYES, eye_sight, see_eyes
from gaze.engines.warp.soft import Soft, are_hidden, are_unlike, soft_room, soft_share
from gaze.engines.warp.squeeze import photo_blur, soften_squeezed
from gaze.engines.warp.straighten import straightening
from gaze.face.face import Contours, Face
from gaze.grid import Pose
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP, pixels

_TURN = 1 / YAW_RANGE
"""Turn per degree of `Face.yaw`."""
_STILL = 0.001
"""Shift at the grid's edge, in iris distances, that is not worth drawing: a tenth of a pixel where these are 100."""
_OUTSIDE = (0.05, 0.2)
"""Iris distances outside the person up to which the motion between keys is that of the head, and from which on it is
none: a mesh cannot tear."""
_UNCOVERED = (0.32, 0.7)
"""Iris distances outside the person that its outline may come to: at strength 1, and at most."""


@dataclass(frozen=True)
class WarpSource:
    """What `prepare` found out about a portrait.

    Attributes:
        image: the portrait, (height, width, 3) uint8.
        region: x, y, width, height in pixels outside which nothing ever moves.
        bare: the region with both irises painted out, (height, width, 3) uint8.
        layer: the person in it, (height, width, 4) uint8, premultiplied; None where all is one.
        carried: (rows, cols) float32, 1 on the person, 0 where the background is and stands still.
        parts: of the region, in which something may move: for looks on the grid at strength 1, and for all.
        stride: pixels between the points of the lattice on which displacements are computed.
        fields: the head's, at the lattice's points.
        lids: (4, rows, cols) float32, what share the points make of the motion across of the left and of the right
            eye's lids, and of that of the upper and of the lower ones down.
        leeway: what the picture's border leaves of the head's motion, at the points.
        axes: (2, 2): the face frame's u and v as image vectors, in pixels.
        turn: how far the face is turned already, in units of `YAW_RANGE`.
        straighten: iris distances that each iris is moved to the right in every frame (`straightening`).
        sight: how well the eyes are seen, 0 to 1: the share of their motion that is drawn.
        room: how far they can move.
        soft: how the eyes are bent; None with layers.
        eyes: the layers of both eyes, or none.
        anchors: where the head carries them.
        followers: of both irises, for the motion between keys.
        edges: of each eye's lids, and of the brow above it.
    """

    image: np.ndarray
    region: tuple[int, int, int, int]
    bare: np.ndarray
    layer: np.ndarray | None
    carried: np.ndarray
    parts: tuple[Parts, Parts]
    stride: int
    fields: HeadFields
    lids: np.ndarray
    leeway: Leeway
    axes: np.ndarray
    turn: float
    straighten: tuple[float, float]
    sight: float
    room: Room
    soft: Soft | None
    eyes: tuple[Eye, ...]
    anchors: Anchors
    followers: tuple[Follower, ...] = ()
    edges: tuple[tuple[Contours, Contours], ...] = ()


class WarpEngine(Engine):
    """See the module's text.

    Args:
        straighten: whether a source that looks past the camera looks straight in the grid's centre.
    """

    name = "warp"
    blinks = True

    def __init__(self, straighten: bool = True) -> None:
        self._straighten = straighten
        self._notes: tuple[str, ...] = ()

    def prepare(self, portrait: Portrait, face: Face) -> WarpSource:
        """Fields and eye layers of a portrait. A face of any size and tilt; the portrait in the frames' size."""
        image = portrait.image
        axes = frame_axes(face)
        stride = max(2, round(face.iris_distance / 24))
        border = find_border(image, face)
        x0, y0, width, height = region = moving_region(face, axes, border)
        # Lattice points lie at the middle of blocks of stride × stride pixels, the convention of cv2.resize.
        across = (np.arange(-(-width // stride)) + 0.5) * stride - 0.5 + x0
        down = (np.arange(-(-height // stride)) + 0.5) * stride - 0.5 + y0
        px, py = np.meshgrid(across, down)
        leeway = find_leeway(face, px, py, border)
        fitted = see_eyes(image, face)
        sight = eye_sight(fitted, face)
        self._notes = () if sight == 1 else (DIM_EYES,)
        both, unit = [Lids(it.lids) for it in fitted], face.iris_distance
        worn, irises = glasses_worn(image, face), [it.iris for it in fitted]
        pairs, room = list(zip(irises, both, strict=True)), find_room(irises, both, unit, face.yaw)
        room = replace(room, free=min(lid_freedom(image, it.lids, unit, worn) for it in fitted))
        reach = [lid_reach(image, it.lids, brow, unit, worn) for it, brow in zip(fitted, face.brows, strict=True)]
        lifted = () if are_hidden(irises, both, face) else pairs
        straighten = straightening(face) if self._straighten else (0.0, 0.0)
        farthest = IRIS_REACH + max(map(abs, straighten))
        eyes, soft = tuple(find_eye(image, unit, *it, worn > 0, farthest) for it in lifted), None
        if not eyes or are_unlike(image, eyes):
            eyes, room = (), soft_room(room, irises, both, unit)
            share = soft_share(irises, both, [unit * it for it, _ in reach], px, py)
            soft = Soft(share, tuple(photo_blur(image, it, unit) for it in irises))
        part = np.s_[y0 : y0 + height, x0 : x0 + width]
        bare = np.ascontiguousarray(erase_irises(image, eyes)[part])
        backdrop = find_backdrop(portrait, face, part)
        fields = head_fields(*face.to_frame(px, py), face.frame_mesh, worn, face.yaw)
        left, right = (np.stack(edges.fields(px, py, unit, it)) for edges, it in zip(both, reach, strict=True))
        far = find_outside(backdrop, stride, fields.fade.shape) / unit
        moving = np.hypot(fields.across[0], fields.down[0]) > _STILL

        def parts(reach: float) -> Parts:
            bands = find_bands(moving, far, reach, stride, width, height)
            return find_parts(bands, backdrop.behind if backdrop else bare)

        source = WarpSource(
            image=image,
            region=region,
            bare=bare,
            layer=backdrop.layer(bare) if backdrop else None,
            carried=smoothstep((_OUTSIDE[1] - far) / (_OUTSIDE[1] - _OUTSIDE[0])).astype(np.float32),
            parts=(parts(_UNCOVERED[0]), parts(_UNCOVERED[1])),
            stride=stride,
            fields=fields,
            # Lids would shove rims that lie on them aside: only irises go there then.
            lids=np.stack([room.free * left.sum(0), room.free * right.sum(0), *(left + right)]).astype(np.float32),
            leeway=leeway,
            axes=axes,
            turn=_TURN * face.yaw,
            straighten=straighten,
            sight=sight,
            room=room,
            soft=soft,
            eyes=eyes,
            anchors=find_anchors(fields, leeway.keep, axes, irises, (x0, y0), stride),
            edges=tuple(zip(face.lids, face.brows, strict=True)),
        )
        rest, layered = _look(source, Pose()).shifts(axes), pairs if eyes else ()
        followers = (find_follower(*it, moved, image.shape) for it, moved in zip(layered, rest, strict=bool(layered)))
        return replace(source, followers=tuple(followers))

    def notes(self) -> tuple[str, ...]:
        """What was found in the photo that was prepared last."""
        return self._notes

    def render(self, source: WarpSource, poses: Sequence[Pose]) -> np.ndarray:
        """One frame for each pose: (len(poses), height, width, 3) uint8."""
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            return np.stack(list(pool.map(lambda pose: render_frame(source, pose), poses)))

    def displacement(self, source: WarpSource, pose: Pose) -> np.ndarray:
        """The head's with its lids; around each iris the gaze takes the lids' place. Closed eyes have the head's.

        It begins in the straight look, in which eyes that are straightened have gone some of their way already.
        """
        if any(closed_eyes(pose.expression)):
            return _spread(source, displacement(source, pose))
        eyes, rest = (_look(source, each) for each in (pose, Pose()))
        head, both = (displacement(source, pose, it) for it in (None, eyes))
        both -= displacement(source, Pose(), rest)
        gazes = (eyes.shifts(source.axes) - rest.shifts(source.axes)).astype(np.float32)
        field = _spread(source, both)
        for follower, gaze in zip(source.followers, gazes, strict=bool(source.followers)):
            lids = _spread_over(source, both - head, follower.window)
            field[follower.window] += follower.share[..., None] * (gaze - lids)
        return field

    def positions(self, source: WarpSource, pose: Pose) -> np.ndarray:
        """Exact, but for irises."""
        height, width = source.image.shape[:2]
        x, y, across, down = source.region
        whole = pixels(width, height).copy()
        inner = _positions(source, source.leeway.held(pose), _look(source, pose))
        whole[y : y + down, x : x + across] = inner + np.array([x, y], np.float32)
        return whole


def render_frame(source: WarpSource, pose: Pose) -> np.ndarray:
    """The frame of one pose, (height, width, 3) uint8: a copy of the portrait with the moving region drawn anew."""
    frame = source.image.copy()
    (x0, y0, width, height), closed = source.region, closed_eyes(pose.expression)
    eyes = _look(source, pose).closing(max(closed))
    head = source.leeway.held(pose)
    positions = _positions(source, head, eyes)
    view = frame[y0 : y0 + height, x0 : x0 + width]
    beyond_grid = max(abs(pose.head_yaw), abs(pose.head_pitch)) > YAW_RANGE + 1e-6
    draw_parts(source.parts[beyond_grid], source.bare, source.layer, positions, view)
    carried, shifts = source.anchors.carried(head, source.turn), eyes.shifts(source.axes)
    for eye, moved, shift in zip(source.eyes, carried, shifts, strict=bool(source.eyes)):
        draw_eye(eye, frame, positions, (x0, y0), moved, shift)
    for blur, (lids, _), moved in zip(source.soft.blurs if source.soft else (), source.edges, carried, strict=False):
        soften_squeezed(frame, positions, (x0, y0), lids, moved, blur)
    for share, edges, moved in zip(closed, source.edges, carried, strict=True):
        if share:
            lid = find_closing_lid(source.image, *edges, float(np.hypot(*source.axes[0])))
            draw_lid(lid, share, frame, positions, (x0, y0), moved)
    return frame


def _spread(source: WarpSource, forward: np.ndarray) -> np.ndarray:
    """A displacement of the lattice for every pixel of the portrait: (height, width, 2) float32."""
    x, y, width, height = source.region
    rows, cols = forward.shape[:2]
    field = np.zeros((*source.image.shape[:2], 2), np.float32)
    whole = cv2.resize(forward * source.carried[..., None], (cols * source.stride, rows * source.stride))
    field[y : y + height, x : x + width] = whole[:height, :width]
    return field


def _spread_over(source: WarpSource, forward: np.ndarray, window: tuple[slice, slice]) -> np.ndarray:
    """The same for some rows and columns of the portrait."""
    places = (np.arange(each.start, each.stop) for each in window)
    down, across = (
        (it - first + 0.5) / source.stride - 0.5 for it, first in zip(places, source.region[1::-1], strict=True)
    )
    at = np.dstack(np.meshgrid(across, down)).astype(np.float32)
    return cv2.remap(forward * source.carried[..., None], at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def _look(source: WarpSource, pose: Pose) -> EyeMotion:
    return eye_motion(pose, source.straighten, source.room).scaled(source.sight)


def displacement(source: WarpSource, pose: Pose, eyes: EyeMotion | None = None) -> np.ndarray:
    """Where the points of the lattice go: (rows, cols, 2) float32, pixels across and down.

    The picture's border stands still, so that nothing from beyond it shows.

    Args:
        source: of the portrait.
        pose: moves the head.
        eyes: moves the lids, and irises that are soft; None leaves them as they are.
    """
    return _displacement(source, source.leeway.held(pose), eyes)


def _displacement(source: WarpSource, head: Pose, eyes: EyeMotion | None) -> np.ndarray:
    """The same for what the head's leeway leaves of a pose."""
    carried = in_pixels(*head_shift(source.fields, head, source.turn), source.axes, source.leeway.keep)
    if not eyes:
        return carried
    moved = np.tensordot(np.array([[*eyes.bow, 0, 0], [0, 0, eyes.upper, eyes.lower]], np.float32), source.lids, 1)
    if source.soft is not None:
        ways = (*eyes.across, eyes.down)
        for axis, share, way in zip((0, 0, 1), source.soft.share, ways, strict=True):
            moved[axis] += share * (np.float32(way) - moved[axis])
    inside = in_pixels(moved[0], moved[1], source.axes, source.leeway.keep)
    return inside + (carried if source.soft is None else moved_on(carried, inside, source.stride))


def _positions(source: WarpSource, head: Pose, eyes: EyeMotion) -> np.ndarray:
    """For each pixel of the region, the position in the region it shows: (height, width, 2) float32."""
    _, _, width, height = source.region
    forward = _displacement(source, head, eyes)
    return source_positions(forward, source.stride, width, height)
