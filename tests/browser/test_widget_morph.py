"""The widget morphs a pack of version 2: pixels against the morph of docs/format.md, and all that can go wrong."""

from __future__ import annotations

import shutil
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from gaze.output.bundle import WIDGET_FILES, widget_source
from tests.browser.comparing import (
    HEIGHT,
    LOOK_AT,
    LOOKS,
    MANUAL,
    NO_VIDEO,
    NO_WEBGL,
    PACK_ALONE,
    QUICK,
    SLOW,
    TWO_FRAMES,
    WIDTH,
    assert_is_morph,
)
from tests.browser.driving import (
    COUNT_FRAMES,
    TRACKER,
    address,
    assert_asleep,
    events,
    wait_cell,
    wait_loaded,
)
from tests.browser.keys import Keys, make_keys, morph, write_keys
from tests.browser.portraits import WIDGET, pixels, write_page

SNIPPET = WIDGET.parents[1] / "ui" / "snippets" / "page.html"
DRAWN = """
    window.drawn = []; // how wide each picture was
    for (const kind of ["viewport", "drawElements"]) {
        const real = WebGL2RenderingContext.prototype[kind];
        WebGL2RenderingContext.prototype[kind] = function (...all) {
            if (kind === "viewport") this.wide = all[2];
            else drawn.push(this.wide);
            real.apply(this, all);
        };
    }
"""
BARE = MANUAL.replace(' src="portrait/"', "")


def look(page: Any, row: float, col: float) -> None:
    """Shows a look, to the last pixel."""
    page.evaluate(LOOK_AT, [row, col])
    wait_cell(page, row, col)
    page.evaluate(TWO_FRAMES)


def shown(page: Any) -> np.ndarray:
    return pixels(page, clip={"x": 0, "y": 0, "width": WIDTH, "height": HEIGHT}).astype(float)


def canvas(page: Any) -> np.ndarray:
    """What a portrait holds, (height, width, 4), before the browser enlarges it."""
    found = page.evaluate(f"""() => {{
        const it = {TRACKER}.shadowRoot.querySelector("canvas");
        const {{ data }} = it.getContext("2d").getImageData(0, 0, it.width, it.height);
        return {{ size: [it.height, it.width, 4], data: [...data] }};
    }}""")
    return np.array(found["data"], float).reshape(found["size"])


def roughness(picture: np.ndarray) -> float:
    """Root mean square of the differences of neighbours."""
    return float(np.sqrt(np.mean(np.diff(picture, axis=1) ** 2)))


def assert_morph(page: Any, keys: Keys, row: float, col: float, axis: list[int] | None = None, **within: float) -> None:
    """What is shown is the morph."""
    look(page, row, col)
    assert_is_morph(shown(page), keys, row, col, axis, **within)


@pytest.fixture
def keys(site: Any) -> Keys:
    """A folder with a pack, and a page that shows it, pixel by pixel."""
    keys, _ = write_keys(site.folder / "portrait")
    write_page(site.folder, MANUAL, width=WIDTH)
    return keys


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_every_look_is_the_morph(page: Any, site: Any, keys: Keys, scheme: str) -> None:
    """As it comes, and as it is at rest: with the better filter."""
    page.add_init_script(COUNT_FRAMES)
    write_page(site.folder, PACK_ALONE, width=WIDTH)
    page.goto(address(site, scheme))
    wait_loaded(page)
    for place in LOOKS:
        assert_morph(page, keys, *place)
        assert_asleep(page)
        assert_is_morph(shown(page), keys, *place)
    assert events(page, "error") == []
    assert len(events(page, "load")) == 1


def test_at_rest_it_is_not_drawn_for_keys_that_change_nothing(page: Any, site: Any, keys: Keys) -> None:
    page.add_init_script(DRAWN)
    page.goto(site.url)
    wait_loaded(page)
    # For the first key and for the last, where it was laid out anew, and with the better filter after any of them.
    assert page.evaluate("drawn.length") <= 8 < len(keys.pictures)


