"""What the rooms share: something is tried, and what happened becomes a row of a table.

`attempt` tries it in a process of its own, forked from this one; `trials.boxed.attempt` in this one and the box's.
"""

from __future__ import annotations

import ctypes
import multiprocessing
import resource
import sys
import time
import traceback
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, TypeVar, cast

from gaze.errors import GazeError

T = TypeVar("T")
REFUSED, FAULT = "refused", "FAULT"
_PATIENCE = 120.0
"""Seconds on the clock after which what is tried counts as hanging."""


@dataclass(frozen=True)
class Size:
    """How much of a room is tried.

    Attributes:
        share: of all repetitions; 0 for a few.
    """

    share: float = 1.0

    def of(self, few: T, many: T) -> T:
        """So many of something, between `few` and `many`; of a sequence the first of each so many."""
        if self.share in (0, 1):
            return many if self.share else few
        least, most = cast(Any, few), cast(Any, many)
        if isinstance(many, Sequence):
            return cast(T, most[:: round(1 / self.share)])
        between = least + self.share * (most - least)
        return cast(T, round(between) if isinstance(many, int) else between)


@dataclass(frozen=True)
class Limits:
    """What a try may take; more is a fault.

    Attributes:
        seconds: of the processor, in all threads: on a machine that does nothing else it takes no longer.
        megabytes: of memory at its peak, beyond what the process held before: Python and the modules.
    """

    seconds: float = _PATIENCE
    megabytes: float = 4000


@dataclass(frozen=True)
class Tried:
    """One try.

    Attributes:
        happened: in a word or two, such as "portrait"; `REFUSED` and `FAULT` are every room's.
        words: what a person would read; of a fault what is wrong.
    """

    happened: str
    words: str = ""
    seconds: float = 0
    megabytes: float = 0

    def within(self, limits: Limits, what: str = "") -> Tried:
        """The same, or a fault if it took more; its words begin with what was tried."""
        words, fault = self.words, self.happened == FAULT
        if not fault and self.seconds > limits.seconds:
            words, fault = f"It took {self.seconds:.1f} s.", True
        if not fault and self.megabytes > limits.megabytes:
            words, fault = f"It took {self.megabytes:.0f} MB.", True
        return replace(
            self, happened=FAULT if fault else self.happened, words=f"{what}: {words}" if what and words else words
        )


@dataclass(frozen=True)
class Row:
    """Tries of one kind."""

    what: str
    tries: Sequence[Tried]

    @property
    def faults(self) -> list[Tried]:
        return [it for it in self.tries if it.happened == FAULT]

    def __str__(self) -> str:
        """A line of the table: what was tried, how often, what happened, seconds and megabytes at most."""
        happened = Counter(it.happened for it in self.tries).most_common()
        words = ", ".join(f"{count} {what}" for what, count in happened) if len(happened) > 1 else happened[0][0]
        seconds, megabytes = (max(getattr(it, name) for it in self.tries) for name in ("seconds", "megabytes"))
        return f"| {self.what} | {len(self.tries)} | {words} | {seconds:.2f} | {megabytes:.0f} |"


class FaultError(Exception):
    """Something came out that should not have; the text says what."""


def outcome(act: Callable[[], str]) -> tuple[str, str]:
    """What happened, in a word, and the words for it.

    Args:
        act: returns what happened. A `GazeError` is a refusal and has to give advice; any other exception is a fault.
    """
    try:
        return act(), ""
    except GazeError as error:
        words = str(error)
        return (REFUSED, words) if len(words.split(". ")) > 1 else (FAULT, f"It gives no advice: {words}")
    except FaultError as fault:
        return FAULT, str(fault)
    except BaseException:
        return FAULT, traceback.format_exc()


def attempt(act: Callable[[], str], limits: Limits = Limits(), what: str = "") -> Tried:
    """Try something in a forked process.

    Args:
        act: as for `outcome`.
        what: names the case among others of its row, for whoever reads of its fault.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).malloc_trim(0)  # what this process freed must not serve the other, uncounted
    context = multiprocessing.get_context("fork")
    here, there = context.Pipe(duplex=False)
    child = context.Process(target=_in_child, args=(act, there))
    child.start()
    there.close()
    try:
        tried = here.recv() if here.poll(_PATIENCE) else Tried(FAULT, "It hangs.", _PATIENCE)
    except EOFError:
        child.join()
        tried = Tried(FAULT, f"The process ended with {child.exitcode}.")
    child.kill()
    child.join()
    here.close()
    return tried.within(limits, what)


def attempt_here(act: Callable[[], str], what: str = "", seconds: float = _PATIENCE) -> Tried:
    """Try something in this process; its time is the clock's."""
    started = time.monotonic()
    happened, words = outcome(act)
    return Tried(happened, words, time.monotonic() - started).within(Limits(seconds), what)


def _in_child(act: Callable[[], str], there: Connection) -> None:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    before = pages * resource.getpagesize()
    started = time.process_time()
    happened, words = outcome(act)
    own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    seconds = time.process_time() - started + others.ru_utime + others.ru_stime
    peak = (own.ru_maxrss + others.ru_maxrss) * 1024
    there.send(Tried(happened, words, seconds, max(0, peak - before) / 1e6))
