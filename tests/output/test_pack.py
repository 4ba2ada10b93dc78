import contextlib
import io
import json
import struct
import tracemalloc
import zlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaze.errors import GazeError
from gaze.motion.motion import Mesh, Motion
from gaze.output.motion_payload import encode_motion
from gaze.output.pack import ENTRY, MAGIC, Facts, Layer, Pack, Payload, Picture, write_pack
from gaze.output.pack_reader import read_pack
from tests.packs import (
    FACTS,
    STILLS,
    VIDEO,
    layer,
    outwards,
    packed,
    packed_1,
    short_video,
    small_motion,
    stills,
    video,
)

GOOD = packed(video(), stills(), layers=(layer(),))
OLD = packed_1(short_video(16), stills(16, {}))
HEADER = struct.unpack_from("<I", GOOD, 8)[0]
START = json.loads(GOOD[12 : 12 + HEADER])["motion"]["length"] + 12 + HEADER
"""Where the index of the video begins."""


def altered(data: bytes = GOOD, **fields: object) -> bytes:
    """A pack with other fields in its header; None takes one away."""
    length = struct.unpack_from("<I", data, 8)[0]
    header = {**json.loads(data[12 : 12 + length]), **fields}
    text = json.dumps({name: value for name, value in header.items() if value is not None}).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + data[12 + length :]


def inner(name: str, **fields: object) -> bytes:
    """The good pack with other fields in an object of its header."""
    return altered(GOOD, **{name: {**json.loads(GOOD[12 : 12 + HEADER])[name], **fields}})


def layered(**fields: object) -> bytes:
    return altered(layers=[{**json.loads(GOOD[12 : 12 + HEADER])["layers"][0], **fields}])


def entry(place: int, field: int, value: int) -> bytes:
    """The good pack with another number in the index of its video."""
    data = bytearray(GOOD)
    struct.pack_into("<i", data, START + place * 12 + field * 4, value)
    return bytes(data)


def moved(**changes: Any) -> bytes:
    """A pack whose motion is another."""
    return packed(video(), motion=Motion(**{**vars(small_motion()), **changes}))


def with_motion(raw: bytes) -> bytes:
    """A pack of one payload whose motion has these bytes."""
    data = packed(video())
    length = struct.unpack_from("<I", data, 8)[0]
    header = json.loads(data[12 : 12 + length])
    rest = data[12 + length + header["motion"]["length"] :]
    header["motion"]["length"] = len(raw)
    text = json.dumps(header).encode()
    return MAGIC + struct.pack("<I", len(text)) + text + raw + rest


def test_what_is_written_is_read(tmp_path: Path) -> None:
    (tmp_path / "gaze.pack").write_bytes(GOOD)
    for pack in (read_pack(GOOD), read_pack(tmp_path / "gaze.pack")):
        assert pack.facts == FACTS
        assert [payload.kind for payload in pack.payloads] == ["video", "stills"]
        for read, made in zip(pack.payloads, (video(), stills()), strict=True):
            assert list(read.pictures.items()) == list(made.pictures.items())  # in the file's order, too
            assert read.about == made.about
        assert_same(pack.motion, small_motion())
        [found] = pack.layers
        assert (found.name, found.values, found.region) == ("blink", (0.5, 1.0), (10, 12, 20, 8))
        assert_same(found.motion, small_motion((1.5,)))
    assert pack.payloads[0].chain(5) == [4, 3, 5]


def assert_same(read: Motion | None, made: Motion) -> None:
    assert read is not None
    assert (read.looks, read.mesh, read.unit, read.rank) == (made.looks, made.mesh, made.unit, made.rank)
    for name in ("fields", "coefficients", "moving", "trust"):
        one, other = getattr(read, name), getattr(made, name)
        assert (one is None) == (other is None)
        assert one is None or np.array_equal(one, other)


def test_version_1_is_read_cell_by_cell() -> None:
    pack = read_pack(OLD)
    assert pack.motion is None
    assert [len(payload.pictures) for payload in pack.payloads] == [16, 16]
    assert list(pack.payloads[1].pictures.items()) == list(stills(16).pictures.items())


