"""The widget in a real browser: which cell it shows for a pointer position, read back from the pixels on the screen."""

from __future__ import annotations

import json
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.grid import Cell
from tests.browser.driving import (
    COUNT_FRAMES,
    INSTANT,
    SHEETS,
    TRACK_BITMAPS,
    TRACKER,
    address,
    assert_asleep,
    box,
    centre_colour,
    events,
    expected_look,
    look_at,
    poll_colour,
    to_cell,
    touch,
    wait_cell,
    wait_loaded,
)
from tests.browser.portraits import WIDGET, colour_at, pixels, sheet, write_page, write_portrait
from tests.fakes import cell_colour, cell_of

# Where the face looks.


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_pointer_position_gives_cell(page: Any, site: Any, scheme: str) -> None:
    manifest = json.dumps({**write_portrait(site.folder / "portrait", size=10), "base": "./portrait/"})
    # A face that is far from the middle of the page still reaches the whole range.
    write_page(
        site.folder,
        '<gaze-tracker blend="none" smoothing="0" style="margin: 40px 0 0 70px"></gaze-tracker>'
        f"<script>{TRACKER}.manifest = {manifest}</script>",
    )
    page.goto(address(site, scheme))
    wait_loaded(page)
    for width, height in [(1280, 800), (600, 1100), (1600, 480)]:
        page.set_viewport_size({"width": width, "height": height})
        corners = [(0, 0), (width - 1, 0), (width - 1, height - 1), (0, height - 1)]
        for x, y in [*corners, (width / 3, height / 4), (190, 150)]:
            page.mouse.move(x, y)
            row, col = to_cell(expected_look(page, x, y), 10)
            wait_cell(page, row, col)
            assert cell_of(centre_colour(page)) == Cell(round(row), round(col)), (width, height, x, y)


def test_edges_of_the_viewport_are_the_ends_of_the_range(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)
    assert centre_colour(page) == cell_colour(Cell(0, 0))
    page.evaluate(f"{TRACKER}.lookAt(1e6, 1e6)")
    wait_cell(page, 9, 9)
    assert centre_colour(page) == cell_colour(Cell(9, 9))


