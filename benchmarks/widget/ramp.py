"""A portrait that tells which look it shows: grey that grows with the column on the left, with the row on the right."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image

LOW, HIGH = 20, 235
"""Grey of the first and of the last row or column; linear between, so that blends of pictures are right, too."""
COLUMN, ROW = (0.2, 0.3, 0.25, 0.4), (0.55, 0.3, 0.25, 0.4)
"""Where the grey is read: left, top, width and height, as shares of the picture."""


def picture(row: float, col: float, side: int, size: int = 30) -> np.ndarray:
    """(side, side, 3) uint8. Noise that stands still makes means of a part finer than one level."""
    noise = np.random.default_rng(1).uniform(-8, 8, (side, side))
    level = np.empty((side, side))
    level[:, : side // 2] = col
    level[:, side // 2 :] = row
    grey = np.round(LOW + (HIGH - LOW) * level / (size - 1) + noise).astype(np.uint8)
    return np.repeat(grey[..., None], 3, axis=2)


def write_ramp(folder: Path, side: int = 256, size: int = 30) -> None:
    """A pack of 7 by 7 keys, between which nothing moves: what is shown between them is a blend. Without loss."""
    from gaze.motion.keys import key_axis, key_looks, spiral
    from gaze.motion.motion import Mesh, Motion
    from gaze.output.pack import PACK, Facts, Pack, Payload, Picture, write_pack

    axis = key_axis(size, 7)
    n, lines = len(axis), tuple(range(8, side, 16))
    mesh = Mesh(lines, lines)
    moving = np.zeros(mesh.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    still = np.zeros((1, *mesh.shape, 2), np.int16)
    motion = Motion(axis, mesh, still, 1 / 16, np.zeros((n, n, 1), np.float32), moving)
    looks = key_looks(axis)
    pictures = {key: Picture(_lossless(picture(looks[key].row, looks[key].col, side, size))) for key in spiral(n)}
    payload = Payload("stills", {"width": side, "height": side, "keys": list(range(n))}, pictures)
    folder.mkdir(parents=True)
    with (folder / PACK).open("wb") as file:
        write_pack(Pack(Facts(size, side, side), (payload,), motion), file)


def _lossless(frame: np.ndarray) -> bytes:
    out = io.BytesIO()
    Image.fromarray(frame).save(out, "WEBP", lossless=True)
    return out.getvalue()
