"""The downloaded zip, unpacked and opened by double click: the cell shown is read back from the pixels."""

from __future__ import annotations

import html
import re
import shutil
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gaze.grid import Cell, Look
from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.output.metadata import Metadata
from gaze.pipeline.making import generate
from tests import pages
from tests.browser.conftest import Record
from tests.browser.driving import address, poll_colour_at, wait_at_rest
from tests.browser.portraits import colour_at
from tests.fakes import FakeEngine, cell_colour, cell_of


@pytest.fixture(scope="module")
def unpacked(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A real run of the line with frames that tell their cell, zipped and unpacked."""
    place = tmp_path_factory.mktemp("zip")
    write_zip(generate(photo, place / "made", Options(engine=FakeEngine(30), frame_size=192)).folder, place / "z.zip")
    zipfile.ZipFile(place / "z.zip").extractall(place / "a folder with spaces")
    return place / "a folder with spaces" / "gaze-portrait"


@pytest.mark.parametrize("viewport", [(1280, 800), (1600, 600), (390, 844)])
def test_index_html_shows_the_cell_that_looks_at_the_pointer(
    open_page: Callable[..., Any], record: Record, unpacked: Path, viewport: tuple[int, int]
) -> None:
    width, height = viewport
    page = open_page(viewport={"width": width, "height": height})
    page.goto((unpacked / "index.html").as_uri())
    tracker = page.locator("gaze-tracker")
    tracker.evaluate("el => { el.smoothing = 0; el.blend = 'none'; }")
    page.wait_for_function("document.querySelector('gaze-tracker').loaded")
    box = tracker.bounding_box()
    manifest = Metadata.read(unpacked)
    assert manifest.face
    face_x = box["x"] + manifest.face.x * box["width"]
    face_y = box["y"] + manifest.face.y * box["height"]
    last = manifest.grid_size - 1

    def expected(x: float, y: float) -> Cell:
        look_x = (x - face_x) / (width - face_x if x > face_x else face_x)
        look_y = (y - face_y) / (height - face_y if y > face_y else face_y)
        return Cell(round((look_y + 1) / 2 * last), round((look_x + 1) / 2 * last))

    for share_x, share_y in ((0.01, 0.01), (0.97, 0.04), (0.3, 0.6), (0.72, 0.35), (0.02, 0.98), (0.99, 0.99)):
        x, y = int(share_x * width), int(share_y * height)
        page.mouse.move(x, y)
        want = expected(x, y)
        page.wait_for_function(
            "([row, col]) => { const el = document.querySelector('gaze-tracker');"
            " return Math.round(el.row) === row && Math.round(el.col) === col; }",
            arg=[want.row, want.col],
        )
        page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert cell_of(colour_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)) == want
    assert all(url.startswith(("file:", "data:", "blob:")) for url in record.requests)


def settle_on(page: Any, x: float, y: float) -> tuple[tuple[float, float], Cell]:
    """Moves the pointer; returns the fractional cell that is to be shown, and the one whose colour is."""
    page.mouse.move(x, y)
    wait_at_rest(page)
    row, col = page.evaluate("[document.querySelector('gaze-tracker').row, document.querySelector('gaze-tracker').col]")
    box = page.locator("gaze-tracker").bounding_box()
    shown = cell_of(colour_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2))
    return (row, col), shown


def follows(page: Any) -> None:
    page.wait_for_function("document.querySelector('gaze-tracker').loaded")
    for x, y in ((3, 3), (700, 60), (60, 600)):
        (row, col), shown = settle_on(page, x, y)
        assert abs(shown.row - row) < 1
        assert abs(shown.col - col) < 1


def test_one_file_alone_follows_and_asks_for_nothing(
    open_page: Callable[..., Any], record: Record, unpacked: Path, tmp_path: Path
) -> None:
    (tmp_path / "mail.html").write_bytes((unpacked / "standalone.html").read_bytes())
    page = open_page(viewport={"width": 800, "height": 700})
    page.goto((tmp_path / "mail.html").as_uri())
    follows(page)
    others = {url for url in record.requests if not url.startswith(("data:", "blob:"))}
    assert others == {(tmp_path / "mail.html").as_uri()}


def test_one_file_alone_shows_the_poster_where_nothing_can_be_decoded(
    open_page: Callable[..., Any], unpacked: Path
) -> None:
    page = open_page()
    page.add_init_script("delete window.VideoDecoder")
    page.goto((unpacked / "standalone.html").as_uri())
    page.evaluate("customElements.whenDefined('gaze-tracker')")
    page.wait_for_function("document.querySelector('gaze-tracker').shadowRoot.querySelector('canvas').width > 100")
    box = page.locator("gaze-tracker").bounding_box()
    middle = cell_colour(Look(14.5, 14.5))
    poll_colour_at(page, box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, middle, tolerance=3)


def snippets(unpacked: Path) -> list[str]:
    """What embed.html, the README beside it and that of the project tell people to write."""
    page = (unpacked / "embed.html").read_text()
    shown = [html.unescape(code) for code in re.findall(r"<pre><code>(.*?)</code></pre>", page, re.DOTALL)]
    readme = (unpacked / "README.txt").read_text()
    told = "".join(line for line in readme.splitlines(keepends=True) if line.startswith("   "))
    return [*shown, told, *pages.blocks(pages.read("README.md"), "html")]


@pytest.mark.parametrize(("number", "scheme"), [(0, "file"), *((number, "http") for number in range(5))])
def test_each_snippet_works_as_it_stands(
    open_page: Callable[..., Any], site: Any, unpacked: Path, number: int, scheme: str
) -> None:
    snippet = snippets(unpacked)[number]
    shutil.copytree(unpacked, site.folder / "gaze-portrait")
    (site.folder / "index.html").write_text(f"<!doctype html><title>mine</title>{snippet}")
    page = open_page(viewport={"width": 800, "height": 700})
    page.goto(address(site, scheme))
    if "<iframe" in snippet:
        frame = page.frame_locator("iframe").locator("gaze-tracker")
        frame.wait_for()
        page.frames[1].wait_for_function("document.querySelector('gaze-tracker').loaded")
    else:
        follows(page)


def test_there_is_a_test_for_every_snippet(unpacked: Path) -> None:
    assert len(snippets(unpacked)) == 5
    assert all("gaze-portrait/" in snippet for snippet in snippets(unpacked))


def test_the_picture_of_each_snippet_leaves_no_room_beneath_it(unpacked: Path) -> None:
    """As text it would stand on a line, until the widget is there: then what follows would jump."""
    pictures = [snippet for snippet in snippets(unpacked) if "<img" in snippet]
    assert len(pictures) == 4
    assert all("display: block; width: 100%; height: auto" in snippet for snippet in pictures)


def test_the_page_about_embedding_follows_too(open_page: Callable[..., Any], unpacked: Path) -> None:
    page = open_page(viewport={"width": 800, "height": 700})
    page.goto((unpacked / "embed.html").as_uri())
    follows(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 800


@pytest.mark.parametrize("name", ["index.html", "embed.html"])
def test_the_pages_work_on_a_site_with_a_strict_policy(
    open_page: Callable[..., Any], site: Any, unpacked: Path, name: str
) -> None:
    """What the policy forbids would be an error on the page, which fails the test."""
    site.headers["Content-Security-Policy"] = "default-src 'self'; object-src 'none'; base-uri 'none'"
    shutil.copytree(unpacked, site.folder / "gaze-portrait")
    page = open_page(viewport={"width": 800, "height": 700})
    page.goto(f"{site.url}gaze-portrait/{name}")
    page.evaluate("customElements.whenDefined('gaze-tracker')")
    page.mouse.move(3, 3)
    for _ in range(200):  # (waiting with wait_for_function would need eval)
        row, col = page.evaluate("(({row, col}) => [row, col])(document.querySelector('gaze-tracker'))")
        if 0 <= row < 1 and 0 <= col < 1:
            break
        page.wait_for_timeout(50)
    assert 0 <= row < 1, (row, col)
    assert page.evaluate("getComputedStyle(document.querySelector('gaze-tracker')).borderRadius") in ("20px", "16px")
