"""Rendered frames that are kept beside a portrait, so that a denser run need not render them again."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.motion.old_keys import Axis, cells_of
from gaze.output.spool import FrameSpool
from gaze.version import __version__

KEPT = "keys.zip"
"""Its file in a portrait's folder: for the owner alone, and of no use to pages."""
_ABOUT = "keys.json"


@dataclass(frozen=True)
class Kept:
    """What an earlier run rendered.

    Attributes:
        axis: its keys.
        cells: these and others that were rendered.
        seconds: how long it took for each.
    """

    axis: Axis
    cells: frozenset[Cell]
    seconds: float


def fingerprint(image: np.ndarray, *choices: object) -> str:
    """What runs of one version share only if their engines render the same.

    Args:
        image: what the engine is given, uint8.
        choices: all else that a frame depends on; their `repr` counts.
    """
    return hashlib.sha256(repr((__version__, image.shape, choices)).encode() + image.tobytes()).hexdigest()


def keep(folder: Path, print_: str, kept: Kept, spool: FrameSpool) -> None:
    """Keep frames, losslessly.

    Args:
        folder: the portrait's.
        print_: the run's `fingerprint`.
        kept: which frames.
        spool: holds them.
    """
    about = {"fingerprint": print_, "axis": kept.axis, "seconds": kept.seconds}
    with zipfile.ZipFile(folder / KEPT, "w") as archive:
        archive.writestr(_ABOUT, json.dumps(about))
        for cell in sorted(kept.cells, key=lambda cell: (cell.row, cell.col)):
            archive.writestr(f"{cell.row}-{cell.col}.webp", _lossless(spool.get(cell)))


def take_up(folder: Path, print_: str, spool: FrameSpool) -> Kept:
    """Put the frames that are kept in a folder into the spool.

    Args:
        folder: an earlier portrait's.
        print_: this run's `fingerprint`.
        spool: as large as the earlier one.

    Raises:
        GazeError: there are none, they are other frames, or they are damaged.
    """
    if not (folder / KEPT).is_file():
        raise GazeError(
            f"{folder} cannot be continued: there is no {KEPT} in it. A portrait has one if a slow engine rendered "
            "some of its frames, and the others were morphed."
        )
    try:
        with zipfile.ZipFile(folder / KEPT) as archive:
            about: dict[str, Any] = json.loads(archive.read(_ABOUT))
            if about["fingerprint"] != print_:
                raise GazeError(
                    f"{folder} cannot be continued: its frames are others than what was asked for. Give the same photo "
                    "and the same choices, except for keys, quality and video, to the same version of this program."
                )
            cells = {_cell(name, spool.size): name for name in archive.namelist() if name != _ABOUT}
            kept = Kept(tuple(about["axis"]), frozenset(cells), float(about["seconds"]))
            if not kept.cells.issuperset(cells_of(kept.axis)):
                raise ValueError("a key is missing")
            for cell, name in cells.items():
                frame = np.asarray(Image.open(io.BytesIO(archive.read(name))))
                if frame.shape != spool.shape:
                    raise ValueError(f"{name} has another size")
                spool.put(cell, frame)
        return kept
    except (OSError, ValueError, KeyError, TypeError, zipfile.BadZipFile, Image.DecompressionBombError) as error:
        raise GazeError(f"{folder / KEPT} is damaged. Make the portrait without it.") from error


def _cell(name: str, size: int) -> Cell:
    row, col = map(int, name.removesuffix(".webp").split("-"))
    if not (0 <= row < size and 0 <= col < size):
        raise ValueError(f"{name} is no cell")
    return Cell(row, col)


def _lossless(frame: np.ndarray) -> bytes:
    out = io.BytesIO()
    # Colours under what is transparent, too; the least effort, which is a sixth larger and ten times as fast.
    Image.fromarray(frame).save(out, "WEBP", lossless=True, exact=True, method=0, quality=0)
    return out.getvalue()
