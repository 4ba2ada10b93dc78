import io
import json
import random
import struct
from pathlib import Path

import numpy as np
import pytest

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.pack import MAGIC, Facts, Frame, Pack, Payload, read_pack, write_pack

FACTS = Facts(2, 40, 50, face=(0.5, 0.3))
CELLS = [Cell(1, 1), Cell(1, 0), Cell(0, 1), Cell(0, 0)]
VIDEO = {
    "codec": "vp09.00.10.08",
    "colorSpace": {"matrix": "bt709"},
}


def stills() -> Payload:
    return Payload(
        "stills", {"type": "image/webp"}, {cell: Frame(bytes([i + 1]) * (i + 1)) for i, cell in enumerate(CELLS)}
    )


def video() -> Payload:
    above = [None, Cell(1, 1), Cell(1, 1), Cell(0, 1)]
    return Payload("video", VIDEO, {cell: Frame(b"v" * (9 - i), above[i]) for i, cell in enumerate(CELLS)})


def packed(*payloads: Payload, facts: Facts = FACTS) -> bytes:
    out = io.BytesIO()
    write_pack(Pack(facts, payloads), out)
    return out.getvalue()


GOOD = packed(video(), stills())
HEADER = struct.unpack_from("<I", GOOD, 8)[0]


def altered(**fields: object) -> bytes:
    """The good pack with other fields in its header; None takes one away."""
    header = {**json.loads(GOOD[12 : 12 + HEADER]), **fields}
    text = json.dumps({name: value for name, value in header.items() if value is not None}).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + GOOD[12 + HEADER :]


def entry(place: int, field: int, value: int) -> bytes:
    """The good pack with another number in the index of its video."""
    data = bytearray(GOOD)
    struct.pack_into("<i", data, 12 + HEADER + place * 12 + field * 4, value)
    return bytes(data)


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "gaze.pack").write_bytes(GOOD)
    for pack in (read_pack(GOOD), read_pack(tmp_path / "gaze.pack")):
        assert pack.facts == FACTS
        assert [payload.kind for payload in pack.payloads] == ["video", "stills"]
        for read, made in zip(pack.payloads, (video(), stills()), strict=True):
            assert list(read.frames.items()) == list(made.frames.items())  # in the file's order, too
            assert read.about == made.about
    assert pack.payloads[0].chain(Cell(0, 0)) == [Cell(1, 1), Cell(0, 1), Cell(0, 0)]


def test_the_index_has_offset_length_and_parent_of_every_cell() -> None:
    index = np.frombuffer(GOOD, "<i4", 12, 12 + HEADER).reshape(4, 3)
    assert index.tolist() == [[48 + 9 + 8 + 7, 6, 1], [48 + 9 + 8, 7, 3], [48 + 9, 8, 3], [48, 9, -1]]


HOSTILE = {
    "empty": (b"", "begin with GAZEPACK"),
    "another file": (b"RIFF" + GOOD, "begin with GAZEPACK"),
    "only the magic": (MAGIC, "begin with GAZEPACK"),
    "a header of four gigabytes": (MAGIC + b"\xff" * 4 + b"{}", "65536 are allowed"),
    "cut in the header": (GOOD[:30], "ends within its header"),
    "no JSON": (MAGIC + struct.pack("<I", 3) + b"\xff\xff\xff", "no JSON object"),
    "a list": (MAGIC + struct.pack("<I", 2) + b"[]", "no JSON object"),
    "deeply nested": (MAGIC + struct.pack("<I", 60000) + b"[" * 60000, "no JSON object"),
    "another version": (altered(version=2), "format version 2"),
    "no grid": (altered(gridSize=None), "gridSize is None"),
    "a huge grid": (altered(gridSize=10**6), "gridSize is 1000000"),
    "a grid that is true": (altered(gridSize=True), "gridSize is True"),
    "a grid in words": (altered(gridSize="2"), "gridSize is 2"),
    "no width": (altered(imageWidth=0), "imageWidth is 0"),
    "no alpha": (altered(hasAlpha=None), "hasAlpha"),
    "a face elsewhere": (altered(face={"x": 3, "y": float("nan")}), "no point in the frame"),
    "no face": (altered(face=[0, 0]), "no face"),
    "no payloads": (altered(payloads=[]), "no payloads"),
    "payloads of numbers": (altered(payloads=[1]), "no JSON object"),
    "an unknown payload": (altered(payloads=[{"kind": "hologram", "length": 1}]), "'hologram'"),
    "a payload beyond the end": (altered(payloads=[{"kind": "stills", "length": 10**9}]), "length is 1000000000"),
    "a payload without its index": (altered(payloads=[{"kind": "stills", "length": 20}]), "shorter than its index"),
    "video without a codec": (altered(payloads=[{"kind": "video", "length": 78}]), "no codec"),
    "transparent video without alpha": (altered(hasAlpha=True), "no stacked alpha"),
    "cut at the end": (GOOD[:-1], "length is"),
    "bytes at the end": (GOOD + b"x", "after its last payload"),
    "an offset beyond": (entry(0, 0, 2**31 - 1), "without gap or overlap"),
    "an overlap": (entry(1, 0, 57), "without gap or overlap"),
    "a length beyond": (entry(0, 1, 2**31 - 1), "ends after its payload"),
    "a length of nothing": (entry(0, 1, 0), "without gap or overlap"),
    "a parent outside": (entry(0, 2, 4), "before its parent"),
    "a circle": (entry(3, 2, 1), "before its parent"),
    "its own parent": (entry(3, 2, 3), "before its parent"),
    "a negative parent": (entry(0, 2, -2), "before its parent"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_breaks_a_rule_is_refused_in_words(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=words):
        read_pack(data)
    (tmp_path / "bad.pack").write_bytes(data)
    with pytest.raises(GazeError, match=r"bad\.pack: "):
        read_pack(tmp_path / "bad.pack")


def test_chains_have_a_limit() -> None:
    facts = Facts(4, 8, 8)
    cells = [Cell(i // 4, i % 4) for i in range(16)]

    def chained(most: int) -> Payload:
        return Payload(
            "video", VIDEO, {c: Frame(b"v", cells[i - 1] if i % most else None) for i, c in enumerate(cells)}
        )

    single = Payload("stills", {}, {cell: Frame(b"s") for cell in cells})
    read_pack(packed(chained(8), single, facts=facts))
    with pytest.raises(GazeError, match="more than 8 decodes"):
        read_pack(packed(chained(9), single, facts=facts))


def test_random_bytes_are_a_pack_or_an_error_in_words() -> None:
    chance = random.Random(7)
    for _ in range(3000):
        data = bytearray(GOOD[: chance.randrange(len(GOOD) + 1)])
        for _ in range(chance.randrange(1, 6)):
            if data:
                data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read_pack(bytes(data))
        except GazeError:
            continue


def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=r"no\.pack cannot be read"):
        read_pack(tmp_path / "no.pack")
    with pytest.raises(GazeError, match="cannot be read"):
        read_pack(tmp_path)
