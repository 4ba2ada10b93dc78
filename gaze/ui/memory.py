"""What glibc keeps of memory that was freed, and how it is given back; other systems have ways of their own."""

from __future__ import annotations

import ctypes
import time
from typing import Any

from gaze.ui.queue import Queue

_M_ARENA_MAX = -8
"""As in glibc's malloc.h."""
_CALM = 10.0
"""Seconds without a run after which nobody waits: memory that is soon needed again is better kept."""


def share_arenas() -> None:
    """Let all threads share two of glibc's arenas: each keeps what was freed in it, and there would be eight a core."""
    if glibc := _glibc():
        glibc.mallopt(_M_ARENA_MAX, 2)


def give_back(queue: Queue) -> None:
    """Give freed memory back to the system each time that the queue has been empty for a while; does not end."""
    if not (glibc := _glibc()):
        return
    for _ in queue.emptied():
        time.sleep(_CALM)
        if not len(queue):
            glibc.malloc_trim(0)


def _glibc() -> Any:
    """The C library, if it is this one."""
    try:
        library = ctypes.CDLL("libc.so.6")
    except OSError:
        return None
    return library if hasattr(library, "malloc_trim") else None
