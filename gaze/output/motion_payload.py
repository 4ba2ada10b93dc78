"""A motion as a pack stores it: what the header says of it, and its compressed bytes (docs/format.md)."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np

from gaze.errors import GazeError
from gaze.motion.motion import Mesh, Motion

MAX_LINES, MAX_POINTS, MAX_KEYS = 257, 16641, 9
"""The most columns or rows of a mesh, points of it, keys per side."""


def describe_motion(motion: Motion, length: int) -> dict[str, Any]:
    """The header's fields for a motion whose payload has so many bytes."""
    about = {"length": length, "rank": motion.rank, "unit": motion.unit, "trust": motion.trust is not None}
    mesh = {"columns": list(motion.mesh.columns), "rows": list(motion.mesh.rows)}
    return {"looks": list(motion.looks), "mesh": mesh, "motion": about}


def encode_motion(motion: Motion) -> bytes:
    """The bytes of a motion's payload."""
    planes = np.moveaxis(motion.fields.view(np.uint16), -1, 1)
    differences = planes.copy()
    differences[..., 1:] -= planes[..., :-1]
    parts = [
        differences.astype("<u2").tobytes(),
        motion.coefficients.astype("<f4").tobytes(),
        motion.moving.astype(np.uint8).tobytes(),
    ]
    if motion.trust is not None:
        parts.append(motion.trust.astype(np.uint8).tobytes())
    return zlib.compress(b"".join(parts), 9)


def decode_motion(data: bytes, looks: tuple[float, ...], mesh: Mesh, rank: int, unit: float, trust: bool) -> Motion:
    """A motion from its payload, and what the header says of it.

    Memory is bounded by the numbers of the header, which the reader has bounded.

    Raises:
        GazeError: the bytes are no motion of this size, or break a rule of the format.
    """
    keys, points = len(looks) ** 2, mesh.count
    sizes = (rank * points * 4, keys * rank * 4, points, keys * points if trust else 0)
    raw = _inflated(data, sum(sizes))
    starts = np.cumsum((0, *sizes))
    fields, coefficients, moving, seen = (
        raw[start : start + size] for start, size in zip(starts.tolist(), sizes, strict=False)
    )
    differences = np.frombuffer(fields, "<u2").reshape(rank, 2, *mesh.shape)
    planes = np.cumsum(differences, axis=-1, dtype=np.uint16).view(np.int16)
    weights = np.frombuffer(coefficients, "<f4").reshape(len(looks), len(looks), rank)
    motion = Motion(
        looks,
        mesh,
        np.ascontiguousarray(np.moveaxis(planes, 1, -1)),
        unit,
        weights,
        np.frombuffer(moving, np.uint8).reshape(mesh.shape),
        np.frombuffer(seen, np.uint8).reshape(len(looks), len(looks), *mesh.shape) if trust else None,
    )
    _check(motion)
    return motion


def _inflated(data: bytes, size: int) -> bytes:
    stream = zlib.decompressobj()
    try:
        raw = stream.decompress(data, size + 1)
    except zlib.error as error:
        raise GazeError("Its motion cannot be unpacked.") from error
    if len(raw) != size or not stream.eof or stream.unused_data:
        raise GazeError("Its motion does not have the size that the header says.")
    return raw


def _check(motion: Motion) -> None:
    if not np.isfinite(motion.coefficients).all() or np.abs(motion.coefficients).max(initial=0) > 1e6:
        raise GazeError("Its motion has coefficients that are not finite, or too large.")
    if motion.coefficients[motion.middle, motion.middle].any():
        raise GazeError("Its motion moves the middle key.")
    moving = motion.moving
    if moving[[0, -1]].any() or moving[:, [0, -1]].any():
        raise GazeError("Its motion reaches the border of its mesh.")
    if motion.fields[:, moving < 255].any():
        raise GazeError("Its motion moves points that stand still.")
