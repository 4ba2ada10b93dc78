"""Rendered frames that are kept beside a portrait, so that a later run need not render them again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Look
from gaze.output.bundle import CHECKPOINT
from gaze.version import __version__

_ABOUT = "keys.json"
_MOST = 512
"""Frames that a file can hold; a run renders no more than about a hundred."""
_DAMAGE = (
    *(OSError, ValueError, KeyError, TypeError, RuntimeError, ArithmeticError),
    *(zipfile.BadZipFile, zlib.error, Image.DecompressionBombError),
)
"""What comes of reading a file that is damaged."""


@dataclass(frozen=True)
class Checkpoint:
    """What an earlier run rendered.

    Attributes:
        frames: (height, width, 3 or 4) uint8, by their looks.
        seconds: how long each took.
    """

    frames: Mapping[Look, np.ndarray]
    seconds: float


def fingerprint_of(image: np.ndarray, *choices: object) -> str:
    """What runs of one version share only if their engines render the same.

    Args:
        image: what the engine is given, uint8.
        choices: all else that a frame depends on; their `repr` counts.
    """
    return hashlib.sha256(repr((__version__, image.shape, choices)).encode() + image.tobytes()).hexdigest()


def write_checkpoint(folder: Path, fingerprint: str, checkpoint: Checkpoint) -> None:
    """Keep frames, losslessly.

    Args:
        folder: the portrait's.
        fingerprint: the run's `fingerprint_of`.
        checkpoint: the frames, and how long each took.
    """
    looks = [(look.row, look.col) for look in checkpoint.frames]
    with zipfile.ZipFile(folder / CHECKPOINT, "w") as archive:
        archive.writestr(
            _ABOUT, json.dumps({"fingerprint": fingerprint, "looks": looks, "seconds": checkpoint.seconds})
        )
        for number, frame in enumerate(checkpoint.frames.values()):
            archive.writestr(f"{number}.webp", _lossless(frame))


def read_checkpoint(folder: Path, fingerprint: str, shape: tuple[int, int, int]) -> Checkpoint:
    """The frames that are kept in a folder.

    Args:
        folder: an earlier portrait's.
        fingerprint: this run's `fingerprint_of`.
        shape: of a frame.

    Raises:
        GazeError: there are none, they are other frames, or they are damaged.
    """
    if not (folder / CHECKPOINT).is_file():
        raise GazeError(
            f"{folder} cannot be continued: there is no {CHECKPOINT} in it. A portrait has one if a slow engine "
            "rendered it."
        )
    try:
        with zipfile.ZipFile(folder / CHECKPOINT) as archive:
            about: dict[str, Any] = json.loads(archive.read(_ABOUT))
            if about["fingerprint"] != fingerprint:
                raise GazeError(
                    f"{folder} cannot be continued: its frames were made with another photo, settings or version. "
                    "Use the same ones; only keys, quality and video may differ."
                )
            looks = [Look(float(row), float(col)) for row, col in about["looks"][:_MOST]]
            return Checkpoint(
                {look: _read(archive, f"{number}.webp", shape) for number, look in enumerate(looks)},
                float(about["seconds"]),
            )
    except _DAMAGE as error:
        raise GazeError(f"{folder / CHECKPOINT} is damaged. Make the portrait without it.") from error


def checkpoint_frames(folder: Path, shape: tuple[int, int, int]) -> dict[Look, np.ndarray]:
    """The frames that are kept in a portrait's own folder, whatever run they are of; none if there are none.

    Args:
        folder: the portrait's.
        shape: of a frame.
    """
    try:
        with zipfile.ZipFile(folder / CHECKPOINT) as archive:
            fingerprint = json.loads(archive.read(_ABOUT))["fingerprint"]
        return dict(read_checkpoint(folder, fingerprint, shape).frames)
    except (*_DAMAGE, GazeError):
        return {}


def _read(archive: zipfile.ZipFile, name: str, shape: tuple[int, int, int]) -> np.ndarray:
    picture = Image.open(io.BytesIO(archive.read(name)), formats=["WEBP"])
    if picture.size != (shape[1], shape[0]):
        raise ValueError(f"{name} has another size")  # before it is decoded
    return np.asarray(picture.convert("RGBA" if shape[2] == 4 else "RGB"))  # WebP leaves out alpha that is opaque


def _lossless(frame: np.ndarray) -> bytes:
    out = io.BytesIO()
    # Colours under what is transparent, too; the least effort, which is a sixth larger and ten times as fast.
    Image.fromarray(frame).save(out, "WEBP", lossless=True, exact=True, method=0, quality=0)
    return out.getvalue()
