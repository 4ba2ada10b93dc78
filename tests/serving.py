"""The real app, `python app.py`, in a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class App:
    """A running app: where it is, and its process."""

    address: str
    process: subprocess.Popen[str]


@contextmanager
def serving(store: Path | str, *arguments: str, **settings: str) -> Iterator[App]:
    """`python app.py` with these arguments and environment variables, until the block ends.

    Args:
        store: a folder or a URL.
        arguments: of the command.
        settings: environment variables.
    """
    environment = {**os.environ, "GAZE_STORE": str(store), **settings}
    process = subprocess.Popen(
        [sys.executable, "-u", "app.py", *arguments],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        assert process.stdout
        told = ""
        for line in process.stdout:
            told += line
            if found := re.search(r"on local URL: +(http://[\w.]+:\d+)", line):
                break
        else:
            pytest.fail(f"the app did not start: {told}")
        yield App(found[1], process)
    finally:
        process.kill()
        process.wait(10)
        process.stdout.close()
