"""The real app in a process of its own."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_START_UP = 180
_OWN_PORTS = 7960 + 100 * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
"""Of the hundred ports from here on Gradio takes the first that is free. No other test process looks among them, so an
app that was killed can come back where it was."""
_ADDRESS = re.compile(r"Running on local URL: +(http://[^\s/]+)")
"""Gradio says which port it took."""


@dataclass(frozen=True)
class App:
    """A running app.

    Attributes:
        address: where it answers, without a slash at the end.
        process: its own.
        store: the folder of its results, unless `GAZE_STORE` was set.
        log: the file with all that it says.
    """

    address: str
    process: subprocess.Popen[bytes]
    store: Path
    log: Path


def _heed_interrupts() -> None:
    """Background jobs of a shell, and what they start, ignore interrupts; an app in the foreground does not."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@contextmanager
def serving(
    place: Path, *command: str, program: str = sys.executable, folder: Path = ROOT, **settings: str
) -> Iterator[App]:
    """An app, until the block ends.

    Args:
        place: a folder for its store, what is temporary, and its log.
        command: what the program is given; `app.py` if Python is given nothing.
        program: what is started, Python unless told.
        folder: in which.
        settings: environment variables.
    """
    environment = {
        **os.environ,
        "PYTHONUNBUFFERED": "1",  # the address is read from what it says
        "TMPDIR": str(place),
        "GAZE_STORE": str(place / "store"),
        "GRADIO_SERVER_PORT": str(_OWN_PORTS),
        **settings,
    }
    place.mkdir(exist_ok=True)
    log = place / "log"
    with log.open("w") as file:
        command = command or (("app.py",) if program == sys.executable else ())
        process = subprocess.Popen(
            [program, *command], cwd=folder, env=environment, stdout=file, stderr=file, preexec_fn=_heed_interrupts
        )
    try:
        deadline = time.monotonic() + _START_UP
        while not (found := _ADDRESS.search(log.read_text())):
            late = process.poll() is not None or time.monotonic() > deadline
            assert not late, log.read_text()
            time.sleep(0.1)
        urllib.request.urlopen(found[1], timeout=_START_UP).close()
        yield App(found[1], process, place / "store", log)
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(10)
