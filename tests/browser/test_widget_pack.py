"""The widget plays packs that Gaze wrote, of version 1 as well; where one cannot be played, what lies beside it."""

from __future__ import annotations

import struct
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaze.output.pack import PACK
from tests.browser.comparing import MANUAL, NO_VIDEO
from tests.browser.driving import (
    COUNT_FRAMES,
    TRACK_BITMAPS,
    TRACKER,
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
from tests.browser.old_packs import SIZE, write_old_pack
from tests.browser.portraits import colour_at, pixels, write_pack, write_page, write_portrait
from tests.fakes import cell_colour

COUNT_DECODERS = """
    window.opened = [];
    const Real = VideoDecoder;
    window.VideoDecoder = class extends Real {
        constructor(init) { super(init); opened.push({decoder: this, init}); }
    };
"""
BROKEN = 'VideoDecoder.prototype.decode = () => { throw new DOMException("broken", "EncodingError"); }'
SILENT = "VideoDecoder.prototype.decode = () => {}"
UNABLE = 'VideoDecoder.isConfigSupported = async () => { throw new TypeError("no such codec"); }'


def assert_shows(page: Any, row: float, col: float, size: int = SIZE) -> None:
    """The middle of the widget is of the cell's colour, as exactly as lossy coding has it; neighbours differ by 8."""
    look_at(page, row, col, size)
    here = box(page)
    for _ in range(200):
        red, green, blue = colour_at(page, here["left"] + here["width"] / 2, here["top"] + here["height"] / 2)
        if max(abs(red - row * 8 - 4), abs(green - col * 8 - 4)) <= 3.5 and abs(blue - 128) <= 12:
            return
        page.wait_for_timeout(25)
    raise AssertionError(f"the page shows {(red, green, blue)}, not row {row}, column {col}")


def load(page: Any, source: str) -> None:
    """Replaces the element by one with another `src`."""
    page.evaluate(
        f"""(src) => {{
            const next = {TRACKER}.cloneNode();
            next.src = src;
            {TRACKER}.replaceWith(next);
        }}""",
        source,
    )
    wait_loaded(page)


# Version 1.


def test_an_old_pack_plays_its_video(page: Any, record: Any, site: Any) -> None:
    page.add_init_script(COUNT_FRAMES + TRACK_BITMAPS + COUNT_DECODERS)
    write_old_pack(site.folder / "portrait")
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(0, 0), (3, 3), (2, 1), (0, 3), (1.5, 2), (1, 0.25)]:
        assert_shows(page, row, col)
    assert_asleep(page)
    page.evaluate("""() => {
        opened[0].decoder.close();
        opened[0].init.error(new DOMException("Codec reclaimed due to inactivity.", "QuotaExceededError"));
    }""")
    assert_shows(page, 3, 0)
    assert page.evaluate("opened.length") == 2
    assert [url.removeprefix(site.url) for url in record.requests if "portrait/" in url] == [f"portrait/{PACK}"]
    assert events(page, "error") == []
    assert len(events(page, "load")) == 1
    last = events(page, "progress")[-1]
    assert last["loaded"] == last["total"] > 100
    assert 0 < page.evaluate("bitmaps") <= SIZE**2
    page.evaluate(f"{TRACKER}.remove()")
    page.wait_for_function("bitmaps === 0")


@pytest.mark.parametrize("ranges", [True, False], ids=["by range", "whole"])
def test_stills_of_an_old_pack_are_fetched_by_range_or_whole(page: Any, record: Any, site: Any, ranges: bool) -> None:
    record.allowed.append("404")  # a newer one would have stills.pack beside it
    site.ranges = ranges
    site.headers["Cache-Control"] = "no-store"  # else the browser's own cache answers by range
    page.add_init_script(NO_VIDEO)
    answers: list[int] = []
    page.on("response", lambda it: PACK in it.url and answers.append(it.status))
    write_old_pack(site.folder / "portrait")
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 2, 1)
    assert answers == ([200, 206] if ranges else [200, 200])


def test_where_the_video_of_an_old_pack_fails_its_stills_are_shown(page: Any, site: Any) -> None:
    write_old_pack(site.folder / "portrait")
    write_old_pack(site.folder / "circles")
    data = bytearray((site.folder / "circles" / PACK).read_bytes())
    start = 12 + struct.unpack_from("<I", data, 8)[0]
    for cell in range(SIZE**2):
        struct.pack_into("<i", data, start + cell * 12 + 8, (cell + 1) % SIZE**2)
    (site.folder / "circles" / PACK).write_bytes(data)
    write_page(site.folder, MANUAL.replace("portrait/", "circles/"))
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 2, 1)
    for fault in (SILENT, BROKEN, UNABLE):
        page.evaluate(f"() => {{ {fault} }}")
        load(page, "portrait/")
        assert_shows(page, 2, 1)
    assert events(page, "error") == []


