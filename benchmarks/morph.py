"""How soon a portrait is finished, how large its pack is, and how close its morphs come to rendered frames.

    python -m benchmarks.morph [PHOTO ...]                      the example, or these
    python -m benchmarks.morph --old ../old [PHOTO ...]         times beside the version in another checkout, in turn
    python -m benchmarks.morph --only closeness PHOTO ...       one of the three tables

Times are CPU seconds of the whole process, medians; wall times mean little on a machine that does something else.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np

from benchmarks.instant import PHOTO
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.engines.warp.gaze import eye_motion
from gaze.grid import GazeGrid, Look, Pose
from gaze.motion.eyes import Eyes
from gaze.motion.guard import likeness
from gaze.motion.keys import USUAL, key_axis, key_looks
from gaze.motion.morph import Morph, coefficients_at
from gaze.motion.motion import Motion
from gaze.motion.tracking import find_motion
from gaze.options import Options
from gaze.output.converter import closeness as morph_closeness
from gaze.output.converter import repack
from gaze.output.pack import Facts
from gaze.output.packing import Coding, KeyEncoder
from gaze.output.sprites import SheetCanvas, describe, encode_webp, list_sheets, plan_sheets
from gaze.pipeline.preparing import prepare_portrait

LOOKS = 50
MOVED = 0.3
"""Pixels by which irises are moved to see how much of an offset is read."""
SHEETS, NOISE = 20, 2.0
"""Looks per side of the sheets that are packed again, and the noise of their frames in levels."""

_RUN = """
import json, pathlib, re, sys, tempfile, time
from gaze import Options, generate
photo, size, what = sys.argv[1], int(sys.argv[2]), sys.argv[3]
start, begun = time.process_time(), time.perf_counter()
found = {}
def told(step):
    if step.stage in ("ready", "done") and "cpu" not in found:
        found.update(cpu=time.process_time() - start, wall=time.perf_counter() - begun)
        if step.result: found["pack"] = (pathlib.Path(step.result.folder) / "gaze.pack").stat().st_size
        if what != "sheets": raise SystemExit
options = dict(engine="warp", frame_size=size, **({"sheets": what == "sheets"} if what != "old" else {}))
with tempfile.TemporaryDirectory() as folder:
    try: generate(photo, pathlib.Path(folder) / "out", Options(**options), told)
    except SystemExit: pass
