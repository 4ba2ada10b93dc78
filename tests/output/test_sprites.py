import io
import random
import threading
import time
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Cell, GazeGrid
from gaze.output import sprites
from gaze.output.spool import FrameSpool
from gaze.output.sprites import (
    SheetCanvas,
    check_sheets,
    describe,
    encode_webp,
    list_sheets,
    plan_sheets,
    sheet_frame,
    write_sheets,
)
from tests.fakes import cell_frame, cell_of, decode_sheet


def test_the_plan_of_thirty_is_the_exchange_format() -> None:
    groups = plan_sheets(GazeGrid(30))
    assert [[sheet.name for sheet in group] for group in groups] == [[f"q{q}.webp", f"q{q}_20.webp"] for q in range(4)]
    assert {sheet.side for group in groups for sheet in group[:1]} == {15}
    assert {sheet.side for group in groups for sheet in group[1:]} == {10}
    axis = [round(i * 29 / 19) for i in range(20)]
    assert groups[1][1].cells[:2] == (Cell(axis[0], axis[10]), Cell(axis[0], axis[11]))
    assert groups[2][1].cells[-1] == Cell(axis[19], axis[9])


@pytest.mark.parametrize("size", [22, 30, 44])
def test_a_mobile_sheet_needs_no_cells_but_its_quadrants(size: int) -> None:
    for full, mobile in plan_sheets(GazeGrid(size)):
        assert set(mobile.cells) <= set(full.cells)


