"""The widget closes the eyes: the layer "blink" over the morph, against the layer's morph in Python."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.grid import Look
from gaze.motion.layer import LayerMorph
from gaze.motion.motion import LayerKeys, Mesh, Motion
from gaze.output.pack import Layer, Pack, Payload, Picture, write_pack
from gaze.output.pack_reader import read_pack
from gaze.output.packing import Coding, encode_layer
from gaze.output.unpacking import decode_layer
from tests.browser.driving import COUNT_FRAMES, TRACKER, assert_asleep, events, wait_loaded
from tests.browser.keys import Keys, morph, write_keys
from tests.browser.portraits import write_page
from tests.browser.test_widget_morph import HEIGHT, MANUAL, NO_WEBGL, WIDTH, look, shown

REGION = (46, 66, 68, 36)
CLOCK = """
    window.frozen = null; // else the time that it is
    const wait = window.requestAnimationFrame;
    window.requestAnimationFrame = (callback) => wait((now) => callback(frozen ?? now));
"""
COUNT_LAYERS = """
    window.layers = 0;
    const enable = WebGL2RenderingContext.prototype.enable;
    WebGL2RenderingContext.prototype.enable = function (what) {
        if (what === this.BLEND) window.layers += 1;
        return enable.call(this, what);
    };
"""

FIRST_SHARES = """
    const drawing = WebGL2RenderingContext.prototype;
    const { getUniformLocation, uniform2f } = drawing;
    let place = null;
    drawing.getUniformLocation = function (program, name) {
        const at = getUniformLocation.call(this, program, name);
        if (name === "share") place = at;
        return at;
    };
    drawing.uniform2f = function (at, ...shares) {
        if (at && at === place) window.firstShares ??= shares;
        uniform2f.call(this, at, ...shares);
    };
