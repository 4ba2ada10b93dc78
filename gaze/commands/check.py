"""`python -m gaze check FOLDER`: a portrait held to docs/format.md."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from tqdm import tqdm

from gaze.commands.shared import PROGRAM, failed, shown_on
from gaze.errors import GazeError
from gaze.output.converter import closeness
from gaze.output.validator import check


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `check`."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} check",
        description="Check a portrait's folder, or a pack, against docs/format.md: open all files, decode all frames.",
        epilog="Exit status: 0 nothing is wrong, 1 something is.",
    )
    parser.add_argument("path", type=Path, help="a portrait's folder, or a gaze.pack")
    parser.add_argument(
        "--morph",
        action="store_true",
        help="also tell how close the pack's morphs come to the frames of the sheets, at the eyes",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print only what is wrong")
    return parser


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    with tqdm(unit="frame", disable=args.quiet or None) as bar:
        problems = check(args.path, shown_on(bar))
    for problem in problems:
        print(f"gaze: {problem}", file=sys.stderr)
    if not problems and not args.quiet:
        print(f"{args.path}: nothing is wrong.")
    if args.morph:
        try:
            with tqdm(unit="cell", disable=args.quiet or None) as bar:
                made = closeness(args.path, shown_on(bar))
        except GazeError as error:
            return failed(error)
        print(
            f"{args.path}: eyes of {made.cells} morphs and of the sheets have a structural similarity of "
            f"{made.mean:.4f} on average, {made.least:.4f} at least (row {made.worst.row}, column {made.worst.col})."
        )
    return 1 if problems else 0
