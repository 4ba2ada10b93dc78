"""The app's web server: unusual and large requests, many previews, text that is harmful as markup or script, and
Content-Security-Policies, the app's own and strict ones of other sites. "Text" means shown as text, or not at all.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.browser.conftest import CHROMIUM_ARGUMENTS, find_chromium
from tests.serving import serving
from trials.injection import TEXTS, WAYS
from trials.trying import Row, Size, attempt
from trials.web.arguments import arguments, kinds, not_reflected
from trials.web.browsing import in_use, named, opened, stopped
from trials.web.policies import widget, zip_pages
from trials.web.requests import PAGES, announced, has_policy, odd, previews, quiet, unannounced
from trials.web.zips import zips


def rows(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder)) as app:
        place = Path(folder)
        texts = size.of(TEXTS[::6], TEXTS)
        yield Row("requests that announce too much, refused before the rest is sent", list(announced(app)))
        yield Row("requests that go on for too long without having said so", list(unannounced(app, place)))
        yield Row("odd methods, headers and lengths", list(odd(app)))
        yield Row("pages, each with its policy", [attempt(partial(has_policy, app, it), what=it) for it in PAGES])
        yield Row(
            "hostile text in queries and headers, not in the page",
            [attempt(partial(not_reflected, app, text), what=repr(text[:60])) for text in texts],
        )
        yield Row("hostile text in each argument for programs", list(arguments(app, texts)))
        yield Row("values of another kind, or none, for each argument", list(kinds(app)))
        yield Row("zips of what was made, and of folders with odd files in them", list(zips(app, place)))
        yield from previews(app)
        from playwright.sync_api import sync_playwright

        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=find_chromium(), args=list(CHROMIUM_ARGUMENTS))
            yield Row("the page in use, from photo to deletion: nothing it needs is forbidden", [in_use(browser, app)])
            ways = dict(list(WAYS.items())[:: size.of(6, 1)])
            yield Row("script and requests that the page's policy has to stop", list(stopped(browser, app, ways)))
            yield Row("hostile names of photos", list(named(browser, app, texts)))
            yield Row("hostile addresses, opened in the browser", list(opened(browser, app, texts)))
            yield Row("the widget under strict policies", list(widget(browser, place)))
            yield Row("the pages of the zip under strict policies", list(zip_pages(browser, app, place)))
            browser.close()
        yield Row("faults of our own code in the app's log after all that", [attempt(partial(quiet, app))])
