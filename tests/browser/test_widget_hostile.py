"""Manifests and packs that somebody else made: a portrait, or an error event in words; never an uncaught error."""

from __future__ import annotations

import json
import random
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from gaze.output.pack import STILLS_PACK
from trials import widget
from trials.corpus import flipped
from trials.trying import FAULT


@pytest.fixture
def bench(page: Any, record: Any, tmp_path: Path) -> Any:
    record.allowed.append("Failed to load resource|Not allowed to load|Access to fetch|CORS")
    metadata, pack, files = widget.make_portrait(tmp_path / "made")
    del files[STILLS_PACK]  # which would be shown where the pack is spoilt
    return widget.Bench(page, files), metadata, pack


def some(all_: Iterable[Any], count: int) -> list[Any]:
    """The same ones every time, of every field and of every value."""
    return random.Random(0).sample(list(all_), count)


def no_faults(tries: list[Any]) -> bool:
    assert [it.words for it in tries if it.happened == FAULT] == []
    return len({it.happened for it in tries}) == 2


def test_hostile_manifests(bench: Any) -> None:
    it, metadata, pack = bench
    manifests = some(widget.spoilt_manifests(metadata, widget.HOSTILE, ()), 56)
    assert no_faults([it.folder(manifest, pack) for manifest in manifests])
    assert no_faults([it.manifest(manifest, pack) for manifest in (*manifests[:14], *widget.ODD_OBJECTS)])


def test_hostile_packs(bench: Any) -> None:
    it, _, pack = bench
    headers = some(widget.spoilt_headers(pack, widget.HOSTILE), 40)
    assert no_faults([it.pack(spoilt) for spoilt in (*headers, *(flipped(pack, seed) for seed in range(20)))])
    length = struct.unpack_from("<I", pack, 8)[0]
    index = 12 + length + json.loads(pack[12 : 12 + length])["motion"]["length"]
    spoilt = bytearray(pack)
    spoilt[index : index + 25 * 12] = b"\x7f" * 25 * 12
    assert "its index makes no sense" in it.pack(bytes(spoilt)).words


def test_a_grid_of_a_million_frames_is_not_cut(bench: Any) -> None:
    it, metadata, _ = bench
    tried = it.folder({**metadata, "imageWidth": 1, "imageHeight": 1, "gridSize": 200, "pack": None}, b"")
    assert tried.happened != FAULT
    assert tried.seconds < 5
