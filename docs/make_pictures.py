"""The pictures that README and docs show, made from the example portrait.

    python docs/make_pictures.py [FOLDER]

They replace those of the repository, or go to another folder, to be looked at first.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from gaze.engines.warp import WarpEngine
from gaze.grid import Cell, GazeGrid, Strengths
from gaze.inbetween import Inbetween
from gaze.keys import cells_to_check, key_axis
from gaze.pipeline import Options, prepare_portrait

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "assets" / "examples" / "astronaut.jpg"
PORTRAIT, FACE, _ = prepare_portrait(PHOTO, Options())

Frames = Callable[[Cell], np.ndarray]


def main(out: Path = ROOT) -> None:
    frame = rendered(Strengths())
    (out / "docs").mkdir(parents=True, exist_ok=True)
    (out / "assets").mkdir(exist_ok=True)
    for draw in (contact_sheet, strengths, morphed):
        picture = Image.fromarray(draw(frame))
        picture.save(out / "docs" / f"{draw.__name__.replace('_', '-')}.webp", quality=80)
    first, *others = following(frame)
    first.save(out / "assets" / "following.webp", save_all=True, append_images=others, duration=50, loop=0, quality=70)


def rendered(how: Strengths) -> Frames:
    """The instant engine's frame of a cell."""
    engine, grid = WarpEngine(), GazeGrid(30, how)
    source = engine.prepare(PORTRAIT, FACE)
    return cache(lambda cell: engine.render(source, [grid.pose(cell)])[0])


def contact_sheet(frame: Frames) -> np.ndarray:
    """Five by five of the nine hundred frames."""
    steps = [0, 7, 15, 22, 29]
    return table([[frame(Cell(row, col)) for col in steps] for row in steps])


def strengths(frame: Frames) -> np.ndarray:
    """The photo and four looks (left, up, down, right), row by row: eyes alone, normal, strong."""
    looks = [Cell(15, 0), Cell(0, 15), Cell(29, 15), Cell(15, 29)]
    rows = [rendered(Strengths(head=0, brows=0)), frame, rendered(Strengths(1.8, 1.5, 1.5))]
    return table([[cut(picture, 2.6) for picture in (PORTRAIT.image, *map(row, looks))] for row in rows])


def morphed(frame: Frames) -> np.ndarray:
    """Eyes far from keys, of which there are 10 per side, then 6: rendered, morphed, the four keys cross-faded."""
    rows = []
    for keys in (10, 6):
        axis = key_axis(30, keys)
        cell = cells_to_check(axis)[0]
        faded = np.mean([frame(Cell(row, col)) for row in axis[:2] for col in axis[:2]], axis=0)
        pictures = frame(cell), Inbetween(axis, frame, FACE).frame(cell), faded.astype(np.uint8)
        rows.append([cut(picture, 1.15, 0.6) for picture in pictures])
    return table(rows)


def following(frame: Frames) -> list[Image.Image]:
    """A portrait that follows a pointer which circles it."""
    return [
        Image.fromarray(
            with_pointer(frame(Cell(round(14.5 + 14.5 * math.sin(t)), round(14.5 + 14.5 * math.cos(t)))), t)
        )
        for t in np.linspace(0, 2 * math.pi, 60, endpoint=False)
    ]


def cut(frame: np.ndarray, across: float, down: float | None = None) -> np.ndarray:
    """What lies around the eyes, so many distances between the irises to each side; a square, if not said otherwise."""
    (x, y), unit = FACE.centre, FACE.iris_distance
    if down is None:
        down, y = across, y + 0.4 * unit
    return frame[round(y - down * unit) : round(y + down * unit), round(x - across * unit) : round(x + across * unit)]


def table(rows: list[list[np.ndarray]], width: int = 1280) -> np.ndarray:
    """Pictures of one size side by side and row under row."""
    sheet = np.vstack([np.hstack(row) for row in rows])
    size = (width, round(width * sheet.shape[0] / sheet.shape[1]))
    return cv2.resize(sheet, size, interpolation=cv2.INTER_AREA if width < sheet.shape[1] else cv2.INTER_CUBIC)


def with_pointer(frame: np.ndarray, t: float) -> np.ndarray:
    """The frame at half size on a page of its own, and the pointer that it looks at."""
    size, margin = 300, 70
    page = np.full((size + 2 * margin, size + 2 * margin, 3), (244, 242, 238), np.uint8)
    page[margin:-margin, margin:-margin] = cv2.resize(frame, (size, size), interpolation=cv2.INTER_AREA)
    reach = size / 2 + 0.55 * margin
    x, y = size / 2 + margin + reach * math.cos(t), size / 2 + margin + reach * math.sin(t)
    arrow = np.array([(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)]) + (x, y)
    cv2.fillPoly(page, [(arrow * 16).astype(np.int32)], (20, 20, 20), cv2.LINE_AA, shift=4)
    return page


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