def test_frames_of_a_video_are_copied_and_not_drawn(page: Any, site: Any, keys: Keys) -> None:
    page.add_init_script("""
        window.whole = 0;
        const take = WebGL2RenderingContext.prototype.texImage2D;
        WebGL2RenderingContext.prototype.texImage2D = function (...all) {
            whole += 1;
            take.apply(this, all);
        };
        window.copies = new Set();
        for (const kind of ["texSubImage2D", "texSubImage3D"]) {
            const fill = WebGL2RenderingContext.prototype[kind];
            WebGL2RenderingContext.prototype[kind] = function (...all) {
                copies.add(all.at(-2).buffer);
                fill.apply(this, all);
            };
        }
    """)
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate("[whole, copies.size]") == [0, 1]  # one buffer for all keys, of which only what moves is taken


def test_frames_of_a_transparent_video_are_handed_over_as_planes(page: Any, site: Any) -> None:
    """Where the processor draws, the browser takes ten times as long to make colours of a frame."""
    write_keys(site.folder / "portrait", make_keys(alpha=True))
    write_page(site.folder, MANUAL, width=WIDTH)
    page.add_init_script("""
        window.taken = new Set();
        const take = WebGL2RenderingContext.prototype.texImage2D;
        WebGL2RenderingContext.prototype.texImage2D = function (...all) {
            taken.add(all.at(-1).constructor.name);
            take.apply(this, all);
        };
    """)
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate("[...taken]") == ["Uint8Array"]


@pytest.fixture
def large(page: Any, site: Any, keys: Keys) -> int:
    """The width of a portrait that is large enough to tell by the clock who draws."""
    page.add_init_script(DRAWN + COUNT_FRAMES)
    write_page(site.folder, MANUAL, width=3 * WIDTH)
    return 2 * WIDTH  # a canvas has no more pixels


def test_where_drawing_is_slow_moving_faces_are_coarse_and_at_rest_they_are_sharp(
    page: Any, site: Any, keys: Keys, large: int
) -> None:
    page.add_init_script(SLOW)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.smoothing = 600; drawn.length = 0")
    look(page, 3.3, 21.7)
    drawn = page.evaluate("drawn")
    assert drawn[0] == large  # it may be quick yet
    assert large // 2 in drawn
    assert_asleep(page)
    assert page.evaluate("drawn.at(-1)") == large
    sharp = canvas(page)
    page.evaluate(f"{TRACKER}.fit = 'contain'")  # the same look, drawn anew
    page.evaluate(TWO_FRAMES)
    assert roughness(canvas(page)) < roughness(sharp) * 0.99
    assert_asleep(page)
    assert np.array_equal(canvas(page), sharp)


def test_where_drawing_is_slow_no_frame_is_asked_for_while_one_is_drawn(page: Any, site: Any, large: int) -> None:
    """Kills: frames that queue up, by which what is seen lags seconds behind the pointer."""
    page.add_init_script(SLOW)
    page.add_init_script("""
        window.isDrawing = false;
        WebGL2RenderingContext.prototype.getSyncParameter = function () {
            return isDrawing ? this.UNSIGNALED : this.SIGNALED;
        };
    """)
    page.goto(site.url)
    wait_loaded(page)
    look(page, 3.3, 21.7)
    page.evaluate("isDrawing = true; drawn.length = 0")
    page.evaluate(LOOK_AT, [25.2, 8.1])
    page.evaluate(TWO_FRAMES)
    assert page.evaluate("drawn.length") == 0
    page.evaluate("isDrawing = false")
    wait_cell(page, 25.2, 8.1)
    assert page.evaluate("drawn.length") > 0


