"""`python -m gaze sheets FOLDER`: sprite sheets of a finished portrait."""

from __future__ import annotations

import argparse
from pathlib import Path

from tqdm import tqdm

from gaze.commands.shared import PROGRAM, failed, unwritable
from gaze.errors import GazeError
from gaze.options import Options
from gaze.pipeline.sheets import add_sheets


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `sheets`."""
    normal = Options()
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} sheets",
        description="Make the sprite sheets of a finished portrait, for other programs.",
        epilog="Exit status: 0 done, 1 they could not be made.",
    )
    parser.add_argument("folder", type=Path, help="a portrait's folder, with a gaze.pack")
    parser.add_argument(
        "--sheet-size",
        type=int,
        default=normal.sheet_size,
        metavar="PIXELS",
        help="longer side of a frame (default: %(default)s)",
    )
    parser.add_argument(
        "--quality", type=int, default=normal.quality, metavar="1..100", help="WebP quality (default: %(default)s)"
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    try:
        with tqdm(unit="frame", disable=args.quiet or None) as bar:
            for step in add_sheets(args.folder, args.sheet_size, quality=args.quality):
                bar.set_description_str(step.message, refresh=False)
                bar.n, bar.total = step.done, step.total
                bar.refresh()
    except GazeError as error:
        return failed(error)
    except OSError as error:
        return failed(unwritable(args.folder, error, "Make room there, or allow writing to it."))
    if not args.quiet:
        print(f"{args.folder}: its sheets are made.")
    return 0
