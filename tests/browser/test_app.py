"""The real app in a real browser: from the example to a portrait that follows the pointer from a double click."""

from __future__ import annotations

import io
import re
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import quote

import cv2
import numpy as np
import pytest
from PIL import Image

from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.photo.portrait import Portrait
from gaze.ui.components import embed_snippets
from tests.browser.conftest import Record, Site
from tests.browser.driving import wait_at_rest
from tests.browser.npm import require
from tests.browser.portraits import pixels
from tests.fakes import decode_sheet
from tests.serving import serving

GENERATION = 240_000


@pytest.fixture(scope="module")
def address(browser: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """`python app.py`, as a person starts it, with a store of its own."""
    with serving(tmp_path_factory.mktemp("app")) as app:
        yield app.address + "/"
    assert "Traceback" not in app.log.read_text()


@pytest.fixture
def page(open_page: Callable[..., Any], record: Record, address: str) -> Iterator[Any]:
    """The app, opened, with the living example on its stage."""
    page = open_page()
    page.set_default_timeout(60_000)
    page.goto(address)
    wait_loaded(page)
    yield page
    assert all(url.startswith((address, "file:", "data:", "blob:")) for url in record.requests), (
        "a request to elsewhere"
    )


def wait_loaded(page: Any) -> None:
    page.wait_for_function("document.querySelector('gaze-tracker')?.loaded")


def base_of(page: Any) -> str:
    return str(page.evaluate("document.querySelector('gaze-tracker').manifest.base"))


def choose_example(page: Any) -> None:
    with another_portrait(page):
        page.get_by_role("button", name="Example 1").click()


@contextmanager
def another_portrait(page: Any) -> Iterator[None]:
    """What is done in the block brings another portrait onto the stage; waits for it."""
    before = base_of(page)
    yield
    page.wait_for_function("before => document.querySelector('gaze-tracker').manifest.base !== before", arg=before)
    wait_loaded(page)


def choose_quick_options(page: Any) -> None:
    """A hundred small frames, which take a second or two."""
    page.get_by_role("button", name="Options").click()
    page.locator("fieldset", has_text="Grid size").get_by_label("10", exact=True).check()
    page.get_by_label("384", exact=True).check()
    page.get_by_role("button", name="Options").click()


WATCH_SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        const name = ({node}) => node?.id || node?.className || node?.nodeName;
        for (const {value, hadRecentInput, sources} of list.getEntries())
            if (!hadRecentInput) shifts.push([value, ...sources.map(name)]);
    }).observe({type: "layout-shift"});
"""


def assert_no_jump(page: Any) -> None:
    """Since `WATCH_SHIFTS` nothing moved but digits that count."""
    shifts = page.evaluate("shifts")
    assert sum(shift[0] for shift in shifts) < 1e-3, shifts


def assert_accessible(page: Any) -> None:
    """axe-core finds no serious fault."""
    page.evaluate((require("axe-core") / "axe.min.js").read_text())
    faults = page.evaluate(
        """async () => (await axe.run(document, {resultTypes: ["violations"]})).violations
            .filter(({impact}) => impact === "serious" || impact === "critical")
            .map(({id, nodes}) => [id, ...nodes.map((node) => node.html)])"""
    )
    assert not faults


def look(page: Any, x: float, y: float) -> np.ndarray:
    """Move the pointer, wait until the face has followed, and return what the widget shows."""
    page.mouse.move(x, y)
    wait_at_rest(page)
    return pixels(page, clip=page.locator("gaze-tracker").bounding_box())


def face_in(picture: np.ndarray) -> Face:
    return main_face(Portrait(picture))[0]


def assert_follows(page: Any) -> None:
    """The face lies further right, and the irises too, when the pointer is at the right."""
    size = page.viewport_size
    left, right = (face_in(look(page, x, size["height"] / 2)) for x in (5, size["width"] - 5))
    up, down = (face_in(look(page, size["width"] / 2, y)) for y in (5, size["height"] - 5))
    unit = left.iris_distance
    assert (right.centre[0] - left.centre[0]) / unit > 0.3
    assert (down.centre[1] - up.centre[1]) / unit > 0.2


def assert_shows_the_frame(page: Any, sheets: Callable[[str], bytes]) -> None:
    """In three corners, the pixels are those of the sheet's frame for that cell."""
    manifest = page.evaluate("document.querySelector('gaze-tracker').manifest")
    width, height = manifest["imageWidth"], manifest["imageHeight"]
    size = page.viewport_size
    corners = {0: (0, 0, 0), 1: (size["width"] - 1, 0, 14), 2: (0, size["height"] - 1, 210)}
    for quadrant, (x, y, place) in corners.items():
        shown = look(page, x, y)
        frame = list(decode_sheet(sheets(f"q{quadrant}.webp"), width, height))[place]
        expected = as_shown(frame, shown.shape[1], shown.shape[0])
        inner = (slice(60, -60), slice(60, -60))  # rounded corners and the stage beside the picture lie outside
        assert np.abs(shown[inner].astype(int) - expected[inner]).mean() < 3


