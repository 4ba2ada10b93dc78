"""The real app in a process of its own."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.conftest import ROOT

START_UP = 60


@contextmanager
def serving(place: Path, *arguments: str) -> Iterator[str]:
    """Runs Python with these arguments, which are to serve the app; gives its address. No traceback may be logged.

    Args:
        place: a folder for its store, its uploads and its log.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    environment = {
        **os.environ,
        "GRADIO_SERVER_PORT": str(port),
        "GAZE_STORE": str(place / "store"),
        "GRADIO_TEMP_DIR": str(place / "uploads"),
    }
    with (place / "log").open("w") as log:
        app = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment, stdout=log, stderr=log)
    url = f"http://127.0.0.1:{port}/"
    try:
        deadline = time.monotonic() + START_UP
        while True:
            try:
                urllib.request.urlopen(url, timeout=5).close()
                break
            except OSError:
                late = app.poll() is not None or time.monotonic() > deadline
                assert not late, (place / "log").read_text()
                time.sleep(0.2)
        yield url
        assert "Traceback" not in (place / "log").read_text()
    finally:
        app.terminate()
        app.wait(20)
