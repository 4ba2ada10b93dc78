"""How the widget behaves as a guest: access, motion, tilt, policies, crowds, and what it leaves behind."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from gaze.grid import Cell
from tests.browser.driving import (
    COUNT_FRAMES,
    INSTANT,
    SHEETS,
    TRACK_BITMAPS,
    TRACKER,
    assert_asleep,
    box,
    centre_colour,
    events,
    expected_look,
    poll_colour,
    to_cell,
    wait_cell,
    wait_loaded,
)
from tests.browser.npm import require
from tests.browser.portraits import colour_at, sheet, write_page, write_portrait
from tests.fakes import cell_colour, cell_frame

PART = TRACKER + ".shadowRoot.querySelector('[part~=%s]')"


def part(name: str) -> str:
    return PART % name


# For those who do not see it, or use no pointer.


def test_role_label_and_focus_ring(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} alt="Ada, smiling" hide-controls></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    assert page.get_by_role("img", name="Ada, smiling").count() == 1
    ring = f"getComputedStyle({part('stage')}).outlineStyle"
    assert page.evaluate(ring) == "none"
    page.keyboard.press("Tab")
    assert page.evaluate(ring) == "solid"
    page.evaluate(f"{TRACKER}.alt = ''")
    assert page.get_by_role("img").count() == 0
    assert page.evaluate(f"{part('stage')}.getAttribute('aria-hidden')") == "true"


def test_axe_finds_no_fault(open_page: Any, site: Any) -> None:
    axe = require("axe-core") / "axe.min.js"
    write_portrait(site.folder / "portrait")
    write_page(
        site.folder,
        f'<main><h1>Ada</h1><gaze-tracker {SHEETS} alt="Ada, smiling"></gaze-tracker></main>',
    )
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)  # with all buttons
    page.goto(site.url)
    wait_loaded(page)
    page.add_script_tag(path=axe)
    faults = page.evaluate("axe.run().then(({violations}) => violations.map(({id, help}) => `${id}: ${help}`))")
    assert faults == []


def test_loading_is_announced_once(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    gate = site.held["/portrait/q3.webp"] = threading.Event()
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    status = page.get_by_role("status")
    page.wait_for_function(f"{part('status')}.textContent !== ''")
    assert status.inner_text() == "Loading the portrait"
    gate.set()
    wait_loaded(page)
    assert status.inner_text() == ""


def test_reduced_motion_holds_still_unless_asked(open_page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f"<gaze-tracker {SHEETS} idle></gaze-tracker>")
    page = open_page(reduced_motion="reduce")
    page.add_init_script(COUNT_FRAMES)
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1200, 700)
    assert_asleep(page)
    assert page.evaluate(f"{TRACKER}.col") == 4.5
    page.evaluate(f"{TRACKER}.lookAt(0, 0)")
    wait_cell(page, 0, 0)
    assert len(events(page, "gazechange")) == 1  # at once, without gliding
    page.evaluate(f"{TRACKER}.motion = 'always'")
    page.mouse.move(1279, 799)
    page.wait_for_function(f"{TRACKER}.col > 8.9")
    assert len(events(page, "gazechange")) > 3


def test_reduced_motion_may_change(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1279, 799)
    page.wait_for_function(f"{TRACKER}.col > 8.9")
    page.emulate_media(reduced_motion="reduce")
    wait_cell(page, 4.5, 4.5)


# Buttons, full screen, tilt.


def test_controls_are_named_and_can_be_hidden(open_page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    names = ["Follow the tilt of the phone", "Full screen"]
    assert [page.get_by_role("button", name=name).is_visible() for name in names] == [True, True]
    page.evaluate(f"{TRACKER}.hideControls = true")
    assert [page.get_by_role("button", name=name).count() for name in names] == [0, 0]


def test_no_tilt_button_without_a_phone(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    assert page.get_by_role("button", name="Follow the tilt").count() == 0


def test_full_screen_shows_the_whole_picture_sharply(page: Any, site: Any, record: Any) -> None:
    """Frames cut for a small picture are cut anew, in the size that the large one shows."""
    page.add_init_script(TRACK_BITMAPS)
    write_portrait(
        site.folder / "portrait", size=4, imageWidth=40, imageHeight=50, frame=lambda c, w, h: cell_frame(c, 40, 50)
    )
    write_page(site.folder, INSTANT, width=20)
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate("bitmapBytes") == 16 * 20 * 25 * 4
    page.evaluate(f"{TRACKER}.requestFullscreen()")  # so small, it has no buttons
    page.wait_for_function(f"document.fullscreenElement === {TRACKER} && {TRACKER}.clientWidth === innerWidth")
    page.wait_for_function("bitmapBytes === 16 * 40 * 50 * 4 && bitmaps === 16")
    assert page.evaluate(f"{part('canvas')}.width") == 40
    canvas = page.evaluate(f"{part('canvas')}.getBoundingClientRect().toJSON()")
    assert (canvas["top"], canvas["height"]) == (0, page.viewport_size["height"])  # contained, not cropped
    assert colour_at(page, 5, 400) == (0, 0, 0)
    assert len(events(page, "load")) == 1
    page.evaluate("document.exitFullscreen()")
    page.wait_for_function(f"{TRACKER}.clientWidth === 20")


def tilt(page: Any, beta: float, gamma: float) -> None:
    page.evaluate(
        "([beta, gamma]) => dispatchEvent(new DeviceOrientationEvent('deviceorientation', {alpha: 0, beta, gamma}))",
        [beta, gamma],
    )


def turn_screen(page: Any, angle: int) -> None:
    page.evaluate(
        "(angle) => Object.defineProperty(screen.orientation, 'angle', {get: () => angle, configurable: true})", angle
    )


@pytest.fixture
def phone(open_page: Any, site: Any) -> Any:
    """A page on a phone whose portrait follows the tilt, held at 40 degrees."""
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    return page


def start_tilt(page: Any) -> None:
    button = page.get_by_role("button", name="Follow the tilt")
    button.tap()
    # A tap becomes a click only after the gesture is told from others.
    page.wait_for_function("button => button.getAttribute('aria-pressed') === 'true'", arg=button.element_handle())


def test_tilt(phone: Any) -> None:
    tilt(phone, 40, 30)
    assert_centre(phone)  # not asked for yet
    start_tilt(phone)
    tilt(phone, 40, 0)
    wait_cell(phone, 4.5, 4.5)
    tilt(phone, 40, 40)  # right edge down, far: looks right, the end of the range
    phone.wait_for_function(f"{TRACKER}.col === 9")
    tilt(phone, 50, 0)  # top edge up by 10 of 20 degrees: looks half way down
    wait_cell(phone, 0.75 * 9, 4.5)
    tilt(phone, 20, 0)
    wait_cell(phone, 0, 4.5)
    phone.get_by_role("button", name="Follow the tilt").tap()
    wait_cell(phone, 4.5, 4.5)
    tilt(phone, 40, 40)
    assert_centre(phone)


def assert_centre(page: Any) -> None:
    page.evaluate("new Promise(requestAnimationFrame)")
    assert page.evaluate(f"[{TRACKER}.row, {TRACKER}.col]") == [4.5, 4.5]


def test_tilt_in_landscape(phone: Any) -> None:
    """A phone turned to the left and held upright: its own beta now tells left from right, its gamma up from down."""
    start_tilt(phone)
    tilt(phone, 40, 0)
    turn_screen(phone, 90)
    tilt(phone, 0, -60)  # a new start: how it is held now
    wait_cell(phone, 4.5, 4.5)
    tilt(phone, 10, -60)
    phone.wait_for_function(f"{TRACKER}.col > 5")
    tilt(phone, 0, -70)  # more upright
    phone.wait_for_function(f"{TRACKER}.row > 6.7 && Math.abs({TRACKER}.col - 4.5) < 0.01")
    tilt(phone, 180, 80)  # past upright, where gamma jumps from -90 to 90
    wait_cell(phone, 9, 4.5)


def test_tilt_asks_for_permission_on_ios(phone: Any) -> None:
    phone.evaluate("DeviceOrientationEvent.requestPermission = () => Promise.resolve(window.answer)")
    phone.evaluate("window.answer = 'denied'")
    phone.get_by_role("button", name="Follow the tilt").tap()
    phone.wait_for_function("events.some((e) => e.type === 'error')")
    assert "motion access" in events(phone, "error")[0]["message"]
    phone.evaluate("new Promise(requestAnimationFrame)")
    wait_cell(phone, 4.5, 4.5)  # after a tap it looks there for a moment, from the next frame on
    tilt(phone, 40, 0)
    tilt(phone, 40, 40)
    assert_centre(phone)
    phone.evaluate("window.answer = 'granted'")
    start_tilt(phone)
    tilt(phone, 40, 0)
    tilt(phone, 40, 40)
    phone.wait_for_function(f"{TRACKER}.col === 9")


# Life of its own.


def test_idle_glances_and_stops_when_somebody_comes(page: Any, site: Any) -> None:
    page.clock.install()
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="0" idle></gaze-tracker>')
    page.goto(site.url)
    page.clock.run_for(2000)
    wait_loaded(page)
    page.evaluate("Math.random = () => 0.5 + 0.09 * Math.sin(performance.now())")
    assert page.evaluate(f"{TRACKER}.col") == 4.5
    page.clock.run_for(12_000)
    looks = [(e["x"], e["y"]) for e in events(page, "gazechange")]
    assert looks
    assert all(abs(x) <= 0.5 and abs(y) <= 0.25 for x, y in looks)
    page.mouse.move(1000, 300)
    page.clock.run_for(100)
    wait_cell(page, *to_cell(expected_look(page, 1000, 300), 10))


def test_blend_motion_comes_to_rest_on_a_whole_frame(page: Any, site: Any) -> None:
    page.add_init_script(COUNT_FRAMES)
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} smoothing="80" blend="motion"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(1000, 300)
    row, col = to_cell(expected_look(page, 1000, 300), 10)
    page.wait_for_function(
        f"([row, col]) => Math.hypot({TRACKER}.row - row, {TRACKER}.col - col) < 1e-9", arg=[round(row), round(col)]
    )
    assert_asleep(page)
    assert centre_colour(page) == cell_colour(Cell(round(row), round(col)))
    assert any(event["col"] % 1 > 0.01 for event in events(page, "gazechange"))


# Where it is a guest.


def test_strict_policy(page: Any, site: Any) -> None:
    """No inline style, no inline script, no eval, no markup from strings; everything from this server."""
    site.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    text = (site.folder / "index.html").read_text()
    start, end = text.index("<style>"), text.index('<script src="')
    (site.folder / "index.html").write_text(text[:start] + text[end:])
    page.goto(site.url)
    page.mouse.move(0, 1)  # (waiting with wait_for_function would need eval)
    poll_colour(page, cell_colour(Cell(0, 0)))
    assert page.evaluate(f"getComputedStyle({TRACKER}).touchAction") == "pan-y"
    assert box(page)["height"] == pytest.approx(box(page)["width"] * 25 / 20, abs=0.1)


def test_policy_without_fetch(page: Any, site: Any, record: Any) -> None:
    """Where a page allows pictures but no fetch, sheets come as pictures."""
    record.allowed.append("Content Security Policy")
    site.headers["Content-Security-Policy"] = "connect-src 'none'"
    write_portrait(site.folder / "portrait")
    write_page(site.folder, f'<gaze-tracker {SHEETS} grid="10" smoothing="0"></gaze-tracker>')
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)
    poll_colour(page, cell_colour(Cell(0, 0)))


TRACK_LISTENERS = """
    window.listeners = [];
    for (const target of [Window, Document]) {
        const add = target.prototype.addEventListener ?? EventTarget.prototype.addEventListener;
        target.prototype.addEventListener = function (type, handler, options) {
            if (options?.signal) {
                const entry = `${this === window ? "window" : "document"} ${type}`;
                listeners.push(entry);
                options.signal.addEventListener("abort", () => listeners.splice(listeners.indexOf(entry), 1));
            }
            return add.call(this, type, handler, options);
        };
    }
    window.observers = 0;
    for (const name of ["IntersectionObserver", "ResizeObserver"]) {
        const Base = window[name];
        window[name] = class extends Base {
            constructor(...args) { super(...args); observers += 1; }
            disconnect() { observers -= 1; super.disconnect(); }
        };
    }