def test_where_drawing_is_slow_a_moving_face_on_an_empty_canvas_is_coarse_too(page: Any, site: Any, large: int) -> None:
    page.add_init_script(SLOW)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.smoothing = 600")
    look(page, 3.3, 21.7)  # by now it is known to be slow
    page.evaluate(f"{TRACKER}.smoothing = 5000")
    page.evaluate(LOOK_AT, [25.2, 8.1])
    page.evaluate(TWO_FRAMES)
    page.evaluate(f"drawn.length = 0; {TRACKER}.style.width = '{WIDTH * 3 // 2}px'")
    page.evaluate(TWO_FRAMES)
    drawn = page.evaluate("drawn")
    assert drawn[-1] == WIDTH * 3 // 4
    assert max(drawn) <= large // 2
    assert canvas(page)[..., 3].min() == 255


def test_where_drawing_is_quick_nothing_is_coarse_and_nobody_waits(page: Any, site: Any, large: int) -> None:
    page.add_init_script(QUICK + DRAWN)
    page.add_init_script("""
        window.waits = 0;
        const read = WebGL2RenderingContext.prototype.readPixels;
        WebGL2RenderingContext.prototype.readPixels = function (...all) {
            waits += 1;
            read.apply(this, all);
        };
    """)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.smoothing = 600")
    look(page, 3.3, 21.7)
    page.evaluate("waits = 0")
    look(page, 25.2, 8.1)
    assert set(page.evaluate("drawn")) == {large}
    assert page.evaluate("waits") == 0


def test_where_the_processor_draws_few_triangles_are_under_way_at_once(page: Any, site: Any) -> None:
    """Chromium's renderer takes 10 KB for each until it is drawn: 20 MB where it waits for none."""
    keys, _ = write_keys(site.folder / "portrait", make_keys(n=3, width=480, height=600))
    write_page(site.folder, MANUAL, width=480)
    page.add_init_script(SLOW + COUNT_FRAMES)
    page.add_init_script("""
        window.underWay = [0];
        const { drawElements, readPixels } = WebGL2RenderingContext.prototype;
        Object.assign(WebGL2RenderingContext.prototype, {
            drawElements(...all) {
                underWay[underWay.length - 1] += all[1] / 3;
                drawElements.apply(this, all);
            },
            readPixels(...all) {
                underWay.push(0);
                readPixels.apply(this, all);
            },
        });
    """)
    page.goto(site.url)
    wait_loaded(page)
    assert_asleep(page)
    page.evaluate("underWay = [0]")
    look(page, 3.3, 21.7)
    assert_asleep(page)
    under_way = page.evaluate("underWay")
    assert sum(under_way) == 2 * 2 * (len(keys.columns) - 1) * (len(keys.rows) - 1)  # as it comes, then sharply
    assert max(under_way) <= 512


def test_what_is_drawn_coarsely_has_no_line_at_its_edge(page: Any, site: Any, large: int) -> None:
    """Kills: pixels beyond it, which are empty, are mixed in where it is enlarged."""
    page.add_init_script(SLOW)
    page.add_init_script("""
        window.steps = []; // from the last pixel of what was enlarged to the next, right of it and below
        const copy = CanvasRenderingContext2D.prototype.drawImage;
        CanvasRenderingContext2D.prototype.drawImage = function (...all) {
            copy.apply(this, all);
            const [x, y, width, height] = all.slice(5);
            if (!width || width === all[3]) return;
            const pixels = (...place) => [...this.getImageData(...place).data];
            for (const [a, b] of [
                [pixels(x + width - 1, y, 1, height), pixels(x + width, y, 1, height)],
                [pixels(x, y + height - 1, width, 1), pixels(x, y + height, width, 1)],
            ]) steps.push(Math.max(...a.map((level, i) => Math.abs(level - b[i]))));
        };
    """)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.smoothing = 600")
    look(page, 3.3, 21.7)
    steps = page.evaluate("steps")
    assert steps
    assert max(steps) <= 12


