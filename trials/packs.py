"""Packs, folders and sheets from elsewhere. Reading, checking and packing them has to succeed or to end in a
refusal, within 2 seconds and 300 MB.
"""

from __future__ import annotations

import json
import random
import shutil
import struct
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from PIL import Image

from gaze.output.converter import repack
from gaze.output.metadata import METADATA
from gaze.output.pack import MAGIC, PACK
from gaze.output.pack_reader import read_pack
from gaze.output.validator import check
from tests.browser.portraits import HEIGHT, WIDTH, write_pack, write_portrait
from trials.corpus import flipped, truncated
from trials.trying import REFUSED, Limits, Row, Size, Tried, attempt

LIMITS = Limits(seconds=2, megabytes=300)
_START = len(MAGIC) + 4
MARKUP = "<img src=x onerror='window.hacked = 1'><script>window.hacked = 1</script>"
HOSTILE: tuple[Any, ...] = (
    *(None, True, False, 0, -1, 0.5, 1, 3, 61, 2**31, 2**53, 1e308, -1e308, "", "5", "\0", "__proto__", "constructor"),
    *([], [None], [[]], ["a"] * 5, ["x"] * 1000, {}, {"__proto__": {"polluted": 1}}, {"x": "a", "y": 1e308}),
    *(MARKUP, "javascript:window.hacked=1", f"data:text/html,{MARKUP}", "http://foreign.test/x.js", "http://["),
    *("../../../../etc/passwd", "file:///etc/passwd", "a" * 100_000, [{"kind": "stills", "length": 2**40}]),
)


def rows(size: Size) -> Iterator[Row]:
    seeds = range(size.of(20, 1000))
    with tempfile.TemporaryDirectory() as place:
        folder = Path(place) / "portrait"
        metadata, pack, files = make_portrait(folder)

        def reading(data: bytes) -> Tried:
            return attempt(partial(_read, data), LIMITS, repr(data[:200]))

        def checking(**given: bytes) -> Tried:
            return attempt(partial(_check, folder, given), LIMITS, repr(given)[:200])

        def packing(**given: bytes) -> Tried:
            return attempt(partial(_repack, folder, given), LIMITS, repr(given)[:200])

        yield Row("random bytes", [reading(random.Random(seed).randbytes(seed * 7)) for seed in seeds])
        yield Row("random bytes after a pack's beginning", [reading(it) for it in random_packs(pack, seeds)])
        yield Row("packs cut off at every 5 %", [reading(part) for part in truncated(pack)])
        yield Row("hostile values in the header", [reading(it) for it in spoilt_headers(pack, HOSTILE)])
        yield Row("random numbers in the index", [reading(it) for it in spoilt_indices(pack, seeds)])
        # Every frame is decoded here.
        yield Row("packs with bits flipped, checked", [checking(pack=flipped(pack, seed)) for seed in seeds])
        manifests = [json.dumps(it).encode() for it in spoilt_manifests(metadata, HOSTILE, seeds)]
        yield Row("hostile values in metadata.json, checked", [checking(metadata=it) for it in manifests])
        yield Row("hostile values in metadata.json, packed anew", [packing(metadata=it) for it in manifests])
        sheets = [flipped(files["q1.webp"], seed) for seed in seeds]
        yield Row("sheets with bits flipped, packed anew", [packing(sheet=it) for it in sheets])


def _read(data: bytes) -> str:
    read_pack(data)
    return "pack"


def _check(folder: Path, given: dict[str, bytes]) -> str:
    with _spoilt(folder, given) as spoilt:
        return REFUSED if check(spoilt) else "nothing wrong"


def _repack(folder: Path, given: dict[str, bytes]) -> str:
    with _spoilt(folder, given) as spoilt:
        repack(spoilt, video="none")
        return "pack"


@contextmanager
def _spoilt(folder: Path, given: dict[str, bytes]) -> Iterator[Path]:
    """A copy of a portrait's folder with other files in the place of its own."""
    names = {"pack": PACK, "metadata": METADATA, "sheet": "q1.webp"}
    with tempfile.TemporaryDirectory() as place:
        copy = Path(shutil.copytree(folder, Path(place) / "portrait"))
        for kind, data in given.items():
            (copy / names[kind]).write_bytes(data)
        yield copy


def make_portrait(folder: Path) -> tuple[dict[str, Any], bytes, dict[str, bytes]]:
    """A portrait's metadata, its pack, and its other files by name."""
    write_portrait(folder, poster="poster.webp", face={"x": 0.5, "y": 0.4})
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "poster.webp")
    write_pack(folder)
    files = {path.name: path.read_bytes() for path in folder.iterdir()}
    return json.loads(files.pop(METADATA)), files.pop(PACK), files


def spoilt_manifests(metadata: dict[str, Any], values: Iterable[Any], seeds: Iterable[int]) -> Iterator[dict[str, Any]]:
    """One field after the other with each value, then several fields at once."""
    names = [*metadata, "sheets", "mobileSheets", "base", "__proto__", "size", "loaded"]
    for name in names:
        yield {key: value for key, value in metadata.items() if key != name}
        for value in values:
            yield {**metadata, name: value}
    for seed in seeds:
        chance = random.Random(seed)
        yield {**metadata, **{name: chance.choice(HOSTILE) for name in chance.sample(names, 4)}}


def spoilt_headers(pack: bytes, values: Iterable[Any]) -> Iterator[bytes]:
    """One field of the header, or of a payload's part of it, with each value."""
    end = _START + struct.unpack_from("<I", pack, len(MAGIC))[0]
    header, rest = json.loads(pack[_START:end]), pack[end:]

    def packed(changed: Any) -> bytes:
        text = json.dumps(changed).encode()
        return MAGIC + struct.pack("<I", len(text)) + text + rest

    for value in values:
        yield packed(value)
        yield from (packed({**header, name: value}) for name in (*header, "__proto__"))
        for i, payload in enumerate(header["payloads"]):
            others = header["payloads"][:i], header["payloads"][i + 1 :]
            for name in payload:
                yield packed({**header, "payloads": [*others[0], {**payload, name: value}, *others[1]]})


def spoilt_indices(pack: bytes, seeds: Iterable[int]) -> Iterator[bytes]:
    """One to three numbers of the first payload's index replaced."""
    start = _START + struct.unpack_from("<I", pack, len(MAGIC))[0]
    entries = min(300, (len(pack) - start) // 4)
    for seed in seeds:
        chance, data = random.Random(seed), bytearray(pack)
        for _ in range(chance.randint(1, 3)):
            number = chance.choice((0, -1, -2, 1, 2**31 - 1, -(2**31), chance.randrange(60000)))
            struct.pack_into("<i", data, start + 4 * chance.randrange(entries), number)
        yield bytes(data)


def random_packs(pack: bytes, seeds: Iterable[int]) -> Iterator[bytes]:
    """Some of a pack's beginning, then noise."""
    for seed in seeds:
        chance = random.Random(seed)
        yield pack[: chance.choice((8, 12, 40, 500, 1700, 3000))] + chance.randbytes(chance.choice((0, 100, 10_000)))
