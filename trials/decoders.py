"""Pictures that look ordinary but cost a decoder much time or memory. Each has to end in a portrait or in a refusal,
within 2 seconds and 500 MB in all processes together. The last rows tell what the app holds afterwards, and how long
others wait.
"""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from gaze.photo.box import Box, Job
from gaze.photo.portrait import KEPT_PIXELS
from tests.serving import serving
from trials import corpus, hostile
from trials.slow import TIMES, Kinds, rows_of, up_to
from trials.trying import FAULT, FaultError, Row, Size, Tried
from trials.web.client import call, upload, visitor

_SLOWER = 2.0
"""Times that an ordinary photo may take."""

KINDS: Kinds = {
    "BMP of short runs": lambda chance: hostile.bmp(
        chance.randint(64, 7000),
        chance.randint(64, 7000),
        chance.choice([b"\1\x80\0\0", b"\xff\x80", b"\0\2\1\1"]) * up_to(chance, 9_000_000),
    ),
    "GIF whose codes say nothing": lambda chance: hostile.gif(
        chance.randint(64, 7000), chance.randint(64, 7000), up_to(chance, 900_000)
    ),
    "PNG of up to 9,000 profiles": lambda chance: hostile.profiles(up_to(chance, 9_000)),
    "PNG of up to 900,000 chunks": lambda chance: hostile.chunks(up_to(chance, 900_000)),
    "JPEG of up to nine million segments": lambda chance: hostile.junk_then_segments(up_to(chance, 9_000_000)),
    "JPEG of up to 90,000 passes": lambda chance: hostile.passes(up_to(chance, 90_000)),
    "TIFF of up to five million strips": lambda chance: hostile.strips(up_to(chance, 5_000_000)),
    "TIFF of tags that overlap": lambda chance: hostile.overlapping_tags(up_to(chance, 4000), up_to(chance, 9_000_000)),
    "TIFF of nonsense as a fax sends it, up to 900,000 rows": lambda chance: hostile.fax(
        chance.randint(64, 2000), chance.randint(64, 900_000)
    ),
    "one of each that passes a limit": lambda chance: chance.choice(list(hostile.QUICK.values()))(),
}


def rows(size: Size) -> Iterator[Row]:
    yield from rows_of(__name__, size.of(2, TIMES))
    yield Row("an ordinary photo while ten of them are read for somebody else", [_meanwhile(size.of(10, 20))])
    yield Row("a preview by the app while ten of them are read for somebody else", [_previewed(size.of(3, 9))])


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
    for job in others:
        job.cancel()
    return _compared(took, usual)


def _previewed(times: int) -> Tried:
    slow = hostile.QUICK["ICC profile of 120,000 elements"]()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as app, visitor(app, 1) as web:
        photo = upload(web, corpus.EXAMPLE.read_bytes())

        def one() -> float:
            started = time.monotonic()
            if "event: complete" not in web.get(call(web, "preview", photo=photo)).text:
                raise FaultError("There is no preview.")
            return time.monotonic() - started

        def hurt(_: int) -> None:
            with visitor(app, 2) as other:
                for _ in range(5):
                    other.get(call(other, "preview", photo=upload(other, slow)))

        one()
        usual, took = statistics.median(one() for _ in range(times)), list[float]()
        with ThreadPoolExecutor(2) as pool:
            others = [pool.submit(hurt, number) for number in range(2)]
            while not all(it.done() for it in others):
                took.append(one())
        for other in others:
            other.result()
    return _compared(took, usual)


def _compared(took: list[float], usual: float) -> Tried:
    typical = statistics.median(took)
    ratio = typical / usual
    if ratio > _SLOWER:
        return Tried(FAULT, f"It takes {ratio:.1f} times as long.", typical, 0)
    return Tried(f"{ratio:.1f} times its usual time", "", typical, 0)
