"""How the app ends: whatever asks it to, no photo stays behind."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType

from gaze.storage.locks import remove_locked

_ENDS = ("SIGTERM", "SIGHUP")
"""Signals that end a program at once unless it heeds them; Windows knows but one of them."""


def leave_nothing() -> None:
    """Remove at the end what is locked: the temporary folder and drafts. A plain kill, and a terminal that is closed,
    count as ends, too."""
    atexit.register(remove_locked)
    if threading.current_thread() is threading.main_thread():
        for name in _ENDS:
            number = getattr(signal, name, None)
            if number and signal.getsignal(number) == signal.SIG_DFL:
                signal.signal(number, _terminated)


def leave() -> None:
    """End this program now, as after Ctrl-C: the interpreter's own end would wait for threads that are rendering."""
    remove_locked()
    sys.stdout.flush()
    os._exit(0)


def _terminated(number: int, frame: FrameType | None) -> None:
    remove_locked()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
