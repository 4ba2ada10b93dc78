"""Pictures for which decoders and colour managers take long, or much memory, while their headers look usual. They are
read in the app's box: each has to end in a portrait, or in a refusal with advice, within 2 seconds and 500 MB, in all
processes together. The last rows look at what this process holds afterwards, and at an ordinary photo's time while ten
of them are being read for somebody else.
"""

from __future__ import annotations

import ctypes
import os
import random
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

from gaze.photo.box import Box, Job
from gaze.photo.portrait import KEPT_PIXELS, load_portrait
from trials import corpus, hostile
from trials.boxed import attempt
from trials.trying import FAULT, Limits, Row, Tried

LIMITS = Limits(seconds=2, megabytes=500)
_LEFT, _SLOWER = 50, 2.0
"""Megabytes that may stay, and times that an ordinary photo may take."""


def rows(quick: bool) -> Iterator[Row]:
    count = 2 if quick else 72
    load_portrait(corpus.EXAMPLE)
    before = _megabytes()
    for what, make in KINDS.items():
        chance = random.Random(what)
        yield Row(what, [attempt(partial(_read, make(chance)), LIMITS, f"{what}, {number}") for number in range(count)])
    yield Row("what this process holds after all that", [_left(_megabytes() - before)])
    yield Row("an ordinary photo while ten of them are read for somebody else", [_meanwhile(10 if quick else 20)])


def _read(data: bytes) -> str:
    load_portrait(data)
    return "portrait"


def _up_to(chance: random.Random, most: int) -> int:
    """Small numbers as often as large ones."""
    return int(10 ** chance.uniform(1, len(str(most)) - 1)) * most // 10 ** (len(str(most)) - 1) or 1


KINDS: dict[str, Callable[[random.Random], bytes]] = {
    "ICC profiles of up to a million processing elements": lambda chance: hostile.with_profile(
        hostile.profile((chance.choice([b"D2B0", b"D2B1", b"A2B0"]), hostile.elements(_up_to(chance, 1_000_000))))
    ),
    "ICC profiles with tables of up to 64 colours a side": lambda chance: hostile.with_profile(
        hostile.profile((chance.choice([b"A2B0", b"A2B1"]), hostile.grid(chance.randint(2, 64)))), 2000
    ),
    "ICC profiles with curves of up to four million points": lambda chance: hostile.with_profile(
        hostile.profile(*hostile.curves(_up_to(chance, 4_000_000)))
    ),
    "ICC profiles with bits flipped": lambda chance: hostile.with_profile(
        corpus.flipped(hostile.profile((b"D2B0", hostile.elements(500))), chance.randrange(10**6))
    ),
    "BMP of short runs": lambda chance: hostile.bmp(
        chance.randint(64, 7000), chance.randint(64, 7000), chance.choice([b"\1\x80\0\0", b"\xff\x80", b"\0\2\1\1"]) *
        _up_to(chance, 9_000_000)
    ),
    "PNG of up to 9,000 profiles": lambda chance: hostile.profiles(_up_to(chance, 9_000)),
    "JPEG of up to nine million segments": lambda chance: hostile.junk_then_segments(_up_to(chance, 9_000_000)),
    "JPEG of up to 90,000 passes": lambda chance: hostile.passes(_up_to(chance, 90_000)),
    "TIFF of up to five million strips": lambda chance: hostile.strips(_up_to(chance, 5_000_000)),
    "TIFF of tags that overlap": lambda chance: hostile.overlapping(_up_to(chance, 4000), _up_to(chance, 9_000_000)),
    "TIFF of nonsense as a fax sends it, up to 900,000 rows": lambda chance: hostile.fax(
        chance.randint(64, 2000), chance.randint(64, 900_000)
    ),
    "one of each that passes a limit": lambda chance: chance.choice(list(hostile.QUICK.values()))(),
}  # fmt: skip


def _left(megabytes: float) -> Tried:
    happened = "at its level" if megabytes <= _LEFT else FAULT
    return Tried(happened, f"{megabytes:.0f} MB more", 0, max(0, megabytes))


def _megabytes() -> float:
    ctypes.CDLL(None).malloc_trim(0)  # what making the pictures left
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _meanwhile(times: int) -> Tried:
    box, photo = Box(), corpus.EXAMPLE.read_bytes()
    box.start()

    def one() -> float:
        started = time.monotonic()
        box.read(Job(lambda: photo, KEPT_PIXELS, "one")).done.wait()
        return time.monotonic() - started

    for _ in range(4):  # until both processes have started, and read one
        one()
    usual = statistics.median(one() for _ in range(times))
    slow = hostile.QUICK["ICC profile of 120,000 elements"]()
    others = [box.read(Job(lambda: slow, KEPT_PIXELS, "another")) for _ in range(10)]
    took: list[float] = []
    while not others[-1].done.is_set() and len(took) < 200:
        took.append(one())
        time.sleep(0.05)
    ratio = statistics.median(took) / usual
    for job in others:
        job.cancel()
    if ratio > _SLOWER:
        return Tried(FAULT, f"It takes {ratio:.1f} times as long.", statistics.median(took), 0)
    return Tried(f"{ratio:.1f} times its usual time", "", statistics.median(took), 0)
