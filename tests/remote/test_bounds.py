"""Answers of another Gaze that have no end, or unpack to much."""

import gzip
import inspect
import itertools
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
import httpx
import pytest

from gaze.errors import GazeError
from gaze.options import Options
from gaze.pipeline.making import generate
from gaze.remote import bounds
from gaze.remote import client as remote
from gaze.remote.bounds import Bounds
from gaze.storage.sessions import SessionStore
from gaze.ui.api import Api
from gaze.ui.endpoints import add_endpoints
from gaze.ui.queue import Queue
from gaze.version import __version__


class Parts(httpx.SyncByteStream):
    """An answer of so many kilobytes, or without end."""

    def __init__(self, count: int | None = None) -> None:
        self._parts = itertools.repeat(bytes(1000)) if count is None else itertools.repeat(bytes(1000), count)

    def __iter__(self) -> Iterator[bytes]:
        return self._parts


def asked(bounds: Bounds, url: str = "http://there/x", **answer: Any) -> httpx.Response:
    seen: list[httpx.Request] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, **answer)

    with httpx.Client(transport=httpx.MockTransport(respond)) as client:
        response = client.get(url, auth=bounds)
    assert seen[0].headers["Accept-Encoding"] == "identity"
    return response


def test_answers_are_counted_together() -> None:
    bounds = Bounds(most=2500)
    assert [len(asked(bounds, stream=Parts(1)).content) for _ in range(2)] == [1000, 1000]
    with pytest.raises(httpx.RemoteProtocolError, match="more than any portrait needs"):
        asked(bounds, stream=Parts())
    assert bounds.passed


def test_an_answer_in_drops_breaks_off_and_a_stream_of_events_does_not() -> None:
    clock = itertools.count(0, 30).__next__
    with pytest.raises(httpx.RemoteProtocolError, match="takes too long"):
        asked(Bounds(clock=clock), stream=Parts())
    with pytest.raises(httpx.RemoteProtocolError, match="more than any"):
        asked(Bounds(10_000, clock), stream=Parts(), headers={"Content-Type": "text/event-stream"})


def test_what_is_packed_is_not_unpacked() -> None:
    packed: dict[str, Any] = {"content": gzip.compress(bytes(10**7)), "headers": {"Content-Encoding": "gzip"}}
    with pytest.raises(httpx.RemoteProtocolError, match="packs what was to be sent"):
        asked(Bounds(), **packed)


def test_nothing_is_read_after_the_end_and_a_password_is_sent() -> None:
    bounds = Bounds()
    request = asked(bounds, "http://me:secret@there/x").request
    assert request.headers["Authorization"] == "Basic bWU6c2VjcmV0"
    assert "Authorization" not in asked(bounds).request.headers
    bounds.end()
    with pytest.raises(httpx.RemoteProtocolError, match="Nobody reads"):
        asked(bounds, stream=Parts(1))
    assert not bounds.passed


class Liar(Api):
    """A Gaze that tells of steps without end."""

    said: dict[str, Any]

    def generate(self, *arguments: Any) -> Iterator[tuple[Any, None]]:
        for letter in itertools.cycle("ab"):  # of equal steps Gradio tells only that they are equal
            yield {**self.said, "message": letter * 100_000}, None

    def health(self) -> dict[str, Any]:
        while "version" not in self.said:
            time.sleep(0.1)
        return {"version": __version__, "engine": "warp"}


Liar.generate.__signature__ = inspect.signature(Api.generate)  # type: ignore[attr-defined]


@pytest.fixture
def liar(tmp_path: Path) -> Iterator[tuple[Liar, str]]:
    store = SessionStore(tmp_path / "store")
    with gr.Blocks() as page:
        add_endpoints(liar := Liar(store, store, Queue()))
    page.launch(prevent_thread_lock=True, quiet=True)
    liar.said = {"version": "", "stage": "render", "done": 1, "total": 9}
    yield liar, page.local_url
    liar.said = {"version": ""}
    page.close()


def test_steps_without_end_are_given_up(
    liar: tuple[Liar, str], photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bounds, "Bounds", partial(Bounds, 2**20))
    options = Options(size=4, frame_size=128, engine="warp", remote=liar[1])
    with pytest.raises(GazeError, match=r"The answer of http.* does not end\. Check that a Gaze runs there"):
        generate(photo, tmp_path / "out", options)
    assert not (tmp_path / "out").exists()


def test_what_never_says_who_it_is_is_given_up(liar: tuple[Liar, str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(remote, "SILENCE", 1)
    liar[0].said = {}
    with pytest.raises(GazeError, match="is not a Gaze"):
        remote.connect(liar[1])