def test_face_point_of_the_manifest(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait", face={"x": 0.4, "y": 0.2})
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(80, 50)  # 0.4 · 200, 0.2 · 250
    page.mouse.move(300, 300)
    row, col = to_cell(expected_look(page, 300, 300, face=(0.4, 0.2)), 10)
    wait_cell(page, row, col)


def test_face_off_screen_looks_towards_the_pointer(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<div style="height: 3000px; padding-top: 700px">{INSTANT}</div>')
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(900, 300)  # the face's middle is below the viewport, its top edge is visible
    row, col = to_cell(expected_look(page, 900, 300), 10)
    wait_cell(page, row, col)
    assert 0 <= row < 4.5 < col <= 9


def test_scrolling_turns_the_face_to_a_resting_pointer(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<div style="height: 3000px; padding-top: 300px">{INSTANT}</div>')
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(640, 400)
    wait_cell(page, *to_cell(expected_look(page, 640, 400), 10))
    before = page.evaluate(f"{TRACKER}.row")
    page.mouse.wheel(0, 200)
    page.wait_for_function("scrollY === 200")
    row, col = to_cell(expected_look(page, 640, 400), 10)
    wait_cell(page, row, col)
    assert row > before + 0.5


def test_pointer_that_leaves_lets_the_face_drift_back(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1200, 700)
    page.wait_for_function(f"{TRACKER}.col > 8")
    page.evaluate("document.documentElement.dispatchEvent(new PointerEvent('pointerout', {bubbles: true}))")
    wait_cell(page, 4.5, 4.5)


def test_follow_none_and_programs(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>'
        '<p id="there" style="position: absolute; left: 800px; top: 600px; width: 40px; height: 20px; margin: 0"></p>',
    )
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1279, 799)
    page.evaluate(f"{TRACKER}.lookAt(0, 0)")
    wait_cell(page, 0, 0)
    page.mouse.move(640, 400)
    page.evaluate(f"{TRACKER}.lookAtElement(there)")
    wait_cell(page, *to_cell(expected_look(page, 820, 610), 10))
    page.evaluate(f"{TRACKER}.reset()")
    wait_cell(page, 4.5, 4.5)


def test_keyboard(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.keyboard.press("Tab")
    assert page.evaluate(f"document.activeElement === {TRACKER}")
    for _ in range(7):
        page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowUp")
    wait_cell(page, 0.4 * 9, 9)
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("ArrowDown")
    wait_cell(page, 4.5, 0.9 * 9)
    assert page.evaluate("scrollY") == 0
    page.keyboard.press("Home")
    wait_cell(page, 4.5, 4.5)
    page.keyboard.press("ArrowDown")
    wait_cell(page, 0.6 * 9, 4.5)
    page.keyboard.press("Escape")
    wait_cell(page, 4.5, 4.5)


def test_one_finger_leads_the_gaze_and_lifting_it_lets_go(open_page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT + "<div style='height: 3000px'></div>")
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate(f"getComputedStyle({TRACKER}).touchAction") == "pan-y"
    finger = touch(page)
    finger("touchStart", (100, 125))
    finger("touchMove", (180, 130))
    wait_cell(page, *to_cell(expected_look(page, 180, 130), 10))
    finger("touchMove", (20, 130))
    wait_cell(page, *to_cell(expected_look(page, 20, 130), 10))
    finger("touchEnd")
    wait_cell(page, 4.5, 4.5)


def test_the_page_scrolls_under_a_finger_and_the_face_goes_on_following(open_page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT + "<div style='height: 3000px'></div>")
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    finger = touch(page)
    finger("touchStart", (150, 240))
    for y in range(230, 90, -10):
        finger("touchMove", (150, y))
    page.wait_for_function("scrollY > 50")
    for _ in range(300):  # the page may scroll on a little: the face moves under the finger meanwhile
        expected = to_cell(expected_look(page, 150, 100), 10)
        shown = page.evaluate(f"[{TRACKER}.row, {TRACKER}.col]")
        if shown == pytest.approx(expected, abs=0.01):
            break
        page.wait_for_timeout(25)
    assert shown == pytest.approx(expected, abs=0.01)


# What is drawn.


def test_whole_cell_shows_exactly_that_frame(page: Any, site: Any) -> None:
    """Frames of the element's own size come out pixel by pixel, unscaled and unmixed."""
    rng = np.random.default_rng(5)
    noise = {(row, col): rng.integers(0, 256, (50, 40, 3), dtype=np.uint8) for row in range(4) for col in range(4)}
    write_portrait(
        site.folder / "portrait",
        size=4,
        frame=lambda cell, w, h: noise[cell.row, cell.col],
        imageWidth=40,
        imageHeight=50,
    )
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>',
        width=40,
    )
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(0, 0), (1, 2), (3, 3), (2, 1)]:
        look_at(page, row, col, size=4)
        shown = pixels(page, clip={"x": 0, "y": 0, "width": 40, "height": 50})
        assert np.array_equal(shown, noise[row, col])


def test_between_cells_colours_are_the_exact_mean(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(3.5, 6.0), (2.0, 7.25), (4.25, 4.75), (8.5, 8.5), (0.1, 0.9)]:
        look_at(page, row, col)
        # cell_colour is linear in row and column, so the bilinear mean is the formula at the fractional cell.
        assert centre_colour(page) == pytest.approx((row * 8 + 4, col * 8 + 4, 128), abs=1)


def test_blend_none_shows_the_nearest_cell(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} smoothing="0" blend="none" follow="none"></gaze-tracker>',
    )
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 3.4, 6.6)
    assert centre_colour(page) == cell_colour(Cell(3, 7))


