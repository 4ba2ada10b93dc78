"""The real app, asked by those who want no good: each is told so, and nobody else notices."""

from __future__ import annotations

import json
import re
import secrets
import sys
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import httpx
import pytest

from gaze.ui.page import icon
from gaze.ui.sentences import RESTARTED
from tests.conftest import PHOTO
from tests.serving import App, serving
from tests.waiting import wait_for


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[App]:
    with serving(place) as app:
        yield app


def arguments(app: App, path: str) -> list[object]:
    """What /generate is given, as its own description says; a run of minutes."""
    named = httpx.get(f"{app.address}/gradio_api/info", timeout=60).json()["named_endpoints"]["/generate"]
    given = {"engine": "warp", "size": 30, "frame_size": 1024, "keep": False}
    photo = {"path": path, "meta": {"_type": "gradio.FileData"}}
    values = {it["parameter_name"]: it.get("parameter_default") for it in named["parameters"]}
    return list({**values, "photo": photo, **given}.values())


def uploaded(app: App) -> str:
    answer = httpx.post(f"{app.address}/gradio_api/upload", files={"files": PHOTO.open("rb")}, timeout=60)
    return str(answer.json()[0])


def health(app: App) -> dict[str, int]:
    event = httpx.post(f"{app.address}/gradio_api/call/health", json={"data": []}, timeout=60).json()["event_id"]
    told = httpx.get(f"{app.address}/gradio_api/call/health/{event}", timeout=60).text
    return dict(json.loads(told.split("data: ")[1].splitlines()[0])[0])


def test_unread_requests_of_one_client_shut_nobody_out(app: App) -> None:
    data = arguments(app, uploaded(app))

    def ask(address: str) -> str:
        place, headers = f"{app.address}/gradio_api/call/generate", {"X-Forwarded-For": address}
        return str(httpx.post(place, json={"data": data}, headers=headers, timeout=60).json()["event_id"])

    for _ in range(24):
        ask("203.0.113.9")
    wait_for(lambda: (state := health(app))["running"] + state["waiting"] >= 2, 60)
    other = ask("203.0.113.10")
    answer = f"{app.address}/gradio_api/call/generate/{other}"
    with httpx.stream("GET", answer, headers={"X-Forwarded-For": "203.0.113.10"}, timeout=60) as told:
        for line in told.iter_lines():
            if line.startswith("data: ["):
                assert "in the queue" in line or "next" in line, line
                break
            assert not line.startswith("event: error"), line
    state = health(app)
    assert state["running"] + state["waiting"] <= 3


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_those_who_were_here_take_no_memory(app: App) -> None:
    """Kills: Gradio keeps the state of the last ten thousand clients."""
    status = Path(f"/proc/{app.process.pid}/status")
    with httpx.Client(base_url=app.address, timeout=60) as web:

        def visit() -> float:
            """Megabytes that the app has after it was asked by many who were never here before."""
            for _ in range(120):
                asked = {"data": [], "session_hash": secrets.token_hex(8)}
                web.post("/gradio_api/run/health", json=asked).raise_for_status()
            return int(status.read_text().split("RssAnon:")[1].split()[0]) / 1e3

        # What is not needed any more is collected now and then, so one round may take more; kept states grow in each.
        taken = [visit() for _ in range(4)]
        assert min(after - before for before, after in pairwise(taken)) < 5


def test_an_upload_without_a_name_is_told(app: App, place: Path) -> None:
    body = b'--x\r\nContent-Disposition: form-data; name="files"\r\n\r\nabc\r\n--x--\r\n'
    kind = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = httpx.post(f"{app.address}/gradio_api/upload", content=body, headers=kind, timeout=60)
    assert (answer.status_code, "Choose the photo again" in answer.text) == (400, True)
    assert not list(place.glob("gaze-app-*/uploads/tmp*"))


def test_a_photo_of_an_app_that_was_is_told_and_not_logged(app: App) -> None:
    path = "/tmp/gaze-app-0123456789abcdef/uploads/0a/my-own-face.jpg"
    data = {"data": arguments(app, path)}
    event = httpx.post(f"{app.address}/gradio_api/call/generate", json=data, timeout=60).json()["event_id"]
    assert RESTARTED in httpx.get(f"{app.address}/gradio_api/call/generate/{event}", timeout=60).text
    assert "my-own-face" not in app.log.read_text()


def test_nobody_looks_into_the_app(app: App) -> None:
    for path in ("/monitoring", "/monitoring/summary", "/gradio_api/monitoring"):
        assert httpx.get(f"{app.address}{path}", timeout=60).status_code in (403, 404), path
    assert "monitoring" not in app.log.read_text().lower()


def test_a_name_that_leads_here_is_not_answered(app: App) -> None:
    answer = httpx.get(app.address, headers={"Host": "evil.example", "Origin": "http://evil.example"}, timeout=60)
    assert (answer.status_code, "gradio" in answer.text) == (421, False)


def test_an_address_where_nothing_is_answers_in_one_manner(app: App) -> None:
    paths = (
        "nonsense",
        "p/gone",
        "p/%00%01",
        "gradio_api/nonsense",
        "gradio_api/gaze-page/nothing.js",
        "static/nothing.js",
    )
    for path in paths:
        for accept, kind in (("text/html", "text/html"), ("*/*", "application/json")):
            answer = httpx.get(f"{app.address}/{path}", headers={"Accept": accept}, timeout=60)
            assert (answer.status_code, answer.headers["content-type"].partition(";")[0]) == (404, kind), path
            assert ">Open Gaze</a>" in answer.text or ">Make your own</a>" in answer.text or "error" in answer.json()


def test_a_messenger_that_looks_at_the_app_is_told_of_gaze(app: App) -> None:
    page = httpx.get(app.address, timeout=60).text
    named = re.findall(r'property="og:(title|url|image)" content="(.*?)"', page)
    assert sorted(named) == [
        ("image", f"{app.address}/gradio_api/gaze-card.jpg"),
        ("title", "Gaze: your photo looks at you"),
        ("url", f"{app.address}/"),
    ]
    assert httpx.get(named[-1][1], timeout=60).headers["content-type"] == "image/jpeg"
    assert httpx.get(f"{app.address}/favicon.ico", timeout=60).text == Path(icon()).read_text()
