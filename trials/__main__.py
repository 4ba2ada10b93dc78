"""Try to break Gaze, and write what happened into docs/reliability.md.

    python -m trials [ROOM ...] [--share SHARE | --quick]

Each room that is run replaces its own part of the page. A room is a module of this package, or a package of its own:
its text introduces its table, and `rows(size)` gives it, line by line. Linux only: it looks at /proc, and forks.
"""

from __future__ import annotations

import argparse
import datetime
import re
import sys
import time
from importlib import import_module
from pathlib import Path

import cv2

from benchmarks.instant import machine
from trials.trying import Row, Size

ROOMS = (
    "pictures",
    "decoders",
    "profiles",
    "faces",
    "packs",
    "widget",
    "engines",
    "answers",
    "web",
    "unread",
    "caches",
    "permissions",
    "sessions",
    "kills",
    "restarts",
    "load",
)
_SHOWN = 3
"""Faults of a row that are told in full; there may be thousands alike."""
PAGE = Path(__file__).resolve().parents[1] / "docs" / "reliability.md"
START = """# What was tried to break it

Written by `python -m trials`; do not edit. Everything is made by scripts from fixed seeds. "Refused" means that a
sentence says what was wrong and what to do. Seconds are CPU time of all threads. Memory is the peak of one process,
beyond Python and the modules. The highest number of each row is given.
"""


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("rooms", nargs="*", metavar="ROOM", help=f"{', '.join(ROOMS)}; all where none is named")
    parser.add_argument("--quick", action="store_true", help="few repetitions, and the page stays as it is")
    parser.add_argument("--share", type=float, default=1.0, help="of all repetitions, 0 to 1; the page tells it")
    args = parser.parse_args()
    if odd := set(args.rooms) - set(ROOMS):
        parser.error(f"there is no room called {', '.join(odd)}; there are {', '.join(ROOMS)}")
    cv2.setNumThreads(1)  # a pool of threads does not live on in a forked process, which may then wait for it forever
    faults, size = 0, Size(0.0 if args.quick else args.share)
    for name in args.rooms or ROOMS:
        started, rows = time.monotonic(), list[Row]()
        room = import_module(f"trials.{name}")
        for row in room.rows(size):
            print(row, flush=True)
            for fault in row.faults[:_SHOWN]:
                print(f"    {fault.words}", flush=True)
            rows.append(row)
        faults += sum(len(row.faults) for row in rows)
        if not args.quick:
            asked = name if size.share == 1 else f"{name} --share {size.share:g}"
            _write(name, _section(name, asked, room.__doc__ or "", rows, time.monotonic() - started))
    return 1 if faults else 0


def _section(name: str, asked: str, about: str, rows: list[Row], seconds: float) -> str:
    tries, faults = sum(len(row.tries) for row in rows), sum(len(row.faults) for row in rows)
    lines = [
        f"## {name.capitalize()}\n",
        f"{about.strip()}\n",
        f"`python -m trials {asked}`, {datetime.date.today()}, {seconds / 60:.0f} min: {machine()}\n",
        "| what was tried | times | what happened | seconds | MB |\n|---|---|---|---|---|",
        *map(str, rows),
        f"\n{tries:,} tries, {faults or 'no'} faults.",
        *(f"\n- {fault.words.strip().splitlines()[-1]}" for row in rows for fault in row.faults[:_SHOWN]),
    ]
    return "\n".join(lines) + "\n"


def _write(name: str, section: str) -> None:
    """Put a room's part into the page, in the order of the rooms."""
    old = PAGE.read_text(encoding="utf-8") if PAGE.exists() else ""
    parts = {part.split("\n", 1)[0]: f"## {part.strip()}\n" for part in re.split(r"(?m)^## ", old)[1:]}
    parts[name.capitalize()] = section
    known = [parts[room.capitalize()] for room in ROOMS if room.capitalize() in parts]
    PAGE.write_text("\n".join([START, *known]), encoding="utf-8")


if __name__ == "__main__":
    sys.exit(main())
