"""How long the instant engine takes from photo bytes to the preview, to all frames, and to all sheets; and its memory.

    make benchmark

Every repeat is a process of its own, so that peak memory is its own and nothing is warm but the disk.
"""

from __future__ import annotations

import argparse
import json
import platform
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

PHOTO = Path(__file__).resolve().parents[1] / "gaze" / "ui" / "examples" / "astronaut.jpg"
WHAT = {
    "import": "importing the package",
    "preview": "photo bytes to preview ready (10×10, 256 px, one sheet)",
    "prepare": "photo bytes to engine prepared (512 px)",
    "frames": "photo bytes to all 900 frames, none encoded",
    "sheets": "photo bytes to pack and all eight sheets written",
}


def measure_once(photo: Path, frame_size: int) -> dict[str, float]:
    """Seconds for each part, and peak memory in MB, of this process."""
    started = time.perf_counter()
    from gaze.engines.warp.engine import WarpEngine
    from gaze.grid import GazeGrid
    from gaze.options import PREVIEW, Options
    from gaze.pipeline import generate, prepare_portrait

    result = {"import": time.perf_counter() - started}
    data = photo.read_bytes()
    options = Options(engine="warp", keys=30, frame_size=frame_size)
    with tempfile.TemporaryDirectory() as place:
        started = time.perf_counter()
        generate(data, Path(place) / "preview", PREVIEW)
        result["preview"] = time.perf_counter() - started

        started = time.perf_counter()
        portrait, face, _ = prepare_portrait(data, options)
        engine, grid = WarpEngine(), GazeGrid(options.size)
        source = engine.prepare(portrait, face)
        result["prepare"] = time.perf_counter() - started
        cells = list(grid.cells())
        for first in range(0, len(cells), 15):
            engine.render(source, [grid.pose(cell) for cell in cells[first : first + 15]])
        result["frames"] = time.perf_counter() - started
        result["memory, frames"] = peak_megabytes()

        started = time.perf_counter()
        generate(data, Path(place) / "sheets", options)
        result["sheets"] = time.perf_counter() - started
        result["memory, sheets"] = peak_megabytes()
    return result


def peak_megabytes() -> float:
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)


def machine() -> str:
    """The processor's name, its cores, and Python's version."""
    name = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        models = [line.split(":")[1].strip() for line in cpuinfo.read_text().splitlines() if "model name" in line]
        name = models[0] if models else name
    import os

    return f"{name}, {os.cpu_count()} cores, Python {platform.python_version()}"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photo", nargs="?", type=Path, default=PHOTO)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--frame-size", type=int, default=512)
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(measure_once(args.photo, args.frame_size)))
        return
    command = [
        sys.executable,
        "-m",
        "benchmarks.instant",
        str(args.photo),
        "--once",
        "--frame-size",
        str(args.frame_size),
    ]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(args.repeats)]
    print(f"{machine()}; {args.photo.name}, frames of {args.frame_size}, {args.repeats} runs: median (least to most)\n")
    print("| what | seconds |\n|---|---|")
    for key, what in WHAT.items():
        times = [run[key] for run in runs]
        print(f"| {what} | {statistics.median(times):.2f} ({min(times):.2f} to {max(times):.2f}) |")
    print("\n| peak memory of the process | MB |\n|---|---|")
    for key, what in (("memory, frames", "after rendering alone"), ("memory, sheets", "after writing all sheets")):
        print(f"| {what} | {statistics.median(run[key] for run in runs):.0f} |")


if __name__ == "__main__":
    main()
