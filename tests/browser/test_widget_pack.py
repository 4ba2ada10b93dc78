"""The widget plays a pack: the cell shown is read back from the pixels, whichever way its frame came."""

from __future__ import annotations

import json
import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.grid import Cell
from gaze.output.pack import PACK
from tests.browser.driving import (
    COUNT_FRAMES,
    INSTANT,
    TRACK_BITMAPS,
    TRACKER,
    address,
    assert_asleep,
    box,
    events,
    expected_look,
    look_at,
    poll_colour_at,
    to_cell,
    wait_cell,
    wait_loaded,
)
from tests.browser.portraits import colour_at, pixels, write_pack, write_page, write_portrait
from tests.fakes import cell_colour

NO_VIDEO = "delete window.VideoDecoder"
MANUAL = '<gaze-tracker src="portrait/" smoothing="0" follow="none"></gaze-tracker>'
CELLS = [(0, 0), (9, 9), (4, 5), (0, 9), (7, 2), (2, 4), (3, 4), (9, 0)]


def assert_shows(page: Any, row: float, col: float, size: int = 10) -> None:
    """The middle of the widget is of the cell's colour, as exactly as lossy coding has it; neighbours differ by 8."""
    look_at(page, row, col, size)
    here = box(page)
    poll_cell(page, row, col, here["left"] + here["width"] / 2, here["top"] + here["height"] / 2)


def poll_cell(page: Any, row: float, col: float, x: float, y: float) -> None:
    """Waits until a point shows a cell: red tells the row, green the column. Blue is coded more roughly."""
    for _ in range(200):
        red, green, blue = colour_at(page, x, y)
        if max(abs(red - row * 8 - 4), abs(green - col * 8 - 4)) <= 3.5 and abs(blue - 128) <= 12:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"the page shows {(red, green, blue)}, not row {row}, column {col}")


def asked_for(record: Any, part: str) -> list[str]:
    return [url for url in record.requests if part in url]


@pytest.fixture
def packed(site: Any) -> Path:
    """A folder with a pack and no sheets, and a page that shows it."""
    write_pack(site.folder / "portrait")
    write_page(site.folder, MANUAL)
    return site.folder / "portrait"


@pytest.mark.parametrize("init", ["", NO_VIDEO], ids=["video", "stills"])
def test_every_look_shows_its_cell(page: Any, site: Any, packed: Path, init: str) -> None:
    page.add_init_script(init or "1")
    page.goto(site.url)
    wait_loaded(page)
    for row, col in CELLS:
        assert_shows(page, row, col)
    assert events(page, "error") == []
    assert len(events(page, "load")) == 1
    last = events(page, "progress")[-1]
    assert last["loaded"] == last["total"] > 1000


@pytest.mark.parametrize("init", ["", NO_VIDEO], ids=["video", "stills"])
def test_between_cells_frames_blend(page: Any, site: Any, packed: Path, init: str) -> None:
    page.add_init_script(init or "1")
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(3.5, 6.0), (2.0, 7.25), (4.5, 4.5)]:
        assert_shows(page, row, col)


def test_a_page_opened_from_a_file_plays_the_script_beside_the_pack(page: Any, record: Any, site: Any) -> None:
    write_pack(site.folder / "portrait")
    manifest = json.dumps({"base": "portrait/", "pack": PACK})
    body = f'<gaze-tracker smoothing="0" follow="none"></gaze-tracker><script>{TRACKER}.manifest = {manifest}</script>'
    write_page(site.folder, body)
    page.goto(address(site, "file"))
    wait_loaded(page)
    for row, col in CELLS[:3]:
        assert_shows(page, row, col)
    assert len(asked_for(record, "gaze.pack.js")) == 1


def test_src_may_name_a_pack(page: Any, site: Any, packed: Path) -> None:
    write_page(site.folder, MANUAL.replace('"portrait/"', '"portrait/gaze.pack"'))
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 7, 2)