def test_the_file_is_as_the_docs_say() -> None:
    """Read by hand, from docs/format.md."""
    motion = small_motion(rank=2, trust=True)
    data = packed(video(), motion=motion)
    length = struct.unpack_from("<I", data, 8)[0]
    header = json.loads(data[12 : 12 + length])
    assert header["version"] == 2
    assert header["looks"] == [0, 1.5, 3]
    assert header["mesh"] == {"columns": [4, 10, 20, 30, 36], "rows": [5, 15, 30, 45]}
    about = header["motion"]
    raw = zlib.decompress(data[12 + length :][: about["length"]])
    points, keys = 20, 9
    assert (about["rank"], about["unit"], about["trust"]) == (2, 1 / 16, True)
    assert len(raw) == 2 * points * 4 + keys * 2 * 4 + points + keys * points
    planes = np.frombuffer(raw, "<i2", 2 * 2 * points).reshape(2, 2, 4, 5)
    values = np.cumsum(planes.astype(np.int64), axis=3).astype(np.uint16).view(np.int16).reshape(planes.shape)
    assert np.array_equal(values[1, 0], motion.fields[1, ..., 0])
    assert np.array_equal(values[0, 1], motion.fields[0, ..., 1])
    weights = np.frombuffer(raw, "<f4", keys * 2, 2 * points * 4).reshape(9, 2)
    assert np.array_equal(weights, motion.coefficients.reshape(9, 2))
    assert np.array_equal(np.frombuffer(raw, np.uint8, points, 2 * points * 4 + 72), motion.moving.ravel())
    index = np.frombuffer(data, ENTRY, 9, 12 + length + about["length"])
    assert index[4].tolist() == (9 * 12, 10, -1)
    assert index[3].tolist() == (9 * 12 + 10, 9, 4)


