"""Pictures tried in this process and the box's: what all take together is measured, beyond what they take at rest."""

from __future__ import annotations

import os
import resource
import sys
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path

from gaze.photo import process
from trials.trying import Limits, Tried, outcome

_ANY = Limits()
_AT_ONCE = 0.4
"""Seconds for which a process reads that is kept afterwards, and a little less."""
_STILL = 0.1
"""Seconds without work after which a process has started."""
_TICK = os.sysconf("SC_CLK_TCK") if sys.platform == "linux" else 100


def attempt(act: Callable[[], str], limits: Limits = _ANY, what: str = "") -> Tried:
    """As `trials.trying.attempt`, with the processes of the box, which stay, and those that replace them."""
    ids = [os.getpid(), *(it.pid for it in process._STARTED)]
    for pid in ids:
        with suppress(OSError):
            Path(f"/proc/{pid}/clear_refs").write_text("5")  # the peak begins anew
    rest = {pid: _kilobytes(pid, "VmRSS") for pid in ids}
    before, ended = _taken(ids[1:])
    started, clock = time.process_time(), time.monotonic()
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
    if time.monotonic() - clock > _AT_ONCE:
        _settle()
    after, over = _taken({*ids[1:], *(it.pid for it in process._STARTED)})
    theirs = max([peak[0], *(_kilobytes(pid, "VmHWM") - rest[pid] for pid in ids[1:] if pid in after)])
    # Those that took the place of others count with their start; what is gone counts without what it had taken before.
    seconds = time.process_time() - started + sum(taken - before.get(pid, 0.0) for pid, taken in after.items())
    seconds += max(0.0, over - ended - sum(taken for pid, taken in before.items() if pid not in after))
    return Tried(happened, words, seconds, max(0, own + theirs) / 1e3).within(limits, what)


def _taken(ids: Iterable[int]) -> tuple[dict[int, float], float]:
    """Seconds of the processor: of each process that is there, and of all together that are gone."""
    while True:  # one may go in between, and would be counted twice, or not at all
        ended = _ended()
        taken = {pid: seconds for pid in ids if (seconds := _seconds(pid)) is not None}
        if _ended() == ended:
            return taken, ended


def _settle() -> None:
    """Wait until a process that takes another's place has started."""
    before = -1.0
    while (now := sum(_taken([it.pid for it in process._STARTED])[0].values())) != before:
        before = now
        time.sleep(_STILL)


def _seconds(pid: int) -> float | None:
    """Of the processor; None for one that is gone."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / _TICK
    return None


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
