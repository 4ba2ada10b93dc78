"""What the LivePortrait engine takes, stage by stage and for a whole portrait, beside a plain loop in the same run.

    .venv/bin/python -m benchmarks.liveportrait [--size 30]

The weights are made by a rule; time does not depend on their values. The plain loop does what is usual: one frame at
a time under float16 autocast, one transfer per frame, paste-back by OpenCV on the processor, and the sheets encoded
one after another at the end.
"""

from __future__ import annotations

import argparse
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from torch import nn

from benchmarks.instant import PHOTO, machine
from benchmarks.made_networks import PARTS, network_by_rule
from gaze.engines.liveportrait import keypoints, weights
from gaze.engines.liveportrait.crop import Crop, crop_around_face, feather_mask
from gaze.engines.liveportrait.device import wants_channels_last
from gaze.engines.liveportrait.engine import LivePortraitEngine
from gaze.engines.liveportrait.fused_convolutions import (
    SlicedConv,
    UpsampledConv,
    channels_last,
    plain,
    stacked,
    to_channels_last,
)
from gaze.engines.liveportrait.fused_networks import FusedBlock, FusedDecoder, FusedUpBlock, FusedWarping
from gaze.engines.liveportrait.renderer import Renderer
from gaze.engines.liveportrait.weights import Networks
from gaze.grid import Expression, GazeGrid
from gaze.options import Options
from gaze.output.sprites import SheetCanvas, encode_webp, plan_sheets
from gaze.pipeline.making import generate
from gaze.pipeline.preparing import prepare_portrait
from tests.engines.liveportrait import rule

FRAME_TERAFLOP = 1.23
"""A frame's arithmetic in W and G, as they were published."""
H200_TERAFLOPS = 790
"""A second, in bfloat16 on real convolutions."""


@dataclass
class Bench:
    """The networks and the settings of a run."""

    networks: Networks
    device: torch.device
    repeats: int

    def seconds(self, *jobs: Callable[[], Any]) -> list[float]:
        """Median wall time of each job; they take turns, so that a busy machine is busy for all."""
        times: list[list[float]] = [[] for _ in jobs]
        for turn in range(self.repeats + 1):
            for job, taken in zip(jobs, times, strict=True):
                self.wait()
                start = time.perf_counter()
                job()
                self.wait()
                if turn:  # The first warms up.
                    taken.append(time.perf_counter() - start)
        return [statistics.median(taken) for taken in times]

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--size", type=int, help="rows and columns of the whole portrait (30 on a GPU, 2 without)")
    parser.add_argument("--batch", type=int, help="frames rendered at once (default: by the free memory)")
    parser.add_argument("--repeats", type=int, default=5)
    args = parser.parse_args()
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    size = args.size or (30 if device.type == "cuda" else 2)
    hardware = torch.cuda.get_device_name() if device.type == "cuda" else "no GPU"
    print(f"{hardware}; {machine()}; torch {torch.__version__}; medians of {args.repeats}\n")
    with torch.inference_mode():
        made: dict[str, Any] = {name: network_by_rule(name) for name in PARTS}
        bench = Bench(Networks(**made), device, args.repeats)
        renderer = Renderer(bench.networks, device)
        renderer.batch = args.batch
        stages(bench, renderer)
        savings(bench)
    whole(bench, size)


def stages(bench: Bench, renderer: Renderer) -> None:
    """Each stage by itself."""
    portrait, face, _ = prepare_portrait(PHOTO, Options())
    crop = crop_around_face(face)
    source = renderer.prepare(portrait.image, crop)
    grid = GazeGrid()
    poses = [grid.pose(cell) for cell in grid.cells()][: renderer.batch or 900]
    count = len(next(renderer.frames(source, poses, Expression())))
    poses = poses[:count]
    x_d = renderer._keypoints(source, poses, Expression())
    features = renderer._warping(source.warp, x_d)
    generated = renderer._decoder(features)
    frames = source.paster.paste(generated)
    prepare, *of_batch = bench.seconds(
        lambda: renderer.prepare(portrait.image, crop),
        lambda: renderer._keypoints(source, poses, Expression()),
        lambda: renderer._warping(source.warp, x_d),
        lambda: renderer._decoder(features),
        lambda: source.paster.paste(generated),
        lambda: frames.cpu().numpy(),
    )
    names = ("keypoints and stitching", "W, warping", "G, decoder", "paste-back", "off the device, not overlapped")
    print(f"Convolutions in {renderer.dtype}, {count} frames at once, frames of {portrait.width}×{portrait.height}\n")
    print("| stage | ms |\n|---|---|")
    print(f"| once per portrait: window, F and M | {prepare * 1000:.1f} |")
    for name, seconds in zip(names, of_batch, strict=True):
        print(f"| per frame: {name} | {seconds * 1000 / count:.2f} |")
    networks = (of_batch[1] + of_batch[2]) / count
    print(f"| per frame: TFLOP/s of W and G, counting the arithmetic of the published networks | {rate(networks)} |\n")


