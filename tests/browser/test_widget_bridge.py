"""The pointer of the page around an iframe, a tap, scrolling."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.driving import TRACKER, touch, wait_cell, wait_loaded
from tests.browser.keys import write_keys
from tests.browser.portraits import write_page
from tests.browser.test_widget_docs import TEXT
from tests.pages import blocks

FRAME = (
    '<gaze-tracker src="portrait/" smoothing="0" hide-controls {}></gaze-tracker>'
    "<script>addEventListener('message', () => (window.messages = (window.messages ?? 0) + 1))</script>"
)


@pytest.mark.parametrize(
    ("attributes", "origin", "follows"),
    [("", "same", True), ("", "other", False), ('bridge="{}"', "other", True), ('bridge="*"', "other", True)],
    ids=["its own origin", "another one", "another one that is named", "any"],
)
def test_the_page_around_hands_its_pointer_over(
    page: Any, site: Any, attributes: str, origin: str, follows: bool
) -> None:
    write_keys(site.folder / "portrait")
    outer = site.url if origin == "same" else site.url.replace("127.0.0.1", "localhost")
    write_page(site.folder, FRAME.format(attributes.format(outer.rstrip("/"))), name="inner.html")
    [script] = [text for text in blocks(TEXT, "html") if "postMessage" in text]
    frame = f'<iframe src="{site.url}inner.html" style="position: absolute; left: 500px; top: 300px"></iframe>'
    (site.folder / "index.html").write_text(f"<!doctype html>{frame}{script}")
    page.goto(outer)
    inner = page.frames[1]
    inner.wait_for_function(f"{TRACKER}.loaded")
    page.mouse.move(0, 0)
    inner.wait_for_function("window.messages > 0")
    if follows:
        inner.wait_for_function(f"{TRACKER}.row < 0.2 && {TRACKER}.col < 0.2")
    else:
        inner.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")
        assert inner.evaluate(f"[{TRACKER}.row, {TRACKER}.col]") == [14.5, 14.5]


def test_after_a_tap_it_looks_there_for_a_moment(open_page: Any, site: Any) -> None:
    write_keys(site.folder / "portrait")
    write_page(site.folder, '<gaze-tracker src="portrait/" smoothing="0" hide-controls></gaze-tracker>')
    page = open_page(viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True)
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"""() => {{
        window.held = 0;
        addEventListener("touchend", () => (window.ended = performance.now()), true);
        {TRACKER}.addEventListener("gazechange", ({{detail}}) => {{
            if (detail.x === 0 && window.ended) window.held ||= performance.now() - ended;
        }});
    }}""")
    finger = touch(page)
    finger("touchStart", (300, 700))
    finger("touchEnd")
    page.wait_for_function(f"{TRACKER}.col > 20")
    wait_cell(page, 14.5, 14.5)
    assert page.evaluate("held") > 1000


def test_it_follows_the_scrolling_page(page: Any, site: Any) -> None:
    write_keys(site.folder / "portrait")
    tracker = '<gaze-tracker src="portrait/" smoothing="0" follow="scroll"></gaze-tracker>'
    write_page(site.folder, f'<div style="height: 3000px; padding-top: 500px">{tracker}</div>')
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate("scrollTo(0, 10)")
    page.wait_for_function(f"{TRACKER}.row < 14")
    page.evaluate("scrollTo(0, 480)")
    page.wait_for_function(f"{TRACKER}.row > 15")
