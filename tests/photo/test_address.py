"""Photos from addresses: only https, only the public internet, also after a redirect."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from gaze.errors import PhotoError
from gaze.photo import address, fetcher
from gaze.photo.fetcher import RefusedError, fetch, is_public

PUBLIC, INNER = "93.184.215.14", "192.168.1.7"
NAMES = {"photos.example": [PUBLIC], "inner.example": [INNER], "both.example": [PUBLIC, INNER], "none.example": []}


class Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        places = {
            "/away": "https://inner.example/x.jpg",
            "/plain": "http://photos.example/x.jpg",
            "/on": "/x.jpg?size=2",
            "/f%C3%BCr%20dich": "/x.jpg?f\u00fcr".encode().decode("latin-1"),
            "/round": "/round",
        }
        if place := places.get(self.path):
            self.send_response(302)
            self.send_header("Location", place)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        body = b"photo" if self.path.startswith("/x.jpg") else b"<html>"
        self.send_response(404 if self.path == "/gone" else 200)
        self.send_header("Content-Type", "image/jpeg" if body == b"photo" else "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


def fetched(port: int, url: str, most: int = 100) -> bytes:
    """From a server of the test's own, which stands for every public one."""
    reached: list[str] = []

    def connect(host: str, where: str) -> HTTPConnection:
        reached.append(where)
        return HTTPConnection("127.0.0.1", port, timeout=10)

    try:
        return fetch(url, most, lambda host: NAMES[host], connect)
    finally:
        assert set(reached) <= {PUBLIC}, "an address of the inner network was connected with"


def test_a_photo_is_fetched_also_where_the_address_leads_on(port: int) -> None:
    assert fetched(port, "https://photos.example/x.jpg") == b"photo"
    assert fetched(port, "https://photos.example/on") == b"photo"


def test_an_address_may_have_letters_of_any_language(port: int) -> None:
    """As a browser shows it; so may the one that it leads on to."""
    assert fetched(port, "https://photos.example/x.jpg/für dich%2F.jpg?größe=1") == b"photo"
    assert fetched(port, "https://photos.example/für dich") == b"photo"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        *(
            (url, "https addresses only")
            for url in ("http://photos.example/x.jpg", "ftp://photos.example", "file:///x")
        ),
        *(
            (url, "https addresses only")
            for url in ("https://", "https://me:pw@photos.example/", "https://photos.example:22/")
        ),
        *((f"https://{name}.example/x.jpg", "public internet") for name in ("inner", "both", "none")),
        ("https://photos.example/away", "public internet"),
        ("https://photos.example/plain", "https addresses only"),
        ("https://photos.example/round", "redirects too often"),
        ("https://photos.example/page", "web page"),
        ("https://photos.example/gone", "could not be fetched"),
        ("https://photos.example:x/", "could not be fetched"),
    ],
)
def test_what_must_not_or_cannot_be_fetched_is_told(port: int, url: str, words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        fetched(port, url)


def test_a_file_that_is_too_large_is_not_read(port: int) -> None:
    with pytest.raises(RefusedError, match="larger than"):
        fetched(port, "https://photos.example/x.jpg", most=4)


@pytest.mark.parametrize(
    ("text", "public"),
    [
        *((text, True) for text in (PUBLIC, "2606:2800:21f:cb07:6820:80da:af6b:8b2c", "64:ff9b::5db8:d70e")),
        *((text, False) for text in ("127.0.0.1", "10.0.0.1", INNER, "169.254.169.254", "100.64.0.1", "0.0.0.0")),
        *((text, False) for text in ("::1", "fe80::1%eth0", "fc00::1", "::ffff:127.0.0.1", "64:ff9b::a00:1")),
        *((text, False) for text in ("224.0.0.1", "255.255.255.255", "2002:7f00:1::", "2001:db8::1")),
    ],
)
def test_addresses_of_inner_networks_are_known(text: str, public: bool) -> None:
    assert is_public(text) is public


def test_the_app_fetches_only_where_it_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(address.VARIABLE, raising=False)
    with pytest.raises(PhotoError, match="fetches no photos"):
        address.fetch("https://photos.example/x.jpg")
    monkeypatch.setenv(address.VARIABLE, "1")
    for url, words in (("https://127.0.0.1/x.jpg", "public internet"), ("http://x.example/", "https addresses only")):
        with pytest.raises(PhotoError, match=words):
            address.fetch(url)


def test_a_fetcher_that_hangs_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(address.VARIABLE, "1")
    monkeypatch.setattr(address, "_PATIENCE", 0.0)
    with pytest.raises(PhotoError, match="in time"):
        address.fetch("https://127.0.0.1/x.jpg")


def test_the_connection_is_with_the_address_that_was_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    reached: list[object] = []

    def create(place: object, timeout: float) -> None:
        reached.append(place)
        raise OSError

    monkeypatch.setattr(fetcher.socket, "create_connection", create)
    with pytest.raises(RefusedError, match="could not be fetched"):
        fetch("https://photos.example/x.jpg", 100, lambda host: NAMES[host])
    assert reached == [(PUBLIC, 443)]
