"""Carried mattes beside those that the network finds anew in each frame: how far both are from the truth, and time.

    .venv/bin/python -m benchmarks.matting [--matting finest] [PHOTO ...]

The truth is the photo's matte, moved by the instant engine's own displacement. "With it" are the engine's frames, in
which the background near the head moves along. In "still", the same person moves before a background that stays: the
hardest case for optical flow. There the engine's displacement is not used but to draw the frames.
"""

from __future__ import annotations

import argparse
import statistics
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import cv2
import numpy as np

from benchmarks.instant import PHOTO, machine
from gaze.engines.warp.engine import WarpEngine, WarpSource
from gaze.face.face import Face
from gaze.grid import Cell, GazeGrid, Pose, Strengths
from gaze.matting.colours import find_colours
from gaze.matting.cutout import CutoutEngine, CutoutSource, apart
from gaze.matting.matte import MATTINGS, Network, add_matte
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.photo.remapping import NO_MAP
from gaze.pipeline.preparing import prepare_portrait
from gaze.progress import Steps

CELLS = [Cell(row, col) for row in (0, 14, 29) for col in (0, 14, 29)]


class Unknowing(WarpEngine):
    """The instant engine as if it did not know how it moves the picture."""

    def positions(self, source: Any, pose: Pose) -> None:  # type: ignore[override]
        return None


class Still(Unknowing):
    """The person moves, what lies behind does not."""

    def __init__(self, matte: np.ndarray) -> None:
        super().__init__()
        self._matte = matte

    def render(self, source: WarpSource, poses: Sequence[Pose]) -> np.ndarray:
        person, behind = (find_colours(source.image, matte) for matte in (self._matte, 255 - self._matte))
        frames = []
        for pose in poses:
            at = WarpEngine().positions(source, pose)
            share = moved(self._matte, at)[..., None] / 255
            frames.append(np.rint(moved(person, at) * share + behind * (1 - share)).astype(np.uint8))
        return np.stack(frames)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--frame-size", type=int, default=512)
    parser.add_argument("--matting", choices=MATTINGS, default=MATTINGS[0])
    args = parser.parse_args()
    print(f"{machine()}; {args.matting}; {len(CELLS)} frames of each portrait, corners and edges of the grid\n")
    columns = "photo | head | background | matte | off, mean | most | IoU, least | from the network's | ms a frame"
    print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}")
    for photo in args.photos:
        portrait, face, _ = prepare_portrait(photo, Options(frame_size=args.frame_size))
        loading = Steps(add_matte(portrait, face, args.matting))
        list(loading)
        portrait, network = loading.result
        for head in (1.0, 2.0):
            poses = [GazeGrid(30, Strengths(head=head)).pose(cell) for cell in CELLS]
            for row in measure(portrait, face, poses, network):
                print(f"| {photo.name} | {head:g} | {row} |", flush=True)


def measure(portrait: Portrait, face: Face, poses: list[Pose], network: Network | None) -> list[str]:
    assert network is not None
    known = CutoutEngine(WarpEngine(), network)
    source = known.prepare(portrait, face)
    matte = source.person.layer[..., 3]
    truths = [moved(matte, WarpEngine().positions(source.source, pose)) for pose in poses]
    rows = []
    for background, engine in (("with it", Unknowing()), ("still", Still(matte))):
        unknown = CutoutEngine(engine, network)
        frames = list(zip(engine.render(source.source, poses), poses, strict=True))
        anew: list[np.ndarray] = []
        ways: dict[str, Callable[..., np.ndarray]] = {
            "network, each frame": lambda frame, _: network(frame),
            "the photo's own": lambda _, __: matte,
            "carried by flow": partial(_alpha, unknown, source),
        }
        if background == "with it":
            ways["carried, motion known"] = partial(_alpha, known, source)
        for name, find in ways.items():
            start = time.perf_counter()
            found = [find(*frame) for frame in frames]
            spent = (time.perf_counter() - start) / len(poses)
            anew = anew or found
            off, beside = (
                [apart(*pair, 0.15 * face.iris_distance) for pair in zip(others, found, strict=True)]
                for others in (truths, anew)
            )
            least = min(overlap(*pair) for pair in zip(truths, found, strict=True))
            rows.append(
                f"{background} | {name} | {statistics.mean(off):.3f} | {max(off):.3f} | {least:.3f} "
                f"| {statistics.mean(beside):.3f} | {spent * 1e3:.0f}"
            )
    return rows


def _alpha(engine: CutoutEngine, source: CutoutSource, frame: np.ndarray, pose: Pose) -> np.ndarray:
    return engine._cut(source, frame, pose)[..., 3]


def moved(picture: np.ndarray, at: np.ndarray) -> np.ndarray:
    return cv2.remap(picture, at, NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)


def overlap(a: np.ndarray, b: np.ndarray) -> float:
    """Intersection over union of what is more opaque than not."""
    a, b = a > 127, b > 127
    return float((a & b).sum() / (a | b).sum())


if __name__ == "__main__":
    main()