def test_one_file_alone(page: Any, site: Any, keys: Keys, tmp_path: Path) -> None:
    """The script and the pack in the page itself: nothing is asked for."""
    script = (site.folder / "portrait" / "gaze.pack.js").read_text()
    pack = script[script.index('"data:') : script.rindex('"') + 1]
    (tmp_path / "one.html").write_text(
        f"<!doctype html><style>body {{ margin: 0 }} gaze-tracker {{ width: {WIDTH}px }}</style>"
        f"<script>window.events = []; {widget_source()}</script>{BARE}"
        f"<script>{TRACKER}.manifest = {{ pack: {pack} }}</script>"
    )
    page.goto((tmp_path / "one.html").as_uri())
    wait_loaded(page)
    assert_morph(page, keys, 3.3, 21.7)


@pytest.mark.parametrize("body", [MANUAL, PACK_ALONE], ids=["folder", "pack alone"])
def test_a_page_asks_for_the_script_and_the_pack_alone(
    page: Any, site: Any, record: Any, keys: Keys, body: str
) -> None:
    write_page(site.folder, body, width=WIDTH)
    page.goto(site.url)
    wait_loaded(page)
    assert [url.removeprefix(site.url) for url in record.requests] == ["", "gaze-tracker.js", "portrait/gaze.pack"]


def test_trust_decides_between_keys(page: Any, site: Any) -> None:
    keys, _ = write_keys(site.folder / "portrait", trust=True)
    write_page(site.folder, MANUAL, width=WIDTH)
    page.goto(site.url)
    wait_loaded(page)
    for place in LOOKS:
        assert_morph(page, keys, *place)


@pytest.mark.parametrize("video", [True, False], ids=["video", "stills"])
def test_transparent_over_a_page(page: Any, site: Any, video: bool) -> None:
    keys, _ = write_keys(site.folder / "portrait", make_keys(alpha=True), video=video)
    write_page(site.folder, f'<body style="background: #00c800">{MANUAL}', width=WIDTH)
    page.goto(site.url)
    wait_loaded(page)
    for row, col in LOOKS[:3]:
        look(page, row, col)
        picture = morph(keys, row, col)
        alpha = picture[..., 3:] / 255
        expected = picture[..., :3] + (1 - alpha) * np.array([0, 200, 0])
        difference = np.abs(shown(page) - expected)
        assert difference.mean() <= 1.5
        for column in (0, 4, -1):
            bare = alpha[:, column, 0] == 0
            assert bare.sum() > 50
            assert np.abs(shown(page)[bare, column] - [0, 200, 0]).max() == 0


def test_without_a_video_decoder_the_stills_are_played_and_no_more(
    page: Any, site: Any, record: Any, keys: Keys
) -> None:
    page.add_init_script(NO_VIDEO)
    page.goto(site.url)
    wait_loaded(page)
    for place in LOOKS:
        assert_morph(page, keys, *place, axis=[0, 2, 4])
    assert not any("gaze.pack" in url for url in record.requests)


def test_a_pack_of_stills_is_played_too(page: Any, site: Any) -> None:
    keys, _ = write_keys(site.folder / "portrait", video=False, stills=None)
    write_page(site.folder, MANUAL, width=WIDTH)
    page.goto(site.url)
    wait_loaded(page)
    assert_morph(page, keys, 3.3, 21.7)


BROKEN = 'VideoDecoder.prototype.decode = () => { throw new DOMException("broken", "EncodingError"); };'
SILENT = "VideoDecoder.prototype.decode = () => {}; VideoDecoder.prototype.flush = () => new Promise(() => {});"
UNABLE = 'VideoDecoder.isConfigSupported = async () => { throw new TypeError("no such codec"); };'


@pytest.mark.parametrize("init", [BROKEN, SILENT, UNABLE], ids=["broken", "silent", "unable"])
def test_where_video_fails_stills_are_played(page: Any, site: Any, keys: Keys, init: str) -> None:
    """Of a folder, and of a pack alone."""
    page.add_init_script(init)
    write_page(site.folder, MANUAL + PACK_ALONE, width=WIDTH)
    page.goto(site.url)
    page.wait_for_function("[...document.querySelectorAll('gaze-tracker')].every((it) => it.loaded)")
    assert_morph(page, keys, 3.3, 21.7, axis=[0, 2, 4])
    page.evaluate(f"{TRACKER}.remove()")
    assert_morph(page, keys, 3.3, 21.7, axis=[0, 2, 4])
    assert events(page, "error") == []


