"""The pictures that README and docs show, made from the example portrait: python docs/make_pictures.py"""

from __future__ import annotations

import math
from pathlib import Path

import cv2
import numpy as np
from PIL import Image

from gaze.engines.warp import WarpEngine
from gaze.grid import Cell, GazeGrid
from gaze.pipeline import Options, prepare_portrait

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "assets" / "examples" / "astronaut.jpg"


def main() -> None:
    portrait, face, _ = prepare_portrait(PHOTO, Options())
    engine, grid = WarpEngine(), GazeGrid(30)
    source = engine.prepare(portrait, face)

    def frame(row: float, col: float) -> np.ndarray:
        return engine.render(source, [grid.pose(Cell(round(row), round(col)))])[0]

    steps = [0, 7, 15, 22, 29]
    sheet = np.vstack([np.hstack([frame(row, col) for col in steps]) for row in steps])
    Image.fromarray(cv2.resize(sheet, (1280, 1280), interpolation=cv2.INTER_AREA)).save(
        ROOT / "docs" / "contact-sheet.webp", quality=80
    )

    frames = [
        Image.fromarray(with_pointer(frame(14.5 + 14.5 * math.sin(t), 14.5 + 14.5 * math.cos(t)), t))
        for t in np.linspace(0, 2 * math.pi, 60, endpoint=False)
    ]
    frames[0].save(
        ROOT / "assets" / "following.webp", save_all=True, append_images=frames[1:], duration=50, loop=0, quality=70
    )


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
    main()
