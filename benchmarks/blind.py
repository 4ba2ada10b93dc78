"""Contact sheets of the instant engine, and two versions of them in hidden order for a blind comparison.

.venv/bin/python -m benchmarks.blind sheets PHOTOS SHEETS
.venv/bin/python -m benchmarks.blind pairs SHEETS_BEFORE SHEETS_NOW PAIRS KEY

The first writes one sheet per photo of a folder: the neutral frame and eight looks, each with its eyes at three times
their size. Run it in a checkout of either version (`PYTHONPATH=CHECKOUT python benchmarks/blind.py sheets …` where one
has no such file yet). The second gives both sheets of a photo the names A and B by chance; KEY says which is which, and
is to be kept from whoever grades them.
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
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose
from gaze.options import Options
from gaze.pipeline.preparing import prepare_portrait

PHOTOS = {".jpg", ".jpeg", ".png", ".webp"}
FRAME_SIZE = 512
SHOWN = 300
"""Height of a frame on a sheet, in pixels."""
ENLARGED = 3
EYES = (0.9, 0.36)
"""What is shown enlarged: iris distances from the middle to the sides, and up and down."""
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
            portrait, face, _ = prepare_portrait(photo.read_bytes(), Options(frame_size=FRAME_SIZE))
        except Exception as error:
            print(f"{photo.name}: {error}")
            continue
        source, grid = WarpEngine().prepare(portrait, face), GazeGrid(30)
        frames = [render_frame(source, grid.pose(Cell(*look)) if look else Pose()) for look in LOOKS]
        cv2.imwrite(str(out / f"{photo.stem}.png"), sheet(frames, face)[..., ::-1])


def sheet(frames: list[np.ndarray], face: Face) -> np.ndarray:
    """Three rows of three frames, and the eyes of each: (h, w, 3) uint8."""
    height, width = frames[0].shape[:2]
    size = (round(width * SHOWN / height), SHOWN)
    small = [cv2.resize(frame, size, interpolation=cv2.INTER_AREA) for frame in frames]
    large = [_eyes(frame, face) for frame in frames]
    rows = [np.hstack([*small[i : i + 3], *(_padded(it, SHOWN) for it in large[i : i + 3])]) for i in (0, 3, 6)]
    return np.vstack(rows)


def _eyes(frame: np.ndarray, face: Face) -> np.ndarray:
    reach = np.array(EYES) * face.iris_distance
    size = tuple(int(it) for it in np.ceil(2 * reach))
    part = cv2.getRectSubPix(frame, size, face.centre)
    return cv2.resize(part, None, fx=ENLARGED, fy=ENLARGED, interpolation=cv2.INTER_CUBIC)


def _padded(image: np.ndarray, height: int) -> np.ndarray:
    """The middle of an image, or the image in a grey field of such height."""
    top = max(0, (image.shape[0] - height) // 2)
    image = image[top : top + height]
    above = (height - image.shape[0]) // 2
    edges = (above, height - image.shape[0] - above, 4, 4)
    return cv2.copyMakeBorder(image, *edges, cv2.BORDER_CONSTANT, value=(90, 90, 90))


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