"""
"""How much the two values of a layer count in its first picture."""


def make_layer(name: str) -> LayerKeys:
    """Two lids of a soft pattern, further down in the second value, that go with the look."""
    mesh = Mesh(tuple(range(16, 145, 8)), tuple(range(40, 129, 8)))
    x, y = np.meshgrid(mesh.columns, mesh.rows)
    bump = np.exp(-(((x - 80) / 40) ** 4) - ((y - 84) / 30) ** 4)
    moving = np.zeros(mesh.shape, np.uint8)
    moving[1:-1, 1:-1] = 255
    fields = np.zeros((2, *mesh.shape, 2), np.int16)
    fields[0, ..., 0] = fields[1, ..., 1] = np.round(bump * 9 * 16) * (moving > 0)
    steps = np.array([-1, 0, 1], np.float32)
    coefficients = np.stack(np.broadcast_arrays(steps[None, :], steps[:, None] * 0.7), axis=2).astype(np.float32)
    motion = Motion((0.0, 14.5, 29.0), mesh, fields, 1 / 16, np.ascontiguousarray(coefficients), moving)
    pictures = {}
    for value, lower in enumerate((20, 30)):
        picture = np.zeros((REGION[3], REGION[2], 4), np.uint8)
        py, px = np.mgrid[: REGION[3], : REGION[2]]
        picture[..., 0] = 120 + 40 * np.sin(px / 6 + value)
        picture[..., 1] = 110 + 40 * np.cos(py / 5)
        picture[..., 2] = 90 + 60 * value
        for middle in (12, 56):
            inside = (
                np.clip(9 - np.abs(px - middle), 0, 2) / 2 * np.clip(lower - np.abs(py - lower / 2 - 2) * 2, 0, 2) / 2
            )
            picture[..., 3] = np.maximum(picture[..., 3], np.round(255 * inside))
        picture[[0, -1], :, 3] = picture[:, [0, -1], 3] = 0
        pictures[value] = picture
    return LayerKeys(name, (0.5, 1.0), REGION, motion, (1,), pictures)


def add_layer(path: Path, name: str = "blink", spoil: bool = False) -> LayerKeys:
    """Puts a layer into a pack; returns it as it is decoded."""
    pack, layer = read_pack(path), make_layer(name)
    payload = encode_layer(layer, Coding(100, None))
    if spoil:
        payload = Payload(payload.kind, payload.about, {number: Picture(b"no picture") for number in payload.pictures})
    with path.open("wb") as file:
        parts = (Layer(layer.name, layer.values, layer.region, layer.motion, (payload,)),)
        write_pack(Pack(pack.facts, pack.payloads, pack.motion, parts), file)
    if spoil:
        return layer
    found = decode_layer(read_pack(path), name)
    assert found is not None
    return found


@pytest.fixture
def blinking(site: Any) -> tuple[Keys, LayerKeys]:
    """A folder with a pack that has the layer, and a page that shows it pixel by pixel."""
    keys, _ = write_keys(site.folder / "portrait")
    layer = add_layer(site.folder / "portrait" / "gaze.pack")
    write_page(site.folder, MANUAL, width=WIDTH)
    return keys, layer


def at(page: Any, time: float) -> None:
    """Shows the frame of a time, in milliseconds."""
    page.evaluate(f"frozen = {time}")
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def test_a_blink_is_the_layers_morph(page: Any, site: Any, blinking: tuple[Keys, LayerKeys]) -> None:
    keys, layer = blinking
    for script in (COUNT_FRAMES, COUNT_LAYERS, CLOCK):
        page.add_init_script(script)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.blink()")  # once, so that the layer is decoded before the clock stands still
    page.wait_for_function("layers > 0", timeout=60_000)
    assert_asleep(page)
    drawn = LayerMorph(layer)
    for row, col in ((14.5, 14.5), (3.3, 21.7), (25.2, 8.1)):
        look(page, row, col)
        assert_asleep(page)
        before = shown(page)
        below = np.clip(morph(keys, row, col).round(), 0, 255).astype(np.uint8)
        began = page.evaluate("performance.now()")
        at(page, began)
        page.evaluate(f"{TRACKER}.blink()")
        at(page, began)
        for milliseconds, strength in ((32.5, 0.15625), (65, 0.5), (97.5, 0.84375), (150, 1.0), (270, 0.5)):
            at(page, began + milliseconds)
            expected = drawn(below, Look(row, col), strength).astype(float)
            difference = np.abs(shown(page) - expected)
            assert np.abs(expected - below).mean() > 0.2
            assert difference.mean() <= 1.5, (row, col, milliseconds)
            part = difference[50:120, 30:130].max(axis=2)
            assert np.mean(part <= 14) >= 0.995, (row, col, milliseconds, np.percentile(part, 99.5))
        at(page, began + 400)
        at(page, began + 700)  # long enough after it to be sharp again
        assert np.array_equal(shown(page), before)
        page.evaluate("frozen = null")
    assert_asleep(page)
    assert events(page, "error") == []


@pytest.mark.parametrize("side", ["left", "right"])
def test_a_wink_is_half_of_a_blink(page: Any, site: Any, blinking: tuple[Keys, LayerKeys], side: str) -> None:
    """Also in a look in which the head, and both eyes with it, has gone to one side."""
    keys, layer = blinking
    for script in (COUNT_FRAMES, COUNT_LAYERS, CLOCK):
        page.add_init_script(script)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.blink()")
    page.wait_for_function("layers > 0", timeout=60_000)
    assert_asleep(page)
    look(page, 3.3, 21.7)
    assert_asleep(page)
    below = np.clip(morph(keys, 3.3, 21.7).round(), 0, 255).astype(np.uint8)
    began = page.evaluate("performance.now()")
    at(page, began)
    page.evaluate(f"{TRACKER}.blink('{side}')")
    at(page, began)
    at(page, began + 150)
    pictures = {value: picture.copy() for value, picture in layer.pictures.items()}
    middle = REGION[2] // 2
    for picture in pictures.values():
        picture[:, slice(middle, None) if side == "left" else slice(middle)] = 0
    expected = LayerMorph(replace(layer, pictures=pictures))(below, Look(3.3, 21.7), 1.0).astype(float)
    assert np.abs(expected - below).mean() > 0.1
    assert np.abs(shown(page) - expected).mean() <= 1.5
    assert np.mean(np.abs(shown(page) - expected)[50:120, 30:130].max(axis=2) <= 14) >= 0.995


@pytest.mark.parametrize("why", ["reduced", "no WebGL2", "no layer", "spoilt"])
def test_where_it_cannot_blink_it_does_not_and_goes_on(open_page: Any, site: Any, why: str) -> None:
    write_keys(site.folder / "portrait")
    if why != "no layer":
        add_layer(site.folder / "portrait" / "gaze.pack", spoil=why == "spoilt")
    write_page(site.folder, MANUAL, width=WIDTH)
    page = open_page(reduced_motion="reduce" if why == "reduced" else "no-preference")
    page.add_init_script(COUNT_FRAMES + (NO_WEBGL if why == "no WebGL2" else COUNT_LAYERS))
    page.goto(site.url)
    wait_loaded(page)
    look(page, 3.3, 21.7)
    assert_asleep(page)
    before = shown(page)
    page.evaluate(f"{TRACKER}.blink()")
    for _ in range(6):
        page.evaluate("new Promise((done) => setTimeout(done, 40))")
        assert np.array_equal(shown(page), before)
    assert page.evaluate("window.layers ?? 0") == 0
    assert events(page, "error") == []


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_a_mood_is_the_layer_of_its_name(open_page: Any, site: Any, motion: str) -> None:
    keys, _ = write_keys(site.folder / "portrait")
    drawn = LayerMorph(add_layer(site.folder / "portrait" / "gaze.pack", "smile"))
    write_page(site.folder, MANUAL.replace("<gaze-tracker", '<gaze-tracker mood="smile"'), width=WIDTH)
    page = open_page(viewport={"width": 400, "height": 300}, reduced_motion=motion)
    for script in (COUNT_FRAMES, COUNT_LAYERS, FIRST_SHARES):
        page.add_init_script(script)
    page.goto(site.url)
    wait_loaded(page)
    page.wait_for_function("layers > 0", timeout=60_000)
    assert_asleep(page)
    assert (page.evaluate("firstShares") == [0, 1]) is (motion == "reduce")  # else it comes by and by
    for row, col in ((14.5, 14.5), (3.3, 21.7)):
        look(page, row, col)
        below = np.clip(morph(keys, row, col).round(), 0, 255).astype(np.uint8)
        expected = drawn(below, Look(row, col), 1).astype(float)
        assert np.abs(expected - below).mean() > 0.5
        assert np.abs(shown(page) - expected).mean() <= 1.5
    for mood in ("sad", ""):
        page.evaluate(f"{TRACKER}.mood = '{mood}'")
        assert_asleep(page)
        assert np.abs(shown(page) - below).mean() <= 1.5
    assert events(page, "error") == []


def test_an_idle_face_breathes_until_it_is_idle_no_more(page: Any, site: Any) -> None:
    write_keys(site.folder / "portrait")
    write_page(site.folder, MANUAL.replace("<gaze-tracker", "<gaze-tracker idle"), width=WIDTH)
    page.add_init_script(COUNT_FRAMES)
    page.goto(site.url)
    wait_loaded(page)
    seen: set[bytes] = set()
    for _ in range(40):
        seen.add(shown(page).tobytes())
        if len(seen) > 2:
            break
    assert len(seen) > 2
    page.emulate_media(reduced_motion="reduce")
    assert_asleep(page)
    before = shown(page)
    page.evaluate(f"{TRACKER}.idle = false")
    assert_asleep(page)
    assert np.array_equal(shown(page), before)  # a face that rests, though nobody is idle any more
    assert page.evaluate(f"[{TRACKER}.row, {TRACKER}.col]") == [14.5, 14.5]
    assert events(page, "gazechange") == []


def test_it_blinks_by_itself_where_it_is_to_be_alive(page: Any, site: Any, blinking: tuple[Keys, LayerKeys]) -> None:
    write_page(site.folder, MANUAL.replace("<gaze-tracker", "<gaze-tracker idle"), width=WIDTH)
    page.add_init_script(COUNT_LAYERS)
    page.add_init_script("Math.random = () => 0")  # of all pauses between two blinks the shortest
    page.goto(site.url)
    wait_loaded(page)
    page.wait_for_function("layers > 0", timeout=60_000)
    first = page.evaluate("layers")
    page.mouse.move(200, 200)  # whoever looks at the pointer blinks as well
    page.wait_for_function(f"layers > {first}", timeout=60_000)
    assert page.evaluate(f"{TRACKER}.clientHeight") == HEIGHT
    assert events(page, "error") == []
