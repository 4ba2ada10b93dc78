"""The command line: python -m gaze portrait.jpg -o out/, and what can be done with a portrait afterwards."""

from __future__ import annotations

import sys

from gaze.commands import check, clip, make, pack, sheets

COMMANDS = {"check": check, "pack": pack, "sheets": sheets, "clip": clip}
"""By the first argument; without one of these a portrait is made."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    first, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    if first in COMMANDS:
        return COMMANDS[first].run(COMMANDS[first].build_parser().parse_args(rest))
    return make.run(make.build_parser().parse_args([first, *rest] if first else []))


if __name__ == "__main__":
    sys.exit(main())
