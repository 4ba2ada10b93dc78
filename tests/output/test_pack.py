import contextlib
import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaze.errors import GazeError
from gaze.grid import Cell
from gaze.output.pack import MAGIC, MAX_CHAIN, Facts, Frame, Pack, Payload, read_pack, write_pack

FACTS = Facts(2, 40, 50, face=(0.5, 0.3))
CELLS = [Cell(1, 1), Cell(1, 0), Cell(0, 1), Cell(0, 0)]
VIDEO = {
    "codec": "vp09.00.10.08",
    "colorSpace": {"matrix": "bt709"},
}


def stills() -> Payload:
    return Payload("stills", {}, {cell: Frame(bytes([i + 1]) * (i + 1)) for i, cell in enumerate(CELLS)})


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


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """Any pack that keeps to the format."""
    size = 2 * draw(st.integers(1, 4))
    side = st.integers(1, 16384)
    share = st.floats(-1, 2, allow_nan=False)
    facts = Facts(size, draw(side), draw(side), face=(draw(share), draw(share)))
    payloads = []
    for kind in draw(st.lists(st.sampled_from(["video", "stills"]), min_size=1, max_size=4)):
        cells = draw(st.permutations([Cell(row, col) for row in range(size) for col in range(size)]))
        depth: dict[Cell | None, int] = {None: 0}
        frames = {}
        for cell in cells:
            above = [other for other, deep in depth.items() if deep < MAX_CHAIN]
            parent = draw(st.sampled_from(above)) if kind == "video" else None
            depth[cell] = depth[parent] + 1
            frames[cell] = Frame(draw(st.binary(min_size=1, max_size=5)), parent)
        payloads.append(Payload(kind, VIDEO if kind == "video" else {}, frames))
    return Pack(facts, payloads)


@settings(max_examples=40)
@given(packs())
def test_any_pack_is_read_as_it_was_written(pack: Pack) -> None:
    again = read_pack(packed(*pack.payloads, facts=pack.facts))
    assert again.facts == pack.facts
    assert [list(payload.frames.items()) for payload in again.payloads] == [
        list(payload.frames.items()) for payload in pack.payloads
    ]
    for payload in again.payloads:
        assert all(len(payload.chain(cell)) <= MAX_CHAIN for cell in payload.frames)


def assert_pack_or_words(data: bytes) -> None:
    """Either its frames are bytes of the file, each once, or it is refused."""
    with contextlib.suppress(GazeError):
        pack = read_pack(data)
        assert sum(len(frame.data) for it in pack.payloads for frame in it.frames.values()) < len(data)


@given(st.binary(max_size=300), st.sampled_from([b"", MAGIC, MAGIC + b"\x20\0\0\0", GOOD[: 12 + HEADER]]))
def test_random_bytes_are_a_pack_or_an_error_in_words(noise: bytes, start: bytes) -> None:
    assert_pack_or_words(start + noise)


@settings(max_examples=500)
@given(
    st.integers(0, len(GOOD)),
    st.lists(st.tuples(st.integers(0, len(GOOD) - 1), st.integers(0, 255)), max_size=6),
)
def test_a_spoilt_pack_is_a_pack_or_an_error_in_words(length: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(GOOD)
    for place, value in changes:
        data[place] = value
    assert_pack_or_words(bytes(data[:length]))
    assert_pack_or_words(bytes(data))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=10,
)


@settings(max_examples=300)
@given(st.sampled_from(["version", "gridSize", "imageWidth", "hasAlpha", "face", "payloads", "other"]), JSON)
def test_a_header_with_any_value_is_a_pack_or_an_error_in_words(name: str, value: object) -> None:
    assert_pack_or_words(altered(**{name: value}))


def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=r"no\.pack cannot be read"):
        read_pack(tmp_path / "no.pack")
    with pytest.raises(GazeError, match="cannot be read"):
        read_pack(tmp_path)
