"""How many bytes and seconds stills and video take, at equal eyes: two parts of `benchmarks.sheets`."""

from __future__ import annotations

import io
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image
from skimage.metrics import structural_similarity

from gaze.engines.warp.engine import WarpEngine
from gaze.grid import Cell, GazeGrid
from gaze.options import Options
from gaze.output.blocks import Block, cut_blocks
from gaze.output.packing import STILLS_EFFORT
from gaze.output.sprites import encode_webp
from gaze.output.video import decode_chain, encode_block, quantizer
from gaze.pipeline import prepare_portrait

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