"""


def test_fifty_widgets_share_listeners_clock_and_memory(page: Any, site: Any) -> None:
    for script in (TRACK_LISTENERS, TRACK_BITMAPS, COUNT_FRAMES):
        page.add_init_script(script)
    write_portrait(site.folder / "portrait", size=6)
    write_page(site.folder, f"<gaze-tracker {SHEETS}></gaze-tracker>" * 50, width=40)
    text = (site.folder / "index.html").read_text()
    (site.folder / "index.html").write_text(text.replace("</style>", "gaze-tracker { float: left }</style>"))
    page.goto(site.url)
    page.wait_for_function("[...document.querySelectorAll('gaze-tracker')].every((tracker) => tracker.loaded)")
    assert page.evaluate("listeners.length === new Set(listeners).size")
    assert page.evaluate("listeners.length") < 15
    assert page.evaluate("observers") == 3
    before = page.evaluate("frames_asked")
    page.mouse.move(900, 700)
    page.wait_for_function(
        """() => [...document.querySelectorAll("gaze-tracker")].every((tracker) => {
            const middle = tracker.getBoundingClientRect().top + 25;
            return Math.abs(tracker.row - 2.5 * (1 + (700 - middle) / (800 - middle))) < 1e-6;
        })"""
    )
    assert 0 < page.evaluate("frames_asked") - before < 150  # one clock: not fifty callbacks a frame
    assert_asleep(page)
    page.evaluate("document.querySelectorAll('gaze-tracker').forEach((tracker) => tracker.remove())")
    page.wait_for_function("bitmaps === 0")
    assert page.evaluate("[listeners.length, observers]") == [0, 0]


def test_memory_is_shared_by_the_page(page: Any, site: Any) -> None:
    """The budget is the page's: as portraits join, those that are there give some of theirs up, and get it back."""
    page.add_init_script(TRACK_BITMAPS + "Object.defineProperty(navigator, 'deviceMemory', {value: 2})")
    share = 200 * 2**20 // 48
    # 100 frames of 160×200 pixels would take 12 MiB.
    write_portrait(
        site.folder / "portrait",
        frame=lambda c, w, h: cell_frame(c, 160, 200),
        imageWidth=160,
        imageHeight=200,
        mobileGridSize=0,
    )
    write_page(site.folder, f"<main>{'<gaze-tracker></gaze-tracker>' * 47}</main>", width=160)
    page.goto(site.url)
    crowd = """(n) => document.querySelector('main').replaceChildren(
        ...Array.from({length: n}, () => document.createElement('gaze-tracker')))"""
    page.evaluate(
        """() => {
            const tracker = document.createElement("gaze-tracker");
            document.body.prepend(Object.assign(tracker, {src: "portrait/", mode: "quadrants", smoothing: 0}));
        }"""
    )
    wait_loaded(page)
    assert 0.95 * share < page.evaluate("bitmapBytes") < 1.05 * share
    assert page.evaluate("bitmapPeak") < 1.05 * share + 800 * 1000 * 4  # and one sheet, while it is cut
    page.evaluate(crowd, 95)
    page.wait_for_function(f"bitmapBytes < {0.55 * share} && bitmaps === 100")
    page.evaluate(crowd, 0)
    page.wait_for_function("bitmapBytes === 100 * 160 * 200 * 4 && bitmaps === 100")
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)
    assert centre_colour(page) == cell_colour(Cell(0, 0))


