"""Colour profiles that cost much time or memory, in small pictures that are otherwise whole. Limits as for decoders."""

from __future__ import annotations

from collections.abc import Iterator

from trials import corpus, hostile
from trials.slow import TIMES, Kinds, rows_of, up_to
from trials.trying import Row, Size

KINDS: Kinds = {
    "up to a million processing elements": lambda chance: hostile.with_profile(
        hostile.profile((chance.choice([b"D2B0", b"D2B1", b"A2B0"]), hostile.elements(up_to(chance, 1_000_000))))
    ),
    "tables of up to 64 colours a side": lambda chance: hostile.with_profile(
        hostile.profile((chance.choice([b"A2B0", b"A2B1"]), hostile.grid(chance.randint(2, 64)))), 2000
    ),
    "curves of up to four million points": lambda chance: hostile.with_profile(
        hostile.profile(*hostile.curves(up_to(chance, 4_000_000)))
    ),
    "up to 90 tables of no use beside what is needed": lambda chance: hostile.with_profile(
        hostile.profile(*((b"X%03d" % tag, hostile.grid(chance.randint(2, 24))) for tag in range(up_to(chance, 90))))
    ),
    "profiles of printers, inks and links in pictures of light": lambda chance: hostile.with_profile(
        hostile.profile(
            (b"A2B0", hostile.grid(chance.randint(2, 48))),
            kind=chance.choice([b"prtr", b"scnr", b"link", b"abst", b"nmcl", b"spac"]),
            space=chance.choice([b"RGB ", b"CMYK", b"GRAY", b"Lab ", b"6CLR", b"15CL"]),
        )
    ),
    "bits flipped": lambda chance: hostile.with_profile(
        corpus.flipped(hostile.profile((b"D2B0", hostile.elements(500))), chance.randrange(10**6))
    ),
}


def rows(size: Size) -> Iterator[Row]:
    yield from rows_of(__name__, size.of(2, TIMES))
