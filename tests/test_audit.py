"""Whether `python -m trials.audit` tells an index without advisories from one whose advisories say that all is well."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from trials import audit

ANSWERS = {
    "/known": (200, json.dumps({"vulnerabilities": [{"id": "PYSEC-0"}]})),
    "/none": (200, json.dumps({"vulnerabilities": []})),
    "/silent": (200, json.dumps({"info": {}})),
    "/list": (200, "[]"),
    "/page": (200, "<html>please log in</html>"),
    "/missing": (404, ""),
    "/broken": (503, ""),
}


class Index(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        status, body = ANSWERS[self.path]
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None: ...


@pytest.fixture(scope="module")
def index() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Index) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_advisories_that_are_there(index: str) -> None:
    assert audit.why_not(f"{index}/known") is None


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("/none", "tells of no vulnerability"),
        ("/silent", "tells of no vulnerability"),
        ("/list", "tells of no vulnerability"),
        ("/page", "does not answer as it should"),
        ("/missing", "404"),
        ("/broken", "503"),
    ],
)
def test_an_index_without_advisories(index: str, path: str, words: str) -> None:
    assert words in str(audit.why_not(index + path))


def test_an_index_that_cannot_be_reached() -> None:
    assert "refused" in str(audit.why_not("http://127.0.0.1:9"))


@pytest.mark.parametrize(
    ("why", "found", "arguments", "status"),
    [
        ("It is down.", 0, [], 1),
        ("It is down.", 0, ["--where-possible"], 0),
        (None, 0, ["--where-possible"], 0),
        (None, 1, ["--where-possible"], 1),
        (None, 1, [], 1),
    ],
)
def test_only_what_cannot_be_learnt_is_let_pass(
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    why: str | None,
    found: int,
    arguments: list[str],
    status: int,
) -> None:
    monkeypatch.setattr(audit, "why_not", lambda: why)
    monkeypatch.setattr(audit, "audit", lambda _: found)
    monkeypatch.setattr(sys, "argv", ["audit", *arguments])
    assert audit.main() == status
    assert ("NOT AUDITED" in capsys.readouterr().out) == bool(why)


def test_what_is_installed_is_named_once_and_by_its_public_version() -> None:
    pins = audit.installed()
    assert "gradio==" in " ".join(pins)
    assert not any("gaze-portrait" in pin or "+" in pin for pin in pins)
    assert len({pin.split("==")[0] for pin in pins}) == len(pins)