def test_nothing_is_left_after_many_portraits(page: Any, site: Any) -> None:
    for script in (TRACK_LISTENERS, TRACK_BITMAPS):
        page.add_init_script(script)
    page.add_init_script(
        "window.objectUrls = 0; const make = URL.createObjectURL; URL.createObjectURL = (x) => (objectUrls++, make(x))"
    )
    write_portrait(site.folder / "portrait", size=4)
    write_page(site.folder, "<main></main>")
    page.goto(site.url)
    page.evaluate(
        """async () => {
            for (let i = 0; i < 15; i++) {
                const tracker = document.createElement("gaze-tracker");
                tracker.src = "portrait/";
                tracker.mode = "quadrants";
                tracker.idle = true;
                document.querySelector("main").replaceChildren(tracker);
                if (i % 3) await new Promise((done) => tracker.addEventListener("load", done));
            }
            document.querySelector("main").replaceChildren();
        }"""
    )
    page.wait_for_function("bitmaps === 0")
    assert page.evaluate("[listeners.length, observers, objectUrls]") == [0, 0, 0]


def test_removed_widget_can_be_collected(page: Any, site: Any) -> None:
    write_portrait(site.folder / "portrait", size=4)
    write_page(site.folder, "<main></main>")
    page.goto(site.url)
    page.evaluate(
        """async () => {
            window.gone = 0;
            window.registry = new FinalizationRegistry(() => { gone += 1; });
            for (let i = 0; i < 5; i++) {
                const tracker = document.createElement("gaze-tracker");
                registry.register(tracker, i);
                tracker.src = "portrait/";
                tracker.mode = "quadrants";
                document.querySelector("main").replaceChildren(tracker);
                await new Promise((done) => tracker.addEventListener("load", done, {once: true}));
            }
            document.querySelector("main").replaceChildren();
        }"""
    )
    devtools = page.context.new_cdp_session(page)
    for _ in range(40):
        devtools.send("HeapProfiler.collectGarbage")
        if page.evaluate("gone") >= 4:
            break
        page.wait_for_timeout(50)
    assert page.evaluate("gone") >= 4  # the browser itself may remember the last one