HOSTILE = {
    "empty": (b"", "begin with GAZEPACK"),
    "another file": (b"RIFF" + GOOD, "begin with GAZEPACK"),
    "only the magic": (MAGIC, "begin with GAZEPACK"),
    "a header of four gigabytes": (MAGIC + b"\xff" * 4 + b"{}", "65536 are allowed"),
    "cut in the header": (GOOD[:30], "ends within its header"),
    "no JSON": (MAGIC + struct.pack("<I", 3) + b"\xff\xff\xff", "not a JSON object"),
    "a list": (MAGIC + struct.pack("<I", 2) + b"[]", "not a JSON object"),
    "deeply nested": (MAGIC + struct.pack("<I", 60000) + b"[" * 60000, "not a JSON object"),
    "another version": (altered(version=3), "format version 3"),
    "a version that is true": (altered(version=True), "format version True"),
    "no grid": (altered(gridSize=None), "gridSize is None"),
    "a huge grid": (altered(gridSize=10**6), "gridSize is 1000000"),
    "a grid that is true": (altered(gridSize=True), "gridSize is True"),
    "a grid in words": (altered(gridSize="2"), "gridSize is 2"),
    "no width": (altered(imageWidth=0), "imageWidth is 0"),
    "a giant frame": (altered(imageWidth=8000, imageHeight=8000), "8000 × 8000 pixels"),
    "a giant frame of version 1": (altered(OLD, imageWidth=13000, imageHeight=13000), "13000 × 13000 pixels"),
    "no alpha": (altered(hasAlpha=None), "hasAlpha"),
    "a face elsewhere": (altered(face={"x": 3, "y": float("nan")}), "not a point in the frame"),
    "no face": (altered(face=[0, 0]), "no face"),
    "no payloads": (altered(payloads=[]), "no payloads"),
    "payloads of numbers": (altered(payloads=[1]), "not a JSON object"),
    "an unknown payload": (altered(payloads=[{"kind": "hologram", "length": 1}]), "'hologram'"),
    "a payload beyond the end": (altered(payloads=[{**VIDEO, "kind": "video", "length": 10**9}]), "length is 1000"),
    "a payload without its index": (altered(payloads=[{**VIDEO, "kind": "video", "length": 20}]), "shorter than its"),
    "video without a codec": (altered(payloads=[{"kind": "video", "length": 78}]), "no codec"),
    "transparent video without alpha": (altered(hasAlpha=True), "no stacked alpha"),
    "stills of no keys": (altered(payloads=[{"kind": "stills", "length": 9, "width": 1, "height": 1}]), "their keys"),
    "stills without the middle": (
        altered(payloads=[{"kind": "stills", "length": 9, **STILLS, "keys": [0, 2]}]),
        "their keys",
    ),
    "stills of a giant size": (
        altered(payloads=[{"kind": "stills", "length": 9, **STILLS, "width": 9000}]),
        "width is 9000",
    ),
    "even looks": (altered(looks=[0, 3]), "looks of its keys"),
    "eleven looks": (altered(looks=[i * 0.3 for i in range(11)]), "looks of its keys"),
    "looks that end early": (altered(looks=[0, 1, 2]), "from one end of the grid to the other"),
    "looks that go back": (altered(looks=[0, 2, 1, 2.5, 3]), "from one end"),
    "looks of no number": (altered(looks=[0, None, 3]), "looks of its keys"),
    "a look of a thousand digits": (altered(looks=[0, 10**999, 3]), "looks of its keys"),
    "looks without end": (altered(looks=[0, float("inf"), 3]), "looks of its keys"),
    "no mesh": (altered(mesh=None), "does not describe its motion"),
    "a mesh of one column": (inner("mesh", columns=[3]), "columns and rows"),
    "a mesh outside": (inner("mesh", columns=[0, 41]), "inside the frame"),
    "a mesh that goes back": (inner("mesh", rows=[5, 4]), "inside the frame"),
    "a mesh of words": (inner("mesh", rows=["a", "b"]), "columns and rows"),
    "a giant mesh": (inner("mesh", columns=list(range(400))), "columns and rows"),
    "a rank beyond": (inner("motion", rank=17), "rank is 17"),
    "a unit of nothing": (inner("motion", unit=0), "no unit"),
    "a unit that is no number": (inner("motion", unit=float("nan")), "no unit"),
    "trust in words": (inner("motion", trust="yes"), "has trust"),
    "a motion of another size": (inner("motion", rank=2), "does not have the size"),
    "a motion that is no stream": (with_motion(b"nonsense"), "cannot be unpacked"),
    "a motion that is cut": (with_motion(encode_motion(small_motion())[:-9]), "does not have the size"),
    "a motion with more behind": (with_motion(encode_motion(small_motion()) + b"x"), "does not have the size"),
    "a motion that grows": (with_motion(zlib.compress(bytes(10**7))), "does not have the size"),
    "a motion of no numbers": (moved(coefficients=np.full((3, 3, 1), np.nan, np.float32)), "are not finite"),
    "a motion beyond measure": (moved(coefficients=np.full((3, 3, 1), 1e9, np.float32)), "are not finite"),
    "a middle that moves": (moved(coefficients=np.ones((3, 3, 1), np.float32)), "moves the middle key"),
    "a border that moves": (moved(moving=np.full((4, 5), 255, np.uint8)), "border of its mesh"),
    "still points that move": (moved(moving=np.zeros((4, 5), np.uint8)), "points that stand still"),
    "nine layers": (altered(layers=[{}] * 9), "at most eight"),
    "a layer with no name": (layered(name="../x"), "not in lowercase letters"),
    "a layer that does not end": (layered(values=[0.5, 0.9]), "ascend to 1"),
    "a layer of no values": (layered(values=[]), "no values"),
    "a layer outside": (layered(region={"x": 30, "y": 0, "width": 20, "height": 5}), "width is 20"),
    "a layer of nothing": (layered(region=None), "no region"),
    "a layer of other keys": (layered(payloads=[{"kind": "stills", "width": 9, "height": 8, "keys": [3]}]), "its keys"),
    "cut at the end": (GOOD[:-1], "length is"),
    "bytes at the end": (GOOD + b"x", "after its last payload"),
    "an offset beyond": (entry(0, 0, 2**31 - 1), "without gap or overlap"),
    "an overlap": (entry(3, 0, 109), "without gap or overlap"),
    "a length beyond": (entry(8, 1, 2**31 - 1), "ends after its payload"),
    "a length of nothing": (entry(0, 1, 0), "without gap or overlap"),
    "a parent outside": (entry(0, 2, 9), "before its parent"),
    "a circle": (entry(4, 2, 3), "before its parent"),
    "its own parent": (entry(4, 2, 4), "before its parent"),
    "a negative parent": (entry(0, 2, -2), "before its parent"),
}


