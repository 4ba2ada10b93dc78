"""How many bytes, seconds and megabytes a portrait's files take, and how soon it is there.

    python -m benchmarks.sheets                     everything, with the example (some minutes)
    python -m benchmarks.sheets --only bytes P ...  one part, with other photos

Run it alone: the parts measure time. The browser's part needs playwright and a Chromium; benchmarks/widget.py has more.
"""

from __future__ import annotations

import argparse
import io
import json
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from benchmarks.instant import PHOTO, machine, peak_megabytes
from gaze.blocks import Block, cut_blocks
from gaze.engines.warp import WarpEngine
from gaze.grid import Cell, GazeGrid, Pose
from gaze.options import Options
from gaze.packing import STILLS_EFFORT
from gaze.pipeline import generate, prepare_portrait
from gaze.progress import Progress
from gaze.sprites import encode_webp
from gaze.video import decode_chain, encode_block, quantizer

SAMPLE = (0, 7, 14, 21, 28, 35)
"""Which of the 36 blocks of the grid stand for all."""

QUANTIZERS = range(24, 61, 6)
Frames = dict[Cell, np.ndarray]


class Sample:
    """Raw frames of some blocks, and the box of the eyes."""

    def __init__(self, photo: Path) -> None:
        portrait, face, _ = prepare_portrait(photo, Options())
        self.name, self.width, self.height = photo.name, portrait.width, portrait.height
        engine, grid = WarpEngine(), GazeGrid(30)
        source = engine.prepare(portrait, face)
        blocks = cut_blocks(grid.size)
        self.blocks = [blocks[i] for i in SAMPLE]
        self.frames: Frames = {}
        for block in self.blocks:
            rendered = engine.render(source, [grid.pose(cell) for cell in block.cells])
            self.frames.update(zip(block.cells, rendered, strict=True))
        (x, y), unit = face.centre, face.iris_distance
        rows = slice(max(0, int(y - 0.7 * unit)), int(y + 0.7 * unit))
        self.eyes = (rows, slice(max(0, int(x - 1.2 * unit)), int(x + 1.2 * unit)))

    @property
    def megapixels(self) -> float:
        return len(self.frames) * self.width * self.height / 1e6

    def eye_ssim(self, decoded: Frames) -> list[float]:
        """Luma SSIM (Gaussian window of 11) in the box of the eyes, of each frame against the raw one."""
        options = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False, "data_range": 255}
        return [
            float(structural_similarity(luma(self.frames[cell])[self.eyes], luma(frame)[self.eyes], **options))
            for cell, frame in decoded.items()
        ]


def luma(frame: np.ndarray) -> np.ndarray:
    return np.asarray((frame @ np.array([0.2126, 0.7152, 0.0722])).round(), np.uint8)


def stills_of(sample: Sample, quality: int) -> tuple[float, float]:
    """Bytes per frame and eye SSIM."""
    size, decoded = 0, {}
    for number, (cell, frame) in enumerate(sample.frames.items()):
        data = encode_webp(Image.fromarray(frame), quality, STILLS_EFFORT)
        size += len(data)
        if number % 3 == 0:
            decoded[cell] = np.asarray(Image.open(io.BytesIO(data)).convert("RGB"))
    return size / len(sample.frames), float(np.mean(sample.eye_ssim(decoded)))


def video_of(sample: Sample, codec: str, crf: int) -> tuple[float, float, float]:
    """Bytes per frame, eye SSIM, and that of the worst frame."""
    size, values = 0, []
    for block in sample.blocks:
        chunks = encode_block(sample.frames, block, codec, crf)
        size += sum(len(chunk.data) for chunk in chunks.values())
        for chain in block.chains()[::3]:
            data = [chunks[cell].data for cell in chain]
            decoded = decode_chain(data, codec, sample.width, sample.height, alpha=False)
            values += sample.eye_ssim(dict(zip(chain, decoded, strict=True)))
    return size / len(sample.frames), float(np.mean(values)), min(values)


def measure_bytes(photos: Iterable[Path]) -> None:
    print("| photo | frame | stills q75, B/frame | eye SSIM | VP9 at equal eyes, B/frame | ratio | AV1, ratio ", end="")
    print("| video as written, B/frame | eye SSIM | worst frame | 900 frames, MB |\n|" + "---|" * 11)
    for photo in photos:
        sample = Sample(photo)
        stills, wanted = stills_of(sample, 75)
        equal = {}
        for codec in ("vp9", "av1"):
            points = sorted(video_of(sample, codec, crf)[1::-1] for crf in QUANTIZERS)
            eyes, sizes = zip(*points, strict=True)
            equal[codec] = float(np.exp(np.interp(wanted, eyes, np.log(sizes))))
        size, eye, worst = video_of(sample, "vp9", quantizer("vp9", 75))
        print(
            f"| {sample.name} | {sample.width}×{sample.height} | {stills:.0f} | {wanted:.4f} | {equal['vp9']:.0f} "
            f"| {equal['vp9'] / stills:.3f} | {equal['av1'] / stills:.3f} | {size:.0f} | {eye:.4f} | {worst:.4f} "
            f"| {size * 900 / 1e6:.2f} |",
            flush=True,
        )


def measure_speed(photo: Path) -> None:
    sample = Sample(photo)
    pictures = [Image.fromarray(frame) for frame in sample.frames.values()]
    crf = quantizer("vp9", 75)

    def still(picture: Image.Image) -> bytes:
        return encode_webp(picture, 75, STILLS_EFFORT)

    def video(block: Block) -> object:
        return encode_block(sample.frames, block, "vp9", crf)

    print("| encoder | MP per CPU second, one thread | MP/s, one thread | two threads |\n|---|---|---|---|")
    jobs: Sequence[tuple[str, Callable[[Any], object], Sequence[Any]]] = [
        ("WebP stills, quality 75, method 4", still, pictures),
        ("VP9 tree, prefixes encoded again included", video, sample.blocks),
    ]
    for name, job, items in jobs:
        cpu, started = time.process_time(), time.perf_counter()
        for item in items:
            job(item)
        cpu, alone = time.process_time() - cpu, time.perf_counter() - started
        with ThreadPoolExecutor(2) as pool:
            started = time.perf_counter()
            list(pool.map(job, items))
            together = time.perf_counter() - started
        print(f"| {name} | {sample.megapixels / cpu:.1f} | {sample.megapixels / alone:.1f} | {alone / together:.2f}× |")


class Replay:
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
        portrait = picture.crop((left, 0, left + width, width * 5 // 4)).resize((1024, 1280))
        return run_line(np.asarray(portrait), Options(engine="warp", frame_size=640, framing="whole"))
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
