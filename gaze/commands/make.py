"""`python -m gaze PHOTO -o OUT`: a portrait."""

from __future__ import annotations

import argparse
import os
import shutil
import tempfile
from pathlib import Path

from tqdm import tqdm

from gaze.commands.shared import PROGRAM, failed, number_or, number_or_auto, unwritable
from gaze.engines.base import ENGINES
from gaze.errors import DoubtfulFaceError, GazeError
from gaze.face.framing import AUTO_SIDE, FRAMINGS
from gaze.grid import EXPRESSION_RANGES, Expression, Strengths
from gaze.matting.matte import MATTINGS
from gaze.motion.keys import AUTO, KEY_CHOICES
from gaze.options import ALL, VIDEOS, Options
from gaze.output.bundle import write_zip
from gaze.output.metadata import METADATA
from gaze.pipeline.making import generate
from gaze.progress import Progress, Result
from gaze.version import __version__

_EXPRESSION_HELP = {
    "smile": "0 leaves the mouth as it is, 1 is a friendly smile",
    "blink": "0 leaves the eyes as open as they are, 1 closes them, below 0 opens them wider",
    "eyebrow": "0 leaves the brows where they are, 1 raises them, -1 lowers them",
}


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments; defaults are those of `Options`."""
    normal = Options()
    parser = argparse.ArgumentParser(
        prog=PROGRAM,
        usage="%(prog)s PHOTO -o OUT [options]",
        description="Turn one portrait photo into a face that follows the pointer.",
        epilog="""also:
  %(prog)s check FOLDER   check a portrait against docs/format.md
  %(prog)s pack FOLDER    make a gaze.pack from sheets
  %(prog)s sheets FOLDER  make sprite sheets of a finished portrait
  %(prog)s clip FOLDER    make a loop of four seconds

