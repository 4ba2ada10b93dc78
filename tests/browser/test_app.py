"""The real app in a real browser: from the example to a portrait that follows the pointer from a double click."""

from __future__ import annotations

import io
import re
import urllib.request
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import av
import cv2
import numpy as np
import pytest
from PIL import Image

from gaze.face.detection import main_face
from gaze.face.face import Face
from gaze.photo.portrait import Portrait
from gaze.ui.components import embed_snippets
from tests.browser.app_page import (
    STILL,
    another_portrait,
    base_of,
    box,
    choose_example,
    made,
    make_it,
    move,
    open_app,
    png,
    session_of,
    upload,
    wait_loaded,
    wait_state,
)
from tests.browser.conftest import Record, Site
from tests.browser.driving import TRACKER, wait_at_rest
from tests.browser.portraits import pixels
from tests.browser.visitor import Visitor


@pytest.fixture
def page(visitor: Visitor, record: Record, address: str) -> Iterator[Any]:
    """The app, opened, where nothing moves by itself."""
    yield from visited(visitor, record, address)


@pytest.fixture
def moving(visitor: Visitor, record: Record, address: str) -> Iterator[Any]:
    """The app, opened, where faces follow the pointer."""
    yield from visited(visitor, record, address, viewport={"width": 900, "height": 600})


def visited(visitor: Visitor, record: Record, address: str, **screen: Any) -> Iterator[Any]:
    page = visitor.page(**screen)
    stop = record.listen(page)
    yield page
    stop()
    visitor.leave()
    assert_own(record, address)


def assert_own(record: Record, address: str) -> None:
    elsewhere = [url for url in record.requests if not url.startswith((address, "file:", "data:", "blob:"))]
    assert not elsewhere


def look(page: Any, x: float, y: float) -> np.ndarray:
    """Move the pointer, wait until the face has followed, and return what the widget shows."""
    page.mouse.move(x, y)
    wait_at_rest(page)
    return pixels(page, clip=page.locator("gaze-tracker").bounding_box())


def face_in(picture: np.ndarray) -> Face:
    return main_face(Portrait(picture))[0]


def assert_follows(page: Any) -> None:
    """The face lies further right, and the irises too, when the pointer is at the right."""
    page.evaluate(f"{TRACKER}.smoothing = 0")  # each frame on its way would be drawn by the processor
    size = page.viewport_size
    left, right = (face_in(look(page, x, size["height"] / 2)) for x in (5, size["width"] - 5))
    up, down = (face_in(look(page, size["width"] / 2, y)) for y in (5, size["height"] - 5))
    unit = left.iris_distance
    assert (right.centre[0] - left.centre[0]) / unit > 0.3
    assert (down.centre[1] - up.centre[1]) / unit > 0.2


def test_from_the_example_to_a_page_of_ones_own(moving: Any, open_page: Callable[..., Any], tmp_path: Path) -> None:
    choose_example(moving)
    assert_follows(moving)
    box = moving.locator("gaze-tracker").bounding_box()
    make_it(moving)
    wait_state(moving, "done")
    wait_loaded(moving)
    assert moving.locator("gaze-tracker").bounding_box() == box, "the stage jumped"
    assert moving.evaluate("document.querySelector('gaze-tracker').manifest.pack") == "gaze.pack"
    assert session_of(moving) in moving.url
    assert_follows(moving)

    with moving.expect_download() as download:
        moving.get_by_role("link", name="Download").click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path)
    own = open_page(viewport={"width": 500, "height": 500})
    own.goto((tmp_path / "gaze-portrait" / "index.html").as_uri())
    wait_loaded(own)
    assert_follows(own)


SLOWLY = {"offline": False, "latency": 100, "downloadThroughput": 400_000, "uploadThroughput": 100_000}
SHIFTS = """
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const {value, sources} of list.getEntries())
            shifts.push([value, ...sources.map(({node}) => node?.id || node?.className || node?.nodeName)]);
    }).observe({type: "layout-shift", buffered: true});
"""
EMPTY_STAGE = """() => {
    if (!document.body) return false;
    const {content, top, left, width} = getComputedStyle(document.body, "::before");
    return content === '""' && !document.querySelector("#gaze") && [left, top, width].map(parseFloat);
}"""


