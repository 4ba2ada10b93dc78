"""Eyes of which little is seen: the picture itself is bent around their irises, since there is too little to lift.

Of an iris of few pixels, or one that is mostly behind its lids, layers would show what nobody saw: rings, a disc in
front of the lid, wedges of white. Bent, an eye keeps all that the photo has of it, but its iris goes less far.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from gaze.engines.warp.ease import fall, smoothstep
from gaze.engines.warp.gaze import Room
from gaze.engines.warp.lids import Lids
from gaze.face.face import Face, Iris

_FEWEST = 2.1
"""Pixels of the photo in an iris's radius, times the square of the share that is seen of its outline, below which it is
not lifted: what a circle is told from goes down with both, and the less of it is seen, the more is made up."""
_SHARP = 0.6
"""Sharpness from which on pixels count in full; less in proportion below."""
_TURNED = (12.0, 30.0)
"""Degrees up to which a face is seen from the front, and from which on none of its irises is taken for a circle."""
_OUTLINE = np.radians(np.arange(0, 360, 5))
_SOLID = 0.9
"""Radii up to which an iris moves as a whole."""
_ABOVE, _FOOT, _BELOW = 1.2, 0.6, 1.0
"""Radii beyond the upper lid's edge over which its motion fades; from how far above the lower lid's edge on, and up to
how far below it."""
_NARROWER, _WIDER = 0.52, 1.0
"""How far an iris may go, in shares of what lies before it and behind it: that is made narrower and wider."""
_LEAST = 0.2
"""Radii that it may go in any case."""
_REACH = 0.05
"""Iris distances that irises and lids may go up or down."""
_NEAREST = 1.2
"""Radii from its middle that the corners are taken to be away at least."""


def are_soft(irises: Sequence[Iris], lids: Sequence[Lids], face: Face) -> bool:
    """Whether too little is seen of irises to lift them: both eyes move alike, so the worse one decides."""
    sharp = min(1.0, face.sharpness / _SHARP) / max(face.enlarged, 1.0)
    clear = sharp * float(np.interp(abs(face.yaw), _TURNED, (1, 0)))
    return any(clear * iris.radius * _shown(iris, it) ** 2 < _FEWEST for iris, it in zip(irises, lids, strict=True))


def soft_share(irises: Sequence[Iris], lids: Sequence[Lids], x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Share of the irises' motion that places at x and y make, 0 to 1, float32: it fades towards corners and lids."""
    share = np.zeros(x.shape, np.float32)
    for iris, it in zip(irises, lids, strict=True):
        along, (left, right) = it.local(x, y)[0], _sides(iris, it)
        solid = _SOLID * iris.radius
        ahead = along - float(it.local(iris.x, iris.y)[0])
        aside = np.clip(1 - np.where(ahead < 0, (-ahead - solid) / left, (ahead - solid) / right), 0, 1)
        above = -it.depth(x, y) / (_ABOVE * iris.radius)
        below = (_FOOT - it.height(x, y) / iris.radius) / (_FOOT + _BELOW)
        share += ((aside + smoothstep(aside)) / 2 * fall(above) * fall(below)).astype(np.float32)
    return share


def soft_room(room: Room, irises: Sequence[Iris], lids: Sequence[Lids], unit: float) -> Room:
    """What of the room of irises is left where nothing may fold; `unit`: pixels per iris distance."""
    free = []
    for iris, it in zip(irises, lids, strict=True):
        sides = np.array(_sides(iris, it))
        ways = np.minimum(_NARROWER * sides, _WIDER * sides[::-1])
        free.append(np.maximum(ways, _LEAST * iris.radius) / unit)
    left, right = (float(it) for it in np.min(free, 0))
    return replace(room, left=min(room.left, left), right=min(room.right, right), reach=_REACH)


def _sides(iris: Iris, lids: Lids) -> tuple[float, float]:
    """Pixels from the solid part of an iris to the left and to the right corner."""
    middle = float(lids.local(iris.x, iris.y)[0])
    left, right = (max(it, _NEAREST * iris.radius) - _SOLID * iris.radius for it in (middle, lids.length - middle))
    return left, right


def _shown(iris: Iris, lids: Lids) -> float:
    """Share of an iris's outline that is between the lids."""
    x, y = iris.x + iris.radius * np.cos(_OUTLINE), iris.y + iris.radius * np.sin(_OUTLINE)
    return float((lids.coverage(x, y) > 0.5).mean())
