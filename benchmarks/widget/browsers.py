"""Browsers that are measured, driven alike; and how much memory one takes."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pytest

from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.browser.others import NAMES as OTHERS
from tests.browser.others import start

CHROMIUM = "chromium"
NAMES = (CHROMIUM, *OTHERS)
_WITHOUT_GPU = ("--disable-gpu", "--enable-unsafe-swiftshader")
"""The processor draws WebGL; the page is put together as the browser does by itself then, not by WebGL's renderer."""
VIEWPORT = (1280, 800)


class Browser(Protocol):
    """What a measurement does with a browser."""

    def open(self, url: str) -> None:
        """Loads a page, to the end."""

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, waited for; it must be JSON."""


@contextmanager
def started(name: str, has_gpu: bool) -> Iterator[Browser]:
    """A browser with an empty cache.

    Args:
        has_gpu: leaves it to Chromium what draws; else the processor does.

    Raises:
        LookupError: it is missing; says what to install.
    """
    with tempfile.TemporaryDirectory() as folder:
        if name == CHROMIUM:
            with _chromium(has_gpu) as browser:
                yield browser
            return
        try:
            with start(name, Path(folder)) as other:
                other.resize(*VIEWPORT)
                yield other
        except pytest.skip.Exception as missing:
            raise LookupError(missing.msg) from None


@contextmanager
def _chromium(has_gpu: bool) -> Iterator[Browser]:
    executable = find_chromium()
    if executable is None:
        raise LookupError("Chromium is missing: apt-get install chromium, or name one in GAZE_CHROMIUM")
    from playwright.sync_api import sync_playwright

    arguments = [it for it in CHROMIUM_ARGUMENTS if "swiftshader" not in it]
    if not has_gpu:
        arguments += _WITHOUT_GPU
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=executable, args=arguments)
        page = browser.new_page(viewport={"width": VIEWPORT[0], "height": VIEWPORT[1]})
        yield _Chromium(page)
        browser.close()


class _Chromium:
    def __init__(self, page: Any) -> None:
        self._page = page

    def open(self, url: str) -> None:
        self._page.goto(url)

    def evaluate(self, expression: str) -> Any:
        return self._page.evaluate(f"(async () => ({expression}))()")


def memory_of_children(root: int) -> tuple[float, float]:
    """Memory of all processes below one, in MB; what several share is counted once.

    Returns:
        All of it, and the same without pages of files: of these, all browsers that run share those of their program.
    """
    parents: dict[int, list[int]] = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            number, rest = stat.read_text().split(" (", 1)
        except OSError:
            continue
        parents.setdefault(int(rest.rsplit(") ", 1)[1].split()[1]), []).append(int(number))
    below, total, files = [root], 0, 0
    while below:
        for process in parents.get(below.pop(), []):
            below.append(process)
            sizes = _proportional(process)
            total += sizes.get("Pss:", 0)
            files += sizes.get("Pss_File:", 0)
    return total / 1000, (total - files) / 1000


def _proportional(process: int) -> dict[str, int]:
    """kB by kind: what it has alone, and its share of what it has with others."""
    try:
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended, or says nothing
        return {}
    return {name: int(size) for name, size, *_ in map(str.split, lines) if name.startswith("Pss")}
