"""The command line: python -m gaze portrait.jpg -o out/, and what can be done with a portrait afterwards."""

from __future__ import annotations

import sys

from gaze.commands import check, clip, make, pack, sheets

COMMANDS = {"check": check, "pack": pack, "sheets": sheets, "clip": clip}
"""By the first argument; without one of these a portrait is made."""


def main(argv: list[str] | None = None) -> int:
    """Run the command; returns the exit status."""
    first, *rest = (sys.argv[1:] if argv is None else argv) or [""]
    command, words = (COMMANDS[first], rest) if first in COMMANDS else (make, [first, *rest] if first else [])
    args = command.build_parser().parse_args(words)
    try:
        return command.run(args)
    except KeyboardInterrupt:
        print("gaze: interrupted.", file=sys.stderr)
        return 130


if __name__ == "__main__":
    sys.exit(main())
