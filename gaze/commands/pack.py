"""`python -m gaze pack FOLDER`: a pack made of sheets."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from gaze.commands.shared import PROGRAM, failed, number_or_auto, shown_on
from gaze.errors import GazeError
from gaze.motion.keys import AUTO
from gaze.options import VIDEOS
from gaze.output.converter import repack


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `pack`."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} pack",
        description="Make a gaze.pack from the sprite sheets of a folder, also of an older Gaze, without rendering.",
        epilog="Exit status: 0 done, 1 the pack could not be made.",
    )
    parser.add_argument("folder", type=Path, help="a folder with metadata.json and q0.webp to q3.webp")
    parser.add_argument(
        "--quality", type=int, default=75, metavar="1..100", help="WebP quality of the stills (default: %(default)s)"
    )
    parser.add_argument("--video", choices=VIDEOS, default="vp9", help="how the video is coded (default: %(default)s)")
    parser.add_argument(
        "--keys",
        type=number_or_auto,
        default=AUTO,
        metavar="N",
        help="keys per side: 5, 7, 9 or auto (default: %(default)s)",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    try:
        if not 1 <= args.quality <= 100:
            raise GazeError(f"The quality is {args.quality}. Choose a value from 1 to 100; 75 is the default.")
        with tqdm(unit="frame", disable=args.quiet or None) as bar:
            pack = repack(args.folder, args.quality, args.video, shown_on(bar), args.keys)
    except GazeError as error:
        return failed(error)
    if not args.quiet:
        print(f"{pack}: {pack.stat().st_size / 1e6:.1f} MB.")
    return 0
