"""How the app ends: whatever asks it to, no photo stays behind."""

from __future__ import annotations

import atexit
import os
import signal
import sys
import threading
from types import FrameType

from gaze.storage.locks import remove_locked


def leave_nothing() -> None:
    """Remove at the end what is locked: the temporary folder and drafts. A plain kill counts as an end, too."""
    atexit.register(remove_locked)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def leave() -> None:
    """End this program now, as after Ctrl-C: the interpreter's own end would wait for threads that are rendering."""
    remove_locked()
    sys.stdout.flush()
    os._exit(0)


def _terminated(number: int, frame: FrameType | None) -> None:
    remove_locked()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
