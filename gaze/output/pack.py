"""gaze.pack: all frames of a portrait in one file, to be played by pointer position (docs/format.md).

    magic · header length · header (JSON) · payload · payload …      payload: index · frames, the middle first

Reading is bounded by the size of the file and trusts nothing in it: any bytes give a pack or a `GazeError`.
"""

from __future__ import annotations

import json
import os
import struct
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np

from gaze.errors import GazeError
from gaze.grid import Cell

PACK = "gaze.pack"
MAGIC = b"GAZEPACK"
VERSION = 1
MAX_HEADER = 65536
MAX_CHAIN = 8
"""The most frames that a decoder may have to go through for one."""
_LENGTH = struct.Struct("<I")
_ENTRY = np.dtype([("offset", "<u4"), ("length", "<u4"), ("parent", "<i4")])
_MAX_SIZE, _MAX_SIDE = 60, 16384
_AGAIN = "The file is damaged or no pack: make it again."


@dataclass(frozen=True)
class Frame:
    """One frame as it is stored.

    Attributes:
        data: a WebP picture, or a chunk for a video decoder.
        parent: the cell whose chunk must be decoded before; None where there is none.
    """

    data: bytes
    parent: Cell | None = None


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
    """All frames in one coding.

    Attributes:
        kind: "video" or "stills".
        about: what else the header says of it, such as the codec.
        frames: by cell, in the order of the file; every parent before its children.
    """

    kind: str
    about: Mapping[str, Any]
    frames: Mapping[Cell, Frame]

    def chain(self, cell: Cell) -> list[Cell]:
        """The cells to decode for this one, the key frame first."""
        way: list[Cell] = []
        step: Cell | None = cell
        while step is not None:
            way.append(step)
            step = self.frames[step].parent
        return way[::-1]


@dataclass(frozen=True)
class Pack:
    """A portrait's frames. Payloads are in the order in which a player prefers them."""

    facts: Facts
    payloads: Sequence[Payload]


def write_pack(pack: Pack, file: BinaryIO) -> None:
    """Write a pack. Equal packs give equal bytes."""
    facts = pack.facts
    bodies = [_body(payload, facts.size) for payload in pack.payloads]
    payloads = [
        {"kind": payload.kind, **payload.about, "length": len(body)}
        for payload, body in zip(pack.payloads, bodies, strict=True)
    ]
    header = {
        "version": VERSION,
        "gridSize": facts.size,
        "imageWidth": facts.width,
        "imageHeight": facts.height,
        "hasAlpha": facts.alpha,
        "face": {"x": facts.face[0], "y": facts.face[1]},
        "payloads": payloads,
    }
    text = json.dumps(header, separators=(",", ":")).encode()
    file.write(MAGIC + _LENGTH.pack(len(text)) + text)
    for body in bodies:
        file.write(body)


def _body(payload: Payload, size: int) -> bytes:
    index = np.zeros(size**2, _ENTRY)
    offset = index.nbytes
    for cell, frame in payload.frames.items():
        parent = -1 if frame.parent is None else frame.parent.row * size + frame.parent.col
        index[cell.row * size + cell.col] = (offset, len(frame.data), parent)
        offset += len(frame.data)
    return b"".join([index.tobytes(), *(frame.data for frame in payload.frames.values())])


def read_pack(source: str | Path | bytes) -> Pack:
    """Read a pack from a file, or from its bytes.

    Raises:
        GazeError: it is no pack, or breaks a rule of the format; frames are not decoded (see `gaze.output.validator`).
    """
    if isinstance(source, bytes):
        return _parse(source)
    try:
        with open(source, "rb") as file:
            start = file.read(len(MAGIC))
            if start != MAGIC:  # before a large file of another kind is read whole
                raise GazeError(f"It is no pack: it does not begin with {MAGIC.decode()}.")
            data = start + file.read(os.fstat(file.fileno()).st_size)
        return _parse(data)
    except OSError as error:
        raise GazeError(f"{source} cannot be read: {error.strerror}.") from error
    except GazeError as error:
        raise GazeError(f"{source}: {error}") from error


