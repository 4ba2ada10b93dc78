"""The command line: python -m gaze portrait.jpg -o out/"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from pathlib import Path

from tqdm import tqdm

from gaze import GazeError, Options, Progress, Strengths, __version__
from gaze.bundle import write_zip
from gaze.engines.base import ENGINES
from gaze.framing import FRAMINGS
from gaze.pipeline import Result, generate
from gaze.sprites import METADATA


def build_parser() -> argparse.ArgumentParser:
    """The command's arguments; defaults are those of `Options`."""
    normal = Options()
    parser = argparse.ArgumentParser(
        prog="python -m gaze",
        description="Turn one portrait photo into a face that follows the pointer.",
        epilog="Exit status: 0 done, 1 the portrait could not be made, 2 wrong arguments, 130 interrupted.",
    )
    parser.add_argument("photo", help="the photo: JPEG, PNG, WebP, AVIF, HEIC, GIF, BMP or TIFF")
    parser.add_argument("-o", "--out", required=True, help="the folder to make, or a file ending in .zip")
    parser.add_argument("--overwrite", action="store_true", help="replace an earlier portrait at that place")
    parser.add_argument("-q", "--quiet", action="store_true", help="print errors only")
    parser.add_argument("--version", action="version", version=f"gaze {__version__}")
    look = parser.add_argument_group("the portrait")
    look.add_argument("--engine", choices=ENGINES, default=normal.engine, help="what renders it (default: %(default)s)")
    look.add_argument(
        "--framing", choices=FRAMINGS, default=normal.framing, help="cut around a small face, or keep the whole photo"
    )
    look.add_argument(
        "--straighten",
        action=argparse.BooleanOptionalAction,
        default=normal.straighten,
        help="let a face that looks past the camera look straight in the centre (default: yes)",
    )
    for part in ("head", "eyes", "brows"):
        look.add_argument(
            f"--{part}", type=float, default=1.0, metavar="0-2", help=f"strength of the {part}; 1 is normal"
        )
    sheets = parser.add_argument_group("the sheets")
    sheets.add_argument("--size", type=int, default=normal.size, help="rows and columns (default: %(default)s)")
    sheets.add_argument(
        "--frame-size", type=int, default=normal.frame_size, help="longer side in pixels (default: %(default)s)"
    )
    sheets.add_argument("--quality", type=int, default=normal.quality, help="WebP quality (default: %(default)s)")
    return parser


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    args = build_parser().parse_args(argv)
    out = Path(args.out)
    try:
        options = Options(
            engine=args.engine,
            size=args.size,
            frame_size=args.frame_size,
            quality=args.quality,
            framing=args.framing,
            strengths=Strengths(args.head, args.eyes, args.brows),
            straighten=args.straighten,
        )
        if out.exists() and not args.overwrite:
            raise GazeError(f"{out} is there already. Choose another name, or add --overwrite.")
        _make(args.photo, out, options, args.quiet)
    except GazeError as error:
        print(f"gaze: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("gaze: interrupted; nothing was written.", file=sys.stderr)
        return 130
    return 0


def _make(photo: str, out: Path, options: Options, quiet: bool) -> None:
    """Make the portrait beside `out`, then put it in place, so that an old one stays until the new one is whole."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=out.parent, prefix=".gaze-") as temporary:
        made = Path(temporary) / "portrait"
        result = _with_bar(photo, made, options, quiet)
        if out.suffix == ".zip":
            made = Path(temporary) / "portrait.zip"
            write_zip(result.folder, made)
        _replace(made, out)
    if not quiet:
        for note in result.notes:
            print(note)
        print(f"{out if out.suffix == '.zip' else out / 'index.html'}: made with the {result.engine} engine.")


def _with_bar(photo: str, made: Path, options: Options, quiet: bool) -> Result:
    with tqdm(total=options.size**2, unit="frame", disable=quiet or None) as bar:

        def show(step: Progress) -> None:
            bar.set_description_str(step.message, refresh=False)
            bar.n = step.done if step.stage == "render" else bar.total if step.stage in ("encode", "done") else 0
            bar.refresh()

        return generate(photo, made, options, show)


def _replace(made: Path, out: Path) -> None:
    if out.is_dir():
        if any(out.iterdir()) and not (out / METADATA).is_file():
            raise GazeError(f"{out} holds something else than a portrait, so it was not replaced. Choose another name.")
        shutil.rmtree(out)
    made.replace(out)


if __name__ == "__main__":
    sys.exit(main())