def as_shown(frame: np.ndarray, width: int, height: int) -> np.ndarray:
    """A square frame in the middle of a box of this size, as `fit: contain` and the pages' style sheets place it."""
    side = round(min(width, height) * 1.012)
    move = np.array([[side / frame.shape[1], 0, (width - side) / 2], [0, side / frame.shape[0], (height - side) / 2]])
    move[:, 2] += move[:, :2].sum(1) / 2 - 0.5
    return cv2.warpAffine(frame, move, (width, height), flags=cv2.INTER_LINEAR)


def test_from_the_example_to_a_page_of_ones_own(page: Any, open_page: Callable[..., Any], tmp_path: Path) -> None:
    choose_example(page)
    assert_follows(page)
    preview = base_of(page)
    box = page.locator("gaze-tracker").bounding_box()

    page.get_by_role("button", name="Generate").click()
    page.get_by_role("progressbar").wait_for()
    page.get_by_text(re.compile(r"frame \d+ of 900")).wait_for()
    page.get_by_text(re.compile(r"about \d+ (s|min) left")).wait_for(timeout=GENERATION)
    page.evaluate(WATCH_SHIFTS)
    link = page.get_by_role("link", name="Download")
    changed = "before => document.querySelector('gaze-tracker').manifest.base !== before"
    page.wait_for_function(changed, arg=preview, timeout=GENERATION)
    wait_loaded(page)
    assert link.count() == 0, "the portrait is on the stage before its sheets are written"
    page.locator(".sheet.written").first.wait_for(timeout=GENERATION)
    assert page.locator(".sheet").count() == 8
    link.wait_for(timeout=GENERATION)
    assert page.locator("gaze-tracker").bounding_box() == box, "the stage jumped"
    assert_no_jump(page)
    assert page.evaluate("document.querySelector('gaze-tracker').manifest.totalImages") == 900
    base = base_of(page)
    assert_follows(page)
    assert_shows_the_frame(page, lambda name: urllib.request.urlopen(base + name).read())

    with page.expect_download() as download:
        link.click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path)
    folder = tmp_path / "gaze-portrait"
    own = open_page(viewport={"width": 900, "height": 900})
    own.goto((folder / "index.html").as_uri())
    wait_loaded(own)
    assert_follows(own)
    assert_shows_the_frame(own, lambda name: (folder / name).read_bytes())


def test_a_portrait_is_remembered_shared_and_deleted(page: Any, open_page: Callable[..., Any], address: str) -> None:
    choose_example(page)
    choose_quick_options(page)
    page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Copy link").wait_for(timeout=GENERATION)
    page.get_by_text("as the last one took here").wait_for()
    session = base_of(page).rstrip("/").rsplit("/", 1)[1]
    assert session in page.evaluate("document.querySelector('#actions a').href")

    page.get_by_role("button", name="Portrait 1, open").wait_for()
    page.reload()
    page.get_by_role("button", name="Portrait 1, open").click()
    page.get_by_text("Your portrait.").wait_for()
    assert session in base_of(page)
    wait_loaded(page)

    guest = open_page(viewport={"width": 900, "height": 900})
    guest.goto(f"{address}?session={session}")
    guest.get_by_text("A portrait that somebody shared").wait_for()
    wait_loaded(guest)
    left, right = look(guest, 5, 450), look(guest, 895, 450)
    assert np.abs(left.astype(int) - right).mean() > 3
    assert guest.get_by_role("button", name="Delete").count() == 0

    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_text("Deleted for good").wait_for()
    assert page.get_by_role("button", name="Portrait 1, open").count() == 0
    guest.reload()
    guest.get_by_text("not there any more").wait_for()


def test_a_running_portrait_can_be_cancelled(page: Any) -> None:
    choose_example(page)
    before = base_of(page)
    page.get_by_role("button", name="Generate").click()
    page.get_by_text(re.compile(r"frame \d\d+ of 900")).wait_for()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled").wait_for()
    page.get_by_role("button", name="Generate").wait_for()
    assert page.get_by_role("link", name="Download").count() == 0
    assert base_of(page) == before
    assert_follows(page)


