"""The widget in Firefox and WebKitGTK: each test runs in both, and is skipped by name where one is missing."""

from __future__ import annotations

import io
import json
import random
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.browser.comparing import (
    HEIGHT,
    LOOK_AT,
    LOOKS,
    MANUAL,
    NO_VIDEO,
    NO_WEBGL,
    PACK_ALONE,
    QUICK,
    SHOWS,
    SLOW,
    TWO_FRAMES,
    WIDTH,
    assert_is_morph,
)
from tests.browser.driving import TRACKER, address
from tests.browser.keys import Keys, make_keys, morph, write_keys
from tests.browser.others import NAMES, Browser, start, wait_until
from tests.browser.portraits import write_page

ALPHA = 3
"""How far a transparent video may be off on average, in levels: these browsers make RGB of it in ways of their own."""
_CHANCES = 30
"""Pictures of the screen until it has to be right: keys of another size are decoded first."""
_CANVAS = f"{TRACKER}.shadowRoot.querySelector('canvas')"


@pytest.fixture(scope="module", params=NAMES)
def other(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with start(request.param, tmp_path_factory.mktemp(request.param)) as browser:
        browser.resize(800, 700)
        yield browser


@pytest.fixture
def keys(site: Any) -> Keys:
    keys, _ = write_keys(site.folder / "portrait")
    return keys


def assert_shows(other: Browser, row: float, col: float, check: Callable[[np.ndarray], None]) -> None:
    """A look is shown as `check` wants it, on the screen a moment after it was drawn."""
    look = json.dumps([row, col])
    other.evaluate(f"{LOOK_AT}({look})")
    wait_until(other, f"{SHOWS}({look})")
    for chance in reversed(range(_CHANCES)):
        other.evaluate(TWO_FRAMES)
        shown = np.asarray(Image.open(io.BytesIO(other.screenshot())).convert("RGB"))[:HEIGHT, :WIDTH].astype(float)
        try:
            return check(shown)
        except AssertionError:
            if not chance:
                raise


def near(expected: np.ndarray, most: float) -> Callable[[np.ndarray], None]:
    def check(shown: np.ndarray) -> None:
        assert np.abs(shown - expected).mean() <= most

    return check


def assert_morph(other: Browser, keys: Keys, row: float, col: float, **within: Any) -> None:
    assert_shows(other, row, col, lambda shown: assert_is_morph(shown, keys, row, col, **within))


def opened(other: Browser, site: Any, body: str, before: str = "", scheme: str = "http", width: int = WIDTH) -> None:
    write_page(site.folder, body, head=f"<script>{before}</script>", width=width)
    other.open(address(site, scheme))
    wait_until(other, f"{TRACKER}.loaded")


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_looks_are_the_morph(other: Browser, site: Any, keys: Keys, scheme: str) -> None:
    opened(other, site, PACK_ALONE, scheme=scheme)
    chosen = random.Random(scheme)
    for row, col in [*LOOKS[1:4], *((chosen.uniform(0, 29), chosen.uniform(0, 29)) for _ in range(3))]:
        assert_morph(other, keys, row, col)
    if scheme == "http":
        assert site.asked == ["/index.html", "/gaze-tracker.js", "/portrait/gaze.pack"]
    assert other.evaluate("events.filter(({type}) => type === 'error')") == []


def test_it_follows_the_pointer(other: Browser, site: Any, keys: Keys) -> None:
    opened(other, site, '<gaze-tracker src="portrait/"></gaze-tracker>')
    move = "dispatchEvent(new PointerEvent('pointermove', {{clientX: {}, clientY: {}}}))"
    other.evaluate(move.format("innerWidth", "innerHeight"))
    wait_until(other, f"{TRACKER}.row > 28.9 && {TRACKER}.col > 28.9")
    other.evaluate(move.format(0, 0))
    wait_until(other, f"{TRACKER}.row < 0.1 && {TRACKER}.col < 0.1")
    assert other.evaluate("events.filter(({type}) => type === 'gazechange').length") > 3


@pytest.mark.parametrize("speed", [SLOW, QUICK], ids=["slow", "quick"])
def test_moving_faces_are_coarse_where_drawing_is_slow(other: Browser, site: Any, keys: Keys, speed: str) -> None:
    """Whatever the renderer is called: WebKit masks its name."""
    zooms = """
        window.zooms = [];
        const copy = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...all) {
            zooms.push(all[7] / all[3]);
            copy.apply(this, all);
        };
    """
    opened(other, site, MANUAL, speed + zooms, width=3 * WIDTH)
    other.evaluate(f"{TRACKER}.smoothing = 600")
    for look in ([3.3, 21.7], [25.2, 8.1]):
        other.evaluate(f"{LOOK_AT}({look})")
        wait_until(other, f"{SHOWS}({look})")
    wait_until(other, "zooms.at(-1) === 1")
    assert other.evaluate("zooms.includes(2)") == (speed == SLOW)


def test_without_a_video_decoder_it_plays_stills(other: Browser, site: Any, keys: Keys) -> None:
    opened(other, site, MANUAL, NO_VIDEO)
    assert_morph(other, keys, 3.3, 21.7, axis=[0, 2, 4])
    assert "/portrait/gaze.pack" not in site.asked


def test_without_webgl_it_follows_with_one_iris(other: Browser, site: Any, keys: Keys) -> None:
    opened(other, site, MANUAL, NO_WEBGL)
    for row, col in LOOKS[:3]:
        assert_shows(other, row, col, near(morph(keys, row, col), 4))


def test_transparent_over_a_page(other: Browser, site: Any) -> None:
    keys, _ = write_keys(site.folder / "portrait", make_keys(alpha=True))
    opened(other, site, f'<body style="background: #00c800">{MANUAL}')
    picture = morph(keys, 3.3, 21.7)
    expected = picture[..., :3] + (1 - picture[..., 3:] / 255) * np.array([0, 200, 0])
    assert_shows(other, 3.3, 21.7, near(expected, ALPHA))


def test_many_come_and_go(other: Browser, site: Any, keys: Keys) -> None:
    """Twenty of the same are one request; sources change and elements go while they load."""
    write_keys(site.folder / "second", make_keys(n=7, width=80, height=100))
    opened(other, site, MANUAL.replace(" src", ' loading="eager" src') * 20)
    wait_until(other, "[...document.querySelectorAll('gaze-tracker')].every((it) => it.loaded)")
    assert site.asked.count("/portrait/gaze.pack") == 1
    other.evaluate(
        """(async () => {
            const [first, ...rest] = document.querySelectorAll("gaze-tracker");
            for (let i = 0; i <= 20; i++) {
                first.src = i % 2 ? "second/" : "portrait/";
                rest[i]?.remove();
                await new Promise((resolve) => setTimeout(resolve, i % 5 * 8));
            }
        })()"""
    )
    wait_until(other, f"{TRACKER}.loaded")
    assert_morph(other, keys, 3.3, 21.7)
    assert other.evaluate("events.filter(({type}) => type === 'error')") == []


def test_resized_it_is_drawn_anew(other: Browser, site: Any, keys: Keys) -> None:
    opened(other, site, MANUAL)
    for width in (60, WIDTH):
        other.evaluate(f"({TRACKER}.style.width = '{width}px')")
        wait_until(other, f"{_CANVAS}.width === {width}")
    assert_morph(other, keys, 3.3, 21.7)


@pytest.mark.parametrize("density", [2, 3])
def test_dense_screens(other: Browser, site: Any, keys: Keys, density: int) -> None:
    opened(other, site, MANUAL, f"Object.defineProperty(window, 'devicePixelRatio', {{ value: {density} }});")
    assert other.evaluate(f"{_CANVAS}.width") == 2 * WIDTH
    assert_shows(other, 3.3, 21.7, near(morph(keys, 3.3, 21.7), 2))


def test_strict_policy(other: Browser, site: Any, keys: Keys) -> None:
    site.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    write_page(site.folder)  # for the scripts; without its own style sheet and script:
    (site.folder / "index.html").write_text(f'<!doctype html><script src="gaze-tracker.js"></script>{PACK_ALONE}')
    other.open(site.url)
    wait_until(other, f"{TRACKER}.loaded")


def test_in_an_iframe_it_follows_the_pointer_of_the_page(other: Browser, site: Any, keys: Keys) -> None:
    opened(other, site, MANUAL)  # writes the page that goes into the frame
    (site.folder / "outer.html").write_text(
        '<!doctype html><iframe src="index.html" width="300" height="300"></iframe>'
    )
    other.open(f"{site.url}outer.html")
    inner = "frames[0].document.querySelector('gaze-tracker')"
    wait_until(other, f"{inner}.loaded")
    other.evaluate(f"({inner}.follow = 'pointer')")
    view = "left: -500, top: -500, right: 500, bottom: 500"
    other.evaluate(f"frames[0].postMessage({{ type: 'gaze-pointer', x: -499, y: 499, {view} }}, '*')")
    wait_until(other, f"{inner}.row > 28.9 && {inner}.col < 0.1")


def test_a_lost_context_comes_back(other: Browser, site: Any, keys: Keys) -> None:
    record = """
        window.contexts = [];
        const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            const context = get.call(this, kind, ...rest);
            if (kind === "webgl2") contexts.push(context);
            return context;
        };
    """
    opened(other, site, MANUAL, record)
    assert_morph(other, keys, 3.3, 21.7)
    other.evaluate("(window.lose = contexts[0].getExtension('WEBGL_lose_context')).loseContext()")
    wait_until(other, "contexts[0].isContextLost()")
    other.evaluate("lose.restoreContext()")
    wait_until(other, "!contexts[0].isContextLost()")
    assert_morph(other, keys, 25.2, 8.1)
    assert other.evaluate("contexts.length") == 1
