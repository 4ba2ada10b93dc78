"""`python app.py`, running."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@contextmanager
def serving(**environment: str) -> Iterator[str]:
    """The address of an app that runs with these variables set."""
    process = subprocess.Popen(
        [sys.executable, "-u", "app.py"],
        cwd=ROOT,
        env={**os.environ, **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout
    told = ""
    for line in process.stdout:
        told += line
        if found := re.search(r"on local URL: +(http://[\w.]+:\d+)", line):
            break
    else:
        raise AssertionError(f"the app did not start: {told}")
    try:
        yield found[1]
    finally:
        process.terminate()
        process.wait(10)