exit status: 0 done, 1 the portrait could not be made, 2 wrong arguments, 130 interrupted""",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("photo", metavar="PHOTO", help="the photo: JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF")
    parser.add_argument("-o", "--out", required=True, help="the folder to make, or a file ending in .zip")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier portrait at that place")
    parser.add_argument(
        "--continue",
        dest="earlier",
        metavar="FOLDER",
        help="an earlier portrait of the same photo, whose rendered frames are reused",
    )
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("--version", action="version", version=f"gaze {__version__}")
    look = parser.add_argument_group("the portrait")
    look.add_argument(
        "--engine", choices=ENGINES, default=normal.engine, help="rendering engine (default: %(default)s)"
    )
    look.add_argument(
        "--remote",
        default=os.environ.get("GAZE_REMOTE"),
        metavar="WHERE",
        help="another Gaze that makes it, to which the photo is sent: a Space as owner/name, or a URL "
        "(default: GAZE_REMOTE)",
    )
    look.add_argument(
        "--framing",
        choices=FRAMINGS,
        default=normal.framing,
        help="auto crops the photo around a small face, whole keeps all of it (default: %(default)s)",
    )
    look.add_argument(
        "--face",
        type=number_or(ALL),
        default=normal.face,
        metavar="N|all",
        help="which face if there are several: 0 the main one, 1 the next largest and so on; all puts them on one page "
        "(default: %(default)s)",
    )
    look.add_argument("--anyway", action="store_true", help="accept a face whose eyes are hard to see")
    look.add_argument(
        "--straighten",
        action=argparse.BooleanOptionalAction,
        default=normal.straighten,
        help="make eyes that look past the camera look into it (default: yes)",
    )
    look.add_argument(
        "--remove-background",
        action="store_true",
        help="make all but the person transparent",
    )
    look.add_argument(
        "--matting",
        choices=MATTINGS,
        default=normal.matting,
        help="how the background is removed: quick, or finest by a large network (needs the extra “matting”) "
        "(default: %(default)s)",
    )
    look.add_argument(
        "--background",
        metavar="COLOUR|blur|FILE",
        help="what to put behind the person: a CSS colour, blur, or an image file "
        "(default: the photo's own background, if it is not removed)",
    )
    for part in ("head", "eyes", "brows"):
        look.add_argument(
            f"--{part}",
            type=float,
            default=1.0,
            metavar="0..2",
            help=f"how strongly the {part} follow{'s' if part == 'head' else ''}; 0: not at all (default: 1)",
        )
    expression = parser.add_argument_group("the expression, in all frames alike (LivePortrait engine)")
    for name, (least, most) in EXPRESSION_RANGES.items():
        expression.add_argument(
            f"--{name}", type=float, default=0.0, metavar=f"{least:g}..{most:g}", help=_EXPRESSION_HELP[name]
        )
    expression.add_argument(
        "--lid-term",
        action="store_true",
        help="move eyes half as far up and down, and lids less, as LivePortrait's own editor does",
    )
    look.add_argument(
        "--blinking",
        action=argparse.BooleanOptionalAction,
        default=normal.blinking,
        help="make a face that can blink (default: yes)",
    )
    sheets = parser.add_argument_group("the files")
    sheets.add_argument(
        "--size",
        type=int,
        default=normal.size,
        metavar="N",
        help="rows and columns of the grid, even, 2 to 60 (default: %(default)s)",
    )
    sheets.add_argument(
        "--keys",
        type=number_or_auto,
        default=normal.keys,
        metavar="N",
        help=f"how many looks per side are rendered: {', '.join(map(str, KEY_CHOICES))}, or {AUTO}, which goes by the "
        "engine's speed and the portrait; all other looks are morphed (default: %(default)s)",
    )
    sheets.add_argument(
        "--frame-size",
        type=number_or_auto,
        default=normal.frame_size,
        metavar="PIXELS",
        help=f"longer side of the pack's frames; {AUTO} is as large as the photo allows, up to {AUTO_SIDE} "
        "(default: %(default)s)",
    )
    sheets.add_argument(
        "--sheets",
        action=argparse.BooleanOptionalAction,
        default=normal.sheets,
        help="make sprite sheets for other programs (default: yes, but not with --remote or --face all)",
    )
    sheets.add_argument(
        "--sheet-size",
        type=int,
        default=normal.sheet_size,
        metavar="PIXELS",
        help="longer side of the sheets' frames (default: %(default)s)",
    )
    sheets.add_argument(
        "--quality",
        type=int,
        default=normal.quality,
        metavar="1..100",
        help="WebP quality of the sheets (default: %(default)s)",
    )
    sheets.add_argument(
        "--video", choices=VIDEOS, default=normal.video, help="how the pack's video is coded (default: %(default)s)"
    )
    return parser


def run(args: argparse.Namespace) -> int:
    """Make the portrait; returns the exit status."""
    out = Path(args.out)
    try:
        options = Options(
            engine=args.engine,
            size=args.size,
            keys=args.keys,
            frame_size=args.frame_size,
            quality=args.quality,
            framing=args.framing,
            face=args.face,
            anyway=args.anyway,
            strengths=Strengths(args.head, args.eyes, args.brows),
            straighten=args.straighten,
            remove_background=args.remove_background,
            matting=args.matting,
            background=args.background,
            expression=Expression(args.smile, args.blink, args.eyebrow, args.lid_term),
            blinking=args.blinking,
            video=args.video,
            sheets=args.sheets,
            sheet_size=args.sheet_size,
            remote=args.remote,
        )
        if out.exists() and not args.overwrite:
            raise GazeError(f"{out} is there already. Choose another name, or add --overwrite.")
        _check_replaceable(out)
        _make(args.photo, out, options, args.quiet, args.earlier)
    except DoubtfulFaceError as error:
        return failed(GazeError(f"{error} To use it anyway, add --anyway."))
    except GazeError as error:
        return failed(error)
    except OSError as error:
        return failed(unwritable(out, error))
    return 0


def _make(photo: str, out: Path, options: Options, quiet: bool, earlier: str | None) -> None:
    """Make the portrait beside `out`, then put it in place, so that an old one stays until the new one is whole."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gaze-") as temporary:
            made = Path(temporary) / "portrait"
            result = _with_bar(photo, made, options, quiet, earlier)
            if out.suffix == ".zip":
                made = Path(temporary) / "portrait.zip"
                write_zip(result.folder, made, sheets=True)
            _replace(made, out)
    except OSError as error:
        raise unwritable(out, error) from error
    if not quiet:
        for note in result.notes:
            print(note)
        where = out if out.suffix == ".zip" else out / "index.html"
        print(f"{where}: made with the {result.engine} engine. {result.reason}")


def _with_bar(photo: str, made: Path, options: Options, quiet: bool, earlier: str | None) -> Result:
    with tqdm(unit="frame", disable=quiet or None) as bar:

        def show(step: Progress) -> None:
            bar.set_description_str(step.message, refresh=False)
            if step.stage in ("render", "sheets"):
                bar.n, bar.total = step.done, step.total
            bar.refresh()

        return generate(photo, made, options, show, earlier)


def _check_replaceable(out: Path) -> None:
    """Refuse to remove what is no portrait."""
    if out.is_dir() and any(out.iterdir()) and not (out / METADATA).is_file():
        raise GazeError(f"{out} holds something other than a portrait, so it is not replaced. Choose another name.")


def _replace(made: Path, out: Path) -> None:
    _check_replaceable(out)  # once more: something may have come there meanwhile
    if out.is_dir():
        shutil.rmtree(out)
    made.replace(out)
