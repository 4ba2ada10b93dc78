"""What a cut-out costs and keeps: alpha of morphs beside the matte moved exactly, and bytes beside those of the photo.

.venv/bin/python -m benchmarks.cutout [photo ...]

The truth is the photo's matte, by the quick way, moved by the instant engine's own displacement. "Off" is the mean
difference of alpha, 0 to 1, within 0.15 iris distances of the edges; "unmoved" is that of the matte left where it is.
"""

from __future__ import annotations

import argparse
import statistics
import tempfile
from dataclasses import replace
from pathlib import Path

import numpy as np

from benchmarks.instant import PHOTO, machine
from benchmarks.matting import moved
from gaze.engines.warp.engine import WarpEngine
from gaze.grid import GazeGrid, Look
from gaze.matting.cutout import CutoutEngine, apart
from gaze.matting.matte import quick_matte
from gaze.motion.eyes import Eyes
from gaze.motion.keys import key_axis, key_looks
from gaze.motion.morph import Morph
from gaze.motion.motion import Motion
from gaze.motion.tracking import find_motion
from gaze.options import Options
from gaze.output.pack import Facts
from gaze.output.packing import Coding, KeyEncoder
from gaze.pipeline.preparing import prepare_portrait

SIZE, KEYS, QUALITY = 30, 7, 75
LOOKS = [Look(*at) for at in ((2.4, 2.4), (2.4, 26.6), (26.6, 7.3), (14.5, 4.8), (21.7, 21.7), (9.7, 16.9))]
"""Between keys, near and far from the middle."""


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("photos", nargs="*", type=Path, default=[PHOTO])
    parser.add_argument("--frame-size", type=int, default=512)
    args = parser.parse_args()
    print(f"{machine()}; {KEYS} × {KEYS} keys, {len(LOOKS)} looks between them\n")
    columns = "photo | off, mean | off, most | unmoved, mean | gaze.pack, of RGB | stills.pack, of RGB"
    print(f"| {columns} |\n|{'---|' * (columns.count('|') + 1)}")
    for photo in args.photos:
        print(f"| {photo.name} | {measure(photo, args.frame_size)} |", flush=True)


def measure(photo: Path, frame_size: int) -> str:
    """The cells of a photo's row."""
    portrait, face, _ = prepare_portrait(photo, Options(frame_size=frame_size))
    portrait = replace(portrait, alpha=quick_matte(portrait.image))
    assert portrait.alpha is not None
    grid, axis = GazeGrid(SIZE), key_axis(SIZE, KEYS)
    poses = [grid.pose(look) for look in key_looks(axis)]
    plain, engine = WarpEngine(), CutoutEngine(WarpEngine(), quick_matte)
    source = engine.prepare(portrait, face)
    keys = dict(enumerate(np.concatenate(list(engine.stream(source, poses)))))
    motion = find_motion(keys, axis, Eyes.of(face), lambda key: engine.displacement(source, poses[key]))
    morph, near = Morph(motion, keys), 0.15 * face.iris_distance
    truths = [moved(portrait.alpha, plain.positions(source.source, grid.pose(look))) for look in LOOKS]
    off = [apart(morph(look)[..., 3], truth, near) for look, truth in zip(LOOKS, truths, strict=True)]
    unmoved = [apart(portrait.alpha, truth, near) for truth in truths]
    whole = dict(enumerate(np.concatenate(list(plain.stream(source.source, poses)))))
    facts = Facts(SIZE, portrait.width, portrait.height, True, (0.5, 0.4))
    cut, rgb = (packed(each, replace(facts, alpha=each is keys), motion) for each in (keys, whole))
    sizes = " | ".join(f"{cut[name] / rgb[name]:.2f}" for name in ("gaze.pack", "stills.pack"))
    return f"{statistics.mean(off):.4f} | {max(off):.4f} | {statistics.mean(unmoved):.3f} | {sizes}"


def packed(keys: dict[int, np.ndarray], facts: Facts, motion: Motion) -> dict[str, int]:
    """Bytes of each file of a pack."""
    with tempfile.TemporaryDirectory() as place, KeyEncoder(facts, keys, Coding(QUALITY, "vp9")) as encoder:
        while not encoder.wait(1):
            pass
        encoder.write(Path(place), motion)
        return {path.name: path.stat().st_size for path in Path(place).iterdir()}


if __name__ == "__main__":
    main()
