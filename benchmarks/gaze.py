"""How far irises and lids move in frames of the instant engine, as an iris model reads them, beside LivePortrait's.

.venv/bin/python -m benchmarks.gaze [photo ...]

Swings in iris distances: of the irises across, from the first column to the last; of irises, upper and lower lids down,
from the first row to the last, the mean of five columns. LivePortrait's are of one portrait. The second table has those
that were drawn, so that it can be told whether eyes move less in one photo or the model sees less of it. The third has
what the model reads where the head moves and the eyes do not: mostly its own errors, at the corners. The last has
what lids leave of the irises' height, the worse eye's, as shares of the diameter: an iris of which less than half is
left has no round side. Eyes that are bent (`gaze.engines.warp.soft`) have no such share: nan.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from benchmarks.instant import PHOTO
from gaze.engines.warp.engine import WarpEngine, WarpSource, render_frame
from gaze.engines.warp.gaze import eye_motion
from gaze.face.detection import find_faces
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP
from gaze.pipeline.preparing import prepare_portrait

CELLS = (0, 7, 15, 22, 29)
SHOWN = (((15, 15),), ((0, 0), (0, 29)), ((15, 0), (15, 29)), ((29, 0), (29, 29)), ((29, 15),))
"""Looks of the last table: rest, up and aside, aside, down and aside, down."""
ENLARGED = (1.9, 2.0, 2.1)
"""How often frames are enlarged before they are read, so that the model's crops are not soft. The mean is taken: one
reading of a swing is off by 0.001 as soon as pixels lie elsewhere."""
LIVEPORTRAIT = (0.161, 0.033, 0.027, 0.011)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    print("| photo | irises across | irises down | upper lid | lower lid |")
    print("|---|---|---|---|---|")
    print(row("LivePortrait, one portrait", LIVEPORTRAIT))
    found, drawn, still, shares = [], [], [], []
    for photo in parser.parse_args().photos:
        source = prepared(photo)
        found.append(swings(partial(seen_eyes, source)))
        drawn.append((photo.name, swings(partial(drawn_eyes, source))))
        still.append((photo.name, swings(partial(still_eyes, source), CELLS[::4])))
        shares.append((photo.name, shown(source)))
        print(row(photo.name, found[-1]), flush=True)
    print(row("median", np.median(found, axis=0)))
    print("\n| drawn in | irises across | irises down | upper lid | lower lid |\n|---|---|---|---|---|")
    for name, values in drawn:
        print(row(name, values))
    print("\n| eyes at rest in | irises across | irises down | upper lid | lower lid |\n|---|---|---|---|---|")
    for name, values in still:
        print(row(name, values))
    print("\n| height shown in | at rest | up and aside | aside | down and aside | down |\n|---|---|---|---|---|---|")
    for name, values in shares:
        print(row(name, values))


def prepared(photo: Path) -> WarpSource:
    """A photo as the benchmark takes it: 512 pixels, a gaze past the camera left as it is."""
    portrait, face, _ = prepare_portrait(photo, Options(frame_size=512))
    return WarpEngine(straighten=False).prepare(portrait, face)


def swings(measure: Callable[[Pose], np.ndarray], rows: Sequence[int] = CELLS) -> np.ndarray:
    """The four, in the order of the table, of what is measured in looks of these rows: (4,), as `eyes_of` has it."""
    grid = GazeGrid(30)
    read = np.array([[measure(grid.pose(Cell(i, j))) for j in CELLS] for i in rows])
    across, down = (read[:, -1] - read[:, 0]).mean(0), (read[-1] - read[0]).mean(0)
    return np.array([across[0], *down[1:]])


def seen_eyes(source: WarpSource, pose: Pose) -> np.ndarray:
    """What an iris model reads in the frame of a look (`eyes_of`)."""
    return eyes_of(render_frame(source, pose))


def still_eyes(source: WarpSource, pose: Pose) -> np.ndarray:
    """The same where the eyes stay at rest in their head."""
    return seen_eyes(source, replace(pose, pupil_x=0.0, pupil_y=0.0))


def drawn_eyes(source: WarpSource, pose: Pose) -> np.ndarray:
    """What it would read if it saw all that the engine draws, beside a straight look."""
    eyes = eye_motion(pose, room=source.room).scaled(source.sight)
    return np.array([eyes.across.mean(), eyes.down, eyes.upper, eyes.lower])


def shown(source: WarpSource) -> np.ndarray:
    """How much of an iris's height is seen in the looks of `SHOWN`, the worse eye's of each: (5,), means of looks."""
    if not source.eyes:
        return np.full(len(SHOWN), np.nan)
    grid = GazeGrid(30)
    return np.array([np.mean([height_of(source, grid.pose(Cell(*it))).min() for it in looks]) for looks in SHOWN])


def height_of(source: WarpSource, pose: Pose) -> np.ndarray:
    """What the lids leave of the heights of both irises, (2,), 0 to 1."""
    eyes = eye_motion(pose, source.straighten, source.room).scaled(source.sight)
    carried = source.anchors.carried(source.leeway.held(pose), source.turn)
    positions, down = WarpEngine().positions(source, pose), source.axes[1] / np.hypot(*source.axes[1])
    shares = []
    for eye, moved, shift in zip(source.eyes, carried, eyes.shifts(source.axes), strict=True):
        middle = np.array([eye.iris.x, eye.iris.y]) + moved + shift
        line = (middle + eye.iris.radius * np.linspace(-1, 1, 41)[:, None] * down).astype(np.float32)
        at = cv2.remap(positions, line[None], NO_MAP, cv2.INTER_LINEAR) - np.array(eye.corner, np.float32)
        shares.append(float(cv2.remap(eye.lids[..., 0], at, NO_MAP, cv2.INTER_LINEAR).mean()))
    return np.array(shares)


def eyes_of(frame: np.ndarray) -> np.ndarray:
    """Across and down of the irises, down of upper and lower lids, from the middle of the eyes' corners."""
    read = []
    for scale in ENLARGED:
        larger = cv2.resize(frame, None, fx=scale, fy=scale, interpolation=cv2.INTER_CUBIC)
        face = find_faces(Portrait(larger))[0]
        read.append(np.mean([eye_of(face, side) for side in (0, 1)], axis=0) / face.iris_distance)
    return np.mean(read, axis=0)


def eye_of(face: Face, side: int) -> np.ndarray:
    iris, lids = (face.left, face.right)[side], face.lids[side]
    chord = lids.upper[-1] - lids.upper[0]
    axes = np.array([chord, (-chord[1], chord[0])]) / np.hypot(*chord)
    middle = (lids.upper[0] + lids.upper[-1]) / 2
    (x, y), upper, lower = ((np.asarray(it) - middle) @ axes.T for it in ((iris.x, iris.y), lids.upper, lids.lower))
    return np.array([x, y, upper[:, 1].min(), lower[:, 1].max()])


def row(name: str, values: np.ndarray | tuple[float, ...]) -> str:
    return f"| {name} | {' | '.join(f'{value:.3f}' for value in values)} |"


if __name__ == "__main__":
    main()
