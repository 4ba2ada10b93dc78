"""The app's page in Chromium: in use, under its policy, and with hostile names and addresses."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any
from urllib.parse import quote

from tests.serving import App
from trials.corpus import EXAMPLE
from trials.injection import FOREIGN, MARKS, WORKED_OUT
from trials.trying import FAULT, Tried

_WATCH = """window.violations = [];
document.addEventListener("securitypolicyviolation", (event) => violations.push(event.violatedDirective));"""
_LOADED = "document.querySelector('gaze-tracker')?.loaded"


def new_page(browser: Any, asked: list[str] | None = None) -> Any:
    """A page that keeps what its policy forbade; what it asks for elsewhere is answered, with harm, and kept."""
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    page.set_default_timeout(60_000)
    page.add_init_script(_WATCH)

    def answer(route: Any) -> None:
        if asked is not None:
            asked.append(route.request.url)
        route.fulfill(
            body="window.hacked = 1", content_type="text/javascript", headers={"Access-Control-Allow-Origin": "*"}
        )

    page.route(f"{FOREIGN}/**", answer)
    return page


def in_use(browser: Any, app: App) -> Tried:
    page, started = new_page(browser), time.monotonic()
    page.goto(app.address)
    page.wait_for_function(_LOADED)
    page.get_by_role("button", name="Example: astronaut").click()
    page.get_by_role("button", name="Make it").click()
    page.get_by_text("Your portrait is ready.").wait_for(timeout=300_000)
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_label("Caption").fill("Ada")
    page.get_by_role("button", name="Copy the link").click()
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    page.get_by_role("heading", name="Deleted.").wait_for()
    forbidden = page.evaluate("violations")
    page.context.close()
    return Tried(FAULT if forbidden else "works", f"Forbidden: {forbidden}", time.monotonic() - started)


def stopped(browser: Any, app: App, ways: dict[str, str]) -> Iterator[Tried]:
    for name, way in ways.items():
        free = _acts(browser, "http://free.test/", way)
        held = _acts(browser, app.address, way)
        if not free:
            yield Tried(FAULT, f"{name}: it does nothing on a page without a policy either.")
        else:
            yield Tried(FAULT if held else "stopped", name)


def _acts(browser: Any, address: str, way: str) -> bool:
    """Whether it ran, or asked elsewhere."""
    asked: list[str] = []
    page = new_page(browser, asked)
    page.route(
        "http://free.test/**", lambda route: route.fulfill(body="<!doctype html><body>", content_type="text/html")
    )
    page.goto(address)
    if "free.test" not in address:
        page.wait_for_function(_LOADED)
    page.evaluate(f"() => {{ try {{ {way} }} catch {{}} }}")
    page.wait_for_timeout(400)
    acted = bool(asked) or page.evaluate("window.hacked !== undefined")
    page.context.close()
    return acted


def named(browser: Any, app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    page = new_page(browser)
    page.goto(app.address)
    page.wait_for_function(_LOADED)
    for number, text in enumerate(texts):
        name = f"{text[:200]}.jpg"
        data = EXAMPLE.read_bytes() if number % 6 == 0 else b"no picture"
        page.locator("#pick").set_input_files({"name": name, "mimeType": "image/jpeg", "buffer": data})
        state = "preview" if number % 6 == 0 else "error"
        try:
            page.locator(f".page[data-state={state}]").wait_for(timeout=20_000)
        except Exception:
            shown = page.locator("body").inner_text()[:600]
            yield Tried(FAULT, f"{name!r}: nothing is said. The page shows: {shown}")
            continue
        yield _harmless(page, repr(name))
        page.get_by_role("button", name="New photo").click()
        page.get_by_text("Your photo looks at you.").wait_for()
    page.context.close()


def opened(browser: Any, app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    page = new_page(browser)
    for text in texts:
        it = quote(text)
        page.goto(f"{app.address}/?session={it}&__theme={it}&view={it}&{it}={it}#{it}")
        page.get_by_text("This portrait is gone.").first.wait_for()
        yield _harmless(page, repr(text[:60]))
    page.context.close()


def _harmless(page: Any, what: str) -> Tried:
    page.wait_for_timeout(100)
    hacked = page.evaluate("window.hacked !== undefined || 'polluted' in {}")
    hacked = hacked or WORKED_OUT in page.locator("body").inner_text()
    marks = page.locator(MARKS).count()
    return Tried(FAULT if hacked or marks else "text", f"{what}: script {hacked}, markup {marks}")
