"""How many bytes, seconds and megabytes a portrait's files take, and how soon it is there.

    python -m benchmarks.sheets                     everything, with the example (some minutes)
    python -m benchmarks.sheets --only bytes P ...  one part, with other photos

Run it alone: the parts measure time. The browser's part needs playwright and a Chromium; benchmarks/widget.py has more.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from benchmarks.coding import Sample, measure_bytes, measure_speed
from benchmarks.instant import PHOTO, machine, peak_megabytes
from gaze.engines.base import Engine
from gaze.engines.warp.engine import WarpEngine
from gaze.grid import GazeGrid, Pose
from gaze.options import Options
from gaze.output.blocks import cut_blocks
from gaze.pipeline import generate, prepare_portrait
from gaze.progress import Progress


class Replay(Engine):
    """Stands for an engine on a GPU: frames that exist already, at a steady pace, without the processor."""

    name = "replay"

    def __init__(self, frames: Sequence[np.ndarray], seconds: float) -> None:
        self.frames, self.seconds, self.done = frames, seconds, 0
        self.started = 0.0

    def prepare(self, portrait: Any, face: Any) -> None:
        self.started = time.perf_counter()

    def render(self, source: None, poses: Sequence[Pose]) -> np.ndarray:
        first, self.done = self.done, self.done + len(poses)
        time.sleep(max(0.0, self.started + self.done * self.seconds - time.perf_counter()))
        return np.stack([self.frames[i % len(self.frames)] for i in range(first, self.done)])  # block by block


def run_line(photo: Any, options: Options) -> dict[str, float]:
    """Seconds from the start of the engine to the last frame, the pack and the sheets; and peak memory in MB."""
    times: dict[str, float] = {}
    started = 0.0

    def note(step: Progress) -> None:
        nonlocal started
        started = started or (time.perf_counter() if step.stage == "render" else 0.0)
        now = time.perf_counter() - started
        if step.stage == "render" and step.done == step.total:
            times.setdefault("rendered", now)
        if step.stage == "pack":
            times.setdefault("rendered", now)
        if step.stage == "ready":
            times["ready"] = now
            times["memory, pack"] = peak_megabytes()
        if step.stage == "done":
            times["sheets"] = now

    with tempfile.TemporaryDirectory() as place:
        generate(photo, Path(place) / "out", options, note)
    return {**times, "memory, sheets": peak_megabytes()}


def measure_once(photo: Path, what: str) -> dict[str, float]:
    """One part of the table of times, in a process of its own so that its memory is its own."""
    if what == "large":  # 512 × 640, as large as frames of a 4:5 portrait get
        picture = Image.open(photo).convert("RGB")
        width = min(picture.width, picture.height * 4 // 5)
        left = (picture.width - width) // 2
        cut = picture.crop((left, 0, left + width, width * 5 // 4)).resize((1024, 1280))
        return run_line(np.asarray(cut), Options(engine="warp", frame_size=640, framing="whole"))
    if what == "line":
        return run_line(photo, Options(engine="warp"))
    sample = Sample(photo)
    frames = list(sample.frames.values())
    if what == "encode":
        result = run_line(photo, Options(engine=Replay(frames, 0.0)))
        return {"ready": result["ready"]}
    if what == "render":
        portrait, face, _ = prepare_portrait(photo, Options())
        engine, grid = WarpEngine(), GazeGrid(30)
        started = time.perf_counter()
        source = engine.prepare(portrait, face)
        for block in cut_blocks(grid.size):
            engine.render(source, [grid.pose(cell) for cell in block.cells])
        return {"rendered": time.perf_counter() - started}
    pace = float(what) / 900
    return run_line(photo, Options(engine=Replay(frames, pace)))


def measure_time(photo: Path) -> None:
    def once(what: str) -> dict[str, float]:
        command = [sys.executable, "-m", "benchmarks.sheets", "--once", what, str(photo)]
        return dict(json.loads(subprocess.run(command, check=True, capture_output=True).stdout))

    encode, render, line = once("encode")["ready"], once("render")["rendered"], once("line")
    steady = once(str(encode))
    large = once("large")
    print("| what | seconds |\n|---|---|")
    print(f"| rendering alone, 900 frames, instant engine | {render:.1f} |")
    print(f"| packing alone, frames at once | {encode:.1f} |")
    print(
        f"| both, to the finished pack | {line['ready']:.1f} ({line['ready'] / max(render, encode):.2f} × the longer) |"
    )
    print(f"| the same from the last frame rendered | {line['ready'] - line['rendered']:.1f} |")
    print(f"| … and to the last sheet | {line['sheets']:.1f} |")
    ratio = steady["ready"] / encode
    print(f"| an engine off the processor, as slow as packing, to the pack | {steady['ready']:.1f} ({ratio:.2f} ×) |")
    print(f"| the same from the last frame rendered | {steady['ready'] - steady['rendered']:.1f} |")
    print("\n| peak memory of the process, MB | with the pack | with the sheets |\n|---|---|---|")
    print(f"| frames as above | {line['memory, pack']:.0f} | {line['memory, sheets']:.0f} |")
    print(f"| frames of 512×640 | {large['memory, pack']:.0f} | {large['memory, sheets']:.0f} |", flush=True)


def measure_browser(photo: Path) -> None:
    """The bytes after which the face follows; for looks and memory see benchmarks/widget.py, which this calls."""
    from playwright.sync_api import sync_playwright

    from benchmarks import widget

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "portrait"
        generate(photo, folder, Options(engine="warp"))
        facts = {**json.loads((folder / "metadata.json").read_text()), "base": "portrait/"}
        pack = (folder / "gaze.pack").stat().st_size
        server, address = widget.serve(Path(place))
        (Path(place) / "gaze-tracker.js").write_bytes(widget.SCRIPT.read_bytes())
        (Path(place) / "empty.html").write_text("<!doctype html><link rel='icon' href='data:,'>")
        print("| payload | kB of the pack until the face follows | random look p50 / p95, ms | renderer grown, MB |")
        print("|---|---|---|---|")
        with sync_playwright() as playwright:
            for name in ("video", "stills"):
                manifest, before = widget.kinds_of(facts)[name]
                page = widget.PAGE.format(width=widget.WIDTH, manifest=json.dumps(manifest), before=before)
                (Path(place) / "page.html").write_text(page)
                enough = least_bytes(playwright, widget, f"{address}/page.html", pack, name)
                visit = widget.visit(playwright, widget.chromium(), f"{address}/page.html", None)
                looks = f"{visit['look50']:.1f} / {visit['look95']:.1f}"
                print(f"| {name} | {enough} | {looks} | {visit['grown']:.0f} |", flush=True)
        server.shutdown()


def least_bytes(playwright: Any, widget: Any, address: str, pack: int, name: str) -> str:
    """Lets only so much of the pack through, and sees whether the face follows all the same."""
    browser = playwright.chromium.launch(executable_path=widget.chromium(), args=widget.ARGUMENTS)
    try:
        for kilobytes in range(15, 400, 15):
            page = browser.new_page(viewport={"width": 1280, "height": 800})
            widget.Quiet.stalled = (kilobytes * 1000, threading.Event())
            page.goto(address, wait_until="commit")
            page.wait_for_timeout(1500)
            follows = page.evaluate("Boolean(window.first)")
            widget.Quiet.stalled[1].set()
            page.close()
            if follows:
                return f"≤ {kilobytes}"
        return "> 400"
    finally:
        widget.Quiet.stalled = None
        browser.close()


PARTS: dict[str, Callable[[list[Path]], None]] = {
    "bytes": measure_bytes,
    "speed": lambda photos: measure_speed(photos[0]),
    "time": lambda photos: measure_time(photos[0]),
    "browser": lambda photos: measure_browser(photos[0]),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--only", choices=PARTS, help="one part alone")
    parser.add_argument("--once", help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.once:
        print(json.dumps(measure_once(args.photos[0], args.once)))
        return
    print(f"{machine()}\n")
    for name, part in PARTS.items():
        if args.only in (None, name):
            part(args.photos)
            print()


if __name__ == "__main__":
    main()