found["memory"] = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1000
print(json.dumps(found))
"""


def time_of(checkout: Path, photo: Path, size: int, what: str) -> dict[str, float]:
    """CPU and wall seconds from the photo's bytes to the pack, its bytes, and the peak of memory in MB.

    Args:
        what: "new"; "sheets", which makes them as well; or "old", for a version that always does, and is stopped.
    """
    arguments = [sys.executable, "-c", _RUN, str(photo), str(size), what]
    done = subprocess.run(arguments, cwd=checkout, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def closeness(photo: Path, size: int, keys: int, tracked: bool) -> dict[str, float]:
    """Eyes of morphs from raw keys beside rendered frames: likeness, offsets of irises, change of speed at a key.

    Offsets are divided by what is read of a known one: of rendered frames whose irises alone lie aside. With the CPU
    seconds that the motion and the pack take.
    """
    portrait, face, _ = prepare_portrait(photo, Options(frame_size=size))
    engine, grid, eyes = WarpEngine(), GazeGrid(), Eyes.of(face)
    source = engine.prepare(portrait, face)
    axis = key_axis(grid.size, keys)
    looks = key_looks(axis)
    frames = dict(enumerate(np.concatenate(list(engine.stream(source, [grid.pose(look) for look in looks])))))
    known = None if tracked else (lambda number: engine.displacement(source, grid.pose(looks[number])))
    started = time.process_time()
    motion = find_motion(frames, axis, eyes, known)
    facts = Facts(grid.size, portrait.width, portrait.height)
    with tempfile.TemporaryDirectory() as folder, KeyEncoder(facts, frames, Coding(75, "vp9")) as encoder:
        encoder.write(Path(folder), motion)
    seconds = time.process_time() - started
    morph = Morph(motion, frames)
    chance = np.random.default_rng(7)
    scores, offsets, read = [], [], []
    left, right = (it + MOVED / face.iris_distance for it in source.straighten)
    aside = replace(source, straighten=(left, right))
    for row, col in chance.uniform(0, grid.size - 1, (LOOKS, 2)):
        look = Look(float(row), float(col))
        made, true = morph(look), engine.render(source, [grid.pose(look)])[0]
        scores.append(likeness(made, true, eyes, look, grid.size))
        shifts = iris_shifts(aside, grid.pose(look)) - iris_shifts(source, grid.pose(look))
        other = engine.render(aside, [grid.pose(look)])[0]
        moves = engine.displacement(source, grid.pose(look))
        for iris, moved in zip((face.left, face.right), shifts, strict=True):
            across, down = moves[round(iris.y), round(iris.x)]
            place = (iris.x + across, iris.y + down)
            offsets.append(offset(made, true, place, iris.radius))
            read.append(offset(other, true, place, iris.radius) / float(np.hypot(*moved)))
    reading = float(np.median(read))
    kinks = [kink(motion, x, y) for x, y in (eyes.left, eyes.right)]
    return {
        "mean": float(np.mean(scores)),
        "least": min(scores),
        "iris": float(np.median(offsets)) / reading,
        "iris_most": max(offsets) / reading,
        "reading": reading,
        "kink": max(kinks),
        "cpu": seconds,
    }


def iris_shifts(source: WarpSource, pose: Pose) -> np.ndarray:
    """How far both irises are moved inside their eyes: (2, 2), x and y of each in pixels."""
    return eye_motion(pose, source.straighten, source.room).scaled(source.sight).shifts(source.axes)


def offset(made: np.ndarray, true: np.ndarray, place: tuple[float, float], radius: float) -> float:
    """Pixels by which an iris lies off in a frame: the shift that explains most of what differs on it and around it.

    Lucas and Kanade, "An Iterative Image Registration Technique", 1981, in the luma. Weights fall off from the iris's
    middle as a Gaussian, and brightness may differ. Phase correlation will not do: it gives what is too fine to be seen
    as much weight as the iris.

    Args:
        made, true: (height, width, 3) uint8.
        place: about where the iris is.
        radius: its own, in pixels.
    """
    half = math.ceil(3 * radius)
    left, top = (max(0, round(at) - half) for at in place)
    part = np.s_[top : top + 2 * half + 1, left : left + 2 * half + 1]
    moved, still = (cv2.cvtColor(it, cv2.COLOR_RGB2GRAY).astype(np.float32)[part] for it in (made, true))
    y, x = np.indices(still.shape)
    weight = np.exp(-((x + left - place[0]) ** 2 + (y + top - place[1]) ** 2) / (2 * radius**2))
    slopes = [cv2.Scharr(still, -1, *way, scale=1 / 32).ravel() for way in ((1, 0), (0, 1))]
    terms = np.stack([*slopes, np.ones(still.size)], 1)
    products = terms.T * weight.ravel()
    way = np.zeros(2)
    for _ in range(10):
        near = np.round(way * 32) / 32  # the steps of `warpAffine`
        back = np.array([[1, 0, near[0]], [0, 1, near[1]]])
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP  # cubic ones shift by up to 0.04 pixels
        here = cv2.warpAffine(moved, back, still.shape[::-1], flags=flags, borderMode=cv2.BORDER_REPLICATE)
        way = near + np.linalg.solve(products @ terms, products @ (still - here).ravel())[:2]
        if np.abs(way - near).max() <= 1 / 64:
            break
    return float(np.hypot(*way))


def kink(motion: Motion, x: float, y: float) -> float:
    """The largest change of an iris's speed where a slow sweep passes a key, as a share of the speed."""
    col = int(np.argmin(np.abs(np.array(motion.mesh.columns) - x)))
    row = int(np.argmin(np.abs(np.array(motion.mesh.rows) - y)))
    step = 0.1

    def place(look: float) -> np.ndarray:
        weights = coefficients_at(motion, Look(motion.looks[motion.middle], look))
        at: np.ndarray = motion.displacement(weights)[row, col]
        return at

    changes = []
    for key in motion.looks[1:-1]:
        before, after = place(key) - place(key - step), place(key + step) - place(key)
        changes.append(float(np.linalg.norm(after - before)) / max(float(np.linalg.norm(before)), 1e-6))
    return max(changes)


