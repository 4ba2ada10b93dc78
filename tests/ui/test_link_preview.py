"""What is shown of a link to the app itself; tests/ui/test_share.py has those to portraits."""

import io
import re
from importlib.resources import files

import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse, PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gaze.ui.link_preview import LinkPreview, card_routes, tags

NAMED = re.compile(r'<meta\s+(?:property|name)="((?:og|twitter):[\w:]+|description)"\s+content="(.*?)"', re.DOTALL)


def visitor(page: str) -> TestClient:
    routes = [
        Route("/", lambda _: HTMLResponse(page)),
        Route("/text", lambda _: PlainTextResponse(page)),
        *card_routes(),
    ]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(LinkPreview)]))


@pytest.mark.parametrize("name", ["index.html", "share.html"])
def test_a_link_to_the_app_shows_gaze_and_nobody_else(name: str) -> None:
    """Messengers take the first of each; Gradio's page comes with its own name and picture, twice."""
    page = files("gradio").joinpath("templates", "frontend", name).read_text(encoding="utf-8")
    assert dict(NAMED.findall(page))["og:title"] != "Gaze: your photo looks at you"
    app = visitor(page)
    answer = app.get("/?session=x")
    assert answer.headers["content-length"] == str(len(answer.content))
    found = NAMED.findall(answer.text)
    told = dict(found)
    assert len(told) == len(found), "each once"
    assert told["og:title"] == "Gaze: your photo looks at you"
    assert told["og:url"] == "http://testserver/"
    assert told["description"] == told["og:description"] != ""
    assert told["twitter:card"] == "summary_large_image"
    assert set(told) <= {"description", "twitter:card"} | {name for name in told if name.startswith("og:")}
    head, title = answer.text.partition("</head>")[0], "<title>Gaze: your photo looks at you</title>"
    assert head.count("<title>") == head.count(title) == 1
    assert "gradio-app/gradio/main" not in head, "whose picture it was"
    assert app.get("/text").text == page
    card = app.get(told["og:image"])
    size = (int(told["og:image:width"]), int(told["og:image:height"]))
    assert Image.open(io.BytesIO(card.content)).size == size == (1200, 630)


def test_other_pages_stay_as_they_are() -> None:
    page = "<head><meta charset='utf-8'><title>x</title><meta property=\"og:title\" content='x'></head>"
    assert visitor(page).get("/").text == page


@pytest.mark.parametrize(
    ("given", "address"),
    [({}, "http://gaze.example/"), ({"GRADIO_ROOT_PATH": "/faces"}, "http://gaze.example/faces/")]
    + [({"SPACE_HOST": "me-gaze.hf.space"}, "https://me-gaze.hf.space/")],
)
def test_the_address_is_the_one_that_others_reach(
    given: dict[str, str], address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in given.items():
        monkeypatch.setenv(name, value)
    page = visitor("<head><meta charset=utf-8></head><gradio-app></gradio-app>")
    told = dict(NAMED.findall(page.get("/", headers={"Host": "gaze.example"}).text))
    assert told["og:url"] == address
    assert told["og:image"].startswith(f"{address}gradio_api/")


def test_words_of_visitors_stay_words() -> None:
    assert "<script" not in tags('"><script>', '"><script>', '"><script>', '"><script>')