def test_over_a_slow_connection_the_page_has_its_shape_at_once_and_nothing_jumps(
    open_page: Callable[..., Any], address: str
) -> None:
    page = open_page(**STILL)
    devtools = page.context.new_cdp_session(page)
    devtools.send("Network.enable")
    devtools.send("Network.emulateNetworkConditions", SLOWLY)
    page.add_init_script(SHIFTS)
    page.set_default_timeout(60_000)
    page.goto(address, wait_until="commit")
    empty = page.wait_for_function(EMPTY_STAGE).json_value()
    wait_state(page, "empty")
    wait_loaded(page)
    stage = page.locator("#stage").bounding_box()
    assert empty == pytest.approx([stage[side] for side in ("x", "y", "width")], abs=1)
    assert page.evaluate("shifts") == []


def test_a_portrait_is_remembered_shared_and_deleted(
    page: Any, open_page: Callable[..., Any], address: str, record: Record
) -> None:
    record.allowed.append("status of 404")  # of the page of a portrait that is gone
    session = made(page)
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_text("This link works on this computer only, until").wait_for()
    page.get_by_label("Caption").fill("Ada <b>smiling</b>")
    page.get_by_role("button", name="Copy the link").click()
    page.get_by_text("Link copied").wait_for()
    link = page.evaluate("navigator.clipboard.readText()")
    assert link == f"{address}p/{session}"

    guest = open_page(viewport={"width": 500, "height": 500})
    guest.goto(link)
    wait_loaded(guest)
    guest.get_by_role("heading", name="Ada <b>smiling</b>").wait_for()
    assert guest.get_by_role("link").count() == 1, "“Make your own” is all that there is to press"
    left, right = look(guest, 5, 250), look(guest, 495, 250)
    assert np.abs(left.astype(int) - right).mean() > 3
    guest.goto(f"{address}?session={session}")
    guest.wait_for_url(link)

    page.goto(address)
    page.get_by_role("button", name=re.compile("Portrait made today")).click()
    wait_state(page, "done")
    assert session in page.url
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    wait_state(page, "deleted")
    assert session not in page.url
    assert page.locator("#mine").is_hidden()
    guest.reload()
    guest.get_by_text("This portrait is gone.").wait_for()


def test_the_browser_remembers_twenty_addresses_and_no_picture(page: Any) -> None:
    page.evaluate("""async () => {
        const memory = await import(new URL("gradio_api/gaze-page/memory.js", location.href).href);
        for (let made = 0; made < 25; made++) memory.remember({session: String(made), secret: "s", made});
    }""")
    session = made(page)
    kept = page.evaluate("JSON.parse(localStorage.getItem('gaze-portraits-1'))")
    assert [entry["session"] for entry in kept] == [session, *(str(number) for number in range(24, 5, -1))]
    assert all(set(entry) == {"session", "secret", "made"} for entry in kept)
    assert page.evaluate("sessionStorage.getItem('gaze-run-1')") is None
    assert page.evaluate("localStorage.length + sessionStorage.length") == 1


def test_a_change_never_takes_a_finished_portrait_away(page: Any) -> None:
    made(page)
    base = base_of(page)
    with another_portrait(page):
        move(page, "Strength", 0)
    wait_state(page, "changed")
    with another_portrait(page):
        page.get_by_role("button", name="Back to your portrait").click()
    assert base_of(page) == base
    assert page.get_by_role("slider", name="Strength").input_value() == "100"
    page.get_by_role("link", name="Download").wait_for()


def test_back_and_forward_lead_to_what_was_there(page: Any, address: str) -> None:
    session = made(page)
    page.go_back()
    wait_state(page, "preview")
    page.go_forward()
    wait_state(page, "done")
    assert session_of(page) == session
    page.get_by_role("button", name="New photo").click()
    wait_state(page, "empty")
    assert page.url == address
    page.go_back()
    wait_state(page, "done")
    assert session_of(page) == session