def print_times(photos: list[Path], old: Path | None, runs: int) -> None:
    """Photo to pack, its bytes and the peak of memory."""
    here = Path(__file__).parents[1]
    print("| photo | frame | CPU, s | clock, s | pack, kB | peak, MB | before: CPU | clock | share: CPU | clock |")
    print("|---|---|---|---|---|---|---|---|---|---|")
    for size in (512, 768):
        packs = []
        for photo in photos:
            new, before = [], []
            for _ in range(runs):
                new.append(time_of(here, photo.resolve(), size, "new"))
                if old:
                    before.append(time_of(old.resolve(), photo.resolve(), size, "old"))
            middle = {name: statistics.median(run[name] for run in new) for name in new[0]}
            packs.append(middle["pack"] / 1000)
            cells = [photo.stem, str(size), f"{middle['cpu']:.2f}", f"{middle['wall']:.2f}", f"{packs[-1]:.0f}"]
            cells.append(f"{middle['memory']:.0f}")
            if before:
                cpu, wall = (statistics.median(run[name] for run in before) for name in ("cpu", "wall"))
                cells += [f"{cpu:.1f}", f"{wall:.1f}", f"{middle['cpu'] / cpu:.2f}", f"{middle['wall'] / wall:.2f}"]
            print(f"| {' | '.join(cells)} |", flush=True)
        print(f"| mean | {size} | | | {statistics.mean(packs):.0f} | |", flush=True)
    peak = time_of(here, photos[0].resolve(), 512, "sheets")["memory"]
    print(f"| {photos[0].stem}, with sheets | 512 | | | | {peak:.0f} |", flush=True)


def print_closeness(photos: list[Path], counts: list[int]) -> None:
    """Morphs beside rendered frames."""
    print(
        "| photo | keys | motion | eye SSIM, mean | least | iris off, px, median | most | read | kink | both, CPU s |"
    )
    print("|---|---|---|---|---|---|---|---|---|---|")
    for photo in photos:
        for keys in counts:
            for tracked in (False, True):
                it = closeness(photo, 512, keys, tracked)
                how = "tracked" if tracked else "known"
                cells = [photo.stem, str(keys), how, f"{it['mean']:.4f}", f"{it['least']:.4f}"]
                cells += [f"{it[name]:.2f}" for name in ("iris", "iris_most", "reading")]
                cells += [f"{100 * it['kink']:.1f} %", f"{it['cpu']:.2f}"]
                print(f"| {' | '.join(cells)} |", flush=True)


def print_packed(photos: list[Path]) -> None:
    """A pack made of sheets: a stand-in for frames of another engine, noisy and coded, whose motion nobody tells."""
    print("| photo | eye SSIM, mean | least | pack, kB | stills, kB | CPU, s |\n|---|---|---|---|---|---|")
    for photo in photos:
        with tempfile.TemporaryDirectory() as folder:
            write_noisy_sheets(photo, Path(folder))
            started = time.process_time()
            pack = repack(Path(folder))
            seconds = time.process_time() - started
            sizes = [f"{path.stat().st_size / 1000:.0f}" for path in (pack, pack.with_name("stills.pack"))]
            found = morph_closeness(Path(folder))
            cells = [photo.stem, f"{found.mean:.4f}", f"{found.least:.4f}", *sizes, f"{seconds:.1f}"]
            print(f"| {' | '.join(cells)} |", flush=True)


def write_noisy_sheets(photo: Path, folder: Path) -> None:
    """Sheets of 20 × 20 looks, quality 70, each frame with noise of its own."""
    portrait, face, _ = prepare_portrait(photo, Options(frame_size=512))
    engine, grid, chance = WarpEngine(), GazeGrid(SHEETS), np.random.default_rng(3)
    source = engine.prepare(portrait, face)
    size = (portrait.width, portrait.height)
    center = (face.centre[0] / size[0], face.centre[1] / size[1])
    list_sheets(describe(grid, "quadrants", size, center, "liveportrait"), grid, "quadrants", size).write(folder)
    for [sheet, *_] in plan_sheets(grid):
        canvas = SheetCanvas(sheet, portrait.height, portrait.width)
        frames = (it for batch in engine.stream(source, [grid.pose(cell) for cell in sheet.cells]) for it in batch)
        for cell, frame in zip(sheet.cells, frames, strict=True):
            noisy = frame + chance.normal(0, NOISE, frame.shape).astype(np.float32)
            canvas.put(cell, noisy.clip(0, 255).astype(np.uint8))
        (folder / sheet.name).write_bytes(encode_webp(canvas.picture, 70))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO], metavar="PHOTO")
    parser.add_argument("--old", type=Path, metavar="CHECKOUT", help="a checkout of the version before")
    parser.add_argument("--only", choices=("times", "closeness", "packed"))
    parser.add_argument("--keys", type=int, nargs="+", default=[USUAL], help="keys per side (default: %(default)s)")
    parser.add_argument("--runs", type=int, default=3, help="how often each time is taken (default: %(default)s)")
    args = parser.parse_args()
    if args.only in (None, "times"):
        print_times(args.photos, args.old, args.runs)
    if args.only in (None, "closeness"):
        print_closeness(args.photos, args.keys)
    if args.only in (None, "packed"):
        print_packed(args.photos)


if __name__ == "__main__":
    main()