def test_poster_attribute_and_lazy_loading(page: Any, site: Any, record: Any) -> None:
    write_portrait(site.folder / "portrait")
    sheet([Cell(30, 0)], 1).save(site.folder / "other.webp", lossless=True)
    write_page(
        site.folder,
        f'<div style="height: 4000px"></div><gaze-tracker {SHEETS} poster="other.webp"></gaze-tracker>'
        f'<gaze-tracker loading="eager" {SHEETS}></gaze-tracker>',
    )
    page.goto(site.url)
    page.wait_for_function("document.querySelectorAll('gaze-tracker')[1].loaded")
    assert not any("other.webp" in url for url in record.requests)
    gate = site.held["/portrait/q3.webp"] = threading.Event()
    page.evaluate("scrollTo(0, 4000)")
    poll_colour(page, cell_colour(Cell(30, 0)))
    gate.set()
    wait_loaded(page)


def test_icons_are_as_large_as_their_buttons_allow(page: Any, site: Any) -> None:
    """Of one button as of several, which lie beside each other in one box."""
    write_portrait(site.folder / "portrait")
    write_page(site.folder, INSTANT)
    page.goto(site.url)
    wait_loaded(page)
    page.hover("gaze-tracker")
    shares = page.evaluate(
        f"[...{TRACKER}.shadowRoot.querySelectorAll('button')].filter((it) => it.checkVisibility()).map((it) =>"
        " it.firstElementChild.getBoundingClientRect().width / it.getBoundingClientRect().width)"
    )
    assert shares
    assert all(share == pytest.approx(0.6, abs=0.03) for share in shares)
