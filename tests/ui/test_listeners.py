from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest
from gradio.context import LocalContext
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gaze.errors import GazeError, StoreError
from gaze.options import Options
from gaze.remote.client import as_arguments
from gaze.storage.sessions import SessionStore
from gaze.ui import api as module
from gaze.ui.api import Api
from gaze.ui.app import build
from gaze.ui.handlers import Handlers
from gaze.ui.listeners import Listeners, Listening
from gaze.ui.queue import Queue
from tests.conftest import PHOTO
from tests.ui.test_limit import Clock


@pytest.fixture
def asked() -> Iterator[None]:
    """An event of a session is being answered."""
    LocalContext.event_id.set("e1")
    LocalContext.request.set(SimpleNamespace(session_hash="s1", client=SimpleNamespace(host="192.0.2.1")))  # type: ignore[arg-type]
    yield
    LocalContext.event_id.set(None)
    LocalContext.request.set(None)


def test_whoever_never_listens_is_gone_after_a_while(asked: None) -> None:
    clock = Clock()
    listener = (listeners := Listeners(clock)).follow()
    clock.now = 29
    assert not listener.is_gone(30)
    clock.now = 31
    assert listener.is_gone(30)
    listeners.opened("e1")
    assert not listener.is_gone(30)
    clock.now = 100
    assert not listener.is_gone(30)
    listeners.closed("e1")
    clock.now = 129
    assert not listener.is_gone(30)
    listeners.opened("s1")  # or the whole session's stream
    clock.now = 200
    assert not listener.is_gone(30)


def test_of_too_many_streams_those_that_ended_long_ago_are_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaze.ui.listeners._MOST", 2)
    listeners = Listeners(clock := Clock())
    for name in ("again", "once", "again", "last"):
        clock.now += 1
        listeners.opened(name)
        listeners.closed(name)
    assert listeners.silent(("again",), 0) == 1
    assert listeners.silent(("once",), 0) == 4


def test_who_calls_from_python_is_always_there() -> None:
    clock = Clock()
    listener = Listeners(clock).follow()
    clock.now = 1e6
    assert not listener.is_gone(30)


@pytest.mark.parametrize(
    ("path", "name"),
    [
        ("/gradio_api/call/generate/abc123", "abc123"),
        ("/sub/gradio_api/call/generate/abc123", "abc123"),
        ("/gradio_api/queue/data?session_hash=s9", "s9"),
        ("/gradio_api/call/generate", ""),
        ("/text", ""),
    ],
)
def test_streams_are_seen_while_they_are_open(path: str, name: str) -> None:
    listeners = Listeners()
    seen: list[list[str]] = []

    def answer(request: Request) -> PlainTextResponse:
        seen.append(list(listeners._open))
        return PlainTextResponse("x")

    app = Starlette(routes=[Route("/{rest:path}", answer)], middleware=[Middleware(Listening, listeners=listeners)])
    TestClient(app).get(path)
    assert seen == [[name] if name else []]
    assert listeners._open == {}


def test_a_run_that_nobody_waits_for_gives_up_its_place(asked: None, tmp_path: Any) -> None:
    clock = Clock()
    queue, store = Queue(), SessionStore(tmp_path)
    api = Api(store, store, queue, listeners=Listeners(clock))
    with queue.enter():
        run = call(api)
        assert next(run)[0]["stage"] == "wait"
        clock.now = 31
        with pytest.raises(Exception, match="Nobody has fetched the answer"):
            next(run)
        assert len(queue) == 1


def test_a_run_that_nobody_waits_for_ends_after_two_minutes(asked: None, tmp_path: Any) -> None:
    clock = Clock()
    queue, store = Queue(), SessionStore(tmp_path)
    run = call(Api(store, store, queue, listeners=Listeners(clock)))
    next(run)
    clock.now = 119
    next(run)
    clock.now = 121
    with pytest.raises(Exception, match="Nobody has fetched the answer"):
        next(run)
    assert len(queue) == 0
    assert [path.name for path in tmp_path.iterdir()] in ([], [".key"])


def test_a_portrait_that_would_fill_the_disk_is_refused(tmp_path: Any) -> None:
    store = SessionStore(tmp_path)
    with pytest.raises(Exception, match="Choose frames of at most 512 pixels"):
        next(call(Api(store, store, Queue()), size=60, frame_size=2048))
    with pytest.raises(Exception, match="Choose frames of at most 512 pixels"):
        next(call(Api(store, store, Queue()), size=60, sheet_size=1024))
    assert module.check_cost(30, 1024) is None
    with pytest.raises(GazeError):
        module.check_cost(30, 1026)


def test_nobody_waits_in_gradios_own_line(tmp_path: Path) -> None:
    """It is one for all, and short: a client whose previews stand in it would shut everybody out."""
    store, line = SessionStore(tmp_path), Queue()
    page = build(Handlers(store, store, line), Api(store, store, line), store)
    queued = [event for event in page.fns.values() if event.queue]
    assert {event.api_name for event in queued} >= {"generate", "preview", "session"}
    assert {event.concurrency_limit for event in queued} == {None}


def test_a_client_has_two_previews_made_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SessionStore(tmp_path)
    api = Api(store, store, Queue())

    def another(*_: Any) -> None:
        api.preview(str(PHOTO), 1, 1, 1, True, 0)

    monkeypatch.setattr("gaze.ui.api.generate", another)
    with pytest.raises(gr.Error, match="too many previews at once"):
        another()


def test_a_portrait_that_cannot_be_deleted_is_told_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(session: str) -> None:
        raise StoreError("The portrait is not deleted yet.")

    results = SessionStore(tmp_path / "results")
    monkeypatch.setattr(results, "delete", refused)
    with pytest.raises(gr.Error, match="not deleted yet"):
        list(call(Api(results, SessionStore(tmp_path / "previews"), Queue()), 3))


def call(api: Api, size: int = 4, frame_size: int = 128, sheet_size: int = 512) -> Any:
    """/generate with what it normally is given, but for these."""
    sides: dict[str, Any] = {"size": size, "frame_size": frame_size, "sheet_size": sheet_size}
    given = as_arguments(Options(engine="warp", video="none", pack=False, **sides))
    return api.generate(photo=str(PHOTO), keep=False, progress=gr.Progress(), **{**given, "keys": "auto"})