def test_without_webgl_the_face_follows_with_one_iris(page: Any, site: Any, keys: Keys) -> None:
    """The nearest key, moved: the same picture as the morph but for the blend, and the irises where they belong."""
    page.add_init_script(NO_WEBGL)
    page.goto(site.url)
    wait_loaded(page)
    for row, col in LOOKS:
        look(page, row, col)
        assert np.abs(shown(page) - morph(keys, row, col)).mean() <= 2


def test_a_lost_context_comes_back(page: Any, site: Any, keys: Keys) -> None:
    page.add_init_script("""
        window.contexts = [];
        const get = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
            const context = get.call(this, kind, ...rest);
            if (kind === "webgl2" && context) contexts.push(context);
            return context;
        };
    """)
    page.add_init_script(COUNT_FRAMES)
    page.goto(site.url)
    wait_loaded(page)
    assert_morph(page, keys, 3.3, 21.7)
    assert_asleep(page)
    before = shown(page)
    page.evaluate("(window.lose = contexts[0].getExtension('WEBGL_lose_context')).loseContext()")
    page.wait_for_function("contexts[0].isContextLost()")
    assert np.array_equal(shown(page), before)  # what is drawn stays
    page.evaluate("lose.restoreContext()")
    page.wait_for_function("!contexts[0].isContextLost()")
    for _ in range(100):
        look(page, 25.2, 8.1)
        if np.abs(shown(page) - morph(keys, 25.2, 8.1)).mean() <= 1.5:
            break
        page.wait_for_timeout(50)
    assert_morph(page, keys, 25.2, 8.1)
    assert page.evaluate("contexts.length") == 1


