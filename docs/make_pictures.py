"""The pictures that README and docs show, made from the example portrait.

    python docs/make_pictures.py [FOLDER [PIXELS]]

They replace those of the repository, or go to another folder, to be looked at first. PIXELS is the longer side of the
frames that they are cut from: fewer make it quick.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Callable
from functools import cache
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from gaze.engines.warp.engine import WarpEngine
from gaze.engines.warp.gaze import eye_motion
from gaze.grid import Cell, GazeGrid, Look, Pose, Strengths
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks, looks_to_check
from gaze.motion.morph import Morph
from gaze.motion.tracking import find_motion
from gaze.options import Options
from gaze.pipeline.preparing import prepare_portrait

ROOT = Path(__file__).resolve().parents[1]
PHOTO = ROOT / "gaze" / "ui" / "examples" / "astronaut.jpg"
PIXELS = int(sys.argv[2]) if len(sys.argv) > 2 else 1024  # the pictures show parts of the frames, enlarged
PORTRAIT, FACE, _ = prepare_portrait(PHOTO, Options(frame_size=PIXELS))

WIDTH = 1260  # which 3 and 5 divide
PAPER, INK = (244, 242, 238), (20, 20, 20)

Frames = Callable[[Cell | Look], np.ndarray]


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
    return np.vstack([row_of([cut_face(frame(Cell(row, col)), 1.6) for col in steps]) for row in steps])


def strengths(frame: Frames) -> np.ndarray:
    """The photo and four looks, row by row: eyes alone, normal, strong; of the first the eyes as well, larger."""
    looks = [Cell(15, 0), Cell(0, 15), Cell(29, 15), Cell(15, 29)]
    eyes, strong = rendered(Strengths(head=0, brows=0)), rendered(Strengths(1.8, 1.5, 1.5))
    across = f"{eye_motion(Pose(pupil_x=15)).across[1]:.0%}"
    alone = f"eyes alone: irises move by {across} of the distance between them to the sides; lids move up and down"
    rows = [strip(["photo", "left", "up", "down", "right"])]
    for name, look in ((alone, eyes), ("normal", frame), ("strong", strong)):
        pictures = [PORTRAIT.image, *map(look, looks)]
        rows.append(strip([name]))
        if look is eyes:
            rows.append(row_of([cut_eyes(picture, 0.85, 0.3) for picture in pictures]))
        rows.append(row_of([cut_face(picture, 2.1) for picture in pictures]))
    return np.vstack(rows)


def morphed(frame: Frames) -> np.ndarray:
    """Eyes far from keys, of which there are 7 per side, then 5: rendered, morphed, the four keys cross-faded."""
    rows = [strip(["rendered", "morphed", "four keys laid over each other"])]
    for keys in (7, 5):
        look = looks_to_check(key_axis(30, keys))[0]
        frames, morph = morph_of(frame, keys)
        faded = np.mean([frames[number] for number in (0, 1, keys, keys + 1)], axis=0)
        pictures = frame(look), morph(look), faded.astype(np.uint8)
        rows += [strip([f"{keys} keys per side"]), row_of([cut_eyes(picture, 0.95, 0.4) for picture in pictures])]
    return np.vstack(rows)


def following(frame: Frames) -> list[Image.Image]:
    """A portrait that follows a pointer which circles it, morphed as a page does it."""
    _, morph = morph_of(frame, 7)
    return [
        Image.fromarray(with_pointer(morph(Look(14.5 + 14.5 * math.sin(t), 14.5 + 14.5 * math.cos(t))), t))
        for t in np.linspace(0, 2 * math.pi, 60, endpoint=False)
    ]


@cache
def morph_of(frame: Frames, keys: int) -> tuple[dict[int, np.ndarray], Morph]:
    """So many keys per side, by number, and the morph between them."""
    axis = key_axis(30, keys)
    frames = {number: frame(key) for number, key in enumerate(key_looks(axis))}
    return frames, Morph(find_motion(frames, axis, Eyes.of(FACE)), frames)


def cut_face(frame: np.ndarray, reach: float) -> np.ndarray:
    """The square around the face that reaches so many distances between the irises to each side."""
    return _cut(frame, reach, reach, 0.4)


def cut_eyes(frame: np.ndarray, across: float, down: float) -> np.ndarray:
    """What lies around the eyes, so many distances between the irises to each side."""
    return _cut(frame, across, down, 0.0)


def _cut(frame: np.ndarray, across: float, down: float, below: float) -> np.ndarray:
    (x, y), unit = FACE.centre, FACE.iris_distance
    left, top = round(x - across * unit), round(y + (below - down) * unit)
    return frame[top : top + round(2 * down * unit), left : left + round(2 * across * unit)]


def row_of(pictures: list[np.ndarray], width: int = WIDTH, gap: int = 6) -> np.ndarray:
    """Pictures of one size side by side, with paper around each."""
    across = width // len(pictures) - gap
    height, old = pictures[0].shape[:2]
    size = (across, round(across * height / old))
    interpolation = cv2.INTER_AREA if across < old else cv2.INTER_CUBIC
    scaled = [cv2.resize(picture, size, interpolation=interpolation) for picture in pictures]
    half = gap // 2
    return np.hstack(
        [cv2.copyMakeBorder(it, half, half, half, half, cv2.BORDER_CONSTANT, value=PAPER) for it in scaled]
    )


def strip(texts: list[str], width: int = WIDTH, height: int = 40) -> np.ndarray:
    """Names of columns that share the width, or of one row."""
    page = Image.new("RGB", (width, height), PAPER)
    for index, text in enumerate(texts):
        middle = ((index + 0.5) * width / len(texts), height / 2)
        ImageDraw.Draw(page).text(middle, text, INK, ImageFont.load_default(24), anchor="mm")
    return np.asarray(page)


def with_pointer(frame: np.ndarray, t: float) -> np.ndarray:
    """The face on a page of its own, and the pointer that it looks at."""
    size, margin = 400, 60
    page = np.full((size + 2 * margin, size + 2 * margin, 3), PAPER, np.uint8)
    page[margin:-margin, margin:-margin] = row_of([cut_face(frame, 2.1)], size, gap=0)
    reach = size / 2 + 0.45 * margin
    x, y = size / 2 + margin + reach * math.cos(t), size / 2 + margin + reach * math.sin(t)
    arrow = 1.4 * np.array([(0, 0), (0, 17), (4, 13), (7, 20), (10, 19), (7, 12), (12, 12)]) + (x, y)
    cv2.polylines(page, [(arrow * 16).astype(np.int32)], True, (255, 255, 255), 3, cv2.LINE_AA, shift=4)
    cv2.fillPoly(page, [(arrow * 16).astype(np.int32)], INK, cv2.LINE_AA, shift=4)
    return page


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:2]))
