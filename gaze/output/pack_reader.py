"""Packs of both versions, read. Any bytes give a pack or a `GazeError`; nothing is allocated before it is bounded."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeGuard

import numpy as np

from gaze.errors import GazeError
from gaze.motion.motion import Mesh, Motion
from gaze.motion.rank import MAX_RANK
from gaze.output.metadata import MAX_GRID, MAX_SIDE
from gaze.output.motion_payload import MAX_KEYS, MAX_LINES, MAX_POINTS, decode_motion
from gaze.output.pack import ENTRY, LENGTH, MAGIC, MAX_HEADER, VERSION, Facts, Layer, Pack, Payload, Picture

MAX_CHAIN = {1: 8, 2: 81}
"""The most pictures that a decoder may have to go through for one, by the pack's version."""
MAX_PIXELS = {1: 2**24, 2: 2**22}
"""The most pixels of a frame: width times height."""
_ALL_PIXELS = 2**30
"""The most pixels of all pictures of a payload: what sheets of version 1 can hold, and more than version 2 can."""
_LAYERS, _VALUES = 8, 8
_LARGE = 2**31
_NAME = re.compile(r"[a-z-]{1,32}")
_AGAIN = "The file is damaged or not a pack. Make it again."


def read_pack(source: str | Path | bytes) -> Pack:
    """Read a pack from a file, or from its bytes.

    Raises:
        GazeError: it is no pack, or breaks a rule of the format; pictures are not decoded (`gaze.output.validator`).
    """
    if isinstance(source, bytes):
        return _parse(source)
    try:
        with open(source, "rb") as file:
            start = file.read(len(MAGIC))
            if start != MAGIC:  # before a large file of another kind is read whole
                raise GazeError(f"It is not a pack: it does not begin with {MAGIC.decode()}.")
            data = start + file.read(os.fstat(file.fileno()).st_size)
        return _parse(data)
    except OSError as error:
        raise GazeError(f"{source} cannot be read: {error.strerror}.") from error
    except GazeError as error:
        raise GazeError(f"{source}: {error}") from error


@dataclass
class _Rest:
    """What is left of a file after its header."""

    data: bytes
    offset: int

    def take(self, about: dict[str, Any], least: int = 1) -> bytes:
        size = _integer(about, "length", least, len(self.data) - self.offset)
        self.offset += size
        return self.data[self.offset - size : self.offset]


def _parse(data: bytes) -> Pack:
    start = len(MAGIC) + LENGTH.size
    _require(data[: len(MAGIC)] == MAGIC and len(data) >= start, f"It does not begin with {MAGIC.decode()}.")
    (length,) = LENGTH.unpack_from(data, len(MAGIC))
    _require(length <= MAX_HEADER, f"Its header would have {length} bytes; {MAX_HEADER} are allowed.")
    _require(start + length <= len(data), "It ends within its header.")
    try:
        header = json.loads(data[start : start + length])
    except (ValueError, RecursionError):
        header = None
    _require(isinstance(header, dict), "Its header is not a JSON object.")
    version = header.get("version")
    _require(
        type(version) is int and version in (1, VERSION),
        f"It has format version {str(version)[:20]}; this program reads versions 1 and {VERSION}.",
    )
    facts = _facts(header, version)
    rest = _Rest(data, start + length)
    if version == 1:
        payloads = _payloads(header, rest, facts, version, lambda about: facts.size**2)
        pack = Pack(facts, payloads)
    else:
        pack = _parse_keys(header, rest, facts)
    _require(rest.offset == len(data), "There are bytes after its last payload.")
    return pack


def _parse_keys(header: dict[str, Any], rest: _Rest, facts: Facts) -> Pack:
    motion = _motion(header, rest, facts, least=3)
    count = len(motion.looks)
    payloads = _payloads(header, rest, facts, VERSION, lambda about: _still_count(about, count))
    declared = header.get("layers", [])
    _require(isinstance(declared, list) and len(declared) <= _LAYERS, "Its layers are no list of at most eight.")
    return Pack(facts, payloads, motion, tuple(_layer(about, rest, facts) for about in declared))


