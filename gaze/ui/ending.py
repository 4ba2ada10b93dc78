"""How the app ends: whatever asks it to, no photo stays behind."""

from __future__ import annotations

import atexit
import os
import signal
import threading
from types import FrameType

from gaze.storage.locks import remove_claimed


def leave_nothing() -> None:
    """Remove at the end what is claimed: the temporary folder and drafts. A plain kill counts as an end, too."""
    atexit.register(remove_claimed)
    if threading.current_thread() is threading.main_thread() and signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, _terminated)


def _terminated(number: int, frame: FrameType | None) -> None:
    """Not by way of the interpreter's own end, which waits for threads that are rendering."""
    remove_claimed()
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
