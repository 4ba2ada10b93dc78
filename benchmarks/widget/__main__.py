"""Measures the aims of the widget, beside an earlier version if one is named, in the browsers that are there.

    python -m benchmarks.widget                                  this version
    python -m benchmarks.widget --before REVISION                beside the widget of a git revision
    python -m benchmarks.widget --browsers chromium --only work  some of it

Both versions in all browsers take about 11 minutes, most of which waits for browsers; then comes one table, as it is
in benchmarks/RESULTS.md. How far it is, and a browser that is missing, is said before.
Needs playwright with a Chromium (GAZE_CHROMIUM, or on PATH); Firefox and WebKitGTK as the tests do. Clock times depend
on what else the machine does: run it alone. Without a GPU the processor draws, and the time of a script is what counts.
"""

from __future__ import annotations

import argparse
import functools
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.instant import machine
from benchmarks.widget import visits
from benchmarks.widget.browsers import CHROMIUM, NAMES, started
from benchmarks.widget.report import table
from benchmarks.widget.serving import Site, served
from benchmarks.widget.subjects import Subject, make_all

_IN_A_PAGE = {
    "bytes": visits.bytes_and_shifts,
    "following": visits.following,
    "sharpness": visits.sharpness,
    "work": visits.work,
}
_MEASURES = (*_IN_A_PAGE, "memory")
_TITLES = {CHROMIUM: "Chromium", "firefox": "Firefox", "webkit": "WebKitGTK"}


def measure(name: str, site: Site, subject: Subject, only: list[str], has_gpu: bool) -> visits.Found:
    """One round in one browser; the cache is empty for each measure."""
    found = visits.script(subject)
    start = functools.partial(started, name, has_gpu)
    for what in only:
        if what == "memory" and name != CHROMIUM:
            continue  # it takes four starts of the browser, and Chromium's is what is aimed at
        begun, more = time.monotonic(), visits.Found()
        try:
            if what == "memory":
                more = visits.memory(start, site, subject)
            else:
                with start() as browser:
                    more = _IN_A_PAGE[what](browser, site, subject)
        except (RuntimeError, TimeoutError) as error:  # one measure that a browser cannot give leaves the others
            print(f"{name}, {subject.name}, {what}: {error}", file=sys.stderr)
        found |= more
        values = ", ".join(f"{key} {value:.4g}" for key, value in more.items() if value is not None)
        print(f"{name}, {subject.name}, {what}, {time.monotonic() - begun:.0f} s: {values}", file=sys.stderr)
    return found


def median(rounds: list[visits.Found]) -> visits.Found:
    """Of each value."""
    names = dict.fromkeys(name for found in rounds for name in found)
    values = {name: [it[name] for it in rounds if it.get(name) is not None] for name in names}
    return {name: statistics.median(list_) if list_ else None for name, list_ in values.items()}  # type: ignore[type-var]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--before", metavar="REVISION", help="git revision of a widget that plays stored frames")
    parser.add_argument("--browsers", nargs="+", choices=NAMES, default=NAMES)
    parser.add_argument("--only", nargs="+", choices=_MEASURES, default=_MEASURES)
    parser.add_argument("--repeats", type=int, default=1, help="rounds, versions in turn; medians count (default: 1)")
    parser.add_argument("--gpu", action="store_true", help="let Chromium draw with the GPU")
    parser.add_argument("--keep", type=Path, help="folder for the portraits; what lies there is used again")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        place = arguments.keep or Path(temporary) / "made"
        subjects = make_all(place, arguments.before)
        shutil.copy(Path(__file__).with_name("measure.js"), place)
        columns: dict[str, visits.Found] = {}
        with served(place) as site:
            for name in arguments.browsers:
                rounds: dict[str, list[visits.Found]] = {subject.name: [] for subject in subjects}
                try:
                    for subject in subjects * arguments.repeats:
                        rounds[subject.name].append(measure(name, site, subject, arguments.only, arguments.gpu))
                except LookupError as missing:
                    print(f"{name}: skipped. {missing}")
                    continue
                columns |= {f"{_TITLES[name]}, {version}": median(list_) for version, list_ in rounds.items()}
        print(f"{machine()}.\n\n{table(columns)}")


if __name__ == "__main__":
    main()
