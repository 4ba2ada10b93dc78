"""Every state of the app's page, on three screens: where its boxes are, what axe-core says, and that nothing jumps."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.photo.portrait import Portrait
from tests.browser import app_page as app
from tests.browser.conftest import Record
from tests.browser.doubtful import doubtful

COUNT = """async () => {
    for (const text of ["about 2 min left", "about 12 s left", "about 9 s left", "about 1 s left", "almost done"]) {
        document.querySelector("#left").textContent = text;
        for (let frame = 0; frame < 3; frame++) await new Promise(requestAnimationFrame);
    }
}"""
FONT = """(other) => {
    const style = new CSSStyleSheet();
    if (other) style.replaceSync(`* { font-family: ${other} !important; }`);
    document.adoptedStyleSheets = [style];
}"""
"""Lets the page have another font than ours, or its own again."""
SCREENS: dict[str, dict[str, dict[str, Any]]] = {
    "mouse": {"desktop": app.DESKTOP},
    "touch": {"phone": app.PHONE, "small": app.SMALL},
}
"""By what points there: one visit is enough for two phones."""
LOOKS = os.environ.get("GAZE_LOOKS", "desktop-light phone-dark small-light").split()
"""How each state is looked at: on which screens, each in light or dark."""


@pytest.fixture(scope="module")
def pale(portrait: Portrait) -> np.ndarray:
    return doubtful(portrait)


BOXES = """(names) => {
  const box = (it) => {
    const {x, y, width, height} = it.getBoundingClientRect();
    return {x, y, width, height};
  };
  const seen = [...document.querySelectorAll('#acts > *')].filter((it) => it.checkVisibility());
  const page = document.documentElement;
  return {
    ...Object.fromEntries(names.map((name) => [name, box(document.querySelector(name))])),
    buttons: seen.map((it) => ({...box(it), fits: it.scrollWidth <= it.clientWidth + 1})),
    page: {width: page.scrollWidth, height: page.scrollHeight},
  };
}"""
"""Where elements are, those of the bar, and how large the page is: all at once, as they change while a run goes on."""


class Visit:
    """A page that is led through all states.

    Args:
        looks: those of `LOOKS` that are for this page, with their screens.
    """

    def __init__(
        self,
        page: Any,
        looks: dict[str, dict[str, Any]],
        address: str,
        gate: Path,
        portrait: Portrait,
        faceless: np.ndarray,
        pale: np.ndarray,
    ) -> None:
        self.page, self.looks, self.address, self.gate = page, looks, address, gate
        self.portrait, self.faceless, self.pale = portrait, faceless, pale
        self.first: dict[str, list[dict[str, float]]] = {}

    def look(self) -> Iterator[str]:
        """The name of each look when the page is seen so."""
        for name, screen in self.looks.items():
            self.page.set_viewport_size(screen["viewport"])
            self.page.emulate_media(color_scheme=name.partition("-")[2], reduced_motion="reduce")
            self.page.evaluate(FONT, "sans-serif" if name.startswith("small") else None)
            yield name

    def states(self) -> Iterator[str]:
        """The name of each state when it is reached."""
        page = self.page
        yield "empty"
        held: list[Any] = []
        page.route(app.QUESTIONS, lambda route: held.append(route))
        page.get_by_role("button", name="Example: astronaut").click()
        app.wait_state(page, "finding")
        yield "finding"
        for question in held:
            question.continue_()
        page.unroute(app.QUESTIONS)
        app.wait_state(page, "preview")
        app.wait_loaded(page)
        yield "preview"
        with app.another_portrait(page):
            page.get_by_text("Colour", exact=True).click()
        page.locator("#tint").wait_for()
        yield "preview, colour"
        with app.another_portrait(page):
            page.get_by_role("radio", name="Keep").check()
        page.get_by_text("Advanced").click()
        yield "preview, advanced"
        page.get_by_text("768 px").click()
        app.wait_state(page, "preview")
        app.make_it(page)
        app.wait_state(page, "error-making")
        yield "error-making"
        page.get_by_text("Auto", exact=True).click()
        page.get_by_text("Advanced").click()
        problem = '{"problem": {"title": "This did not work.", "text": "Try it again."}}'
        page.route(app.QUESTIONS, lambda route: route.fulfill(body=problem, content_type="application/json"))
        app.move(page, "Strength", 160)
        page.locator("#fault").get_by_text("This did not work.").wait_for()
        yield "error-option"
        page.unroute(app.QUESTIONS)
        app.move(page, "Strength", 100)
        page.locator("#fault").wait_for(state="hidden")
        app.wait_state(page, "preview")
        yield from self.runs()
        yield from self.finished()
        yield from self.photos()

    def runs(self) -> Iterator[str]:
        """What is seen while a portrait is made, or waits for another's."""
        page = self.page
        self.gate.unlink()
        app.make_it(page)
        app.wait_state(page, "making")
        page.wait_for_function("document.querySelector('#progress').getAttribute('aria-valuenow') > 40")
        yield "making"
        page.evaluate(app.SETTLE)
        page.evaluate(COUNT)
        app.assert_no_jump(page)  # nothing moves while it counts
        other = page.context.new_page()
        app.open_app(other, self.address)
        app.choose_example(other)
        app.make_it(other)
        app.wait_state(other, "waiting")
        self.page = other
        yield "waiting"
        other.get_by_role("button", name="Stop").click()
        app.wait_state(other, "preview")
        other.context.set_offline(True)
        other.evaluate("dispatchEvent(new Event('offline'))")  # the browser's own may come before it is
        app.wait_state(other, "offline")
        yield "offline"
        other.context.set_offline(False)
        app.wait_state(other, "preview")
        lost: list[Any] = []

        def answer(route: Any) -> None:
            """The app is there once more, and lost while the page still asks for it."""
            lost.append(route)
            if len(lost) > 1:
                return route.abort()
            other.evaluate("dispatchEvent(new Event('offline'))")
            return route.fulfill()

        other.route("**/dom.js", answer)
        other.evaluate("dispatchEvent(new Event('offline'))")
        app.wait_state(other, "silent")
        yield "silent"
        other.unroute("**/dom.js")
        app.wait_state(other, "preview")
        other.close()
        self.page = page
        self.gate.touch()
        app.wait_state(page, "done")
        app.wait_loaded(page)
        yield "done"

    def finished(self) -> Iterator[str]:
        """What can be done with a finished portrait."""
        page = self.page
        with app.another_portrait(page):
            app.move(page, "Strength", 160)
        app.wait_state(page, "changed")
        yield "changed"
        page.get_by_role("button", name="Back to your portrait").click()
        app.wait_state(page, "done")
        for name in ("Embed", "Link", "Clip"):
            page.get_by_role("button", name=name).click()
            page.locator("dialog[open]").wait_for()
            page.wait_for_function("!document.querySelector('#address').textContent.startsWith('…')")
            yield name
            page.get_by_role("button", name="Close").click()
        self.page = page.context.new_page()
        self.page.goto(f"{self.address}p/{app.session_of(page)}")
        app.wait_loaded(self.page)
        yield "shared"
        self.page.close()
        self.page = page
        page.get_by_role("button", name="New photo").click()
        app.wait_state(page, "empty")
        yield "empty, been here"
        page.locator("#mine .thumb").first.click()
        app.wait_state(page, "done")
        yield "done, opened again"
        page.get_by_role("button", name="Delete it").click()
        yield "sure"
        page.get_by_role("button", name="Delete", exact=True).click()
        app.wait_state(page, "deleted")
        yield "deleted"

    def photos(self) -> Iterator[str]:
        """Photos that cannot be taken as they are, and a portrait that is gone."""
        page = self.page
        app.upload(page, "pair.png", app.png(np.hstack([self.portrait.image, self.portrait.image[:, ::-1]])))
        app.wait_state(page, "several")
        yield "several"
        with app.another_portrait(page):
            page.get_by_role("button", name="Take both").click()
        app.wait_state(page, "preview")
        yield "preview, all"
        self.gate.unlink()
        page.get_by_role("button", name="Make them").click()
        app.wait_state(page, "making")
        yield "making all"
        self.gate.touch()
        app.wait_state(page, "done")
        app.wait_loaded(page)
        yield "done, all"
        app.upload(page, "doubtful.png", app.png(self.pale))
        app.wait_state(page, "doubtful")
        yield "doubtful"
        with app.another_portrait(page):
            page.get_by_role("button", name="Use it anyway").click()
        app.wait_state(page, "preview")
        app.upload(page, "suit.png", app.png(self.faceless))
        app.wait_state(page, "error")
        yield "error"
        forgotten = '[{"session": "%s", "secret": "x", "made": 1}]' % ("0" * 32)
        page.evaluate("value => localStorage.setItem('gaze-portraits-1', value)", forgotten)
        page.goto(f"{self.address}?session={'0' * 32}")
        app.wait_state(page, "expired")
        yield "expired"

    def assert_whole(self, screen: str) -> None:
        """All boxes are where they belong, nothing has moved by itself, and axe-core finds no fault."""
        page = self.page
        if page.locator("main.shared").count():
            self.assert_shared(screen)
            return
        page.evaluate("scrollTo({top: 0, behavior: 'instant'})")  # where a press on something below has led
        page.evaluate(app.SETTLE)
        width, height = page.viewport_size["width"], page.viewport_size["height"]
        wide = width >= 900
        found = page.evaluate(BOXES, ["#stage", "#acts", ".head", "#words > *", "#desk"])
        stage, bar, words, desk = (found[name] for name in ("#stage", "#acts", "#words > *", "#desk"))
        never = [found["#stage"], found[".head"]]
        assert never == self.first.setdefault(screen, never), "what never moves has moved"
        assert stage["width"] == stage["height"]
        assert stage["x"] >= 0
        assert stage["x"] + stage["width"] <= width
        assert stage["y"] + stage["height"] <= (height if wide else bar["y"]), "the face and the bar are both seen"
        if not wide:
            assert bar["y"] + bar["height"] <= height, "the bar is on the screen"
            assert abs(bar["x"] - stage["x"]) < 1
            assert abs(bar["width"] - stage["width"]) < 1
        for inside in found["buttons"]:
            assert inside["height"] >= 44
            assert bar["x"] - 1 <= inside["x"]
            assert inside["x"] + inside["width"] <= bar["x"] + bar["width"] + 1
            assert inside["y"] + inside["height"] <= bar["y"] + bar["height"] + 1
            assert inside["fits"], "its words fit into it"
        assert words["y"] >= (stage["y"] if wide else stage["y"] + stage["height"])
        assert words["y"] + words["height"] <= desk["y"] + 1, "the line has room for its words"
        assert found["page"]["width"] <= width
        if wide:
            assert found["page"]["height"] <= height, "nothing needs the page to scroll"
        self.assert_accessible(screen)
        app.assert_no_jump(page)

    def assert_accessible(self, screen: str) -> None:
        """On the first of the screens: axe-core takes long, and what it looks at is the same on all of one hand."""
        if screen == next(iter(self.looks)):
            faults = app.faults(self.page)
            assert not faults, faults

    def assert_shared(self, screen: str) -> None:
        """The page of a portrait: the face, its caption and one button, all seen at once."""
        page = self.page
        page.evaluate(app.SETTLE)
        width, height = page.viewport_size["width"], page.viewport_size["height"]
        found = page.evaluate(BOXES, ["figure > .stage", "h1", "a.btn"])
        stage, caption, button = (found[name] for name in ("figure > .stage", "h1", "a.btn"))
        assert stage["width"] == stage["height"] <= width
        assert stage["width"] > 0.5 * min(width, height)
        assert abs(stage["x"] + stage["width"] / 2 - width / 2) < 1
        assert stage["y"] >= 0
        assert stage["y"] + stage["height"] <= caption["y"]
        assert caption["y"] + caption["height"] <= button["y"]
        assert button["y"] + button["height"] <= height
        assert button["height"] >= 44
        assert page.get_by_role("link").count() == 1
        assert page.evaluate("document.querySelectorAll('button').length") == 0, "but for the player's own"
        assert found["page"]["width"] <= width
        self.assert_accessible(screen)
        app.assert_no_jump(page)


