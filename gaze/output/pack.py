"""gaze.pack: the keys of a portrait and the motion between them in one file, to be played by pointer position.

    magic · header length · header (JSON) · motion · payload · payload …     payload: index · pictures, the middle first

docs/format.md is the contract. Reading is `gaze.output.pack_reader`.
"""

from __future__ import annotations

import json
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np

from gaze.motion.motion import Motion
from gaze.output.motion_payload import describe_motion, encode_motion

PACK, STILLS_PACK = "gaze.pack", "stills.pack"
MAGIC = b"GAZEPACK"
VERSION = 2
MAX_HEADER = 65536
LENGTH = struct.Struct("<I")
ENTRY = np.dtype([("offset", "<u4"), ("length", "<u4"), ("parent", "<i4")])


@dataclass(frozen=True)
class Picture:
    """One picture as it is stored.

    Attributes:
        data: a WebP picture, or a chunk for a video decoder.
        parent: the number of the picture whose chunk must be decoded just before; None where there is none.
    """

    data: bytes
    parent: int | None = None


@dataclass(frozen=True)
class Facts:
    """What a pack says of its portrait.

    Attributes:
        size: rows and columns of the grid.
        width, height: pixels of a frame.
        alpha: whether frames are transparent somewhere.
        face: the point between the eyes, as fractions of width and height.
    """

    size: int
    width: int
    height: int
    alpha: bool = False
    face: tuple[float, float] = (0.5, 0.5)


@dataclass(frozen=True)
class Payload:
    """All pictures in one coding.

    Attributes:
        kind: "video" or "stills".
        about: what else the header says of it, such as the codec.
        pictures: by their number, in the order of the file; every parent before its children.
    """

    kind: str
    about: Mapping[str, Any]
    pictures: Mapping[int, Picture]

    def chain(self, number: int) -> list[int]:
        """The pictures to decode for this one, the key frame first."""
        way: list[int] = []
        step: int | None = number
        while step is not None:
            way.append(step)
            step = self.pictures[step].parent
        return way[::-1]


@dataclass(frozen=True)
class Layer:
    """Pictures drawn over the morph, such as closing lids.

    Attributes:
        name: small letters and hyphens.
        values: how far it has gone in each of its steps, ascending in (0, 1]; the last is 1.
        region: x, y, width and height in pixels of the frame.
        motion: of its own, between its own looks.
        payloads: of pictures value by value; of all looks, or, as for the stills of a pack, of those that `keys` names.
    """

    name: str
    values: tuple[float, ...]
    region: tuple[int, int, int, int]
    motion: Motion
    payloads: Sequence[Payload]


@dataclass(frozen=True)
class Pack:
    """A portrait. Payloads are in the order in which a player prefers them.

    Attributes:
        motion: what is between the keys; None in packs of version 1, which hold every cell of the grid.
    """

    facts: Facts
    payloads: Sequence[Payload]
    motion: Motion | None = None
    layers: Sequence[Layer] = ()


def write_pack(pack: Pack, file: BinaryIO) -> None:
    """Write a pack of version 2. Equal packs give equal bytes."""
    facts, motion = pack.facts, pack.motion
    assert motion is not None, "packs of version 1 are only read"
    bodies = [encode_motion(motion)]
    described = describe_motion(motion, len(bodies[0]))
    payloads = _described(pack.payloads, len(motion.looks) ** 2, bodies)
    header: dict[str, Any] = {
        "version": VERSION,
        "gridSize": facts.size,
        "imageWidth": facts.width,
        "imageHeight": facts.height,
        "hasAlpha": facts.alpha,
        "face": {"x": facts.face[0], "y": facts.face[1]},
        **described,
        "payloads": payloads,
    }
    if pack.layers:
        header["layers"] = [_layer(layer, bodies) for layer in pack.layers]
    text = json.dumps(header, separators=(",", ":")).encode()
    file.write(MAGIC + LENGTH.pack(len(text)) + text)
    for body in bodies:
        file.write(body)


def _layer(layer: Layer, bodies: list[bytes]) -> dict[str, Any]:
    bodies.append(encode_motion(layer.motion))
    x, y, width, height = layer.region
    described = describe_motion(layer.motion, len(bodies[-1]))
    return {
        "name": layer.name,
        "values": list(layer.values),
        "region": {"x": x, "y": y, "width": width, "height": height},
        **described,
        "payloads": _described(layer.payloads, len(layer.motion.looks) ** 2, bodies, len(layer.values)),
    }


def _described(payloads: Sequence[Payload], count: int, bodies: list[bytes], values: int = 1) -> list[dict[str, Any]]:
    """What the header says of payloads; their bytes are added to `bodies`.

    Args:
        count: pictures of a payload that does not name its `keys`, of each value.
        values: how many pictures there are of a look.
    """
    described = []
    for payload in payloads:
        keys = payload.about.get("keys")
        bodies.append(_body(payload, values * (len(keys) ** 2 if keys else count)))
        described.append({"kind": payload.kind, **payload.about, "length": len(bodies[-1])})
    return described


def _body(payload: Payload, count: int) -> bytes:
    index = np.zeros(count, ENTRY)
    offset = index.nbytes
    for number, picture in payload.pictures.items():
        parent = -1 if picture.parent is None else picture.parent
        index[number] = (offset, len(picture.data), parent)
        offset += len(picture.data)
    return b"".join([index.tobytes(), *(picture.data for picture in payload.pictures.values())])
