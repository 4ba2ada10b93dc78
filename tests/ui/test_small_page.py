"""An address where nothing is: a page for a person, JSON for a program."""

from __future__ import annotations

import re
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.testclient import TestClient

from gaze.ui.small_page import NOTHING, not_found, refused

BROWSER = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
HOSTILE = "<script>hacked()</script>{{root}} is gone. <img src=x>"


@pytest.fixture
def client() -> TestClient:
    def gradios(_: Request) -> Response:
        raise HTTPException(404, "Function not found.")

    def ours(request: Request) -> Response:
        return refused(request, HOSTILE, 503)

    handlers: Any = {404: not_found}
    return TestClient(Starlette(routes=[Route("/gradios", gradios), Route("/ours", ours)], exception_handlers=handlers))


@pytest.mark.parametrize(
    ("path", "home"),
    [("/nonsense", "./"), ("/p/x", "../"), ("/a/b/", "../../"), ("/gradio_api/p/x", "../../"), ("/gradios", "./")],
)
def test_a_person_sees_a_page_that_leads_home(client: TestClient, path: str, home: str) -> None:
    answer = client.get(path, headers=BROWSER)
    assert answer.status_code == 404
    assert "<h1>There is nothing here.</h1>" in answer.text
    assert f'<a class="btn primary" href="{home}">Open Gaze</a>' in answer.text
    assert set(re.findall(r'(?:href|src)="((?:\.\./|\./)*)gradio_api/', answer.text)) == {home}
    assert "{{" not in answer.text
    assert answer.headers["cache-control"] == "no-store"
    assert answer.headers["x-robots-tag"] == "noindex"


@pytest.mark.parametrize("accept", ["*/*", "application/json", "image/webp,*/*"])
def test_a_program_reads_json(client: TestClient, accept: str) -> None:
    answer = client.get("/nonsense", headers={"Accept": accept})
    assert (answer.status_code, answer.json()) == (404, {"error": NOTHING})
    assert answer.headers["vary"] == "Accept"


def test_what_gradio_tells_its_own_programs_reaches_them(client: TestClient) -> None:
    assert client.get("/gradios").json() == {"detail": "Function not found."}


def test_what_is_said_is_text(client: TestClient) -> None:
    page = client.get("/ours", headers=BROWSER)
    assert page.status_code == 503
    assert "<h1>&lt;script&gt;hacked()&lt;/script&gt;{{root}} is gone.</h1>" in page.text
    assert "<img src=x>" not in page.text
    assert client.get("/ours").json() == {"error": HOSTILE}
