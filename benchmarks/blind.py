"""Contact sheets of the instant engine, and two versions of them in hidden order for a blind comparison.

.venv/bin/python -m benchmarks.blind sheets PHOTOS SHEETS
.venv/bin/python -m benchmarks.blind pairs SHEETS_BEFORE SHEETS_NOW PAIRS KEY

The first writes one sheet per photo of a folder: the eyes of the neutral frame and of eight looks, at about three times
their size, above the frames. Run it once for either version; a checkout that has no such file yet is named instead:
PYTHONPATH=CHECKOUT .venv/bin/python -P benchmarks/blind.py sheets PHOTOS SHEETS_BEFORE. The second gives both sheets of
a photo the names A and B by chance; KEY says which is which, and is to be kept from whoever grades them.
"""

from __future__ import annotations

import argparse
import json
import random
import shutil
from pathlib import Path

import cv2
import numpy as np

from gaze.engines.warp.engine import WarpEngine, render_frame
from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.face.framing import frame_portrait
from gaze.grid import Cell, GazeGrid, Pose
from gaze.photo.portrait import load_portrait

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
FRAME_SIZE = 512
SHOWN, ENLARGED = 160, 480
"""Widths on a sheet, in pixels: of a frame, and of its eyes, three times as large as most frames have them."""
EYES = (0.95, 0.42)
"""What is shown of them: iris distances from the middle to the sides, and up and down."""
CARRIED = 0.23
"""Iris distances that a head carries its eyes at the grid's edge."""
EDGE = 29
LOOKS = ((0, 0), (0, 15), (0, EDGE), (15, 0), None, (15, EDGE), (EDGE, 0), (EDGE, 15), (EDGE, EDGE))
"""Rows and columns of a grid of 30, as they lie on the sheet; None is the neutral pose."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(required=True)
    sheets = commands.add_parser("sheets")
    sheets.add_argument("photos", type=Path)
    sheets.add_argument("out", type=Path)
    sheets.set_defaults(run=lambda args: write_sheets(args.photos, args.out))
    pairs = commands.add_parser("pairs")
    for name in ("before", "now", "out", "key"):
        pairs.add_argument(name, type=Path)
    pairs.add_argument("--seed", type=int, default=None, help="for the same order again")
    pairs.set_defaults(run=lambda args: write_pairs(args.before, args.now, args.out, args.key, args.seed))
    args = parser.parse_args()
    args.run(args)


def write_sheets(photos: Path, out: Path) -> None:
    """A PNG for each photo in a folder; photos that are refused are named and left out."""
    out.mkdir(parents=True, exist_ok=True)
    for photo in sorted(it for it in photos.iterdir() if it.suffix.lower() in PHOTOS):
        try:
            whole = load_portrait(photo)
            portrait, face = frame_portrait(whole, main_face(whole)[0], FRAME_SIZE)
        except Exception as error:
            print(f"{photo.name}: {error}")
            continue
        source, grid = WarpEngine().prepare(portrait, face), GazeGrid(30)
        frames = [render_frame(source, grid.pose(Cell(*look)) if look else Pose()) for look in LOOKS]
        cv2.imwrite(str(out / f"{photo.stem}.png"), sheet(frames, face)[..., ::-1])


def sheet(frames: list[np.ndarray], face: Face) -> np.ndarray:
    """Three rows of the eyes of three frames each, and a row of the frames: (h, w, 3) uint8."""
    height, width = frames[0].shape[:2]
    size = (SHOWN, round(SHOWN * height / width))
    small = np.hstack([cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames])
    large = [eyes(frame, face, look) for frame, look in zip(frames, LOOKS, strict=True)]
    rows = np.vstack([np.hstack(large[i : i + 3]) for i in (0, 3, 6)])
    return np.vstack([rows, small])


def eyes(frame: np.ndarray, face: Face, look: tuple[int, int] | None) -> np.ndarray:
    """The eyes of a frame, level and enlarged, where the head has them in this look; grey beyond the frame."""
    x, y = (2 * np.array(look[::-1]) / EDGE - 1) * CARRIED if look else (0.0, 0.0)
    scale = ENLARGED / (2 * EYES[0] * face.iris_distance)
    size = ENLARGED, round(ENLARGED * EYES[1] / EYES[0])
    place = cv2.getRotationMatrix2D((0, 0), np.degrees(face.tilt), scale)
    seen = place[:, :2] @ face.centre + scale * face.iris_distance * np.array([x, y])
    place[:, 2] = np.array(size) / 2 - seen
    return cv2.warpAffine(frame, place, size, flags=cv2.INTER_CUBIC, borderValue=(128, 128, 128))


def write_pairs(before: Path, now: Path, out: Path, key: Path, seed: int | None) -> None:
    """For each sheet that both folders have: NN_A.png and NN_B.png, in random order; and which of them is which."""
    chance = random.Random(seed)
    names = sorted({it.name for it in before.glob("*.png")} & {it.name for it in now.glob("*.png")})
    chance.shuffle(names)
    out.mkdir(parents=True, exist_ok=True)
    hidden = {}
    for number, name in enumerate(names, 1):
        versions = [("before", before), ("now", now)]
        chance.shuffle(versions)
        for letter, (_, folder) in zip("AB", versions, strict=True):
            shutil.copyfile(folder / name, out / f"{number:02}_{letter}.png")
        hidden[f"{number:02}"] = {"photo": name, "A": versions[0][0], "B": versions[1][0]}
    key.write_text(json.dumps(hidden, indent=1) + "\n")
    print(f"{len(names)} pairs")


if __name__ == "__main__":
    main()