def _parse(data: bytes) -> Pack:
    start = len(MAGIC) + _LENGTH.size
    _require(data[: len(MAGIC)] == MAGIC and len(data) >= start, f"It does not begin with {MAGIC.decode()}.")
    (length,) = _LENGTH.unpack_from(data, len(MAGIC))
    _require(length <= MAX_HEADER, f"Its header would have {length} bytes; {MAX_HEADER} are allowed.")
    _require(start + length <= len(data), "It ends within its header.")
    try:
        header = json.loads(data[start : start + length])
    except (ValueError, RecursionError):
        header = None
    _require(isinstance(header, dict), "Its header is no JSON object.")
    facts = _facts(header)
    declared = header.get("payloads")
    _require(isinstance(declared, list) and 1 <= len(declared) <= 4, "Its header lists no payloads.")
    payloads = []
    offset = start + length
    for about in declared:
        _require(isinstance(about, dict), "A payload is described by no JSON object.")
        kind = about.get("kind")
        _require(kind in ("video", "stills"), f"It has a payload of an unknown kind, {str(kind)[:40]!r}.")
        _require(kind == "stills" or isinstance(about.get("codec"), str), "Its video payload names no codec.")
        _require(
            kind == "stills" or not facts.alpha or about.get("alpha") == "stacked",
            "Its frames are transparent, but its video has no stacked alpha.",
        )
        size = _integer(about, "length", 1, len(data) - offset)
        rest = {name: value for name, value in about.items() if name not in ("kind", "length")}
        payloads.append(Payload(kind, rest, _frames(data[offset : offset + size], facts.size, kind)))
        offset += size
    _require(offset == len(data), "There are bytes after its last payload.")
    return Pack(facts, payloads)


def _facts(header: dict[str, Any]) -> Facts:
    version = header.get("version")
    _require(version == VERSION, f"It has format version {str(version)[:20]}; this program reads version {VERSION}.")
    face: Any = header.get("face")
    _require(isinstance(face, dict), "Its header has no face.")
    place = (face.get("x"), face.get("y"))
    _require(
        all(isinstance(value, int | float) and -1 <= value <= 2 for value in place),
        "Its face is no point in the frame.",
    )
    alpha: Any = header.get("hasAlpha")
    _require(isinstance(alpha, bool), "Its header does not say whether it hasAlpha.")
    return Facts(
        _integer(header, "gridSize", 2, _MAX_SIZE),
        _integer(header, "imageWidth", 1, _MAX_SIDE),
        _integer(header, "imageHeight", 1, _MAX_SIDE),
        alpha,
        place,
    )


def _frames(body: bytes, size: int, kind: str) -> dict[Cell, Frame]:
    """The frames of a payload; checks that they lie in it without gap or overlap, and each after its parent."""
    count = size**2
    start = count * _ENTRY.itemsize
    _require(len(body) >= start, "A payload is shorter than its index.")
    index = np.frombuffer(body, _ENTRY, count)
    order = np.argsort(index["offset"], kind="stable").tolist()
    entries: list[tuple[int, int, int]] = index.tolist()
    depth: dict[int, int] = {-1: 0}
    frames = {}
    for place in order:
        offset, length, parent = entries[place]
        _require(offset == start and length > 0, "Its frames do not follow each other without gap or overlap.")
        _require(parent == -1 or kind == "video", "A still names a parent.")
        _require(parent in depth, "A frame comes before its parent, or names one that is not there.")
        depth[place] = depth[parent] + 1
        _require(depth[place] <= MAX_CHAIN, f"A frame needs more than {MAX_CHAIN} decodes.")
        start = offset + length
        _require(start <= len(body), "A frame ends after its payload.")
        above = None if parent == -1 else Cell(*divmod(parent, size))
        frames[Cell(*divmod(place, size))] = Frame(body[offset:start], above)
    _require(start == len(body), "There are bytes after the last frame of a payload.")
    return frames


def _integer(object_: dict[str, Any], name: str, low: int, high: int) -> int:
    value = object_.get(name)
    good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _require(good, f"Its {name} is {str(value)[:20]}; {low} to {high} is possible.")
    return int(value)  # type: ignore[arg-type]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise GazeError(f"{what} {_AGAIN}")
