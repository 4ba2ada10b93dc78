"""How soon a portrait is finished, how large its pack is, and how close its morphs come to rendered frames.

    python -m benchmarks.morph                            the example
    python -m benchmarks.morph --old ../old PHOTO ...     beside the version in another checkout, in turn

Times are CPU seconds of the whole process, medians; wall times mean little on a machine that does something else.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np

from gaze.engines.warp.engine import WarpEngine
from gaze.grid import GazeGrid, Look
from gaze.motion.eyes import Eyes
from gaze.motion.guard import eye_boxes, likeness
from gaze.motion.keys import key_axis, key_looks
from gaze.motion.morph import Morph, coefficients_at
from gaze.motion.motion import Motion
from gaze.motion.tracking import find_motion
from gaze.options import Options
from gaze.pipeline.preparing import prepare_portrait

PHOTO = Path(__file__).parents[1] / "gaze" / "ui" / "examples" / "astronaut.jpg"
LOOKS = 50

_RUN = """
import json, pathlib, re, sys, tempfile, time
from gaze import Options, generate
photo, size, new = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "new"
start, begun = time.process_time(), time.perf_counter()
found = {}
def told(step):
    if step.stage in ("ready", "done") and "cpu" not in found:
        found.update(cpu=time.process_time() - start, wall=time.perf_counter() - begun)
        if step.result: found["pack"] = (pathlib.Path(step.result.folder) / "gaze.pack").stat().st_size
        found["memory"] = int(re.search(r"VmHWM:\\s+(\\d+)", pathlib.Path("/proc/self/status").read_text())[1]) / 1000
        raise SystemExit
options = dict(engine="warp", frame_size=size, **({"sheets": False} if new else {}))
with tempfile.TemporaryDirectory() as folder:
    try: generate(photo, pathlib.Path(folder) / "out", Options(**options), told)
    except SystemExit: pass
print(json.dumps(found))
"""


def time_of(checkout: Path, photo: Path, size: int, new: bool) -> dict[str, float]:
    """CPU and wall seconds from the photo's bytes to the pack, its bytes, and the peak of memory in MB."""
    arguments = [sys.executable, "-c", _RUN, str(photo), str(size), "new" if new else "old"]
    done = subprocess.run(arguments, cwd=checkout, capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def closeness(photo: Path, size: int, keys: int, tracked: bool) -> dict[str, float]:
    """Eyes of morphs from raw keys beside rendered frames: likeness, offsets of irises, change of speed at a key."""
    portrait, face, _ = prepare_portrait(photo, Options(frame_size=size))
    engine, grid, eyes = WarpEngine(), GazeGrid(), Eyes.of(face)
    source = engine.prepare(portrait, face)
    axis = key_axis(grid.size, keys)
    looks = key_looks(axis)
    frames = dict(enumerate(np.concatenate(list(engine.stream(source, [grid.pose(look) for look in looks])))))
    known = None if tracked else (lambda number: engine.displacement(source, grid.pose(looks[number])))
    motion = find_motion(frames, axis, eyes, known)
    morph = Morph(motion, frames)
    chance = np.random.default_rng(7)
    scores, offsets = [], []
    for row, col in chance.uniform(0, grid.size - 1, (LOOKS, 2)):
        look = Look(float(row), float(col))
        made, true = morph(look), engine.render(source, [grid.pose(look)])[0]
        scores.append(likeness(made, true, eyes, look, grid.size))
        offsets += [offset(made[box], true[box]) for box in eye_boxes(eyes, look, grid.size)]
    kinks = [kink(motion, x, y) for x, y in (eyes.left, eyes.right)]
    return {
        "mean": float(np.mean(scores)),
        "least": min(scores),
        "iris": float(np.median(offsets)),
        "iris_most": max(offsets),
        "kink": max(kinks),
    }


def offset(made: np.ndarray, true: np.ndarray) -> float:
    """Pixels by which one eye lies off the other: phase correlation of what lies around the iris."""
    a, b = (cv2.cvtColor(np.ascontiguousarray(it), cv2.COLOR_RGB2GRAY).astype(np.float32) for it in (made, true))
    window = cv2.createHanningWindow((a.shape[1], a.shape[0]), cv2.CV_32F)
    (x, y), _ = cv2.phaseCorrelate(a, b, np.asarray(window))
    return float(np.hypot(x, y))


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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--old", type=Path, help="a checkout of the version before")
    parser.add_argument("--runs", type=int, default=3)
    args = parser.parse_args()
    here = Path(__file__).parents[1]
    for size in (512, 768):
        for photo in args.photos:
            new, old = [], []
            for _ in range(args.runs):
                new.append(time_of(here, photo.resolve(), size, True))
                if args.old:
                    old.append(time_of(args.old.resolve(), photo.resolve(), size, False))
            middle = {name: float(statistics.median(run[name] for run in new)) for name in new[0]}
            text = f"{photo.stem} {size}: " + ", ".join(f"{name} {value:.2f}" for name, value in middle.items())
            if old:
                before = {name: float(statistics.median(run[name] for run in old)) for name in ("cpu", "wall")}
                text += f"; before: cpu {before['cpu']:.2f} ({middle['cpu'] / before['cpu']:.2f} of it), "
                text += f"wall {before['wall']:.2f} ({middle['wall'] / before['wall']:.2f} of it)"
            print(text, flush=True)
    for tracked in (False, True):
        for keys in (5, 7, 9):
            for photo in args.photos:
                made = closeness(photo, 512, keys, tracked)
                how = "tracked" if tracked else "known"
                print(
                    f"{photo.stem} {keys} keys, {how}: {json.dumps({k: round(v, 4) for k, v in made.items()})}",
                    flush=True,
                )


if __name__ == "__main__":
    main()