def _still_count(about: dict[str, Any], n: int) -> int:
    """How many pictures a payload holds; sees to it that stills tell which keys they are."""
    if about["kind"] == "video":
        return n * n
    keys: Any = about.get("keys")
    good = isinstance(keys, list) and all(type(key) is int for key in keys) and {0, n // 2, n - 1} <= set(keys)
    _require(good and keys == sorted(set(keys)) and keys[-1] < n and keys[0] >= 0, "Its stills do not list their keys.")
    return len(keys) ** 2


def _layer_count(about: dict[str, Any], n: int) -> int:
    """How many pictures a layer's payload holds of each value."""
    keys: Any = about.get("keys", list(range(n)))
    good = isinstance(keys, list) and all(type(key) is int and 0 <= key < n for key in keys) and n // 2 in keys
    _require(good and keys == sorted(set(keys)), "A layer does not list its keys.")
    return len(keys) ** 2


def _layer(about: Any, rest: _Rest, facts: Facts) -> Layer:
    _require(isinstance(about, dict), "A layer is not a JSON object.")
    name: Any = about.get("name")
    values: Any = about.get("values")
    place: Any = about.get("region")
    _require(isinstance(name, str) and bool(_NAME.fullmatch(name)), "A layer's name is not in lowercase letters.")
    _require(
        isinstance(values, list) and 1 <= len(values) <= _VALUES and all(map(_is_number, values)),
        "A layer has no values.",
    )
    _require(
        values[0] > 0 and values == sorted(set(values)) and values[-1] == 1, "A layer's values do not ascend to 1."
    )
    _require(isinstance(place, dict), "A layer has no region.")
    x, y = _integer(place, "x", 0, facts.width - 1), _integer(place, "y", 0, facts.height - 1)
    width, height = _integer(place, "width", 1, facts.width - x), _integer(place, "height", 1, facts.height - y)
    motion = _motion(about, rest, facts, least=1)
    part = Facts(facts.size, width, height, True)
    payloads = _payloads(
        about, rest, part, VERSION, lambda payload: len(values) * _layer_count(payload, len(motion.looks))
    )
    return Layer(name, tuple(map(float, values)), (x, y, width, height), motion, payloads)


def _motion(header: dict[str, Any], rest: _Rest, facts: Facts, least: int) -> Motion:
    looks: Any = header.get("looks")
    mesh: Any = header.get("mesh")
    about: Any = header.get("motion")
    good = isinstance(looks, list) and all(map(_is_number, looks)) and len(looks) % 2 == 1
    _require(good and least <= len(looks) <= MAX_KEYS, "Its header does not tell the looks of its keys.")
    ends = (looks[0], looks[-1]) == (0, facts.size - 1) or (len(looks) == 1 and 0 <= looks[0] <= facts.size - 1)
    ascending = all(b - a > 0 for a, b in pairwise(looks))
    _require(ends and ascending, "The looks of its keys do not go from one end of the grid to the other.")
    _require(isinstance(mesh, dict) and isinstance(about, dict), "Its header does not describe its motion.")
    lines = Mesh(_line(mesh.get("columns"), facts.width), _line(mesh.get("rows"), facts.height))
    _require(lines.count <= MAX_POINTS, f"Its mesh has {lines.count} points; {MAX_POINTS} are allowed.")
    rank = _integer(about, "rank", 0, MAX_RANK)
    unit, trust = about.get("unit"), about.get("trust")
    _require(_is_number(unit) and 0 < unit <= 16, "Its motion has no unit.")
    _require(isinstance(trust, bool), "Its header does not say whether its motion has trust.")
    try:
        return decode_motion(rest.take(about), tuple(map(float, looks)), lines, rank, float(unit), trust)
    except GazeError as error:
        raise GazeError(str(error) if _AGAIN in str(error) else f"{error} {_AGAIN}") from error


def _line(values: Any, side: int) -> tuple[int, ...]:
    good = isinstance(values, list) and 2 <= len(values) <= MAX_LINES and all(type(value) is int for value in values)
    _require(good, f"Its mesh is not a list of 2 to {MAX_LINES} columns and rows.")
    ascending = all(a < b for a, b in pairwise(values))
    _require(ascending and values[0] >= 0 and values[-1] <= side, "Its mesh does not ascend inside the frame.")
    return tuple(values)


def _payloads(
    header: dict[str, Any], rest: _Rest, facts: Facts, version: int, count_of: Callable[[dict[str, Any]], int]
) -> tuple[Payload, ...]:
    declared: Any = header.get("payloads")
    _require(isinstance(declared, list) and 1 <= len(declared) <= 4, "Its header lists no payloads.")
    payloads = []
    for about in declared:
        _require(isinstance(about, dict), "A payload is not a JSON object.")
        kind = about.get("kind")
        _require(kind in ("video", "stills"), f"It has a payload of an unknown kind, {str(kind)[:40]!r}.")
        _require(kind == "stills" or isinstance(about.get("codec"), str), "Its video payload names no codec.")
        _require(
            kind == "stills" or not facts.alpha or about.get("alpha") == "stacked",
            "Its frames are transparent, but its video has no stacked alpha.",
        )
        if kind == "stills" and version != 1:
            _integer(about, "width", 1, facts.width)
            _integer(about, "height", 1, facts.height)
        count = count_of(about)
        _require(count * facts.width * facts.height <= _ALL_PIXELS, "Its pictures are too large and too many.")
        rest_about = {name: value for name, value in about.items() if name not in ("kind", "length")}
        payloads.append(Payload(kind, rest_about, _pictures(rest.take(about), count, kind, MAX_CHAIN[version])))
    return tuple(payloads)


def _facts(header: dict[str, Any], version: int) -> Facts:
    face: Any = header.get("face")
    _require(isinstance(face, dict), "Its header has no face.")
    place = (face.get("x"), face.get("y"))
    _require(all(_is_number(value) and -1 <= value <= 2 for value in place), "Its face is not a point in the frame.")
    alpha: Any = header.get("hasAlpha")
    _require(isinstance(alpha, bool), "Its header does not give hasAlpha.")
    facts = Facts(
        _integer(header, "gridSize", 2, MAX_GRID),
        _integer(header, "imageWidth", 1, MAX_SIDE),
        _integer(header, "imageHeight", 1, MAX_SIDE),
        alpha,
        place,
    )
    _require(
        facts.width * facts.height <= MAX_PIXELS[version],
        f"Its frames would have {facts.width} × {facts.height} pixels; {MAX_PIXELS[version]} are allowed in all.",
    )
    return facts


def _pictures(body: bytes, count: int, kind: str, longest: int) -> dict[int, Picture]:
    """The pictures of a payload; checks that they lie in it without gap or overlap, and each after its parent."""
    start = count * ENTRY.itemsize
    _require(len(body) >= start, "A payload is shorter than its index.")
    index = np.frombuffer(body, ENTRY, count)
    order = np.argsort(index["offset"], kind="stable").tolist()
    entries: list[tuple[int, int, int]] = index.tolist()
    depth: dict[int, int] = {-1: 0}
    pictures = {}
    for place in order:
        offset, length, parent = entries[place]
        _require(offset == start and length > 0, "Its frames do not follow each other without gap or overlap.")
        _require(parent == -1 or kind == "video", "A still names a parent.")
        _require(parent in depth, "A frame comes before its parent, or names one that is not there.")
        depth[place] = depth[parent] + 1
        _require(depth[place] <= longest, f"A frame needs more than {longest} decodes.")
        start = offset + length
        _require(start <= len(body), "A frame ends after its payload.")
        pictures[place] = Picture(body[offset:start], None if parent == -1 else parent)
    _require(start == len(body), "There are bytes after the last frame of a payload.")
    return pictures


def _is_number(value: Any) -> TypeGuard[float]:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return abs(value) < _LARGE  # false for what is no number, too


def _integer(object_: dict[str, Any], name: str, low: int, high: int) -> int:
    value = object_.get(name)
    good = isinstance(value, int) and not isinstance(value, bool) and low <= value <= high
    _require(good, f"Its {name} is {str(value)[:20]}; {low} to {high} is possible.")
    return int(value)  # type: ignore[arg-type]


def _require(holds: bool, what: str) -> None:
    if not holds:
        raise GazeError(f"{what} {_AGAIN}")