def test_the_pack_goes_before_the_sheets(page: Any, record: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_pack(site.folder / "portrait")
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 7, 2)
    assert asked_for(record, ".webp") == []
    assert len(asked_for(record, PACK)) == 1


@pytest.mark.parametrize("ranges", [True, False], ids=["by range", "whole"])
def test_stills_are_fetched_by_range_or_whole(page: Any, record: Any, site: Any, packed: Path, ranges: bool) -> None:
    site.ranges = ranges
    site.headers["Cache-Control"] = "no-store"  # else the browser's own cache answers by range
    page.add_init_script(NO_VIDEO)
    answers: list[tuple[int, str | None]] = []
    page.on(
        "response", lambda it: PACK in it.url and answers.append((it.status, it.headers.get("content-range", "")[:5]))
    )
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 2, 4)
    assert [status for status, _ in answers] == ([200, 206] if ranges else [200, 200])


BROKEN = """
    // Says that it can, and fails at the first frame: as decoders do that lack memory or a driver.
    VideoDecoder.prototype.decode = function () { throw new DOMException("broken", "EncodingError"); };
"""
SILENT = "VideoDecoder.prototype.decode = function () {};"
UNABLE = 'VideoDecoder.isConfigSupported = async () => { throw new TypeError("no such codec"); };'


@pytest.mark.parametrize("init", [BROKEN, SILENT, UNABLE], ids=["broken", "silent", "unable"])
def test_where_video_fails_stills_are_shown(page: Any, site: Any, packed: Path, init: str) -> None:
    page.add_init_script(init)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 7, 2)
    assert events(page, "error") == []


def test_frames_that_go_round_in_circles_do_not_hang_the_page(page: Any, site: Any, packed: Path) -> None:
    data = bytearray((packed / PACK).read_bytes())
    start = 12 + struct.unpack_from("<I", data, 8)[0]
    for cell in range(100):
        struct.pack_into("<i", data, start + cell * 12 + 8, (cell + 1) % 100)
    (packed / PACK).write_bytes(data)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 7, 2)  # a still


def test_a_decoder_that_the_browser_takes_back_is_opened_anew(page: Any, record: Any, site: Any, packed: Path) -> None:
    page.add_init_script("""
        window.opened = [];
        const Real = VideoDecoder;
        window.VideoDecoder = class extends Real {
          constructor(init) { super(init); opened.push({decoder: this, init}); }
        };
    """)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 1, 1)
    page.evaluate("""() => {
        opened[0].decoder.close();
        opened[0].init.error(new DOMException("Codec reclaimed due to inactivity.", "QuotaExceededError"));
    }""")
    assert_shows(page, 8, 7)
    assert page.evaluate("opened.length") == 2
    assert len(asked_for(record, PACK)) == 1  # still the video


