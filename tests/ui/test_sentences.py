"""Whatever a program sends: what comes back is a sentence."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import httpx
import pytest
from gradio.processing_utils import check_all_files_in_cache
from pydantic import TypeAdapter
from starlette.middleware import Middleware

from gaze.storage.sessions import SessionStore
from gaze.ui import agents
from gaze.ui.agents import agents_routes
from gaze.ui.api import Api
from gaze.ui.app import build
from gaze.ui.endpoints import NAMES
from gaze.ui.handlers import Handlers
from gaze.ui.queue import Queue
from gaze.ui.sentences import RESTARTED, UNEXPECTED, Sentences

KEY = {"meta": {"_type": "gradio.FileData"}}
REST = [1, 1, 1, True, 0, False]


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Api:
    place = tmp_path_factory.mktemp("stores")
    return Api(SessionStore(place / "results"), SessionStore(place / "previews"), Queue())


@pytest.fixture(scope="module")
def app(api: Api, tmp_path_factory: pytest.TempPathFactory) -> Iterator[httpx.Client]:
    """The page and its endpoints, without the rest of the app."""
    place = tmp_path_factory.mktemp("page")
    results, previews = SessionStore(place / "results"), SessionStore(place / "previews")
    page = build(Handlers(results, previews, Queue()), api, results)
    page.queue(max_size=20)
    more = {"routes": agents_routes(), "middleware": [Middleware(Sentences, NAMES)]}
    _, address, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, app_kwargs=more)
    with httpx.Client(base_url=address, timeout=60, headers={"Connection": "close"}) as client:
        yield client
    page.close()


def answer(app: httpx.Client, name: str, body: Any) -> str:
    """The error that comes of a call, at whichever moment."""
    content = body if isinstance(body, str) else json.dumps(body)
    asked = app.post(f"/gradio_api/call/{name}", content=content, headers={"Content-Type": "application/json"})
    if asked.status_code != 200:
        return str(asked.json()["error"])
    event = asked.json()["event_id"]
    told = app.get(f"/gradio_api/call/{name.removeprefix('v2/')}/{event}").text
    assert told.startswith("event: error"), told
    return str(json.loads(told.split("data: ", 1)[1].splitlines()[0])["error"])


@pytest.mark.parametrize(
    ("name", "body", "words"),
    [
        ("preview", {"data": []}, "0 values were given, and 7 are needed: photo, head"),
        ("session", {"data": []}, "1 are needed: session"),
        ("preview", {"data": [None, *REST]}, "There is no photo"),
        *(("preview", {"data": [photo, *REST]}, "is not an uploaded file") for photo in ("x", 5, "/etc/hostname")),
        ("preview", {"data": [{"path": "/etc/hostname", **KEY}, *REST]}, RESTARTED),
        ("preview", {"data": [{"path": "/tmp/gradio/none.png", **KEY}, *REST]}, RESTARTED),
        ("preview", {"data": [{"path": "https://example.com/x.jpg", **KEY}, *REST]}, "fetches no photos"),
        ("preview", {"data": [{"url": "http://example.com/x.jpg", **KEY}, *REST]}, "fetches no photos"),
        ("preview", {"data": [{"url": "data:text/plain,x", **KEY}, *REST]}, "holds no photo"),
        ("preview", {"data": [{"url": "data:image/png;base64,AAA", **KEY}, *REST]}, "is damaged"),
        ("preview", {"data": [{"url": "data:image/png;base64,AAAA", **KEY}, *REST]}, "picture"),
        ("nothing", {"data": []}, "There are: generate, preview, session, health."),
        ("v2/nothing", {}, "There are: generate"),
        *((name, body, "does not fit") for name in ("preview", "v2/preview") for body in ("{", "[]", "5")),
        ("preview", {}, "does not fit"),
        ("v2/preview", {}, "does not fit"),
        ("v2/preview", {"photo": "x", "what": 1}, "does not fit"),
    ],
)
def test_an_error_is_a_sentence(app: httpx.Client, name: str, body: Any, words: str) -> None:
    assert words in answer(app, name, body)


def test_no_path_of_a_photo_that_an_earlier_app_had_is_shown(
    app: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: Any = [{"path": "/gone/photo.png", **KEY}]

    async def process_api(*_: Any, **__: Any) -> None:
        check_all_files_in_cache(said)

    monkeypatch.setattr(gr.Blocks, "process_api", process_api)
    assert answer(app, "session", {"data": ["x"]}) == RESTARTED


def test_direct_calls_are_answered_in_words_too(app: httpx.Client) -> None:
    bodies: list[dict[str, list[str]]] = [{"data": []}, {"data": ["../../etc"]}]
    for body in bodies:
        told = app.post("/gradio_api/run/session", json=body)
        assert told.status_code == 500
        assert told.json()["error"].endswith(".")


def test_a_fault_of_ours_is_logged_and_not_shown(
    app: httpx.Client, api: Api, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(api, "_results", None)
    assert answer(app, "session", {"data": ["x"]}) == UNEXPECTED
    assert "AttributeError" in caplog.text


@pytest.mark.parametrize("fail", [Path("no-model.onnx").read_bytes, partial(TypeAdapter(int).validate_python, "x")])
def test_a_file_of_ours_is_not_taken_for_the_callers_photo(
    app: httpx.Client,
    api: Api,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    fail: Callable[[], Any],
) -> None:
    monkeypatch.setattr(api, "_results", SimpleNamespace(metadata=lambda _: fail()))
    assert answer(app, "session", {"data": ["x"]}) == UNEXPECTED
    assert "Traceback" in caplog.text


def test_a_photo_may_be_a_data_url(app: httpx.Client, photo: Path) -> None:
    url = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
    asked = app.post("/gradio_api/call/preview", json={"data": [{"url": url, **KEY}, *REST]}).json()
    told = app.get(f"/gradio_api/call/preview/{asked['event_id']}").text
    assert told.startswith("event: complete"), told


def test_the_page_for_agents_names_this_app(app: httpx.Client) -> None:
    for place in ("/agents.md", "/gradio_api/agents.md"):
        told = app.get(place)
        assert told.headers["content-type"].startswith("text/markdown")
        assert f"POST {app.base_url}gradio_api/call/v2/generate" in told.text
        assert "Send photos as files" in told.text


@pytest.mark.parametrize("is_there", [True, False])
def test_the_page_for_agents_names_no_tools_that_are_not_there(
    app: httpx.Client, monkeypatch: pytest.MonkeyPatch, is_there: bool
) -> None:
    monkeypatch.setattr(agents, "has_mcp", lambda: is_there)
    assert ("gradio_api/mcp/" in app.get("/agents.md").text) is is_there