def test_a_portrait_that_is_cancelled_while_its_sheets_are_written_leaves_the_preview(page: Any) -> None:
    choose_example(page)
    preview = base_of(page)
    with another_portrait(page):
        page.get_by_role("button", name="Options").click()
        page.get_by_label("384", exact=True).check()
        page.get_by_role("button", name="Generate").click()
    page.get_by_role("button", name="Cancel").click()
    page.get_by_text("Cancelled").wait_for()
    assert base_of(page) == preview
    assert page.get_by_role("link", name="Download").count() == 0
    assert_follows(page)


def test_three_visitors_wait_in_line_and_may_give_up(page: Any, open_page: Callable[..., Any], address: str) -> None:
    pages = [page]
    for _ in range(2):
        pages.append(open_page(viewport={"width": 900, "height": 900}))
        pages[-1].goto(address)
        wait_loaded(pages[-1])
    for visitor in pages:
        choose_example(visitor)
    first, second, third = pages
    for visitor, words in zip(pages, (r"frame \d+ of 900", "You are next", "You are number 2 in line"), strict=True):
        visitor.get_by_role("button", name="Generate").click()
        visitor.get_by_text(re.compile(words)).wait_for()
    second.get_by_role("button", name="Cancel").click()
    second.get_by_text("Cancelled").wait_for()
    third.get_by_text("You are next").wait_for()
    first.close()
    third.get_by_text(re.compile(r"frame \d+ of 900")).wait_for()
    assert second.get_by_text("Cancelled").count() == 1, "a run that was given up started after all"
    third.get_by_role("button", name="Cancel").click()
    third.get_by_text("Cancelled").wait_for()


def upload(page: Any, name: str, data: bytes) -> None:
    page.locator("input[type=file]").first.set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})


def test_a_rotated_phone_photo_is_upright_and_follows(page: Any, photo: Path) -> None:
    stored = Image.open(photo).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    stored.save(data, "JPEG", exif=exif, quality=95)
    with another_portrait(page):
        upload(page, "phone.jpg", data.getvalue())
    assert_follows(page)


@pytest.mark.parametrize(
    ("name", "words"),
    [("text", "no picture that can be read"), ("cut", "damaged or cut off"), ("faceless", "No face was found")],
)
def test_bad_input_is_explained_and_the_next_photo_works(
    page: Any, record: Record, photo: Path, faceless: np.ndarray, name: str, words: str
) -> None:
    record.allowed.append("Failed to load resource")  # the browser cannot show what is no picture, either
    buffer = io.BytesIO()
    Image.fromarray(faceless).save(buffer, "JPEG")
    data = {"text": b"hello", "cut": photo.read_bytes()[:20000], "faceless": buffer.getvalue()}[name]
    upload(page, "photo.jpg", data)
    page.get_by_role("alert").get_by_text(words).wait_for()
    assert page.get_by_role("button", name="Generate").is_disabled()
    choose_example(page)
    assert page.get_by_role("alert").count() == 0
    assert page.get_by_role("button", name="Generate").is_enabled()


HOSTILE = "<img src=x onerror='window.hacked=1'>${window.hacked=1}{{constructor}}`"


def test_text_of_visitors_is_never_run(page: Any, record: Record, address: str, photo: Path) -> None:
    with another_portrait(page):
        upload(page, f"{HOSTILE.replace('/', '')}.jpg", photo.read_bytes())
    upload(page, f"{HOSTILE}.jpg", b"hello")
    page.get_by_role("alert").get_by_text("no picture that can be read").wait_for()
    for query in ("session", "__theme", "other"):
        page.goto(f"{address}?{query}={quote(HOSTILE)}")
        wait_loaded(page)
    page.goto(f"{address}?session={quote(HOSTILE)}")
    page.get_by_text("not there any more").wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    record.allowed.append("Failed to load resource")  # the browser cannot show what is no picture


def test_a_script_that_is_not_the_pages_does_not_run(page: Any, record: Record) -> None:
    """If text became markup after all."""
    record.allowed += ["Content Security Policy", "Failed to load resource"]
    page.evaluate("""() => {
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked=1'>");
      const script = document.createElement("script");
      script.textContent = "window.hacked = 2";
      document.body.append(script);
      const foreign = document.createElement("script");
      foreign.src = "data:text/javascript,window.hacked=3";
      document.body.append(foreign);
    }""")
    page.wait_for_timeout(300)
    assert page.evaluate("window.hacked") is None
    assert sum("Content Security Policy" in error for error in record.errors) >= 3


