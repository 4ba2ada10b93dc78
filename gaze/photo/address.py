"""Photos from addresses that a caller gives: off unless whoever runs the app allows it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import threading
from pathlib import Path

from gaze.errors import PhotoError
from gaze.photo.portrait import MAX_BYTES

VARIABLE = "GAZE_ALLOW_URLS"
_PATIENCE = 25.0
"""Seconds on the clock for one photo."""
_AT_ONCE = threading.BoundedSemaphore(2)
_NOT_ALLOWED = "This app fetches no photos from addresses. Send the file itself."
_SLOW = "The photo could not be fetched from this address in time. Send the file itself."


def is_allowed() -> bool:
    """Whether `GAZE_ALLOW_URLS` is set to 1."""
    return os.environ.get(VARIABLE, "") == "1"


def fetch(url: str) -> bytes:
    """The photo at an https address of the public internet, fetched by a process of its own (`fetcher`).

    Raises:
        PhotoError: that is not allowed here, or there is none.
    """
    if not is_allowed():
        raise PhotoError(_NOT_ALLOWED)
    asked = json.dumps({"url": url, "most": MAX_BYTES}).encode() + b"\n"
    program = [sys.executable, "-I", str(Path(__file__).with_name("fetcher.py"))]
    try:
        with _AT_ONCE:
            done = subprocess.run(
                program, input=asked, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=_PATIENCE, check=True
            )
        line, _, data = done.stdout.partition(b"\n")
        answer = json.loads(line)
    except (OSError, ValueError, subprocess.SubprocessError) as error:
        raise PhotoError(_SLOW) from error
    if "refused" in answer:
        raise PhotoError(str(answer["refused"]))
    return data
