"""In-between frames beside rendered ones: likeness, irises, flicker and time, for three ways of making them.

.venv/bin/python -m benchmarks.inbetween [photo ...] [--keys 6 10] [--every 7]

The instant engine renders the truth, and knows where it put the irises. Its frames are smoother to morph than those of
a network; what this cannot tell, the check in every run does.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from functools import lru_cache
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import cv2
import numpy as np
from skimage.metrics import structural_similarity

from benchmarks.instant import PHOTO, machine
from gaze.engines.warp import engine as warp
from gaze.face import irises
from gaze.grid import GAZE_RANGE, Cell, GazeGrid
from gaze.motion.inbetween import Inbetween
from gaze.motion.keys import Axis, around, key_axis
from gaze.options import Options
from gaze.pipeline import prepare_portrait

Maker = Callable[[Cell], np.ndarray]
EYE = (0.32, 0.22)
"""Half the box around an eye, across and down in iris distances; it goes with the head."""
ARCS = np.radians([*range(-35, 36, 5), *range(145, 216, 5)])
"""Directions from the iris's centre in which no lid hides its rim."""


class Portrait:
    """One photo, and what the engine makes of it."""

    def __init__(self, photo: Path, frame_size: int) -> None:
        self.portrait, self.face, _ = prepare_portrait(photo, Options(frame_size=frame_size))
        self.source = warp.WarpEngine().prepare(self.portrait, self.face)
        self.grid = GazeGrid()
        self.truth = lru_cache(1024)(lambda cell: warp.render_frame(self.source, self.grid.pose(cell)))

    def eyes(self, cell: Cell) -> list[tuple[float, float]]:
        """Where the head carries the middles of both eyes."""
        field = warp.displacement(self.source, self.grid.pose(cell))
        places = [(iris.x, iris.y) for iris in (self.face.left, self.face.right)]
        return [tuple(np.add(place, warp._at(self.source, field, *place))) for place in places]

    def irises(self, cell: Cell) -> list[irises.Circle]:
        """Where the engine draws the irises."""
        pose = self.grid.pose(cell)
        gaze = np.array([pose.pupil_x * warp._GAZE_SHIFT[0], -pose.pupil_y * warp._GAZE_SHIFT[1]]) / GAZE_RANGE
        shift = (gaze + self.source.straighten) @ self.source.axes
        radii = (self.face.left.radius, self.face.right.radius)
        return [(*np.add(eye, shift), radius) for eye, radius in zip(self.eyes(cell), radii, strict=True)]

    def boxes(self, cell: Cell) -> list[tuple[slice, slice]]:
        across, down = (part * self.face.iris_distance for part in EYE)
        return [
            (slice(max(0, round(y - down)), round(y + down)), slice(max(0, round(x - across)), round(x + across)))
            for x, y in self.eyes(cell)
        ]


class Score(NamedTuple):
    eyes: float
    frame: float
    offsets: list[float]
    rims: list[float]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--keys", nargs="*", type=int, default=[10, 6])
    parser.add_argument("--every", type=int, default=7, help="look at one in so many of the frames (default: 7)")
    parser.add_argument("--frame-size", type=int, default=512)
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{machine()}; one in {args.every} of the frames between the keys; CPU time of one thread, flow included\n")
    columns = "photo | frame | keys | made by | eye SSIM, mean | least | frame SSIM | iris off, px, mean | most "
    columns += "| rim off, px | flicker | at keys | ms"
    print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}")
    for photo in args.photos:
        one = Portrait(photo, args.frame_size)
        for keys in args.keys:
            for row in measure(one, keys, args.every):
                print(f"| {photo.name} | {one.portrait.width}×{one.portrait.height} | {keys} | {row} |", flush=True)


def measure(one: Portrait, keys: int, every: int) -> list[str]:
    axis = key_axis(one.grid.size, keys)
    between = [cell for cell in one.grid.cells() if cell.row not in axis or cell.col not in axis]
    for cell in (Cell(row, col) for row in axis for col in axis):
        one.truth(cell)
    start = time.thread_time()
    ways: dict[str, Maker] = {
        "morphing": Inbetween(axis, one.truth, one.face).frame,
        "cross-fade": lambda cell: crossfade(one, axis, cell),
        "nearest": lambda cell: one.truth(nearest(axis, cell)),
    }
    preparing = time.thread_time() - start
    rows = []
    for name, make in ways.items():
        start = time.thread_time()
        for cell in between:
            make(cell)
        spent = (time.thread_time() - start + (preparing if name == "morphing" else 0)) / len(between)
        scores = [score(one, cell, make(cell)) for cell in between[::every]]
        offsets = [error for it in scores for error in it.offsets]
        rims = [error for it in scores for error in it.rims]
        flicker, at_keys = flickers(one, axis, make)
        rows.append(
            f"{name} | {statistics.mean(it.eyes for it in scores):.4f} | {min(it.eyes for it in scores):.4f} "
            f"| {statistics.mean(it.frame for it in scores):.4f} | {statistics.mean(offsets):.2f} | {max(offsets):.2f} "
            f"| {statistics.mean(rims):.2f} | {flicker:.2f} | {at_keys:.2f} | {spent * 1e3:.1f}"
        )
    return rows


