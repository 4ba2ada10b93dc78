"""A run and the page that waits for it: loaded anew, closed, stopped, in the queue, cut off, and after a restart."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import TimeoutError

from tests.browser import app_page as app
from tests.browser.conftest import Record
from tests.browser.visitor import Visitor
from tests.serving import serving

ANSWERED_BY_THE_BROWSER = """performance.getEntriesByType("resource")
    .some((it) => it.name.endsWith("app_id") && it.responseStatus === 200 && it.transferSize === 0)"""


@pytest.fixture
def page(visitor: Visitor, address: str, gate: Path, record: Record) -> Iterator[Any]:
    """A page whose run waits until the gate is opened."""
    record.allowed += ["Failed to load resource", "ERR_INTERNET_DISCONNECTED"]
    record.allowed += ["AbortError", "Connection errored out"]  # Gradio's client, when its page is loaded anew
    gate.touch()
    page = visitor.page()
    stop = record.listen(page)
    app.choose_example(page)
    gate.unlink()
    app.make_it(page)
    app.wait_state(page, "making")
    page.wait_for_function("JSON.parse(sessionStorage.getItem('gaze-run-1')).session")  # the app has begun
    yield page
    gate.touch()
    app.wait_idle(address)
    stop()
    visitor.leave()


def test_a_page_that_is_loaded_anew_goes_on_where_it_was(page: Any, gate: Path) -> None:
    page.reload()
    app.wait_state(page, "making")
    app.wait_loaded(page)
    page.get_by_role("progressbar").wait_for()
    gate.touch()
    app.wait_state(page, "done")
    session = app.session_of(page)
    assert session in page.url
    with app.another_portrait(page):
        app.move(page, "Strength", 0)  # the photo and the controls are still there
    app.wait_state(page, "changed")


@pytest.mark.parametrize("heard", [False, True])
def test_a_page_that_is_loaded_anew_in_the_first_moment_of_a_run_goes_on(
    page: Any, open_page: Callable[..., Any], gate: Path, address: str, heard: bool
) -> None:
    """Whether the app has heard of the run by then or not."""
    gate.touch()
    app.wait_state(page, "done")
    gate.unlink()
    page.get_by_role("button", name="New photo").click()
    app.choose_example(page)
    if not heard:
        page.route(app.EVENTS, lambda route: route.abort())
    page.evaluate("""() => {
        const make = [...document.querySelectorAll("#acts button")].find((it) => it.innerText.startsWith("Make it"));
        make.click();
        location.reload();
    }""")
    app.wait_state(page, "making")
    page.unroute(app.EVENTS)
    page.wait_for_function("JSON.parse(sessionStorage.getItem('gaze-run-1')).session")
    gate.touch()
    app.wait_state(page, "done")
    assert page.evaluate("JSON.parse(localStorage.getItem('gaze-portraits-1')).length") == 2


def test_a_portrait_is_finished_without_its_page(page: Any, gate: Path, address: str) -> None:
    other = page.context.new_page()
    page.close()
    gate.touch()
    app.open_app(other, address)
    for _ in range(100):
        if other.locator("#mine .thumb").count():
            break
        other.wait_for_timeout(300)
        other.reload()
        app.wait_state(other, "empty")
    other.get_by_role("button", name=re.compile("Portrait made today")).click()
    app.wait_state(other, "done")


def test_a_run_that_is_stopped_leaves_the_preview_and_nothing_else(page: Any, gate: Path) -> None:
    page.get_by_role("button", name="Stop").click()
    app.wait_state(page, "preview")
    gate.touch()
    assert page.evaluate("localStorage.getItem('gaze-portraits-1')") == "[]"
    assert page.evaluate("sessionStorage.getItem('gaze-run-1')") is None
    app.make_it(page)
    app.wait_state(page, "done")


def test_who_waits_sees_the_place_and_gets_a_turn(page: Any, gate: Path, address: str, open_page: Any) -> None:
    other = open_page(**app.STILL)
    app.open_app(other, address)
    app.choose_example(other)
    app.make_it(other)
    app.wait_state(other, "waiting")
    other.get_by_text("One portrait is ahead of yours.").wait_for()
    other.reload()
    app.wait_state(other, "waiting")
    gate.touch()
    app.wait_state(page, "done")
    app.wait_state(other, "done")


def test_a_connection_that_breaks_loses_nothing(page: Any, gate: Path) -> None:
    page.context.set_offline(True)
    app.wait_state(page, "offline")
    gate.touch()
    page.context.set_offline(False)
    app.wait_state(page, "done")


def test_an_app_that_is_gone_is_told_in_our_words_alone(
    open_page: Callable[..., Any], tmp_path: Path, record: Record
) -> None:
    record.allowed += ["Failed to load resource", "ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE"]
    record.allowed += ["Failed to fetch", "Connection errored out"]  # Gradio's
    page = open_page(**app.STILL)
    with serving(tmp_path, "-m", "tests.browser.quick_app", str(tmp_path / "gate")) as running:
        app.open_app(page, running.address)
        app.choose_example(page)
        app.make_it(page)
        app.wait_state(page, "making")
        running.process.kill()
    app.wait_state(page, "silent")
    page.get_by_role("alert").get_by_text("The app does not answer.").wait_for()
    gradios = page.get_by_text("Connection to the server was lost")
    gradios.wait_for(state="attached")
    assert not gradios.is_visible(), "it would lie over ours"


def test_after_a_restart_the_page_sends_its_photo_again(
    open_page: Callable[..., Any], photo: Path, tmp_path: Path, record: Record
) -> None:
    record.allowed += ["Failed to load resource", "ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE"]
    gate = tmp_path / "gate"
    gate.touch()
    page = open_page(**app.STILL)
    with serving(tmp_path / "one", "-m", "tests.browser.quick_app", str(gate)) as running:
        app.open_app(page, running.address)
        app.upload(page, "me.jpg", photo.read_bytes())
        app.wait_state(page, "preview")
    with suppress(TimeoutError):  # unless the page has found out by itself
        page.get_by_role("slider", name="Strength").fill("150", timeout=10_000)
    app.wait_state(page, "silent")
    port = running.address.rsplit(":", 1)[1]
    with serving(tmp_path / "two", "-m", "tests.browser.quick_app", str(gate), GRADIO_SERVER_PORT=port) as again:
        assert again.address == running.address
        app.wait_state(page, "preview")
        with app.another_portrait(page):
            app.move(page, "Strength", 50)
        app.make_it(page)
        app.wait_state(page, "done")
        page.close()


def test_a_run_that_the_app_lost_is_made_again_without_adding_the_photo(
    open_page: Callable[..., Any], photo: Path, tmp_path: Path, record: Record
) -> None:
    record.allowed += ["Failed to load resource", "ERR_CONNECTION", "ERR_EMPTY", "ERR_INCOMPLETE"]
    record.allowed += ["Failed to fetch", "Connection errored out"]  # Gradio's
    gate = tmp_path / "gate"
    page = open_page(**app.STILL)
    with serving(tmp_path / "one", "-m", "tests.browser.quick_app", str(gate)) as running:
        app.open_app(page, running.address)
        app.upload(page, "me.jpg", photo.read_bytes())
        app.wait_state(page, "preview")
        app.make_it(page)
        app.wait_state(page, "making")
        page.evaluate("window.isTheSame = true")
        running.process.kill()
    app.wait_state(page, "silent")
    gate.touch()
    port = running.address.rsplit(":", 1)[1]
    with serving(tmp_path / "two", "-m", "tests.browser.quick_app", str(gate), GRADIO_SERVER_PORT=port) as again:
        assert again.address == running.address
        app.wait_state(page, "done", timeout=40_000)
        with page.expect_response(lambda answer: answer.url.endswith("app_id")):
            pass  # once it is told a name, Gradio's page loads itself anew, without the photo
        page.wait_for_function(ANSWERED_BY_THE_BROWSER)
        app.move(page, "Strength", 50)
        app.wait_state(page, "changed")
        page.get_by_role("button", name="Make it").click()
        app.wait_state(page, "done")
        assert page.evaluate("window.isTheSame")
        page.close()