def test_an_old_pack_follows_before_the_rest_has_come(page: Any, site: Any) -> None:
    rng = np.random.default_rng(3)

    def noisy(cell: Any, width: int, height: int) -> np.ndarray:  # so that frames have bytes worth waiting for
        frame = np.full((height, width, 3), cell_colour(cell), np.uint8)
        frame[:8] = rng.integers(0, 256, (8, width, 3))
        return frame

    write_old_pack(site.folder / "portrait", noisy)
    size = (site.folder / "portrait" / PACK).stat().st_size
    gate = threading.Event()
    site.stalled[f"/portrait/{PACK}"] = (size // 3, gate)
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    assert_shows(page, 2, 2)
    assert not page.evaluate(f"{TRACKER}.loaded")
    look_at(page, 0, 3, SIZE)
    gate.set()
    wait_loaded(page)
    assert_shows(page, 0, 3)


def test_transparent_frames_of_an_old_pack_stay_transparent(page: Any, site: Any) -> None:
    def frame(cell: Any, width: int, height: int) -> np.ndarray:
        picture = np.zeros((height, width, 4), np.uint8)
        picture[:, : width // 2] = (*cell_colour(cell), 255)
        picture[: height // 2, : width // 2, 3] = 128
        return picture

    write_old_pack(site.folder / "portrait", frame, alpha=True)
    write_old_pack(site.folder / "stills", frame, ["stills"], alpha=True)
    write_page(site.folder, f'<body style="background: #00c800">{MANUAL}')
    page.goto(site.url)
    wait_loaded(page)
    green = np.array([0, 200, 0])
    for source in ("portrait/", "stills/"):
        load(page, source)
        for row, col in [(1, 2), (1.5, 2.5)]:
            look_at(page, row, col, SIZE)
            colour = np.array([row * 8 + 4, col * 8 + 4, 128])
            poll_colour_at(page, 40, 200, tuple(colour), tolerance=12)
            shown = pixels(page, clip={"x": 0, "y": 0, "width": 200, "height": 248}).astype(int)
            assert np.abs(shown[60, 40] - (colour * 128 + green * 127) / 255).max() <= 8
            assert (shown[:, 150:] == green).all()


# Version 2, as it is written.


def spoil(change: Callable[[bytes], bytes]) -> Callable[[Path], object]:
    return lambda pack: pack.write_bytes(change(pack.read_bytes()))


UNPLAYABLE: dict[str, Callable[[Path], object]] = {
    "missing": lambda pack: pack.unlink(),
    "empty": spoil(lambda data: b""),
    "another file": spoil(lambda data: b"RIFF" + data),
    "cut in the header": spoil(lambda data: data[:50]),
    "cut off": spoil(lambda data: data[: len(data) * 2 // 3]),
    "a later version": spoil(lambda data: data.replace(b'"version":2', b'"version":3')),
    "pictures of noise": spoil(lambda data: data[:-3000] + bytes(reversed(data[-3000:]))),
}


def test_where_a_pack_cannot_be_played_the_sheets_are(page: Any, record: Any, site: Any) -> None:
    record.allowed.append("404")
    write_page(site.folder, MANUAL)
    write_pack(site.folder / "portrait")
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 7, 2, 10)
    for name, change in UNPLAYABLE.items():
        folder = site.folder / name.replace(" ", "-")
        write_portrait(folder)
        write_pack(folder, codec=None)
        change(folder / PACK)
        load(page, f"{folder.name}/")
        assert events(page, "progress")[-1]["total"] == 4, name
        assert_shows(page, 7, 2, 10)
        assert events(page, "error") == [], name
        assert len([url for url in record.requests if f"{folder.name}/q3.webp" in url]) == 1
    page.evaluate(f"{TRACKER}.src = 'another-file/gaze.pack'")
    page.wait_for_function("events.some((event) => event.type === 'error')")
    assert "gaze.pack could not be played (it is no pack)" in events(page, "error")[0]["message"]


def test_the_next_portrait_takes_over_at_the_look_of_the_last(page: Any, site: Any) -> None:
    def bluer(cell: Any, width: int, height: int) -> np.ndarray:
        return np.full((height, width, 3), (*cell_colour(cell)[:2], 255), np.uint8)

    write_pack(site.folder / "portrait")
    write_pack(site.folder / "next", frame=bluer, codec=None)
    gate = threading.Event()
    size = (site.folder / "next" / PACK).stat().st_size
    site.stalled[f"/next/{PACK}"] = (size // 2, gate)
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    assert_shows(page, 0, 0, 10)
    page.evaluate(f"{TRACKER}.manifest = {{base: 'next/', pack: '{PACK}'}}")
    page.wait_for_function("events.at(-1).type === 'progress' && events.at(-1).loaded > 1000")
    assert_shows(page, 0, 0, 10)  # though the middle of the next one is there
    assert_shows(page, 9, 9, 10)
    gate.set()
    wait_loaded(page)
    here = box(page)
    poll_colour_at(page, here["left"] + 100, here["top"] + here["height"] / 2, (76, 76, 255), tolerance=12)


def test_looks_are_measured_from_the_face(page: Any, site: Any) -> None:
    write_pack(site.folder / "portrait")  # whose face is in the middle
    write_page(site.folder, '<gaze-tracker smoothing="0"></gaze-tracker>')
    page.goto(site.url)
    for face, expected in (("", (0.5, 0.5)), (", face: {x: 0.2, y: 0.1}", (0.2, 0.1))):
        page.evaluate(f'{TRACKER}.manifest = {{base: "portrait/", pack: "gaze.pack"{face}}}')
        wait_loaded(page)
        page.mouse.move(10, 10)
        page.mouse.move(300, 300)
        wait_cell(page, *to_cell(expected_look(page, 300, 300, face=expected), 10))


def test_colours_are_the_sources(page: Any, site: Any, photo: Path) -> None:
    """A stream whose colours are not tagged, or read by another matrix, would shift by 3 to 4 levels."""
    picture = np.asarray(Image.open(photo).convert("RGB").resize((200, 200)))
    write_pack(site.folder / "portrait", 2, lambda *_: picture, imageWidth=200, imageHeight=200)
    write_page(site.folder, MANUAL)
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 0, 0, 2)
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
    shown = pixels(page, clip={"x": 0, "y": 0, "width": 200, "height": 200}).astype(int)
    assert np.abs((shown - picture).mean(axis=(0, 1))).max() <= 1
    assert np.abs(shown - picture).mean() < 8
