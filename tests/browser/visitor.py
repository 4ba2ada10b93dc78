"""A page of the app that many tests share: brought back to where a visitor begins, instead of opened anew."""

from __future__ import annotations

from typing import Any

from tests.browser.app_page import STILL, open_app, state, wait_loaded, wait_state
from tests.browser.driving import new_context

FORGET = """() => {
    for (const sheet of document.querySelectorAll("dialog[open]")) sheet.close();
    for (const part of document.querySelectorAll("details[open]")) part.open = false;
    for (const kept of [localStorage, sessionStorage]) kept.clear();
    dispatchEvent(new StorageEvent("storage"));  // as when another tab has forgotten all
    return document.fullscreenElement && document.exitFullscreen();
}"""


class Visitor:
    """Opens the app when it is first needed.

    Args:
        browser: in which.
        address: of the app.
    """

    def __init__(self, browser: Any, address: str) -> None:
        self._browser, self._address = browser, address
        self._context: Any = None
        self._page: Any = None

    def page(self, **screen: Any) -> Any:
        """The page as it is after it has been opened, with nothing remembered.

        Args:
            screen: `viewport` and `reduced_motion`, as of `Browser.new_context`; `STILL` unless told.
        """
        screen = {**STILL, "reduced_motion": "no-preference", **screen} if screen else STILL
        if self._page is None or self._page.is_closed():
            self.close()
            self._context = new_context(self._browser, **STILL)
            self._page = self._context.new_page()
            open_app(self._page, self._address)
        else:
            self._begin_again()
        self._page.set_viewport_size(screen["viewport"])
        self._page.emulate_media(reduced_motion=screen["reduced_motion"])
        return self._page

    def leave(self) -> None:
        """Until the next test nothing moves, and nothing is withheld."""
        if self._page.is_closed():
            return
        self._page.emulate_media(reduced_motion="reduce")
        self._page.unroute_all(behavior="ignoreErrors")
        self._context.set_offline(False)
        self._context.clear_permissions()
        for page in self._context.pages:
            if page != self._page:
                page.close()

    def close(self) -> None:
        if self._context:
            self._context.close()

    def _begin_again(self) -> None:
        page = self._page
        page.evaluate(FORGET)
        again = page.locator("#new-photo")
        if again.is_visible():
            again.click()
        if page.url != self._address or state(page) != "empty":  # such as the page of a portrait, or what is deleted
            page.goto(self._address)
        wait_state(page, "empty")
        page.locator("#mine").wait_for(state="hidden")
        wait_loaded(page)
        page.mouse.move(1, 1)
