"""Packs for tests: of version 2 with a small motion, and of version 1, which nothing writes any more."""

from __future__ import annotations

import io
import json
from typing import Any

import numpy as np

from gaze.motion.motion import Mesh, Motion
from gaze.output.pack import ENTRY, LENGTH, MAGIC, Facts, Layer, Pack, Payload, Picture, write_pack

FACTS = Facts(4, 40, 50, face=(0.5, 0.3))
VIDEO: dict[str, Any] = {"codec": "vp09.00.10.08", "colorSpace": {"matrix": "bt709"}}
STILLS: dict[str, Any] = {"width": 20, "height": 25, "keys": [0, 1, 2]}


def small_motion(looks: tuple[float, ...] = (0.0, 1.5, 3.0), rank: int = 1, trust: bool = False) -> Motion:
    """A motion over 4 × 5 points, of which the six in the middle move."""
    mesh = Mesh((4, 10, 20, 30, 36), (5, 15, 30, 45))
    n = len(looks)
    moving = np.zeros(mesh.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    rng = np.random.default_rng(n + rank)
    fields = rng.integers(-3000, 3000, (rank, *mesh.shape, 2)).astype(np.int16)
    fields[:, moving < 255] = 0
    coefficients = rng.uniform(-1, 1, (n, n, rank)).astype(np.float32)
    coefficients[n // 2, n // 2] = 0
    seen = rng.integers(0, 256, (n, n, *mesh.shape)).astype(np.uint8) if trust else None
    return Motion(looks, mesh, fields, 1 / 16, coefficients, moving, seen)


def stills(count: int = 9, about: dict[str, Any] = STILLS) -> Payload:
    return Payload("stills", about, {i: Picture(bytes([i + 1]) * (i + 1)) for i in outwards(count)})


def video(count: int = 9) -> Payload:
    order = outwards(count)
    above = [None, *order]
    return Payload("video", VIDEO, {n: Picture(b"v" * (count + 1 - i), above[i]) for i, n in enumerate(order)})


def short_video(count: int) -> Payload:
    """As in version 1: no chain is long."""
    first, *rest = outwards(count)
    return Payload("video", VIDEO, {first: Picture(b"key"), **{n: Picture(b"v", first) for n in rest}})


def outwards(count: int) -> list[int]:
    """The numbers up to `count`, the middle first."""
    return sorted(range(count), key=lambda number: (abs(number - count // 2), number))


def layer(values: tuple[float, ...] = (0.5, 1.0), looks: tuple[float, ...] = (1.5,)) -> Layer:
    count = len(values) * len(looks) ** 2
    payload = Payload("video", {**VIDEO, "alpha": "stacked"}, video(count).pictures)
    return Layer("blink", values, (10, 12, 20, 8), small_motion(looks), (payload,))


def packed(
    *payloads: Payload, facts: Facts = FACTS, motion: Motion | None = None, layers: tuple[Layer, ...] = ()
) -> bytes:
    out = io.BytesIO()
    write_pack(Pack(facts, payloads, motion or small_motion(), layers), out)
    return out.getvalue()


def packed_1(*payloads: Payload, facts: Facts = FACTS) -> bytes:
    """A pack of version 1: every cell of the grid, no motion."""
    bodies, described = [], []
    for payload in payloads:
        index = np.zeros(facts.size**2, ENTRY)
        offset = index.nbytes
        for number, picture in payload.pictures.items():
            index[number] = (offset, len(picture.data), -1 if picture.parent is None else picture.parent)
            offset += len(picture.data)
        bodies.append(b"".join([index.tobytes(), *(picture.data for picture in payload.pictures.values())]))
        described.append({"kind": payload.kind, **payload.about, "length": len(bodies[-1])})
    header = {
        "version": 1,
        "gridSize": facts.size,
        "imageWidth": facts.width,
        "imageHeight": facts.height,
        "hasAlpha": facts.alpha,
        "face": {"x": facts.face[0], "y": facts.face[1]},
        "payloads": described,
    }
    text = json.dumps(header).encode()
    return b"".join([MAGIC, LENGTH.pack(len(text)), text, *bodies])