def test_transparent_frames_stay_transparent(page: Any, site: Any) -> None:
    """Half-covered pixels blend with the page's background exactly as one picture would."""

    def frame(cell: Cell, width: int, height: int) -> np.ndarray:
        picture = np.zeros((height, width, 4), np.uint8)
        picture[:, : width // 2] = (*cell_colour(cell), 255)
        picture[: height // 2, : width // 2, 3] = 128
        return picture

    write_portrait(site.folder / "portrait", frame=frame, hasAlpha=True)
    write_page(
        site.folder,
        '<body style="background: #00c800">'
        f'<gaze-tracker {SHEETS} smoothing="0" follow="none" hide-controls></gaze-tracker>',
    )
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(3, 6), (3.5, 6.5)]:
        look_at(page, row, col)
        colour = np.array([row * 8 + 4, col * 8 + 4, 128])
        green = np.array([0, 200, 0])
        shown = pixels(page, clip={"x": 0, "y": 0, "width": 200, "height": 250}).astype(int)
        assert np.abs(shown[60, 50] - (colour * 128 + green * 127) / 255).max() <= 1
        assert np.abs(shown[190, 50] - colour).max() <= 1
        assert (shown[:, 110:] == green).all()


def test_opaque_blend_is_opaque(page: Any, site: Any) -> None:
    """The shares of a blend add up to the whole: a white face on black never dims or flickers."""
    write_portrait(site.folder / "portrait", frame=lambda cell, w, h: np.full((h, w, 3), 255, np.uint8))
    write_page(
        site.folder,
        f'<body style="background: black"><gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>',
    )
    page.goto(site.url)
    wait_loaded(page)
    for row, col in [(1.37, 2.61), (5.01, 5.99), (7.5, 0.333)]:
        look_at(page, row, col)
        assert centre_colour(page) == (255, 255, 255)


def striped(cell: Cell, width: int, height: int) -> np.ndarray:
    """A frame with a red left quarter, a blue right quarter, and grey between them."""
    picture = np.full((height, width, 3), 128, np.uint8)
    picture[:, : width // 4] = (255, 0, 0)
    picture[:, -(width // 4) :] = (0, 0, 255)
    return picture


def test_fit(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait", frame=striped)
    write_page(site.folder, f'<gaze-tracker {SHEETS} style="height: 500px"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    # cover: the frame is drawn 400 wide, so the box shows its middle half.
    assert [colour_at(page, x, 250) for x in (20, 180)] == [(128, 128, 128)] * 2
    page.evaluate(f"{TRACKER}.fit = 'contain'")
    assert [colour_at(page, x, 250) for x in (20, 180)] == [(255, 0, 0), (0, 0, 255)]
    assert colour_at(page, 100, 100) == (255, 255, 255)  # above the picture, the page


def test_sharp_on_a_dense_screen(open_page: Any, site: Any) -> None:
    rng = np.random.default_rng(6)
    noise = rng.integers(0, 256, (50, 40, 3), dtype=np.uint8)
    write_portrait(site.folder / "portrait", size=2, frame=lambda *_: noise, imageWidth=40, imageHeight=50)
    write_page(site.folder, f"<gaze-tracker {SHEETS}></gaze-tracker>", width=20)
    page = open_page(viewport={"width": 400, "height": 400}, device_scale_factor=2)
    page.goto(site.url)
    wait_loaded(page)
    shown = pixels(page, clip={"x": 0, "y": 0, "width": 20, "height": 25})
    assert np.abs(shown.astype(int) - noise).max() <= 1


# Motion and rest.


def test_settles_and_sleeps(page: Any, site: Any) -> None:
    page.add_init_script(COUNT_FRAMES)
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="600"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1279, 799)
    row, col = to_cell(expected_look(page, 1279, 799), 10)
    page.wait_for_function(f"(col) => {TRACKER}.col === col", arg=col)
    assert page.evaluate(f"{TRACKER}.row") == pytest.approx(row, abs=1e-9)
    steps = events(page, "gazechange")
    assert len(steps) > 2
    columns = [step["col"] for step in steps]
    assert columns == sorted(columns)  # no overshoot
    assert steps[-1] == {
        "type": "gazechange",
        "row": row,
        "col": col,
        "x": pytest.approx(1, abs=0.01),
        "y": steps[-1]["y"],
    }
    assert_asleep(page)


def test_off_screen_no_frame_is_asked_for(page: Any, site: Any) -> None:
    page.add_init_script(COUNT_FRAMES)
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'{INSTANT}<div style="height: 5000px"></div>')
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate("scrollTo(0, 4000)")
    page.wait_for_function(f"{TRACKER}.getBoundingClientRect().bottom < 0")
    assert_asleep(page)  # by then the observer has spoken
    before = page.evaluate("frames_asked")
    for x in (100, 500, 1000):
        page.mouse.move(x, 300)
    assert_asleep(page)
    assert page.evaluate("frames_asked") == before
    page.evaluate("scrollTo(0, 0)")
    wait_cell(page, *to_cell(expected_look(page, 1000, 300), 10))


def test_hidden_tab_no_frame_is_asked_for(page: Any, site: Any) -> None:
    page.add_init_script(COUNT_FRAMES)
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    hide = """(hidden) => {
        Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
        document.dispatchEvent(new Event("visibilitychange"));
    }"""
    page.evaluate(hide, True)
    before = page.evaluate("frames_asked")
    for x in (100, 500, 1000):
        page.mouse.move(x, 300)
    assert page.evaluate("frames_asked") == before
    page.evaluate(hide, False)
    wait_cell(page, *to_cell(expected_look(page, 1000, 300), 10))


# Sources.


FOUR = "portrait/q0.webp,portrait/q1.webp,portrait/q2.webp,portrait/q3.webp"
NAMED = (
    'src="portrait/"',
    'src="portrait"',
    f'src="{FOUR.replace(",", ", ")}" mode="quadrants" grid="10"',
    f'src="{FOUR}" width="20" height="25"',
    f'src="{FOUR}" grid="30" width="20" height="25"',
    f'src="{FOUR}" grid="10" width="200" height="250"',
    'src="portrait/one.webp" mode="single" grid="10"',
    'src="portrait/one.webp" grid="10" width="20" height="25"',
)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_attributes_name_the_sheets(page: Any, site: Any, record: Any, scheme: str) -> None:
    """From file:// a folder's metadata.json cannot be read, so the page has to say how large the grid is."""
    record.allowed.append("404")  # a folder might have a pack, which is asked for first
    write_portrait(site.folder / "portrait")
    sheet([Cell(i // 10, i % 10) for i in range(100)], 10).save(site.folder / "portrait" / "one.webp", lossless=True)
    write_page(site.folder, "<main></main>")
    page.goto(address(site, scheme))
    for attributes in NAMED:
        if scheme == "file" and attributes.endswith(('portrait/"', 'portrait"')):
            attributes += ' grid="10"'
        tracker = f'<gaze-tracker {attributes} smoothing="0" follow="none"></gaze-tracker>'
        page.evaluate("(tracker) => (document.querySelector('main').innerHTML = tracker)", tracker)
        wait_loaded(page)
        for row, col in [(0, 9), (7, 2), (9, 9), (4, 5)]:
            look_at(page, row, col)
            assert centre_colour(page) == cell_colour(Cell(row, col)), attributes
        assert box(page)["height"] == 250, attributes


def test_grid_is_inferred_from_sheets_of_the_usual_size(page: Any, site: Any) -> None:
    """400×500 frames, 4×4 in all: nothing is declared, the sheets' size tells."""
    write_portrait(
        site.folder / "portrait", size=4, frame=lambda c, w, h: np.full((500, 400, 3), cell_colour(c), np.uint8)
    )
    names = ",".join(f"portrait/q{i}.webp" for i in range(4))
    write_page(site.folder, f'<gaze-tracker src="{names}" smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 3, 1, size=4)
    assert centre_colour(page) == cell_colour(Cell(3, 1))


def test_folder_without_metadata(page: Any, site: Any, record: Any) -> None:
    record.allowed.append("404")
    write_portrait(site.folder / "portrait")
    (site.folder / "portrait" / "metadata.json").unlink()
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} grid="10" smoothing="0" follow="none"></gaze-tracker>',
    )
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 2, 8)
    assert centre_colour(page) == cell_colour(Cell(2, 8))


def test_manifest_with_named_sheets_single_mode_and_absolute_base(page: Any, site: Any) -> None:
    folder = site.folder / "elsewhere" / "deep"
    metadata = write_portrait(folder, sheets=["all.webp"], mode="single")
    sheet([Cell(i // 10, i % 10) for i in range(100)], 10).save(folder / "all.webp", lossless=True)
    write_page(site.folder, '<gaze-tracker smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    page.evaluate(f"(m) => {TRACKER}.manifest = m", {**metadata, "base": site.url + "elsewhere/deep/"})
    wait_loaded(page)
    look_at(page, 6, 3)
    assert centre_colour(page) == cell_colour(Cell(6, 3))


@pytest.mark.parametrize("reason", ["phone", "save-data", "memory"])
def test_small_set_is_taken(open_page: Any, site: Any, record: Any, reason: str) -> None:
    write_portrait(site.folder / "portrait", size=6, mobile=4)
    if reason == "memory":  # 6×6 frames that claim to be 4000×5000 would take 2.7 GB
        write_portrait(site.folder / "portrait", size=6, mobile=4, imageWidth=4000, imageHeight=5000)
    write_page(
        site.folder,
        f'<gaze-tracker {SHEETS} smoothing="0"></gaze-tracker>',
        width=5000 if reason == "memory" else 200,
    )
    if reason == "phone":
        page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    else:
        page = open_page()
    if reason == "save-data":
        page.add_init_script("Object.defineProperty(navigator, 'connection', {value: {saveData: true}})")
    page.goto(site.url)
    wait_loaded(page)
    names = [url.rsplit("/", 1)[1] for url in record.requests if url.endswith(".webp")]
    assert sorted(names) == [f"q{i}_4.webp" for i in range(4)]
    assert page.evaluate(f"{TRACKER}.col") == 1.5


def test_desktop_takes_the_full_set_centre_first(page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait", size=6, mobile=4)
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    assert [url.rsplit("/", 1)[1] for url in record.requests if url.endswith(".webp")] == [
        f"q{i}.webp" for i in (3, 2, 1, 0)
    ]


def test_small_set_that_is_missing_is_replaced_by_the_full_one(open_page: Any, site: Any, record: Any) -> None:
    record.allowed.append("404")
    write_portrait(site.folder / "portrait", size=6, mobileGridSize=20)
    write_page(site.folder, INSTANT)
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate(f"{TRACKER}.col") == 2.5
    assert events(page, "error") == []


# Loading.


def test_poster_first_then_the_sheets_that_have_arrived(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait", poster="poster.webp")
    sheet([Cell(30, 0)], 1).save(site.folder / "portrait" / "poster.webp", lossless=True)
    gates = {name: threading.Event() for name in ("/portrait/q3.webp", "/portrait/q2.webp")}
    site.held.update(gates)
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    page.evaluate(f"{TRACKER}.lookAt(0, 0)")
    page.wait_for_function(f"{TRACKER}.clientHeight === 250")
    poll_colour(page, cell_colour(Cell(30, 0)))
    gates["/portrait/q3.webp"].set()
    poll_colour(page, cell_colour(Cell(5, 5)))  # the nearest that is there to row 0, column 0
    assert not page.evaluate(f"{TRACKER}.loaded")
    gates["/portrait/q2.webp"].set()
    wait_loaded(page)
    poll_colour(page, cell_colour(Cell(0, 0)))
    assert [(e["loaded"], e["total"]) for e in events(page, "progress")] == [(i, 4) for i in range(5)]
    assert len(events(page, "load")) == 1


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_missing_sheet_is_an_error_that_names_it(page: Any, site: Any, record: Any, scheme: str) -> None:
    record.allowed += ["404", "ERR_FILE_NOT_FOUND"]
    metadata = write_portrait(site.folder / "portrait")
    (site.folder / "portrait" / "q1.webp").unlink()
    write_page(site.folder, '<gaze-tracker smoothing="0" follow="none"></gaze-tracker>')
    page.goto(address(site, scheme))
    page.evaluate(f"(m) => {TRACKER}.manifest = m", {**metadata, "base": "portrait/"})
    page.wait_for_function("events.filter((e) => e.type === 'progress').at(-1)?.loaded === 3")
    [error] = events(page, "error")
    assert error["url"].endswith("portrait/q1.webp")
    assert error["url"] in error["message"]
    assert "Check" in error["message"]
    assert not page.evaluate(f"{TRACKER}.loaded")
    assert events(page, "load") == []
    look_at(page, 7, 2)
    assert centre_colour(page) == cell_colour(Cell(7, 2))  # the rest works


@pytest.mark.parametrize(
    ("content", "hint"),
    [(b"<html>not here</html>", "decode"), (None, "do not divide")],
    ids=["a page instead of a picture", "a picture that does not divide"],
)
def test_sheet_that_cannot_be_used(page: Any, site: Any, content: bytes | None, hint: str) -> None:
    write_portrait(site.folder / "portrait")
    target = site.folder / "portrait" / "q3.webp"
    if content is None:
        sheet([Cell(0, 0)], 1, size=(101, 103)).save(target, lossless=True)
    else:
        target.write_bytes(content)
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    page.wait_for_function("events.some((e) => e.type === 'error')")
    [error] = events(page, "error")
    assert "q3.webp" in error["message"]
    assert hint in error["message"]


def test_old_picture_stays_until_the_new_one_can_be_drawn(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    new = write_portrait(site.folder / "new", size=6, frame=lambda c, w, h: np.full((h, w, 3), (9, 9, 200), np.uint8))
    gate = site.held["/new/q3.webp"] = threading.Event()
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    look_at(page, 2, 3)
    with page.expect_request("**/new/q3.webp"):
        page.evaluate(f"(m) => {TRACKER}.manifest = m", {**new, "base": "new/"})
    assert not page.evaluate(f"{TRACKER}.loaded")
    assert centre_colour(page) == cell_colour(Cell(2, 3))
    look_at(page, 7, 8)
    assert centre_colour(page) == cell_colour(Cell(7, 8))  # it even follows
    height = box(page)["height"]
    gate.set()
    wait_loaded(page)
    poll_colour(page, (9, 9, 200))
    assert box(page)["height"] == height
    assert page.evaluate(f"{TRACKER}.col") == pytest.approx(8 / 9 * 5)  # the look is kept, in the new grid


def test_same_manifest_again_loads_nothing(page: Any, site: Any, record: Any) -> None:
    metadata = write_portrait(site.folder / "portrait")
    write_page(site.folder)
    page.goto(site.url)
    for _ in range(3):
        page.evaluate(f"(m) => {TRACKER}.manifest = m", {**metadata, "base": "portrait/"})
        wait_loaded(page)
    assert len([url for url in record.requests if url.endswith(".webp")]) == 4


def test_manifest_set_before_the_script(page: Any, site: Any) -> None:
    metadata = write_portrait(site.folder / "portrait")
    write_page(site.folder)
    text = (site.folder / "index.html").read_text()
    script = '<script src="gaze-tracker.js"></script>'
    early = f"<script>{TRACKER}.manifest = {json.dumps({**metadata, 'base': 'portrait/'})}</script>"
    (site.folder / "index.html").write_text(text.replace(script, "") + early + script)
    page.goto(site.url)
    wait_loaded(page)


def test_source_changed_twenty_times(page: Any, site: Any) -> None:
    page.add_init_script(TRACK_BITMAPS)
    for i in range(4):
        write_portrait(site.folder / f"p{i}", size=4 + 2 * i)
    write_page(site.folder, '<gaze-tracker src="p0/" mode="quadrants" smoothing="0" follow="none"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(
        f"""async () => {{
            for (let i = 1; i <= 20; i++) {{
                {TRACKER}.src = `p${{i % 4}}/`;
                await new Promise((resolve) => setTimeout(resolve, i % 5 * 8)); // in all stages of loading
            }}
            {TRACKER}.src = "p3/";
        }}"""
    )
    wait_loaded(page)
    page.wait_for_function("bitmaps === 100")
    look_at(page, 1, 8)
    assert centre_colour(page) == cell_colour(Cell(1, 8))
    assert page.evaluate(f"{TRACKER}.shadowRoot.querySelectorAll('canvas').length") == 1
    assert events(page, "error") == []


@pytest.mark.parametrize("stage", ["metadata.json", "q3.webp", "q1.webp"])
def test_removed_while_it_loads(page: Any, site: Any, stage: str) -> None:
    page.add_init_script(TRACK_BITMAPS)
    write_portrait(site.folder / "portrait")
    gate = site.held[f"/portrait/{stage}"] = threading.Event()
    write_page(site.folder, INSTANT)
    with page.expect_request(f"**/{stage}"):
        page.goto(site.url)
    page.evaluate(f"window.tracker = {TRACKER}; tracker.remove()")
    gate.set()
    page.wait_for_function("bitmaps === 0")
    page.evaluate("document.body.append(tracker)")
    wait_loaded(page)
    page.wait_for_function("bitmaps === 100")
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)
    assert centre_colour(page) == cell_colour(Cell(0, 0))


def test_moved_in_the_page_it_does_not_load_again(page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT + "<main></main>")
    page.goto(site.url)
    wait_loaded(page)
    count = len(record.requests)
    page.evaluate(f"document.querySelector('main').append({TRACKER})")
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)
    assert len(record.requests) == count


def test_script_included_twice(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT, head='<script src="gaze-tracker.js"></script>')
    page.goto(site.url)
    wait_loaded(page)


def test_script_is_safe_to_inline_and_without_a_window(tmp_path: Path, page: Any) -> None:
    source = WIDGET.read_text()
    assert "</script" not in source
    # A worker has no window: the script must do nothing there.
    page.goto("about:blank")
    assert (
        page.evaluate(
            """(source) => new Promise((resolve, reject) => {
            const worker = new Worker(URL.createObjectURL(new Blob([source + "; postMessage('ran')"])));
            worker.onmessage = (event) => resolve(event.data);
            worker.onerror = (event) => reject(event.message);
        })""",
            source,
        )
        == "ran"
    )


def test_only_the_portraits_own_files_are_asked_for(page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait", poster="poster.webp")
    sheet([Cell(4, 4)], 1).save(site.folder / "portrait" / "poster.webp", lossless=True)
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    names = sorted(url.removeprefix(site.url) for url in record.requests)
    portrait = [f"portrait/{name}" for name in ("metadata.json", "poster.webp", *(f"q{i}.webp" for i in range(4)))]
    assert names == ["", "gaze-tracker-more.js", "gaze-tracker.js", *portrait]