def rate(seconds_per_frame: float) -> str:
    return f"{FRAME_TERAFLOP / seconds_per_frame:.2f}"


def savings(bench: Bench) -> None:
    """Each algebraic saving beside what it replaces, in the dtype that convolutions have on this device."""
    device, networks = bench.device, bench.networks
    dtype = Renderer(networks, device).dtype

    def ready(module: nn.Module) -> nn.Module:
        moved = module.to(device, dtype)
        return to_channels_last(moved) if wants_channels_last(device, dtype) else moved

    def values(*shape: int) -> torch.Tensor:
        made = torch.randn(shape, device=device, dtype=dtype)
        return channels_last(made) if wants_channels_last(device, dtype) else made

    decoder, dense = networks.decoder, networks.warping.dense_motion_network
    features, middle, up_0, up_1 = values(1, 256, 64, 64), values(1, 512, 64, 64), *_up_inputs(values)
    volume, x_s = values(1, 32, 16, 64, 64).float(), keypoints.source_keypoints(rule.motion("bench")).to(device)
    x_d = x_s + 0.02
    deep, wide = values(1, 142, 16, 64, 64), values(1, 144, 16, 64, 64)
    fused_warping = ready(FusedWarping(networks.warping))
    source = fused_warping.prepare(volume, x_s)  # type: ignore[operator]
    shared: list[Any] = [norm.mlp_shared[0] for norm in (decoder.up_1.norm_0, decoder.up_1.norm_1)]
    pair: list[nn.Conv2d] = [plain(conv) for conv in shared]
    phased, upsampled = ready(UpsampledConv(4, *pair)), ready(stacked(*pair))
    fused_blocks = [ready(FusedBlock(decoder.middle()[0])), ready(FusedUpBlock(decoder.up_0, 2))]
    fused_blocks.append(ready(FusedUpBlock(decoder.up_1, 4)))
    fused_decoder = ready(FusedDecoder(decoder))
    sliced = ready(SlicedConv(dense.mask))
    # The networks themselves are cast last, and back at the end: what is made from them above has copied their weights.
    ready(decoder)
    ready(dense.mask)
    pairs: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        (
            "a convolution of a map enlarged 4×",
            lambda: F.relu(upsampled(_enlarged(features, 4))),
            lambda: phased(features),
        ),
        ("a middle block", lambda: decoder.middle()[0](middle, features), lambda: fused_blocks[0](middle, features)),
        ("up_0", lambda: decoder.up_0(_enlarged(up_0, 2), features), lambda: fused_blocks[1](up_0, features)),
        ("up_1", lambda: decoder.up_1(_enlarged(up_1, 2), features), lambda: fused_blocks[2](up_1, features)),
        ("G as a whole", lambda: decoder(features), lambda: fused_decoder(features)),
        ("the mask, slice by slice", lambda: dense.mask(deep), lambda: sliced(wide)),
    ]
    if dtype == torch.float32:
        pairs.append(("W as a whole", lambda: networks.warping(volume, x_s, x_d), lambda: fused_warping(source, x_d)))
    print("| saving, one frame | as published, ms | fused, ms | ratio |\n|---|---|---|---|")
    for name, before, after in pairs:
        slow, fast = bench.seconds(before, after)
        print(f"| {name} | {slow * 1000:.1f} | {fast * 1000:.1f} | {slow / fast:.2f} |")
    print()
    decoder.float().cpu()
    dense.mask.float().cpu()


def _up_inputs(values: Callable[..., torch.Tensor]) -> Iterator[torch.Tensor]:
    yield values(1, 512, 64, 64)
    yield values(1, 256, 128, 128)


def _enlarged(x: torch.Tensor, factor: int) -> torch.Tensor:
    return F.interpolate(x, scale_factor=factor, mode="nearest")