@pytest.mark.parametrize("mode", ["quadrants", "single"])
def test_encoded_sheets_hold_each_frame_in_its_place(mode: str) -> None:
    width, height = 32, 48  # whole blocks of WebP, so that lossy colours do not bleed
    for group in plan_sheets(GazeGrid(30), mode):
        for sheet in group:
            canvas = SheetCanvas(sheet, height, width)
            for cell in set(sheet.cells):
                canvas.put(cell, cell_frame(cell, width, height))
            data = encode_webp(canvas.picture)
            assert Image.open(io.BytesIO(data)).size == (sheet.side * width, sheet.side * height)
            shown = [cell_of(tuple(frame[height // 2, width // 2])) for frame in decode_sheet(data, width, height)]
            assert shown == list(sheet.cells)


def test_alpha_survives_encoding() -> None:
    picture = np.zeros((16, 16, 4), np.uint8)
    picture[:, 8:] = (200, 100, 50, 255)
    again = np.asarray(Image.open(io.BytesIO(encode_webp(Image.fromarray(picture), 90))))
    assert again[8, 2, 3] == 0
    assert again[8, 13, 3] == 255


def test_sheets_beyond_webps_limit_are_refused_with_the_numbers() -> None:
    check_sheets(plan_sheets(GazeGrid(30), "single"), 512, 512)
    with pytest.raises(GazeError, match=r"30 × 30 frames of 640 × 512 .* 19200 × 15360 .* 16383"):
        check_sheets(plan_sheets(GazeGrid(30), "single"), 640, 512)


def test_large_sheets_are_encoded_with_little_effort(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: the effort is not capped where libwebp would encode twice."""
    noise = np.random.default_rng(0).integers(0, 255, (64, 64, 3), np.uint8)
    picture = Image.fromarray(noise)
    assert encode_webp(picture, 70, 6) != encode_webp(picture, 70, 2)
    monkeypatch.setattr(sprites, "_EFFORT_PIXELS", 64 * 64 - 1)
    assert encode_webp(picture, 70, 6) == encode_webp(picture, 70, 2) != encode_webp(picture, 70, 1)


def test_metadata_has_the_contracts_fields() -> None:
    bare = describe(GazeGrid(30), "quadrants", (60, 50), (0.5, 0.3), "warp")
    assert (bare.fields()["sheets"], bare.mobile_grid_size, bare.total_images) == ([], 30, 900)
    fields = list_sheets(bare, GazeGrid(30), "quadrants", (60, 50)).fields()
    contract = {
        "gridSize": 30,
        "quadrantSize": 15,
        "mobileGridSize": 20,
        "mobileQuadrantSize": 10,
        "imageWidth": 60,
        "imageHeight": 50,
        "hasAlpha": False,
        "format": "webp",
        "mode": "quadrants",
        "totalImages": 900,
    }
    assert contract.items() <= fields.items()
    assert fields["face"] == {"x": 0.5, "y": 0.3}


@pytest.mark.parametrize("size", [2, 10, 20])
def test_a_small_grid_has_no_second_set(size: int) -> None:
    assert [[sheet.name for sheet in group] for group in plan_sheets(GazeGrid(size))] == [
        [f"q{q}.webp"] for q in range(4)
    ]
    bare = describe(GazeGrid(size), "quadrants", (60, 50), (0.5, 0.3), "warp")
    listed = list_sheets(bare, GazeGrid(size), "quadrants", (60, 50))
    assert (listed.mobile_grid_size, listed.mobile_sheets) == (size, ())


@pytest.mark.parametrize(
    ("portrait", "longest", "frame"),
    [((768, 600), 512, (512, 400)), ((401, 300), 512, (400, 300)), ((3, 900), 64, (2, 64))],
)
def test_a_sheets_frame_is_even_and_never_enlarged(
    portrait: tuple[int, int], longest: int, frame: tuple[int, int]
) -> None:
    assert sheet_frame(*portrait, longest) == frame


@pytest.mark.parametrize(("memory", "most"), [(10**9, 2), (1, 1)], ids=["roomy", "narrow"])
def test_sheets_are_written_side_by_side_as_far_as_memory_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, memory: int, most: int
) -> None:
    monkeypatch.setattr(sprites, "_MEMORY", memory)
    monkeypatch.setattr(sprites.os, "cpu_count", lambda: 2)
    busy, seen, lock = 0, [0], threading.Lock()

    def encode(picture: Image.Image, quality: int, effort: int) -> bytes:
        nonlocal busy
        with lock:
            busy += 1
            seen.append(busy)
        time.sleep(0.02)
        with lock:
            busy -= 1
        return encode_webp(picture, quality, effort)

    monkeypatch.setattr(sprites, "encode_webp", encode)
    grid = GazeGrid(4)
    sheets = [sheet for group in plan_sheets(grid) for sheet in group]
    with FrameSpool(tmp_path, 4, (24, 16, 3)) as spool:
        for cell in grid.cells():
            spool.put(cell, cell_frame(cell, 16, 24))
        *_, written = write_sheets(sheets, spool, tmp_path, 90, 0)
    assert max(seen) == most
    assert {sheet.name for sheet in written} == {path.name for path in tmp_path.iterdir()}
    for sheet in sheets:
        frames = decode_sheet((tmp_path / sheet.name).read_bytes(), 16, 24)
        assert [cell_of(tuple(frame[12, 8])) for frame in frames] == list(sheet.cells)


@settings(max_examples=20)
@given(st.integers(1, 15), st.sampled_from(["quadrants", "single"]), st.randoms(use_true_random=False))
def test_whatever_order_frames_come_in_each_is_found_in_its_place(half: int, mode: str, chance: random.Random) -> None:
    grid = GazeGrid(2 * half)
    cells = list(grid.cells())
    chance.shuffle(cells)
    for group in plan_sheets(grid, mode):
        for sheet in group:
            canvas = SheetCanvas(sheet, 3, 2)
            for cell in cells:
                canvas.put(cell, cell_frame(cell, 2, 3))
            picture = np.asarray(canvas.picture)
            for place, cell in enumerate(sheet.cells):
                row, col = divmod(place, sheet.side)
                frame = picture[row * 3 : row * 3 + 3, col * 2 : col * 2 + 2]
                assert (frame == cell_frame(cell, 2, 3)).all()
