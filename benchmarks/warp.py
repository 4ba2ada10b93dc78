"""What a frame of the instant engine costs, beside one bicubic remap of a whole frame in the same run.

.venv/bin/python -m benchmarks.warp [PHOTO ...]
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np

from benchmarks.instant import PHOTO, machine
from gaze.engines.warp import engine as warp
from gaze.face.face import Face
from gaze.grid import GazeGrid
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP
from gaze.pipeline.preparing import prepare_portrait

REPEATS = 9
FRAMES = 40


def seconds(job: Callable[[], object], clock: Callable[[], float] = time.thread_time) -> float:
    start = clock()
    job()
    return clock() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--frame-sizes", type=int, nargs="+", default=[512, 1024], help="default: %(default)s")
    args = parser.parse_args()
    cv2.setNumThreads(1)
    print(f"{machine()}; medians of {REPEATS}, CPU time of one thread; two threads: wall time\n")
    print("| photo | frame | prepare, ms | frame, ms | full bicubic remap, ms | ratio | two threads |")
    print("|---|---|---|---|---|---|---|")
    for photo in args.photos:
        for frame_size in args.frame_sizes:
            portrait, face, _ = prepare_portrait(photo, Options(frame_size=frame_size))
            if max(portrait.width, portrait.height) == frame_size:  # small photos are not enlarged
                print(f"| {photo.name} {measure(portrait, face)}", flush=True)


def measure(portrait: Portrait, face: Face) -> str:
    """A row of the table."""
    engine, grid = warp.WarpEngine(), GazeGrid(30)
    prepare = [seconds(lambda: engine.prepare(portrait, face)) for _ in range(REPEATS)]
    source = engine.prepare(portrait, face)
    cells = list(grid.cells())
    poses = [grid.pose(cells[i]) for i in np.linspace(0, len(cells) - 1, FRAMES).astype(int)]
    down, across = np.mgrid[: portrait.height, : portrait.width].astype(np.float32)
    positions = np.dstack([across + 3.3, down - 2.7])

    def remap_whole() -> None:
        for _ in poses:
            cv2.remap(portrait.image, positions, NO_MAP, cv2.INTER_CUBIC)

    def render() -> None:
        for pose in poses:
            warp.render_frame(source, pose)

    def threads(count: int) -> float:
        with ThreadPoolExecutor(count) as pool:
            return seconds(
                lambda: list(pool.map(lambda pose: warp.render_frame(source, pose), poses * 2)), time.perf_counter
            )

    rows = [(seconds(render), seconds(remap_whole), threads(1) / threads(2)) for _ in range(REPEATS)]
    frame, whole = (statistics.median(row[i] for row in rows) / FRAMES * 1e3 for i in (0, 1))
    ratio = statistics.median(row[0] / row[1] for row in rows)
    speedup = statistics.median(row[2] for row in rows)
    size = f"{portrait.width}×{portrait.height}"
    return (
        f"| {size} | {statistics.median(prepare) * 1e3:.0f} | {frame:.1f} | {whole:.1f} "
        f"| {ratio:.2f} | {speedup:.2f}× |"
    )


if __name__ == "__main__":
    main()