def whole(bench: Bench, size: int) -> None:
    """From photo to finished files, and the plain loop."""
    with tempfile.TemporaryDirectory(prefix="gaze-bench-") as folder:
        os.environ[weights.FOLDER_VARIABLE] = folder
        _write_checkpoints(bench.networks, Path(folder))
        engine = LivePortraitEngine()
        for _ in engine.load():
            pass
        portrait, face, _ = prepare_portrait(PHOTO, Options())
        grid = GazeGrid(size)
        poses = [grid.pose(cell) for cell in grid.cells()]
        # Warm up: allocations, algorithms, translation.
        next(engine.stream(engine.prepare(portrait, face), poses))

        def render() -> None:
            for _ in engine.stream(engine.prepare(portrait, face), poses):
                pass

        start = time.perf_counter()
        render()
        rendered = time.perf_counter() - start
        start = time.perf_counter()
        generate(PHOTO, Path(folder) / "portrait", Options(engine=engine, size=size))
        line = time.perf_counter() - start
        start = time.perf_counter()
        loop_rendered = plain_loop(bench, grid)
        loop = time.perf_counter() - start
    print(f"| {grid.count} frames | ours, s | plain loop, s | ratio |\n|---|---|---|---|")
    print(f"| frames rendered | {rendered:.2f} | {loop_rendered:.2f} | {loop_rendered / rendered:.2f} |")
    print(f"| photo to finished files | {line:.2f} | {loop:.2f} | {loop / line:.2f} |")
    if bench.device.type == "cuda":
        bound = FRAME_TERAFLOP * grid.count / H200_TERAFLOPS
        print(f"\nThe arithmetic of W and G alone takes an H200 {bound:.2f} s; this: {rendered / bound:.1f} times it")


def _write_checkpoints(networks: Networks, folder: Path) -> None:
    for name, network in (
        ("appearance_feature_extractor", networks.appearance),
        ("motion_extractor", networks.motion),
        ("warping_module", networks.warping),
        ("spade_generator", networks.decoder),
    ):
        torch.save(network.state_dict(), folder / f"{name}.pth")
    small = {"retarget_shoulder": networks.stitching, "retarget_eye": networks.eye, "retarget_mouth": networks.lip}
    torch.save(
        {name: dict(network.state_dict()) for name, network in small.items()},
        folder / "stitching_retargeting_module.pth",
    )


@torch.inference_mode()
def plain_loop(bench: Bench, grid: GazeGrid) -> float:
    """From photo to sheets, frame by frame; returns the seconds until the last frame."""
    start = time.perf_counter()
    device, networks = bench.device, bench.networks
    for part in (networks.appearance, networks.motion, networks.warping, networks.decoder, networks.stitching):
        part.to(device)
    half = torch.autocast("cuda", torch.float16, enabled=device.type == "cuda")
    portrait, face, _ = prepare_portrait(PHOTO, Options())
    crop = crop_around_face(face)
    window = cv2.resize(crop.cut(portrait.image), (256, 256), interpolation=cv2.INTER_AREA)
    picture = torch.from_numpy(window).to(device).movedim(-1, 0)[None].float() / 255
    with half:
        volume, motion = networks.appearance(picture), networks.motion(picture)
    motion = motion.to(device)
    x_s = keypoints.source_keypoints(motion)
    mask = _warped(np.repeat(feather_mask()[..., None], 3, 2), crop, portrait.image) / np.float32(255)
    frames = {}
    for cell in grid.cells():
        x_d = networks.stitching.correct(x_s, keypoints.driving_keypoints(motion, [grid.pose(cell)], Expression()))
        with half:
            generated = networks.decoder(networks.warping(volume, x_s, x_d))
        numbers = generated.float().clamp(0, 1)[0].permute(1, 2, 0).mul(255).byte().cpu().numpy()
        blended = mask * _warped(numbers, crop, portrait.image) + (1 - mask) * portrait.image
        frames[cell] = np.clip(blended, 0, 255).astype(np.uint8)
    rendered = time.perf_counter() - start
    for group in plan_sheets(grid):
        for sheet in group:
            canvas = SheetCanvas(sheet, portrait.height, portrait.width)
            for cell in sheet.cells:
                canvas.put(cell, frames[cell])
            encode_webp(canvas.picture, 70, 4)
    return rendered


def _warped(picture: np.ndarray, crop: Crop, onto: np.ndarray) -> np.ndarray:
    return cv2.warpAffine(picture, crop.to_picture()[:2], (onto.shape[1], onto.shape[0]), flags=cv2.INTER_LINEAR)


if __name__ == "__main__":
    main()
