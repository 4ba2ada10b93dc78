"""How long the instant engine takes from a photo to the preview, the portrait and its sheets; its memory and its files.

    make benchmark

Every repeat is a process of its own, so that peak memory is its own and nothing is warm but the disk. Processor time is
that of all its threads, and says more than the clock on a busy machine; the photo is read in another process.
"""

from __future__ import annotations

import argparse
import gzip
import json
import os
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
    "preview": "from the photo's bytes to the preview, 256 pixels",
    "portrait": "from the photo's bytes to the finished portrait",
    "frames": "frames of all 900 looks, rendered one by one, none encoded",
    "sheets": "from the photo's bytes to the portrait and all eight sheets",
}
FILES = ("gaze.pack", "stills.pack", "poster.webp")
WIDGET = Path(__file__).resolve().parents[1] / "gaze" / "widget" / "gaze-tracker.js"


class Watch:
    """Seconds since it was made: by the clock, and of the processor."""

    def __init__(self) -> None:
        self._clock, self._cpu = time.perf_counter(), time.process_time()

    def read(self) -> list[float]:
        return [time.perf_counter() - self._clock, time.process_time() - self._cpu]


def measure_once(photo: Path, frame_size: int) -> dict[str, list[float]]:
    """For each part seconds by the clock and of the processor; peaks of memory in MB; sizes of files in bytes."""
    watch = Watch()
    from gaze import Options, generate
    from gaze.engines.warp.engine import WarpEngine
    from gaze.grid import GazeGrid
    from gaze.options import PREVIEW
    from gaze.pipeline.preparing import prepare_portrait

    found = {"import": watch.read()}
    data = photo.read_bytes()
    with tempfile.TemporaryDirectory() as place:
        watch = Watch()
        generate(data, Path(place) / "preview", PREVIEW)
        found["preview"] = watch.read()

        watch = Watch()
        options = Options(engine="warp", frame_size=frame_size, sheets=False)
        folder = generate(data, Path(place) / "portrait", options).folder
        found["portrait"] = watch.read()
        found["memory, portrait"] = [peak_megabytes()]
        found |= {name: [(folder / name).stat().st_size] for name in FILES}

        watch = Watch()
        portrait, face, _ = prepare_portrait(data, options)
        engine, grid = WarpEngine(), GazeGrid()
        source = engine.prepare(portrait, face)
        for _ in engine.stream(source, [grid.pose(cell) for cell in grid.cells()]):
            pass
        found["frames"] = watch.read()

        watch = Watch()
        generate(data, Path(place) / "sheets", Options(engine="warp", frame_size=frame_size))
        found["sheets"] = watch.read()
        found["memory, sheets"] = [peak_megabytes()]
    return found


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
    command = [sys.executable, "-m", "benchmarks.instant", str(args.photo), "--once"]
    command += ["--frame-size", str(args.frame_size)]
    runs = [json.loads(subprocess.run(command, check=True, capture_output=True).stdout) for _ in range(args.repeats)]

    def column(key: str, index: int = 0) -> list[float]:
        return [run[key][index] for run in runs]

    load = os.getloadavg()[0]
    print(
        f"{machine()}, at a load of {load:.0f}; {args.photo.name}, frames of {args.frame_size}; runs: {args.repeats}\n"
    )
    print("| what | processor: median (least to most) | clock: least |\n|---|---|---|")
    for key, what in WHAT.items():
        clock, cpu = column(key), column(key, 1)
        spread = f"{statistics.median(cpu):.2f} s ({min(cpu):.2f} to {max(cpu):.2f})"
        print(f"| {what} | {spread} | {min(clock):.2f} s |")
    for key, what in (("memory, portrait", "after the portrait"), ("memory, sheets", "after all sheets")):
        print(f"| peak memory {what} | {statistics.median(column(key)):.0f} MB | |")
    print("\n| file | size |\n|---|---|")
    for name in FILES:
        print(f"| `{name}` | {statistics.median(column(name)) / 1000:.0f} kB |")
    print(f"| `{WIDGET.name}`, with gzip | {len(gzip.compress(WIDGET.read_bytes())) / 1000:.0f} kB |")


if __name__ == "__main__":
    main()