def crossfade(one: Portrait, axis: Axis, cell: Cell) -> np.ndarray:
    (top, bottom, down), (left, right, across) = around(axis, cell.row), around(axis, cell.col)
    upper = cv2.addWeighted(one.truth(Cell(top, left)), 1 - across, one.truth(Cell(top, right)), across, 0)
    lower = cv2.addWeighted(one.truth(Cell(bottom, left)), 1 - across, one.truth(Cell(bottom, right)), across, 0)
    return cv2.addWeighted(upper, 1 - down, lower, down, 0)


def nearest(axis: Axis, cell: Cell) -> Cell:
    row, col = (min(axis, key=lambda key: abs(key - index)) for index in (cell.row, cell.col))
    return Cell(row, col)


def score(one: Portrait, cell: Cell, made: np.ndarray) -> Score:
    """A made frame beside the true one; irises are found again in both in the same way."""
    truth = one.truth(cell)
    a, b = luma(truth), luma(made)
    settings = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
    _, likeness = structural_similarity(a, b, full=True, **settings)
    # Without the search for faces' irises over a wide range, which takes another pair now and then, in truth or not.
    true, found = (irises._refined(frame, *one.irises(cell), irises.UNIT, 2)[:2] for frame in (truth, made))
    rims = [float((rim(b, *circle) - rim(a, *circle)).std()) for circle in true]
    return Score(
        statistics.mean(likeness[box].mean() for box in one.boxes(cell)),
        float(likeness.mean()),
        [float(np.hypot(p[0] - q[0], p[1] - q[1])) for p, q in zip(true, found, strict=True)],
        rims,
    )


def rim(image: np.ndarray, x: float, y: float, radius: float) -> np.ndarray:
    """The iris's radius in each direction of `ARCS`, in pixels: where from dark to bright the middle is passed."""
    steps = np.arange(0.6, 1.4, 0.02) * radius
    at = np.stack([x + np.outer(np.cos(ARCS), steps), y + np.outer(np.sin(ARCS), steps)], -1).astype(np.float32)
    profiles = cv2.GaussianBlur(cv2.remap(image, at, np.empty(0), cv2.INTER_CUBIC).astype(np.float32), (7, 1), 0)
    rise = np.maximum(np.diff(profiles, axis=1), 0) ** 2
    return (rise * steps[1:]).sum(1) / (rise.sum(1) + 1e-6)


def flickers(one: Portrait, axis: Axis, make: Maker) -> tuple[float, float]:
    """Second differences around the eyes along sweeps, over those of the true sweep: on average, and at keys alone."""
    ratios, at_keys = [], []
    middle, edge = one.grid.size // 2 + 2, 3
    for sweep in (
        [Cell(middle, i) for i in range(one.grid.size)],
        [Cell(edge, i) for i in range(one.grid.size)],
        [Cell(i, middle) for i in range(one.grid.size)],
    ):
        made, true = (second_differences(one, frames) for frames in (map(make, sweep), map(one.truth, sweep)))
        ratios.append(made.mean() / true.mean())
        passed = [index - 1 for index in axis[1:-1]]
        at_keys.append(made[passed].mean() / true[passed].mean())
    return statistics.mean(ratios), statistics.mean(at_keys)


def second_differences(one: Portrait, frames: map[np.ndarray]) -> np.ndarray:
    unit, (x, y) = one.face.iris_distance, one.face.centre
    views = [
        luma(frame)[max(0, int(y - 0.5 * unit)) : int(y + 0.5 * unit), max(0, int(x - unit)) : int(x + unit)]
        for frame in frames
    ]
    steps = [np.subtract(b, a, dtype=np.float32) for a, b in pairwise(views)]
    return np.array([np.abs(b - a).mean() for a, b in pairwise(steps)])


def luma(frame: np.ndarray) -> np.ndarray:
    return cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY)


if __name__ == "__main__":
    main()