@pytest.mark.parametrize("hand", SCREENS)
def test_every_state_is_whole(
    open_page: Callable[..., Any],
    address: str,
    gate: Path,
    portrait: Portrait,
    faceless: np.ndarray,
    pale: np.ndarray,
    record: Record,
    hand: str,
) -> None:
    # Of the states "offline" and "silent"; the last two are Gradio's.
    record.allowed += ["Failed to load resource", "ERR_INTERNET_DISCONNECTED", "AbortError", "Connection errored out"]
    screens = SCREENS[hand]
    looks = {look: screens[name] for look in LOOKS if (name := look.partition("-")[0]) in screens}
    if not looks:
        pytest.skip("GAZE_LOOKS names none of these screens")
    # Every frame is drawn by the processor: a face that glances about would take all of it.
    page = open_page(**next(iter(looks.values())), reduced_motion="reduce")
    gate.touch()
    app.open_app(page, address)
    visit = Visit(page, looks, address, gate, portrait, faceless, pale)
    pictures = os.environ.get("GAZE_SCREENSHOTS")
    wrong = {}
    try:
        for number, name in enumerate(visit.states()):
            for look in visit.look():
                if pictures:
                    visit.page.screenshot(path=Path(pictures) / f"{look}-{number:02} {name}.png")
                try:
                    visit.assert_whole(look)
                except AssertionError as error:
                    wrong[f"{name}, {look}"] = str(error)
    finally:
        gate.touch()
    assert not wrong, "\n".join(f"{name}: {what}" for name, what in wrong.items())