def test_two_tabs_share_what_they_remember(page: Any, address: str) -> None:
    other = page.context.new_page()
    open_app(other, address)
    made(page)
    other.get_by_role("button", name=re.compile("Portrait made today")).wait_for()
    page.get_by_role("button", name="Delete all").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    wait_state(page, "deleted")
    other.locator("#mine").wait_for(state="hidden")


def test_a_rotated_phone_photo_is_upright_and_follows(moving: Any, photo: Path) -> None:
    stored = Image.open(photo).transpose(Image.Transpose.ROTATE_90)
    exif = Image.Exif()
    exif[0x0112] = 6
    data = io.BytesIO()
    stored.save(data, "JPEG", exif=exif, quality=95)
    with another_portrait(moving):
        upload(moving, "phone.jpg", data.getvalue())
    wait_state(moving, "preview")
    wait_loaded(moving)
    assert_follows(moving)


def test_bad_input_is_explained_and_the_next_photo_works(
    page: Any, record: Record, photo: Path, faceless: np.ndarray
) -> None:
    record.allowed.append("Failed to load resource")  # the browser cannot show what is no picture, either
    for name, data, kind, words in (
        ("photo.jpg", b"hello", "image/jpeg", "picture"),
        ("photo.jpg", photo.read_bytes()[:20000], "image/jpeg", "damaged or cut off"),
        ("photo.jpg", png(faceless), "image/png", "face"),
        ("photo.pdf", b"%PDF-1.4", "application/pdf", "This is a PDF."),
        ("photo.jpg", b"", "image/jpeg", "This file is empty."),
    ):
        upload(page, name, data, kind)
        page.get_by_role("alert").get_by_text(words).first.wait_for()
        page.get_by_role("button", name="New photo").click()
        wait_state(page, "empty")
        assert page.get_by_role("alert").count() == 0
    choose_example(page)
    assert page.get_by_role("button", name="Make it").is_enabled()


def test_photos_are_dropped_and_pasted(page: Any, photo: Path) -> None:
    for event in ("drop", "paste"):
        with another_portrait(page):
            page.evaluate(
                """([kind, bytes]) => {
                    const data = new DataTransfer();
                    data.items.add(new File([new Uint8Array(bytes)], "a.jpg", {type: "image/jpeg"}));
                    const how = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
                    window.dispatchEvent(new (kind === "drop" ? DragEvent : ClipboardEvent)(kind, how));
                }""",
                [event, list(photo.read_bytes())],
            )
        wait_state(page, "preview")
        page.get_by_role("button", name="New photo").click()


HOSTILE = "<img src=x onerror='window.hacked=1'>${window.hacked=1}{{constructor}}`"


def test_text_of_visitors_is_never_run(page: Any, record: Record, address: str, photo: Path) -> None:
    with another_portrait(page):
        upload(page, f"{HOSTILE.replace('/', '')}.jpg", photo.read_bytes())
    upload(page, f"{HOSTILE}.jpg", b"hello")
    wait_state(page, "error")
    for query in ("__theme", "other"):
        page.goto(f"{address}?{query}={quote(HOSTILE)}")
        wait_state(page, "empty")
    page.evaluate(
        "value => localStorage.setItem('gaze-portraits-1', value)", f'[{{"session": "{HOSTILE}", "secret": 5}}]'
    )
    page.goto(f"{address}?session={quote(HOSTILE)}")
    page.get_by_text("This portrait is gone.").wait_for()
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
    record.allowed.append("Failed to load resource")  # the browser cannot show what is no picture


def test_a_script_that_is_not_the_pages_does_not_run(
    open_page: Callable[..., Any], address: str, record: Record
) -> None:
    """If text became markup after all."""
    page = open_page(**STILL)
    open_app(page, address)
    record.allowed += ["Content Security Policy", "Failed to load resource"]
    page.evaluate("""() => {
      window.refused = 0;
      document.addEventListener("securitypolicyviolation", () => { window.refused += 1; });
      document.body.insertAdjacentHTML("beforeend", "<img src=x onerror='window.hacked=1'>");
      const script = document.createElement("script");
      script.textContent = "window.hacked = 2";
      document.body.append(script);
      const foreign = document.createElement("script");
      foreign.src = "data:text/javascript,window.hacked=3";
      document.body.append(foreign);
    }""")
    page.wait_for_function("window.refused === 3")
    assert page.evaluate("window.hacked") is None


