"""Firefox and WebKitGTK as Debian has them (firefox-esr, webkit2gtk-driver), on a screen of their own (xvfb)."""

from __future__ import annotations

import os
import shutil
import subprocess
import time
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.browser.bidi import firefox

NAMES = ("firefox", "webkit")
_FIREFOX = ("firefox-esr", "firefox")
_WEBKIT_DRIVER = "WebKitWebDriver"


class Browser(Protocol):
    """What a test does with a browser."""

    def resize(self, width: int, height: int) -> None:
        """Gives the viewport about this size, in CSS pixels."""

    def open(self, url: str) -> None:
        """Loads a page, to the end."""

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, waited for; it must be JSON."""

    def screenshot(self) -> bytes:
        """The viewport as PNG."""


def wait_until(browser: Browser, expression: str, seconds: float = 60) -> None:
    """Until an expression is true."""
    end = time.monotonic() + seconds
    while not browser.evaluate(expression):
        assert time.monotonic() < end, f"never: {expression}"
        time.sleep(0.05)


@contextmanager
def start(name: str, folder: Path) -> Iterator[Browser]:
    """A browser; skips the test, with the reason, where it is missing.

    Args:
        name: one of NAMES.
        folder: for its profile.
    """
    with ExitStack() as stack:
        environment = stack.enter_context(_screen())
        yield stack.enter_context(
            _started_firefox(folder, environment) if name == "firefox" else _started_webkit(environment)
        )


@contextmanager
def _screen() -> Iterator[dict[str, str]]:
    """An environment with a virtual screen."""
    if shutil.which("Xvfb") is None:
        pytest.skip("Xvfb is missing: apt-get install xvfb")
    command = ["Xvfb", "-displayfd", "1", "-screen", "0", "1400x1100x24", "-nolisten", "tcp"]
    server = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert server.stdout is not None
        yield {**os.environ, "DISPLAY": f":{server.stdout.readline().strip()}", "GDK_BACKEND": "x11"}
    finally:
        server.terminate()
        server.wait(20)


@contextmanager
def _started_firefox(folder: Path, environment: dict[str, str]) -> Iterator[Browser]:
    executable = next(filter(None, map(shutil.which, _FIREFOX)), None)
    if executable is None:
        pytest.skip("Firefox is missing: apt-get install firefox-esr")
    with firefox(executable, folder / "profile", environment) as browser:
        yield browser


@contextmanager
def _started_webkit(environment: dict[str, str]) -> Iterator[Browser]:
    driver = shutil.which(_WEBKIT_DRIVER)
    found = sorted(Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
    if driver is None or not found:
        pytest.skip("WebKitGTK is missing: apt-get install webkit2gtk-driver")
    webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is missing: pip install selenium")
    options = webdriver.WebKitGTKOptions()
    options.binary_location = str(found[-1])
    options.add_argument("--automation")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of Selenium's own
        session = webdriver.WebKitGTK(options, webdriver.WebKitGTKService(driver, env=environment))
    try:
        yield _WebKit(session)
    finally:
        session.quit()


class _WebKit:
    def __init__(self, session: Any) -> None:
        self._session = session
        session.set_script_timeout(60)

    def resize(self, width: int, height: int) -> None:
        self._session.set_window_rect(0, 0, width, height)

    def open(self, url: str) -> None:
        self._session.get(url)

    def evaluate(self, expression: str) -> Any:
        from selenium.common.exceptions import TimeoutException

        try:
            answer = self._session.execute_async_script(
                f"""const done = arguments[0];
                Promise.resolve({expression}).then((it) => done([it ?? null]), (error) => done(String(error)));"""
            )
        except TimeoutException as error:
            raise TimeoutError(str(error)) from None
        if not isinstance(answer, list):
            raise RuntimeError(answer)
        return answer[0]

    def screenshot(self) -> bytes:
        return self._session.get_screenshot_as_png()