LINES = """(it) => {
    const words = new Range();
    words.selectNodeContents(it);
    return words.getClientRects().length;
}"""


def test_the_way_back_to_a_photo_stands_on_one_line(open_page: Callable[..., Any], address: str) -> None:
    page = open_page(**app.PHONE, reduced_motion="reduce")
    app.open_app(page, address)
    app.choose_example(page)
    app.upload(page, "none.png", b"")
    app.wait_state(page, "error")
    back = page.get_by_role("button", name="Back to your photo").locator("span")
    for screen in (app.PHONE, app.DESKTOP):
        page.set_viewport_size(screen["viewport"])
        assert back.evaluate(LINES) == 1


def test_another_part_of_the_desk_is_seen_from_its_beginning(open_page: Callable[..., Any], address: str) -> None:
    """On a phone that lies on its side the desk is scrolled by itself, such as down to the example."""
    page = open_page(viewport={"width": 844, "height": 390}, reduced_motion="reduce")
    app.open_app(page, address)
    page.evaluate("document.getElementById('desk').scrollTop = 999")
    desk = "[document.getElementById('desk').scrollTop, document.getElementById('desk').scrollHeight]"
    assert page.evaluate(desk)[0] > 0
    app.choose_example(page)
    top, height = page.evaluate(desk)
    assert (top, height > app.box(page, "#desk")["height"]) == (0, True)