def test_the_app_may_be_framed(open_page: Callable[..., Any], site: Site, record: Record, address: str) -> None:
    record.allowed.append("localStorage")  # which a browser may keep from frames; the history then is not kept
    (site.folder / "index.html").write_text(f'<iframe src="{address}" width="900" height="700"></iframe>')
    page = open_page()
    page.goto(site.url.replace("127.0.0.1", "localhost"))
    page.frame_locator("iframe").locator("gaze-tracker").wait_for()
    frame = page.frames[1]
    frame.wait_for_function("document.querySelector('gaze-tracker').loaded", timeout=60_000)


def test_of_several_faces_one_is_chosen(page: Any, portrait: Portrait) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    data = io.BytesIO()
    Image.fromarray(np.hstack([portrait.image, grey])).save(data, "PNG")
    with another_portrait(page):
        upload(page, "pair.png", data.getvalue())
    page.get_by_role("button", name="Face 2").wait_for()

    def colour() -> float:
        return float(np.ptp(look(page, 640, 400).astype(int), axis=2).mean())

    faces = {}
    for name in ("Face 2", "Face 1"):
        button = page.get_by_role("button", name=name)
        if button.get_attribute("aria-pressed") == "false":
            with another_portrait(page):
                button.click()
        assert button.get_attribute("aria-pressed") == "true"
        faces[name] = colour()
    assert max(faces.values()) > 20
    assert min(faces.values()) < 5
    choose_example(page)
    page.get_by_role("button", name="Face 1").wait_for(state="detached")


def test_a_strength_acts_on_the_preview_while_the_slider_is_dragged(page: Any) -> None:
    choose_example(page)
    page.get_by_role("button", name="Options").click()
    slider = page.get_by_role("slider", name="Head")
    box = slider.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    page.mouse.down()
    with another_portrait(page):
        page.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_timeout(1500)
    wait_loaded(page)
    height = page.viewport_size["height"] / 2
    left, right = (face_in(look(page, x, height)) for x in (5, page.viewport_size["width"] - 5))
    # Less than half of what it is when the head turns, too: the eyes alone.
    assert 0.05 < (right.centre[0] - left.centre[0]) / left.iris_distance < 0.2


def test_the_stage_fills_the_screen(page: Any) -> None:
    page.locator("#stage").hover()
    page.get_by_role("button", name=re.compile("full ?screen", re.I)).click()
    page.wait_for_function("document.fullscreenElement?.localName === 'gaze-tracker'")


@pytest.mark.parametrize(("theme", "size"), [("light", (1280, 800)), ("dark", (390, 844))])
def test_every_state_is_accessible_and_fits(
    open_page: Callable[..., Any], address: str, theme: str, size: tuple[int, int]
) -> None:
    width, height = size
    page = open_page(viewport={"width": width, "height": height}, has_touch=width < 500, is_mobile=width < 500)
    page.set_default_timeout(60_000)
    page.goto(f"{address}?__theme={theme}")
    wait_loaded(page)
    box = page.locator("gaze-tracker").bounding_box()
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= width
    assert box["y"] + box["height"] < height, "the living example is on the first screen"
    corner = pixels(page, clip={"x": 0, "y": 0, "width": 1, "height": 1})
    assert (corner.mean() < 60) == (theme == "dark")
    assert_accessible(page)
    choose_example(page)
    choose_quick_options(page)
    page.get_by_role("button", name="Generate").click()
    page.wait_for_timeout(600)  # until then a shift would count as an answer to the press
    page.evaluate(WATCH_SHIFTS)
    page.get_by_role("link", name="Download").wait_for(timeout=GENERATION)
    page.wait_for_timeout(200)
    assert_no_jump(page)
    page.get_by_role("button", name="Options").click()
    page.get_by_role("button", name="Embed", exact=True).click()
    page.get_by_role("tab", name="iframe").click()
    page.get_by_text('<iframe src="gaze-portrait/index.html"').wait_for()
    assert_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_code_to_embed_is_copied(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Embed on your page").click()
    page.get_by_role("tab", name="Svelte").click()
    page.get_by_role("tabpanel").get_by_role("button", name="Copy").click()
    [svelte] = [snippet.code for snippet in embed_snippets() if snippet.name == "Svelte"]
    page.wait_for_function("async () => (await navigator.clipboard.readText()).includes('</script>')")
    assert page.evaluate("navigator.clipboard.readText()").strip() == svelte


def test_only_what_a_portrait_needs_is_served(page: Any, address: str) -> None:
    base = base_of(page)
    answer = urllib.request.urlopen(base + "metadata.json")
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["ETag"]
    session = base.rstrip("/").rsplit("/", 1)[1]
    hidden = ["input.jpg", "..%2f..%2fmetadata.json", "%2e%2e/metadata.json", ".", "nothing.webp"]
    for url in [*(base + name for name in hidden), base.replace(session, "0" * 32) + "metadata.json"]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        assert refused.value.code == 404
