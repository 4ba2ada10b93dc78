"""`python -m gaze clip FOLDER`: a loop of four seconds."""

from __future__ import annotations

import argparse
from pathlib import Path

from gaze.commands.shared import PROGRAM, failed, unwritable
from gaze.errors import GazeError
from gaze.output.clip import SHAPES, write_clip


def build_parser() -> argparse.ArgumentParser:
    """The arguments of `python -m gaze clip`; docs/settings.md lists them."""
    parser = argparse.ArgumentParser(
        prog=f"{PROGRAM} clip",
        description="Make a clip of a portrait, four seconds that repeat, for places that allow nothing interactive.",
    )
    parser.add_argument("folder", type=Path, help="the portrait's folder")
    parser.add_argument(
        "-o", "--out", type=Path, help="the file to write: .webm, .webp or .gif (default: FOLDER/clip.webm)"
    )
    parser.add_argument(
        "--shape", choices=SHAPES, default=SHAPES[0], help="square around the face, or framed as the portrait is"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Do it; returns the exit status."""
    out = args.out or args.folder / "clip.webm"
    try:
        write_clip(args.folder, out, out.suffix.removeprefix("."), args.shape)
    except GazeError as error:
        return failed(error)
    except OSError as error:
        return failed(unwritable(out, error))
    print(out)
    return 0