def spoil(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda pack: pack.write_bytes(change(pack.read_bytes()))


UNPLAYABLE = {
    "missing": lambda pack: pack.unlink(),
    "empty": spoil(lambda data: b""),
    "another file": spoil(lambda data: b"RIFF" + data),
    "cut in the header": spoil(lambda data: data[:50]),
    "cut off": spoil(lambda data: data[:-100] if len(data) < 2000 else data[: len(data) // 9]),
    "a later version": spoil(lambda data: data.replace(b'"version":1', b'"version":2')),
    "frames of noise": spoil(lambda data: data[:4000] + bytes(reversed(data[4000:]))),
}


@pytest.mark.parametrize("change", UNPLAYABLE.values(), ids=UNPLAYABLE.keys())
def test_where_the_pack_cannot_be_played_the_sheets_are(
    page: Any, record: Any, site: Any, change: Callable[[Path], object]
) -> None:
    record.allowed.append("404")
    write_portrait(site.folder / "portrait")
    write_pack(site.folder / "portrait")
    change(site.folder / "portrait" / PACK)
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    page.wait_for_function("events.some((event) => event.type === 'progress' && event.total === 4)")
    wait_loaded(page)
    assert_shows(page, 7, 2)
    assert events(page, "error") == []
    assert len(asked_for(record, "q3.webp")) == 1


def test_a_pack_alone_that_cannot_be_played_is_an_error_in_words(page: Any, site: Any, packed: Path) -> None:
    (packed / PACK).write_bytes(b"GIF89a" + bytes(100))
    write_page(site.folder, MANUAL.replace('"portrait/"', '"portrait/gaze.pack"'))
    page.goto(site.url)
    page.wait_for_function("events.some((event) => event.type === 'error')")
    [error] = events(page, "error")
    assert "gaze.pack could not be played (it is no pack)" in error["message"]


def test_the_face_follows_before_the_rest_has_come(page: Any, site: Any) -> None:
    rng = np.random.default_rng(3)

    def noisy(cell: Cell, width: int, height: int) -> np.ndarray:  # so that frames have bytes worth waiting for
        frame = np.full((height, width, 3), cell_colour(cell), np.uint8)
        frame[:40] = rng.integers(0, 256, (40, width, 3))
        return frame

    write_pack(site.folder / "portrait", 20, noisy, imageWidth=160, imageHeight=200)
    write_page(site.folder, MANUAL)
    gate = threading.Event()
    size = (site.folder / "portrait" / PACK).stat().st_size
    site.stalled[f"/portrait/{PACK}"] = (size // 8, gate)
    page.goto(site.url)
    for row, col in [(9, 9), (8, 9)]:
        assert_shows(page, row, col, 20)
    assert not page.evaluate(f"{TRACKER}.loaded")
    look_at(page, 0, 19, 20)
    gate.set()
    wait_loaded(page)
    assert_shows(page, 0, 19, 20)


def test_the_next_portrait_takes_over_at_the_look_of_the_last(page: Any, site: Any, packed: Path) -> None:
    def bluer(cell: Cell, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), (*cell_colour(cell)[:2], 255), np.uint8)

    write_pack(site.folder / "next", frame=bluer, codec=None)
    gate = threading.Event()
    size = (site.folder / "next" / PACK).stat().st_size
    site.stalled[f"/next/{PACK}"] = (size // 2, gate)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 0, 0)
    page.evaluate(f"{TRACKER}.manifest = {{base: 'next/', pack: '{PACK}'}}")
    page.wait_for_function("events.at(-1).type === 'progress' && events.at(-1).loaded > 1000")
    page.wait_for_timeout(200)
    assert_shows(page, 0, 0)  # though the middle of the next one is there
    assert_shows(page, 9, 9)
    gate.set()
    wait_loaded(page)
    here = box(page)
    poll_colour_at(page, here["left"] + 100, here["top"] + here["height"] / 2, (76, 76, 255), tolerance=12)


def test_the_face_comes_to_rest(page: Any, site: Any, packed: Path) -> None:
    page.add_init_script(COUNT_FRAMES + TRACK_BITMAPS)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 2.5, 6)
    assert_asleep(page)
    before = page.evaluate("bitmaps")
    assert_asleep(page)
    assert page.evaluate("bitmaps") == before


def test_looks_are_measured_from_the_face_that_the_pack_tells(page: Any, site: Any) -> None:
    write_pack(site.folder / "portrait")  # whose face is in the middle
    cases = {"told.html": ("", (0.5, 0.5)), "given.html": (", face: {x: 0.2, y: 0.1}", (0.2, 0.1))}
    for name, (face, expected) in cases.items():
        script = f'<script>{TRACKER}.manifest = {{base: "portrait/", pack: "gaze.pack"{face}}}</script>'
        write_page(site.folder, f'<gaze-tracker smoothing="0"></gaze-tracker>{script}', name=name)
        page.goto(site.url + name)
        wait_loaded(page)
        page.mouse.move(10, 10)  # a pointer that rests says nothing to a new page
        page.mouse.move(300, 300)
        wait_cell(page, *to_cell(expected_look(page, 300, 300, face=expected), 10))


def test_few_frames_are_held_and_none_after_the_end(page: Any, site: Any) -> None:
    page.add_init_script(TRACK_BITMAPS)
    write_pack(site.folder / "portrait", 20)
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    most = 0
    for i in range(60):
        page.mouse.move(640 + 600 * np.sin(i / 3), 400 + 380 * np.cos(i / 5))
        most = max(most, page.evaluate("bitmaps"))
    assert 9 < most <= 42  # two may be on their way
    page.evaluate(f"{TRACKER}.remove()")
    page.wait_for_function("bitmaps === 0")


@pytest.mark.parametrize("init", ["", NO_VIDEO], ids=["video", "stills"])
@pytest.mark.parametrize("size", [(40, 50), (41, 51)], ids=["even", "odd"])
def test_transparent_frames_stay_transparent(page: Any, site: Any, init: str, size: tuple[int, int]) -> None:
    def frame(cell: Cell, width: int, height: int) -> np.ndarray:
        picture = np.zeros((height, width, 4), np.uint8)
        picture[:, : width // 2] = (*cell_colour(cell), 255)
        picture[: height // 2, : width // 2, 3] = 128
        return picture

    page.add_init_script(init or "1")
    width, height = size
    write_pack(site.folder / "portrait", frame=frame, hasAlpha=True, imageWidth=width, imageHeight=height)
    write_page(site.folder, f'<body style="background: #00c800">{MANUAL}')
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(3, 6), (3.5, 6.5)]:
        look_at(page, row, col)
        colour = np.array([row * 8 + 4, col * 8 + 4, 128])
        poll_cell(page, row, col, 40, 200)
        shown = pixels(page, clip={"x": 0, "y": 0, "width": 200, "height": 248}).astype(int)
        green = np.array([0, 200, 0])
        assert np.abs(shown[60, 40] - (colour * 128 + green * 127) / 255).max() <= 8
        assert (shown[:, 150:] == green).all()


def test_colours_are_the_sources(page: Any, site: Any, photo: Path) -> None:
    """A stream whose colours are not tagged, or read by another matrix, would shift by 3 to 4 levels."""
    from PIL import Image

    picture = np.asarray(Image.open(photo).convert("RGB").resize((200, 200)))
    write_pack(site.folder / "portrait", 2, lambda *_: picture, imageWidth=200, imageHeight=200)
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 0, 0, 2)
    page.wait_for_timeout(100)
    shown = pixels(page, clip={"x": 0, "y": 0, "width": 200, "height": 200}).astype(int)
    assert np.abs((shown - picture).mean(axis=(0, 1))).max() <= 1
    assert np.abs(shown - picture).mean() < 8


def test_a_poster_stands_in_until_the_first_frame(page: Any, site: Any, packed: Path) -> None:
    from PIL import Image

    Image.new("RGB", (20, 25), (250, 0, 0)).save(packed / "poster.webp", lossless=True)
    gate = site.held[f"/portrait/{PACK}"] = threading.Event()
    write_page(site.folder, MANUAL.replace(" src", ' poster="portrait/poster.webp" src'))
    page.goto(site.url)
    poll_colour_at(page, 100, 120, (250, 0, 0))
    gate.set()
    wait_loaded(page)
    assert_shows(page, 2, 4)


def test_many_portraits_share_the_memory(page: Any, site: Any, packed: Path) -> None:
    write_page(site.folder, MANUAL * 12, width=80)
    page.goto(site.url)
    page.wait_for_function("[...document.querySelectorAll('gaze-tracker')].slice(0, 12).every((it) => it.loaded)")
    page.evaluate("document.querySelectorAll('gaze-tracker').forEach((it) => it.lookAt(0, 0))")
    wait_cell(page, 0, 0)
    for i in (0, 5):
        here = page.evaluate(f"document.querySelectorAll('gaze-tracker')[{i}].getBoundingClientRect().toJSON()")
        poll_cell(page, 0, 0, here["x"] + 40, here["y"] + 50)
