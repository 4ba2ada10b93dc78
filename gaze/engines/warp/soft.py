"""Eyes of which little is seen: the picture itself is bent around their irises, since there is too little to lift.

Of an iris of few pixels, or one that is mostly behind its lids, layers would show what nobody saw: rings, a disc in
front of the lid, wedges of white. Bent, an eye keeps all that the photo has of it, but its iris goes less far. Which
eyes those are was told from choices between both ways, of two people each in two sets of 40 photos
(`benchmarks/blind.py`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from gaze.engines.warp.ease import fall, smoothstep
from gaze.engines.warp.eyes import Eye
from gaze.engines.warp.gaze import Room
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face, Iris

_FEWEST, _SHARP = 3.3, 0.6
"""Pixels of the photo in an iris's radius below which it is not lifted: they count in full from that sharpness on, in
proportion less below."""
_ENLARGED = 2.25
"""How often a photo may be enlarged: what is drawn anew is finer than its surroundings then."""
_NARROWEST = 1.145
"""Radii between the lids, of the narrower eye, below which too much of an iris were made up."""
_TURNED = 28.0
"""Degrees that a face may be turned: its irises are no circles then."""
_UNLIKE = 0.33
"""What the layers lack of the photo, as a share of what the iris stands out by; the mean of both eyes. Blurred irises,
hair, and lines that are drawn over eyes are no layers."""
_FAINT = 12.0
"""Grey levels that an iris has to stand out by at least."""
_AROUND, _INNER = 1.25, 0.7
"""Radii in which that is measured, and in which an iris is nothing but itself."""
_CLEAR = 0.9
"""How far between the lids a place is, 0 to 1, that is measured."""
_SOLID = 0.9
"""Radii up to which an iris moves as a whole."""
_FOOT, _BELOW = 0.5, 0.7
"""Radii above the lower lid's edge from which on an iris's motion fades, and below it up to where it does."""
_NARROWER = 0.6
"""How far an iris may go, as a share of what lies before it and is made narrower; what is behind it is drawn out."""
_REACH = 0.05
"""Iris distances that irises and lids may go up or down."""
_BEYOND, _SKIN = (0.2, 0.5), 0.25
"""Radii beyond the corners over which the motion across, and up or down, goes on fading. Corners hardly go aside: an
eye that goes along with its iris does not look aside. Skin above them does, from that share of the way to the brow on,
and all of it goes up and down: else it would be squeezed, and lids steep."""
_NEAREST = 1.7
"""Radii from the middle of an iris within which neither has faded."""


@dataclass(frozen=True)
class Soft:
    """How eyes are bent.

    Attributes:
        share: (3, rows, cols) float32, what share the lattice's points make of the left iris's motion across, of the
            right one's, and of the motion of both up or down.
        blurs: of both eyes in the photo, in pixels (`gaze.engines.warp.squeeze`).
    """

    share: np.ndarray
    blurs: tuple[float, ...]


def are_hidden(irises: Sequence[Iris], lids: Sequence[Lids], face: Face) -> bool:
    """Whether too little is seen of irises to lift them: both eyes are drawn alike, so both are lifted or none is.

    Args:
        irises: of both eyes.
        lids: of each.
        face: of both.
    """
    pixels = min(1.0, face.sharpness / _SHARP) / max(face.enlarged, 1.0) * min(it.radius for it in irises)
    narrow = min(it.gap / iris.radius for it, iris in zip(lids, irises, strict=True)) < _NARROWEST
    return narrow or pixels < _FEWEST or face.enlarged > _ENLARGED or abs(face.yaw) > _TURNED


def are_unlike(image: np.ndarray, eyes: Sequence[Eye]) -> bool:
    """Whether layers do not explain what a photo, (height, width, 3) uint8, shows of both eyes."""
    return float(np.mean([_unlike(image, eye) for eye in eyes])) > _UNLIKE


def soft_share(
    irises: Sequence[Iris], lids: Sequence[Lids], above: Sequence[float], x: np.ndarray, y: np.ndarray
) -> np.ndarray:
    """Share that places at x and y make of each iris's motion across, and of that of both up or down, 0 to 1.

    It fades towards corners and lids.

    Args:
        irises: of both eyes.
        lids: of each.
        above: pixels beyond each upper lid's edge over which it fades: up to the brow, or skin would be squeezed.
        x, y: the places.

    Returns:
        (irises + 1, ...) float32, that of both last.
    """
    shares = np.zeros((len(irises) + 1, *x.shape), np.float32)
    for own, iris, it, reach in zip(shares[:-1], irises, lids, above, strict=True):
        along, down = it.local(x, y)
        middle, level = (float(each) for each in it.local(iris.x, iris.y))
        ahead = along - middle
        far = np.abs(ahead) - _SOLID * iris.radius
        # Level lines: along the lids' edges, steep at the corners, what goes aside would run into what stands still.
        over = (level - float(it.depth(iris.x, iris.y)) - down) / reach
        foot = level + float(it.height(iris.x, iris.y)) - _FOOT * iris.radius
        below = (down - foot) / ((_FOOT + _BELOW) * iris.radius)
        between = fall(over) * fall(below)
        across, up = _BEYOND
        beyonds = (across + (up - across) * smoothstep(over / _SKIN), np.array(up))
        for share, beyond in zip((own, shares[-1]), beyonds, strict=True):
            left, right = _sides(iris, it, beyond)
            aside = np.clip(1 - far / np.where(ahead < 0, left, right), 0, 1)
            share += ((2 * aside + smoothstep(aside)) / 3 * between).astype(np.float32)
    return shares


def soft_room(room: Room, irises: Sequence[Iris], lids: Sequence[Lids], unit: float) -> Room:
    """The room of irises where nothing may fold; `unit`: pixels per iris distance."""
    sides = [_sides(iris, it, np.array(_BEYOND[0])) for iris, it in zip(irises, lids, strict=True)]
    left, right = ((float(first), float(second)) for first, second in _NARROWER / unit * np.transpose(sides))
    return replace(room, left=left, right=right, reach=_REACH)


def _sides(iris: Iris, lids: Lids, beyond: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Pixels from the solid part of an iris to where its motion ends, so many radii beyond the corners; left, right."""
    middle = float(lids.local(iris.x, iris.y)[0])
    ends = (np.maximum(it + beyond * iris.radius, _NEAREST * iris.radius) for it in (middle, lids.length - middle))
    left, right = (it - _SOLID * iris.radius for it in ends)
    return left, right


def _unlike(image: np.ndarray, eye: Eye) -> float:
    """What the layers of an eye at rest lack of the photo, as a share of what its iris stands out by."""
    (x0, y0), (height, width) = eye.corner, eye.sclera.shape[:2]
    y, x = np.mgrid[:height, :width]
    distance = np.hypot(x + x0 - eye.iris.x, y + y0 - eye.iris.y) / eye.iris.radius
    clear = eye.lids[..., 0] > _CLEAR
    if eye.glare is not None:
        clear &= eye.glare < 1 - _CLEAR
    inner = clear & (distance < _INNER)
    if not inner.any():
        return np.inf
    lack = np.sqrt((eye.rest[clear & (distance < _AROUND)] ** 2).mean())
    stands_out = abs(float((eye.sclera[inner] - image[y0 : y0 + height, x0 : x0 + width][inner]).mean()))
    return float(lack) / stands_out if stands_out > _FAINT else np.inf
