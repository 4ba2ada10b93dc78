"""Pictures tried in this process and the box's: what all take together is measured, beyond what they take at rest."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from gaze.photo import process
from trials.trying import Limits, Tried, outcome

_ANY = Limits()
_TICK = os.sysconf("SC_CLK_TCK") if sys.platform == "linux" else 100


def attempt(act: Callable[[], str], limits: Limits = _ANY, what: str = "") -> Tried:
    """As `trials.trying.attempt`, with the processes of the box, which stay, and those that replace them."""
    ids = [os.getpid(), *(it.pid for it in process._STARTED)]
    for pid in ids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    rest = {pid: _kilobytes(pid, "VmRSS") for pid in ids}
    before = {pid: _seconds(pid) for pid in ids}
    ended, started = _ended(), time.process_time()
    peak = [0]
    watched = process.Process.kill

    def kill(self: process.Process) -> None:
        """Before a process goes, what it took is looked up."""
        peak[0] = max(peak[0], _kilobytes(self._process.pid, "VmHWM") - rest.get(self._process.pid, 0))
        watched(self)

    process.Process.kill = kill  # type: ignore[method-assign]
    try:
        happened, words = outcome(act)
    finally:
        process.Process.kill = watched  # type: ignore[method-assign]
    own = _kilobytes(os.getpid(), "VmHWM") - rest[os.getpid()]
    alive = [pid for pid in ids[1:] if _seconds(pid)]
    theirs = max([peak[0], *(_kilobytes(pid, "VmHWM") - rest[pid] for pid in alive)])
    # Of a process that was replaced, what it had taken before is not this picture's doing, nor its successor's start.
    gone = [pid for pid in ids[1:] if pid not in alive]
    seconds = time.process_time() - started + sum(_seconds(pid) - before[pid] for pid in alive)
    seconds += max(0.0, _ended() - ended - sum(before[pid] for pid in gone)) if gone else 0.0
    return Tried(happened, words, seconds, max(0, own + theirs) / 1e3).within(limits, what)


def _seconds(pid: int) -> float:
    """Of the processor; 0 for one that has ended."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return 0.0 if fields[0] == "Z" else (int(fields[11]) + int(fields[12])) / _TICK
    return 0.0


def _kilobytes(pid: int, which: str) -> int:
    with suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith(which):
                return int(line.split()[1])
    return 0


def _ended() -> float:
    """Seconds of the processor that all processes took that were replaced."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