def test_it_follows_with_the_keys_that_are_there(page: Any, site: Any, keys: Keys) -> None:
    data = (site.folder / "portrait" / "gaze.pack").read_bytes()
    gate = threading.Event()
    site.stalled["/portrait/gaze.pack"] = (len(data) * 2 // 3, gate)
    page.goto(site.url)
    page.wait_for_function(f"{TRACKER}.row >= 0")
    look(page, 3.3, 21.7)
    assert not page.evaluate(f"{TRACKER}.loaded")
    assert np.abs(shown(page) - morph(keys, 3.3, 21.7)).mean() < np.abs(shown(page) - morph(keys, 14.5, 14.5)).mean()
    gate.set()
    wait_loaded(page)
    assert_morph(page, keys, 3.3, 21.7)


def test_a_header_may_come_in_two_parts(page: Any, site: Any, keys: Keys) -> None:
    gate = threading.Event()
    site.stalled["/portrait/gaze.pack"] = (100, gate)
    page.add_init_script("""
      const { read } = ReadableStreamDefaultReader.prototype;
      window.parts = 0;
      ReadableStreamDefaultReader.prototype.read = function () {
        return read.call(this).finally(() => (window.parts += 1));
      };
    """)
    page.goto(site.url)
    page.wait_for_function("parts > 0")
    gate.set()
    wait_loaded(page)
    look(page, 3.3, 21.7)
    assert_morph(page, keys, 3.3, 21.7)


def test_cut_off_the_poster_stays_and_the_reason_is_an_event(page: Any, site: Any, keys: Keys) -> None:
    for name in ("gaze.pack", "stills.pack"):
        path = site.folder / "portrait" / name
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    write_page(site.folder, MANUAL.replace("><", '><img slot="poster" src="poster.png" alt=""><'), width=WIDTH)
    Image.new("RGB", (WIDTH, HEIGHT), (250, 0, 0)).save(site.folder / "poster.png")
    page.goto(site.url)
    page.wait_for_function("events.some((event) => event.type === 'error')")
    assert "cut off" in events(page, "error")[0]["message"]
    assert (shown(page)[100, 80] == [250, 0, 0]).all()


def test_a_poster_that_is_no_address_leaves_the_face(page: Any, site: Any, record: Any, keys: Keys) -> None:
    """Nor does a message from a page around this one, where the second file is missing."""
    record.allowed += ["gaze-tracker-more", "404"]
    write_page(site.folder, MANUAL.replace("src=", 'poster="http://[" src='), width=WIDTH)
    (site.folder / "gaze-tracker-more.js").unlink()
    thrown: list[Any] = []
    page.on("pageerror", lambda error: thrown.append(error))
    page.goto(site.url)
    wait_loaded(page)
    assert "poster" in events(page, "error")[0]["message"]
    with page.expect_event("console"):
        page.evaluate("postMessage({ type: 'gaze-pointer' })")
    page.evaluate(TWO_FRAMES)
    assert thrown == []


def test_a_later_version_says_what_to_update(page: Any, site: Any, keys: Keys) -> None:
    path = site.folder / "portrait" / "gaze.pack"
    path.write_bytes(path.read_bytes().replace(b'"version": 2', b'"version": 3'))
    write_page(site.folder, PACK_ALONE, width=WIDTH)
    page.goto(site.url)
    page.wait_for_function("events.some((event) => event.type === 'error')")
    assert "update gaze-tracker.js" in events(page, "error")[0]["message"]


def test_the_same_pack_is_fetched_and_decoded_once(page: Any, site: Any, record: Any, keys: Keys) -> None:
    page.add_init_script("""
        window.decoders = 0;
        const Real = VideoDecoder;
        window.VideoDecoder = class extends Real { constructor(init) { super(init); decoders += 1; } };
    """)
    write_page(site.folder, MANUAL * 50, width=40)
    text = (site.folder / "index.html").read_text()
    (site.folder / "index.html").write_text(text.replace("</style>", "gaze-tracker { float: left }</style>"))
    page.goto(site.url)
    page.wait_for_function("[...document.querySelectorAll('gaze-tracker')].every((it) => it.loaded)")
    assert len([url for url in record.requests if "gaze.pack" in url]) == 1
    assert page.evaluate("decoders") == 1
    page.evaluate("document.querySelectorAll('gaze-tracker').forEach((it, i) => it.lookAt(i * 20, 700))")
    page.wait_for_function(
        "new Set([...document.querySelectorAll('gaze-tracker')].map((it) => it.col.toFixed(2))).size > 30"
    )


def test_portraits_that_move_together_keep_their_own_looks(open_page: Any, site: Any, keys: Keys) -> None:
    write_page(site.folder, MANUAL * 3, width=WIDTH)
    page = open_page(viewport={"width": 400, "height": 3 * HEIGHT})
    page.goto(site.url)
    everywhere = "[...document.querySelectorAll('gaze-tracker')]"
    page.wait_for_function(f"{everywhere}.every((it) => it.loaded)")
    places = [(0, 0), (399, 0), (0, 599)]
    page.evaluate(f"(places) => {everywhere}.forEach((it, i) => it.lookAt(...places[i]))", places)
    page.evaluate(TWO_FRAMES)
    shown = pixels(page).astype(float)
    for i, (row, col) in enumerate([(0, 0), (0, 29), (29, 0)]):
        assert_is_morph(shown[i * HEIGHT : (i + 1) * HEIGHT, :WIDTH], keys, row, col)


def test_a_small_portrait_is_the_morph_with_fewer_triangles(page: Any, site: Any, keys: Keys) -> None:
    page.add_init_script("""
        window.indices = [];
        const draw = WebGL2RenderingContext.prototype.drawElements;
        WebGL2RenderingContext.prototype.drawElements = function (kind, count, ...rest) {
            indices.push(count);
            draw.call(this, kind, count, ...rest);
        };
    """)
    small = (WIDTH // 4, HEIGHT // 4)
    write_page(site.folder, MANUAL, width=small[0])
    page.goto(site.url)
    wait_loaded(page)
    for place in LOOKS:
        look(page, *place)
        picture = morph(keys, *place).round().clip(0, 255).astype(np.uint8)
        expected = np.asarray(Image.fromarray(picture).resize(small, Image.Resampling.BOX), float)
        difference = np.abs(shown(page)[: small[1], : small[0]] - expected)
        assert difference.mean() <= 1.5, place
    cells = (len(keys.columns) - 1) * (len(keys.rows) - 1)
    assert page.evaluate("Math.max(...indices)") < cells * 6 / 3


def test_a_small_portrait_shows_means_of_the_pixels_that_it_has_no_room_for(page: Any, site: Any) -> None:
    keys = make_keys()
    noise = np.random.default_rng(3).integers(-60, 61, (HEIGHT, WIDTH, 1))
    pictures = [np.clip(picture + noise, 0, 255).astype(np.uint8) for picture in keys.pictures]
    write_keys(site.folder / "portrait", replace(keys, pictures=pictures), video=False)
    small = (WIDTH * 3 // 16, HEIGHT * 3 // 16)
    write_page(site.folder, MANUAL, width=small[0])
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(TWO_FRAMES)
    expected = np.asarray(Image.fromarray(pictures[12]).resize(small, Image.Resampling.BOX), float)
    difference = np.abs(shown(page)[: small[1], : small[0]] - expected)
    assert difference.mean() <= 10  # of single pixels it is 18


@pytest.mark.parametrize("density", [1, 2, 3])
def test_sharp_on_dense_screens(open_page: Any, site: Any, keys: Keys, density: int) -> None:
    page = open_page(viewport={"width": 600, "height": 500}, device_scale_factor=density)
    page.goto(site.url)
    wait_loaded(page)
    width = page.evaluate(f"{TRACKER}.shadowRoot.querySelector('canvas').width")
    assert width == WIDTH * min(density, 2)


def test_resized_it_is_drawn_anew_and_sharply(page: Any, site: Any, keys: Keys) -> None:
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.style.display = 'none'")
    page.evaluate(TWO_FRAMES)
    page.evaluate(f"Object.assign({TRACKER}.style, {{ display: '', width: '60px' }})")
    page.wait_for_function(f"{TRACKER}.shadowRoot.querySelector('canvas').width === 60")
    page.evaluate(f"{TRACKER}.style.width = '{WIDTH}px'")
    page.wait_for_function(f"{TRACKER}.shadowRoot.querySelector('canvas').width === {WIDTH}")
    for _ in range(100):
        look(page, 3.3, 21.7)
        if np.abs(shown(page) - morph(keys, 3.3, 21.7)).mean() <= 1.5:
            break
        page.wait_for_timeout(50)
    assert_morph(page, keys, 3.3, 21.7)


def test_source_changed_twenty_times_and_removed_while_loading(page: Any, site: Any, keys: Keys) -> None:
    write_keys(site.folder / "other", make_keys(n=7, width=80, height=100))
    page.goto(site.url)
    page.evaluate(
        f"""async () => {{
            for (let i = 0; i <= 20; i++) {{
                {TRACKER}.src = i % 2 ? "other/" : "portrait/";
                await new Promise((resolve) => setTimeout(resolve, i % 5 * 8)); // in all stages of loading
            }}
        }}"""
    )
    wait_loaded(page)
    assert_morph(page, keys, 3.3, 21.7)
    page.evaluate(f"window.it = {TRACKER}; it.src = 'other/'; setTimeout(() => it.remove(), 5)")
    page.wait_for_function("!it.isConnected")
    page.evaluate("document.body.append(it); it.src = 'portrait/'")
    wait_loaded(page)
    assert_morph(page, keys, 25.2, 8.1)
    assert events(page, "error") == []


def test_strict_policy(page: Any, site: Any, keys: Keys) -> None:
    site.headers["Content-Security-Policy"] = (
        "default-src 'none'; script-src 'self'; img-src 'self'; connect-src 'self'; "
        "require-trusted-types-for 'script'; trusted-types 'none'"
    )
    write_page(site.folder, PACK_ALONE, width=WIDTH)
    text = (site.folder / "index.html").read_text()
    start, end = text.index("<style>"), text.index('<script src="')
    (site.folder / "index.html").write_text(text[:start] + text[end:])
    page.goto(site.url)
    for _ in range(200):
        if page.evaluate(f"{TRACKER}.loaded"):
            break
        page.wait_for_timeout(50)
    assert page.evaluate(f"{TRACKER}.loaded")


def test_at_rest_nothing_runs(page: Any, site: Any, keys: Keys) -> None:
    page.add_init_script(COUNT_FRAMES)
    page.goto(site.url)
    wait_loaded(page)
    look(page, 3.3, 21.7)
    assert_asleep(page)


def test_another_server_without_cors_is_told(page: Any, site: Any, record: Any, keys: Keys) -> None:
    record.allowed += ["CORS", "ERR_FAILED"]
    other = site.url.replace("127.0.0.1", "localhost")
    for src in ("portrait/", "portrait/gaze.pack"):
        write_page(site.folder, MANUAL.replace("portrait/", other + src, 1), width=WIDTH)
        page.goto(site.url)
        page.wait_for_function("events.some((event) => event.type === 'error')")
        assert "CORS" in events(page, "error")[0]["message"]
    assert not any(".webp" in url for url in record.requests)


def test_the_poster_keeps_the_room(page: Any, site: Any, keys: Keys) -> None:
    Image.new("RGB", (WIDTH, HEIGHT), (250, 0, 0)).save(site.folder / "poster.png")
    poster = f'<img slot="poster" src="poster.png" alt="" width="{WIDTH}" height="{HEIGHT}">'
    gate = site.held["/portrait/gaze.pack"] = threading.Event()
    write_page(site.folder, MANUAL.replace("><", f">{poster}<") + "<p>below</p>", width=WIDTH)
    page.goto(site.url)
    assert page.evaluate(f"{TRACKER}.clientHeight") == HEIGHT
    assert (shown(page)[100, 80] == [250, 0, 0]).all()
    gate.set()
    wait_loaded(page)
    assert page.evaluate(f"{TRACKER}.clientHeight") == HEIGHT
    assert_morph(page, keys, 14.5, 14.5)


def test_the_snippet_keeps_its_room_when_the_script_comes_late(page: Any, site: Any, keys: Keys) -> None:
    Image.new("RGB", (WIDTH, HEIGHT)).save(site.folder / "portrait" / "poster.webp")
    snippet = SNIPPET.read_text().replace("gaze-portrait/gaze-tracker.js", "gaze-tracker.js")
    snippet = snippet.replace("gaze-portrait", "portrait").replace('"512"', f'"{WIDTH}"', 1)
    write_page(site.folder)
    text = f"<!doctype html><style>body {{ margin: 0 }}</style>{snippet.replace('512', str(HEIGHT))}<p>below</p>"
    (site.folder / "index.html").write_text(text)
    gate = site.held["/gaze-tracker.js"] = threading.Event()
    page.goto(site.url, wait_until="commit")
    top = "document.querySelector('p')?.getBoundingClientRect().top"
    page.wait_for_function(top)
    before = page.evaluate(top)
    gate.set()
    wait_loaded(page)
    assert page.evaluate(top) == before


def test_the_module_plays_the_same(page: Any, site: Any, keys: Keys) -> None:
    for name in WIDGET_FILES:
        shutil.copy(WIDGET.with_name(name), site.folder)
    text = (site.folder / "index.html").read_text()
    module = (
        '<script type="module">import { GazeTracker } from "./gaze-tracker.mjs"; window.Made = GazeTracker</script>'
    )
    (site.folder / "index.html").write_text(text.replace('<script src="gaze-tracker.js"></script>', module))
    page.goto(site.url)
    wait_loaded(page)
    assert page.evaluate(f"{TRACKER} instanceof Made")
    assert_morph(page, keys, 3.3, 21.7)
    page.evaluate(f"{TRACKER}.hideControls = false")
    page.wait_for_function(f"{TRACKER}.shadowRoot.querySelector('button')")