@pytest.mark.parametrize(("data", "words"), HOSTILE.values(), ids=HOSTILE.keys())
def test_what_breaks_a_rule_is_refused_in_words(data: bytes, words: str, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=words):
        read_pack(data)
    (tmp_path / "bad.pack").write_bytes(data)
    with pytest.raises(GazeError, match=r"bad\.pack: "):
        read_pack(tmp_path / "bad.pack")


def test_a_motion_that_would_fill_the_memory_is_not_unpacked() -> None:
    data = with_motion(zlib.compress(bytes(200_000_000), 1))
    tracemalloc.start()
    with pytest.raises(GazeError, match="does not have the size"):
        read_pack(data)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 10_000_000


def test_chains_have_a_limit_in_version_1() -> None:
    def chained(most: int) -> Payload:
        return Payload("video", VIDEO, {i: Picture(b"v", i - 1 if i % most else None) for i in range(16)})

    read_pack(packed_1(chained(8)))
    with pytest.raises(GazeError, match="more than 8 decodes"):
        read_pack(packed_1(chained(9)))


@st.composite
def motions(draw: st.DrawFn, size: int, width: int, height: int, counts: tuple[int, ...]) -> Motion:
    """Any motion that keeps to the format."""
    n = draw(st.sampled_from(counts))
    inside = st.floats(0.01, size - 1.01, allow_nan=False)
    between = sorted(draw(st.sets(inside, min_size=max(0, n - 2), max_size=max(0, n - 2))))
    looks = (0.0, *between, float(size - 1)) if n > 1 else (draw(inside),)
    columns, rows = (
        tuple(sorted(draw(st.sets(st.integers(0, side), min_size=2, max_size=7)))) for side in (width, height)
    )
    mesh, rank = Mesh(columns, rows), draw(st.integers(0, 3))
    rng = np.random.default_rng(draw(st.integers(0, 99)))
    moving = rng.choice([0, 128, 255], mesh.shape).astype(np.uint8)
    moving[[0, -1]] = 0
    moving[:, [0, -1]] = 0
    fields = rng.integers(-32768, 32768, (rank, *mesh.shape, 2)).astype(np.int16)
    fields[:, moving < 255] = 0
    coefficients = rng.normal(0, 1, (n, n, rank)).astype(np.float32)
    coefficients[n // 2, n // 2] = 0
    trust = rng.integers(0, 256, (n, n, *mesh.shape)).astype(np.uint8) if draw(st.booleans()) else None
    unit = draw(st.floats(0.001, 16, allow_nan=False))
    return Motion(looks, mesh, fields, unit, coefficients, moving, trust)


def draw_video(draw: st.DrawFn, count: int, alpha: bool) -> Payload:
    depth: dict[int | None, int] = {None: 0}
    pictures = {}
    for number in draw(st.permutations(range(count))):
        parent = draw(st.sampled_from(list(depth)))
        depth[number] = depth[parent] + 1
        pictures[number] = Picture(draw(st.binary(min_size=1, max_size=3)), parent)
    return Payload("video", {**VIDEO, "alpha": "stacked"} if alpha else VIDEO, pictures)


@st.composite
def packs(draw: st.DrawFn) -> Pack:
    """Any pack of version 2 that keeps to the format."""
    size = 2 * draw(st.integers(2, 15))
    side = st.integers(1, 2048)
    share = st.floats(-1, 2, allow_nan=False)
    facts = Facts(size, draw(side), draw(side), draw(st.booleans()), (draw(share), draw(share)))
    motion = draw(motions(size, facts.width, facts.height, (3, 5)))
    n = len(motion.looks)
    payloads = []
    for kind in draw(st.lists(st.sampled_from(["video", "stills"]), min_size=1, max_size=3)):
        if kind == "video":
            payloads.append(draw_video(draw, n * n, facts.alpha))
            continue
        keys = sorted({0, n // 2, n - 1, *draw(st.sets(st.integers(0, n - 1)))})
        about = {"width": draw(st.integers(1, facts.width)), "height": facts.height, "keys": keys}
        pictures = {number: Picture(b"s") for number in outwards(len(keys) ** 2)}
        payloads.append(Payload("stills", about, pictures))
    layers = []
    for name in draw(st.lists(st.sampled_from(["blink", "wink-left", "smile"]), max_size=2)):
        own = draw(motions(size, facts.width, facts.height, (1, 3)))
        values = (*sorted(draw(st.sets(st.floats(0.01, 0.99), max_size=2))), 1.0)
        region = (0, 0, draw(st.integers(1, facts.width)), draw(st.integers(1, facts.height)))
        count = len(values) * len(own.looks) ** 2
        layers.append(Layer(name, values, region, own, (draw_video(draw, count, True),)))
    return Pack(facts, payloads, motion, tuple(layers))


@settings(max_examples=40)
@given(packs())
def test_any_pack_is_read_as_it_was_written(pack: Pack) -> None:
    out = io.BytesIO()
    write_pack(pack, out)
    again = read_pack(out.getvalue())
    assert again.facts == pack.facts
    assert pack.motion is not None
    assert_same(again.motion, pack.motion)
    for read, made in zip(again.layers, pack.layers, strict=True):
        assert (read.name, read.values, read.region) == (made.name, made.values, made.region)
        assert_same(read.motion, made.motion)
        assert [list(it.pictures.items()) for it in read.payloads] == [
            list(it.pictures.items()) for it in made.payloads
        ]
    for one, other in zip(again.payloads, pack.payloads, strict=True):
        assert list(one.pictures.items()) == list(other.pictures.items())
        assert one.about == other.about


def assert_pack_or_words(data: bytes) -> None:
    """Either its pictures are bytes of the file, each once, or it is refused."""
    with contextlib.suppress(GazeError):
        pack = read_pack(data)
        parts = [*pack.payloads, *(payload for layer in pack.layers for payload in layer.payloads)]
        assert sum(len(picture.data) for it in parts for picture in it.pictures.values()) < len(data)


@given(st.binary(max_size=300), st.sampled_from([b"", MAGIC, MAGIC + b"\x20\0\0\0", GOOD[: 12 + HEADER]]))
def test_random_bytes_are_a_pack_or_an_error_in_words(noise: bytes, start: bytes) -> None:
    assert_pack_or_words(start + noise)


@settings(max_examples=500)
@given(
    st.sampled_from([GOOD, OLD]),
    st.integers(0, len(GOOD)),
    st.lists(st.tuples(st.integers(0, min(len(GOOD), len(OLD)) - 1), st.integers(0, 255)), max_size=6),
)
def test_a_spoilt_pack_is_a_pack_or_an_error_in_words(good: bytes, length: int, changes: list[tuple[int, int]]) -> None:
    data = bytearray(good)
    for place, value in changes:
        data[place] = value
    assert_pack_or_words(bytes(data[:length]))
    assert_pack_or_words(bytes(data))


@settings(max_examples=200)
@given(st.binary(max_size=400))
def test_any_motion_is_a_pack_or_an_error_in_words(raw: bytes) -> None:
    size = 20 * 4 + 9 * 4 + 20
    assert_pack_or_words(with_motion(zlib.compress((raw + bytes(size))[:size])))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=9), inner, max_size=5),
    max_leaves=10,
)
NAMES = ["version", "gridSize", "imageWidth", "hasAlpha", "face", "payloads", "looks", "mesh", "motion", "layers", "x"]


@settings(max_examples=400)
@given(st.sampled_from(NAMES), JSON)
def test_a_header_with_any_value_is_a_pack_or_an_error_in_words(name: str, value: object) -> None:
    assert_pack_or_words(altered(GOOD, **{name: value}))


PARTS = [("mesh", "columns"), ("mesh", "rows"), ("motion", "rank"), ("motion", "unit"), ("motion", "trust")]
PARTS += [("motion", "length"), ("layers", "name"), ("layers", "values"), ("layers", "region"), ("layers", "looks")]
PARTS += [("layers", "mesh"), ("layers", "motion"), ("layers", "payloads")]


@settings(max_examples=400)
@given(st.sampled_from(PARTS), JSON)
def test_a_part_of_the_header_with_any_value_is_a_pack_or_an_error_in_words(
    part: tuple[str, str], value: object
) -> None:
    change = {part[1]: value}
    assert_pack_or_words(layered(**change) if part[0] == "layers" else inner(part[0], **change))


def test_a_file_that_is_not_there_is_an_error_in_words(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match=r"no\.pack cannot be read"):
        read_pack(tmp_path / "no.pack")
    with pytest.raises(GazeError, match="cannot be read"):
        read_pack(tmp_path)
