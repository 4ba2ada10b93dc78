"""A checkout of its own in which `make` can be run: what it would install is there already, or only written down."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]

_STAND_IN = """#!/bin/sh
echo "${0##*/} $*" >> "$ASKED"
case "$*" in "-m venv "*)
    mkdir -p "$3/bin"
    for tool in python ruff mypy lint-imports pip-audit; do cp "$0" "$3/bin/$tool"; done
esac
"""


def clone(place: Path) -> Path:
    """The repository, as links, without an environment."""
    place.mkdir()
    for path in ROOT.iterdir():
        if not path.name.startswith(".") and not path.name.endswith(".egg-info"):
            (place / path.name).symlink_to(path)
    return place


def installed(place: Path) -> Path:
    """A clone after its installation; its Python is the one that runs the tests."""
    binaries = clone(place) / ".venv" / "bin"
    binaries.mkdir(parents=True)
    _program(binaries / "python", f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    (place / ".venv" / "run").touch()
    return place


def asked(folder: Path, *words: str) -> list[str]:
    """What `make` does in a clone, by stand-ins for Python and its tools: the commands, in order."""
    python, log = folder.with_suffix(".python"), folder.with_suffix(".log")
    _program(python, _STAND_IN)
    log.write_text("")
    environment = {
        **os.environ,
        "ASKED": str(log),
        "GAZE_CHROMIUM": "sh",
        "BIOME": "true",
    }  # which there are, so that none is installed
    command = ["make", "--silent", *words, f"PYTHON={python}"]
    done = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return log.read_text().splitlines()


def _program(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o755)
