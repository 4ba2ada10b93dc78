"""Any engine's portrait without its background: the matte of the photo, carried to the frames.

The network runs on the photo alone. An engine that knows which place of the photo each pixel of a frame shows lets the
matte be carried exactly. Otherwise optical flow from the frame to the photo tells it. Then the frames that differ most
from the photo are given to the network as well: if the carried mattes are unlike those that it finds, it is run on
every frame.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import Any

import cv2
import numpy as np

from gaze.engines.base import Engine
from gaze.engines.wrapping import WrappingEngine
from gaze.face.face import Face
from gaze.grid import Pose
from gaze.matting.colours import find_colours
from gaze.matting.following import find_positions
from gaze.matting.matte import Network
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP

# Lengths are in distances between the irises, so that they do not depend on the frames' size.
_RIM = 0.03
"""How far inside the matte a frame's own colours begin. Further out they are the photo's, freed of the background."""
_BAND = 0.15
"""How far from their edges mattes are compared."""
_MOST_APART = 0.2
"""Mean difference of alpha in that band beyond which mattes are not alike: edges 0.06 iris distances apart. A small
network wavers by nearly as much between the frames of one portrait (benchmarks/RESULTS.md)."""
_PATIENCE = 1800.0
"""Seconds beyond which the network is not asked for every frame."""


@dataclass(frozen=True)
class PersonLayer:
    """What is seen of the person in a photo or a frame.

    Attributes:
        luma: (height, width) uint8.
        layer: (height, width, 4) uint8: the colours as if the person filled the picture, and the matte.
        inside: (height, width) uint8: 255 well inside the matte, 0 from its edge outwards.
        unit: pixels between the irises.
    """

    luma: np.ndarray
    layer: np.ndarray
    inside: np.ndarray
    unit: float


@dataclass(frozen=True)
class CutoutSource:
    """A portrait made ready: what the engine made of it, and the person in it."""

    source: Any
    person: PersonLayer


class CutoutEngine(WrappingEngine):
    """Renders by another engine, and gives frames with alpha: (n, height, width, 4) uint8, colours not premultiplied.

    For one run: it remembers what the check of its first frames found.

    Args:
        engine: renders the frames.
        network: found the photo's matte, and is asked about a few frames to check it; None where the photo was cut out
            already, and its colours are free of any background.
    """

    def __init__(self, engine: Engine, network: Network | None) -> None:
        super().__init__(engine)
        self._network = network
        self._checked, self._anew = network is None, False
        self._notes: tuple[str, ...] = ()

    def prepare(self, portrait: Portrait, face: Face) -> CutoutSource:
        """The engine's own work, and the person in the photo, whose matte is the portrait's alpha."""
        matte = portrait.alpha
        if matte is None:
            raise ValueError("A portrait is cut out along its alpha. Find its matte first.")
        colours = find_colours(portrait.image, matte) if self._network else portrait.image
        return CutoutSource(self._engine.prepare(portrait, face), person_layer(portrait.image, colours, matte, face))

    def stream(self, source: CutoutSource, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        # What is checked is rendered first, so that nothing is cut out before the check.
        checked = [] if self._checked or self._knows_positions(source, poses) else _farthest(poses)
        order = [*checked, *(index for index in range(len(poses)) if index not in checked)]
        frames: dict[int, np.ndarray] = {}
        made: dict[int, np.ndarray] = {}
        given = 0
        with ThreadPoolExecutor(os.cpu_count()) as pool:
            for batch in self._engine.stream(source.source, [poses[index] for index in order]):
                frames |= zip(order[len(frames) :], batch, strict=False)
                if checked and not self._checked:
                    if len(frames) < len(checked):
                        continue
                    self._check(source, [(frames[index], poses[index]) for index in checked], len(poses))
                cut = partial(self._cut, source)
                made |= zip(frames, pool.map(cut, frames.values(), [poses[index] for index in frames]), strict=True)
                order, frames = order[len(frames) :], {}
                ready = []
                while given in made:
                    ready.append(made.pop(given))
                    given += 1
                if ready:
                    yield np.stack(ready)

    def notes(self) -> tuple[str, ...]:
        return (*self._notes, *self._engine.notes())

    def _own(self, source: CutoutSource) -> Any:
        return source.source

    def _knows_positions(self, source: CutoutSource, poses: Sequence[Pose]) -> bool:
        return self._engine.positions(source.source, poses[0]) is not None

    def _check(self, source: CutoutSource, frames: Sequence[tuple[np.ndarray, Pose]], count: int) -> None:
        """Hold carried mattes against those that the network finds; says what comes of it for `count` frames."""
        assert self._network is not None
        start = time.monotonic()
        found = [self._network(frame) for frame, _ in frames]
        seconds = (time.monotonic() - start) / len(frames) * count
        carried = [self._cut(source, *frame)[..., 3] for frame in frames]
        width = _BAND * source.person.unit
        differ = np.mean([apart(*mattes, width) for mattes in zip(found, carried, strict=True)]) > _MOST_APART
        self._checked, self._anew = True, bool(differ and seconds <= _PATIENCE)
        if self._anew:
            self._notes = (
                "The outline changes too much between the frames of this portrait to be carried from the photo, so the "
                "background was removed from each frame separately.",
            )
        elif differ:
            self._notes = (
                "The outline changes much between the frames of this portrait, so check its edges. Removing the "
                f"background from each frame separately would have taken {seconds / 60:.0f} min.",
            )

    def _cut(self, source: CutoutSource, frame: np.ndarray, pose: Pose) -> np.ndarray:
        """A frame with alpha."""
        person = source.person
        if self._anew and self._network:
            matte = self._network(frame)
            return np.dstack([find_colours(frame, matte), matte])
        at = self._engine.positions(source.source, pose)
        if at is None:
            at = find_positions(_luma(frame), person.luma, person.unit)
        return carry(person, frame, at)


def person_layer(image: np.ndarray, colours: np.ndarray, matte: np.ndarray, face: Face) -> PersonLayer:
    """The person in a photo.

    Args:
        image: (height, width, 3) uint8 RGB.
        colours: (height, width, 3) uint8, freed of the background.
        matte: (height, width) uint8.
        face: the main face.
    """
    unit = face.iris_distance
    rim = 2 * max(1, round(_RIM * unit)) + 1
    inside = cv2.erode(matte, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (rim, rim)))
    return PersonLayer(
        _luma(image),
        np.dstack([colours, matte]),
        cv2.blur(inside, (rim, rim)),
        unit,
    )


def carry(person: PersonLayer, frame: np.ndarray, at: np.ndarray) -> np.ndarray:
    """A frame with the person's matte, and at its edge the person's colours: (height, width, 4) uint8.

    Args:
        frame: (height, width, 3) uint8.
        at: (height, width, 2) float32, which place of the photo each pixel of the frame shows.
    """
    layer, inside = (
        cv2.remap(part, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
        for part in (person.layer, person.inside)
    )
    own = inside.astype(np.float32) / 255
    return np.dstack([cv2.blendLinear(frame, layer[..., :3].copy(), own, 1 - own), layer[..., 3]])


def apart(a: np.ndarray, b: np.ndarray, width: float) -> float:
    """How much two mattes differ, 0 to 1, on average over all that is within `width` pixels of an edge of either."""
    kernel = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (2 * round(width) + 1,) * 2)
    solid = [np.where(matte > 127, 255, 0).astype(np.uint8) for matte in (a, b)]
    near = np.logical_or(*(cv2.dilate(matte, kernel) != cv2.erode(matte, kernel) for matte in solid))
    return float(cv2.absdiff(a, b)[near].mean() / 255) if near.any() else 0.0


def _farthest(poses: Sequence[Pose]) -> list[int]:
    """The poses towards the four corners of the grid."""
    ways = [(across, up) for across in (-1, 1) for up in (-1, 1)]
    indices = range(len(poses))
    return list(
        dict.fromkeys(max(indices, key=lambda i: x * poses[i].head_yaw + y * poses[i].head_pitch) for x, y in ways)
    )


def _luma(image: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(image, cv2.COLOR_RGB2GRAY)