def test_the_app_may_be_framed(open_page: Callable[..., Any], site: Site, record: Record, address: str) -> None:
    record.allowed.append("localStorage")  # which a browser may keep from frames; the history then is not kept
    (site.folder / "index.html").write_text(f'<iframe src="{address}" width="900" height="700"></iframe>')
    page = open_page()
    page.goto(site.url.replace("127.0.0.1", "localhost"))
    page.frame_locator("iframe").locator("gaze-tracker").wait_for()
    frame = page.frames[1]
    frame.wait_for_function("document.querySelector('gaze-tracker').loaded", timeout=60_000)


def test_of_several_faces_one_is_chosen(moving: Any, portrait: Portrait) -> None:
    grey = cv2.cvtColor(cv2.cvtColor(portrait.image, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    faces = {}
    for name in ("Face 1", "Face 2"):
        upload(moving, "pair.png", png(np.hstack([portrait.image, grey])))
        wait_state(moving, "several")
        with another_portrait(moving):
            moving.get_by_role("button", name=name, exact=True).click()
        wait_state(moving, "preview")
        faces[name] = float(np.ptp(look(moving, 450, 300).astype(int), axis=2).mean())
    assert max(faces.values()) > 20
    assert min(faces.values()) < 8


TILT = "(gamma) => dispatchEvent(new DeviceOrientationEvent('deviceorientation', {alpha: 0, beta: 45, gamma}))"
ALL = "[...document.querySelectorAll('gaze-group gaze-tracker')]"


def assert_all_follow(page: Any, count: int) -> None:
    """Each of so many faces looks to whichever side of all the pointer is."""
    page.wait_for_function(f"count => {ALL}.length === count && {ALL}.every((it) => it.loaded)", arg=count)
    size = page.viewport_size
    for x, side in ((2, "it.col < 10"), (size["width"] - 2, "it.col > 19")):
        page.mouse.move(x, size["height"] / 2)
        page.wait_for_function(f"{ALL}.every((it) => {side})")


def test_all_faces_of_a_photo_follow_the_same_pointer(
    moving: Any,
    open_page: Callable[..., Any],
    portrait: Portrait,
    address: str,
    gate: Path,
    tmp_path: Path,
    record: Record,
) -> None:
    record.allowed.append("status of 404")  # of the page of portraits that are gone
    record.allowed += ["AbortError", "Connection errored out"]  # Gradio's client, when its page is loaded anew
    upload(moving, "pair.png", png(np.hstack([portrait.image, portrait.image[:, ::-1]])))
    wait_state(moving, "several")
    with another_portrait(moving):
        moving.get_by_role("button", name="Take both").click()
    wait_state(moving, "preview")
    assert_all_follow(moving, 2)
    gate.unlink()
    moving.get_by_role("button", name="Make them").click()
    wait_state(moving, "making")
    moving.reload()
    wait_state(moving, "making")
    assert_all_follow(moving, 2)
    gate.touch()
    wait_state(moving, "done")
    assert moving.evaluate("sessionStorage.getItem('gaze-run-1')") is None
    with another_portrait(moving):
        move(moving, "Strength", 0)  # the photo and the controls are still there
    wait_state(moving, "changed")
    with another_portrait(moving):
        moving.get_by_role("button", name="Back to your portraits").click()
    assert_all_follow(moving, 2)
    assert moving.locator("#still").is_hidden()
    boxes = [it.bounding_box() for it in moving.locator("#all gaze-tracker").all()]
    assert boxes[0]["x"] < boxes[1]["x"], "as they stand in the photo"
    assert boxes[0]["width"] == boxes[1]["width"] > 100

    with moving.expect_download() as download:
        moving.get_by_role("link", name="Download").click()
    zipfile.ZipFile(download.value.path()).extractall(tmp_path)
    own = open_page(viewport={"width": 400, "height": 500}, has_touch=True, is_mobile=True)
    for name in ("index.html", "standalone.html"):
        own.goto((tmp_path / "gaze-portrait" / name).as_uri())
        assert_all_follow(own, 2)
        own.get_by_role("button", name="Follow the tilt of the phone").tap()  # there is one for both
        own.get_by_role("button", name="Follow the tilt", pressed=True).wait_for()
    moving.get_by_role("button", name="Embed").click()
    copy, sheet = box(moving, "#copy-code"), box(moving, "#embed")
    assert copy["y"] + copy["height"] < sheet["y"] + sheet["height"], "it is seen, however long the code is"
    code = moving.locator("#code").text_content()
    assert 'src="gaze-portrait/gaze.pack"' in code
    assert 'src="gaze-portrait/gaze-2.pack"' in code
    assert 'src="gaze-portrait/poster-2.webp" alt="Portrait 2 of 2"' in code
    moving.get_by_role("button", name="Close").click()

    session = moving.url.split("session=")[1]
    own.add_init_script("delete window.VideoDecoder")
    own.goto(f"{address}p/{session}")
    assert_all_follow(own, 2)
    own.get_by_role("button", name="Follow the tilt of the phone").click()
    own.get_by_role("button", name="Follow the tilt", pressed=True).wait_for()
    for gamma, side in ((0, "true"), (25, "it.col > 19"), (-25, "it.col < 10")):
        own.evaluate(TILT, gamma)
        own.wait_for_function(f"{ALL}.every((it) => {side})")
    stills = [url.rsplit("/", 1)[1] for url in record.requests if "stills" in url]
    assert sorted(stills) == ["stills-2.pack", "stills.pack"], "each element has its own where no video is decoded"
    moving.goto(address)
    moving.get_by_role("button", name=re.compile("Portrait made today")).click()
    wait_state(moving, "done")
    assert_all_follow(moving, 2)
    moving.get_by_role("button", name="Delete them").click()
    moving.get_by_text("Delete these portraits?").wait_for()
    moving.get_by_role("button", name="Delete", exact=True).click()
    wait_state(moving, "deleted")
    own.reload()
    own.get_by_text("This portrait is gone.").wait_for()


def test_a_strength_acts_on_the_preview_while_the_slider_is_dragged(moving: Any) -> None:
    choose_example(moving)
    moving.get_by_text("Advanced").click()
    slider = moving.get_by_role("slider", name="Head")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()
    moving.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    moving.mouse.down()
    with another_portrait(moving):
        moving.mouse.move(box["x"] + 1, box["y"] + box["height"] / 2, steps=4)
    moving.mouse.up()
    moving.wait_for_load_state("networkidle")
    wait_loaded(moving)
    height = moving.viewport_size["height"] / 2
    left, right = (face_in(look(moving, x, height)) for x in (5, moving.viewport_size["width"] - 5))
    # Less than half of what it is when the head turns, too: the eyes alone.
    assert 0.05 < (right.centre[0] - left.centre[0]) / left.iris_distance < 0.2


def test_the_stage_fills_the_screen(moving: Any) -> None:
    moving.locator("#stage").hover()
    moving.get_by_role("button", name=re.compile("full ?screen", re.I)).click()
    moving.wait_for_function("document.fullscreenElement?.localName === 'gaze-tracker'")


def test_code_to_embed_is_copied_and_only_what_it_needs_is_served(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    session = made(page)
    page.get_by_role("button", name="Embed").click()
    page.get_by_text("Svelte").click()
    page.get_by_role("button", name="Copy the code").click()
    [svelte] = [snippet.code for snippet in embed_snippets() if snippet.name == "Svelte"]
    page.get_by_text("Code copied").wait_for()
    manifest = page.evaluate("document.getElementById('face').manifest")
    size = 'width="{imageWidth}" height="{imageHeight}"'.format(**manifest)
    assert page.evaluate("navigator.clipboard.readText()") == svelte.replace('width="512" height="512"', size)
    assert 'width="512" height="512"' in svelte

    base = base_of(page)
    answer = urllib.request.urlopen(base + "metadata.json")
    assert answer.headers["Cache-Control"] == "private, no-cache"
    assert answer.headers["ETag"]
    hidden = ["input.jpg", "..%2f..%2fmetadata.json", "%2e%2e/metadata.json", ".", "nothing.webp"]
    for url in [*(base + name for name in hidden), base.replace(session, "0" * 32) + "metadata.json"]:
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(url)
        assert refused.value.code == 404


RECORDS_MP4 = """
    // Stands in for a browser that writes MP4: what it writes is WebM.
    const Recorder = window.MediaRecorder;
    const webm = (type) => type.replace(/video.mp4.*/, "video/webm");
    window.MediaRecorder = class extends Recorder {
        static isTypeSupported(type) { return Recorder.isTypeSupported(webm(type)); }
        constructor(stream, options) {
            super(stream, {...options, mimeType: webm(options.mimeType)});
            window.recorded = stream;
        }
    };
"""
NO_MP4 = """
    const known = MediaRecorder.isTypeSupported;
    MediaRecorder.isTypeSupported = (type) => !type.includes("mp4") && known(type);
"""


def test_a_clip_is_recorded_where_the_browser_writes_mp4(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(viewport={"width": 900, "height": 360}, reduced_motion="reduce")  # frames are as many as are drawn
    open_app(page, address)
    made(page)
    for browser, records in ((NO_MP4, False), (RECORDS_MP4, True)):
        page.evaluate(f"() => {{ {browser} }}")
        page.get_by_role("button", name="Clip").click()
        page.locator("#clip[open]").wait_for()
        assert page.get_by_text("MP4", exact=True).is_visible() == records
        assert page.get_by_text("MP4 is recorded").is_visible() == records
        if not records:
            page.locator("#clip [data-close]").click()
    page.get_by_text("MP4", exact=True).click()
    page.evaluate(f"window.cols = []; {TRACKER}.addEventListener('gazechange', (event) => cols.push(event.detail.col))")
    with page.expect_download() as download:
        page.get_by_role("button", name="Save the clip").click()
    assert download.value.suggested_filename == "gaze-portrait.mp4"
    with av.open(str(download.value.path())) as file:
        frames = [(frame.time, frame.to_ndarray(format="rgb24")) for frame in file.decode(video=0)]
    height, width = frames[0][1].shape[:2]
    assert width == height > 100
    assert frames[-1][0] < 5
    face_in(np.ascontiguousarray(min(frames, key=lambda frame: abs(frame[0] - 1))[1]))  # before it blinks
    cols = page.evaluate("cols")
    assert min(cols) < 10 < 19 < max(cols), "it looks to both sides, however few frames a slow machine encodes"
    page.get_by_text("Clip saved").wait_for()
    assert page.evaluate("recorded.getTracks().map((it) => it.readyState)") == ["ended"]
    assert page.evaluate(f"{TRACKER}.getAttribute('follow')") is None, "the pointer leads again"


def test_a_picture_behind_no_blink_and_sprite_sheets(page: Any) -> None:
    """What is seldom chosen, all at once."""
    choose_example(page)
    with page.expect_file_chooser() as chooser, another_portrait(page):
        page.get_by_text("Picture", exact=True).first.click()
        green = png(np.full((64, 64, 3), (30, 200, 60), np.uint8))
        chooser.value.set_files({"name": "green.png", "mimeType": "image/png", "buffer": green})
    page.get_by_role("button", name="Another picture").wait_for()
    page.get_by_text("Advanced").click()
    page.get_by_text("Blink on shared pages").click()
    assert page.get_by_role("checkbox", name="Blink").is_checked() is False
    make_it(page)
    wait_state(page, "done")
    wait_loaded(page)
    corner = pixels(page, clip={**page.locator("#stage").bounding_box(), "width": 40, "height": 120})[60:, 8:]
    assert np.abs(corner.reshape(-1, 3).mean(0) - (30, 200, 60)).max() < 12
    with urllib.request.urlopen(base_of(page) + "gaze.pack") as answer:
        assert b'"blink"' not in answer.read()[:65536]
    page.get_by_role("button", name="Embed").click()
    page.get_by_role("button", name="Add sprite sheets").click()
    link = page.get_by_role("link", name="Download with sprite sheets")
    link.wait_for()
    with page.expect_download() as download:
        link.click()
    names = zipfile.ZipFile(download.value.path()).namelist()
    assert {"gaze-portrait/q0.webp", "gaze-portrait/q3_20.webp"} <= set(names)
