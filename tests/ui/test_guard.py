import base64
import hashlib
from collections.abc import AsyncIterator, Iterator

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gaze.ui.guard import Guard, hosts_of
from gaze.ui.small_page import NOTHING

PAGE = "<script>one()</script><p>ü</p><script type='module' src='x.js'></script><script type=module>two()</script>"
MOST = 3 * 2**20


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    async def take(request: Request) -> Response:
        try:
            return PlainTextResponse(str(len(await request.body())))
        except ClientDisconnect:
            return PlainTextResponse("broken off", status_code=400)

    async def pieces() -> AsyncIterator[str]:
        for piece in (PAGE[:20], PAGE[20:50], PAGE[50:]):
            yield piece

    routes = [
        Route("/", lambda _: HTMLResponse(PAGE)),
        Route("/pieces", lambda _: StreamingResponse(pieces(), media_type="text/html")),
        Route("/text", lambda _: PlainTextResponse("<script>three()</script>")),
        Route("/gradio_api/file={name:path}", lambda _: PlainTextResponse("a photo")),
        Route("/assets/{name}", lambda _: PlainTextResponse("a style")),
        Route("/kept", lambda _: PlainTextResponse("x", headers={"Cache-Control": "max-age=5"})),
        Route("/take", take, methods=["POST"]),
        Route("/gradio_api/upload", take, methods=["POST"]),
    ]
    guard = Middleware(Guard, most=MOST)
    with TestClient(Starlette(routes=routes, middleware=[guard]), client=("127.0.0.1", 5)) as client:
        yield client


@pytest.mark.parametrize(
    "path",
    [
        "process_recording",
        "deep_link?session_hash=x",
        "vibe-edit/",
        "undo-vibe-edit",
        "stream/x/close",
        "proxy=https://x",
    ],
)
def test_what_gradio_offers_and_nobody_needs_is_not_there(client: TestClient, path: str) -> None:
    """It would run ffmpeg on a stranger's file, or write files that stay."""
    for way in (client.get, client.post):
        assert way(f"/gradio_api/{path}").json() == {"error": NOTHING}
        assert way(f"/sub/gradio_api/{path}").status_code == 404
    assert client.get("/monitoring/summary").json() == {"error": NOTHING}


def hash_of(script: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'"


@pytest.mark.parametrize("path", ["/", "/pieces"])
def test_a_page_runs_its_own_scripts_alone(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.text == PAGE
    policy = dict(rule.split(" ", 1) for rule in answer.headers["content-security-policy"].split("; "))
    expected = {"'self'", "'unsafe-eval'", *map(hash_of, ("one()", "two()"))}
    assert set(policy["script-src"].split()) == expected
    assert policy["default-src"] == "'self'"
    assert policy["object-src"] == "'none'"
    assert "frame-ancestors" not in policy, "Spaces and notebooks frame it"


def test_other_answers_are_what_they_say_they_are(client: TestClient) -> None:
    answer = client.get("/text")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["referrer-policy"] == "same-origin"
    assert "content-security-policy" not in answer.headers


@pytest.mark.parametrize(
    ("path", "caching"),
    [
        ("/", "private, no-cache"),
        ("/text", "no-store"),
        ("/gradio_api/file=/tmp/assets/me.jpg", "no-store"),
        ("/gradio_api/file=/assets/me.jpg", "no-store"),
        ("/assets/index-1a2b.css", "public, max-age=86400"),
        ("/kept", "max-age=5"),
    ],
)
def test_nothing_that_can_hold_a_face_is_cached(client: TestClient, path: str, caching: str) -> None:
    assert client.get(path).headers["cache-control"] == caching


@pytest.mark.parametrize(("path", "most"), [("/take", 2**20), ("/gradio_api/upload", int(1.4 * MOST))])
def test_what_is_too_large_is_refused_before_it_is_read(client: TestClient, path: str, most: int) -> None:
    def unannounced(count: int) -> Iterator[bytes]:
        for _ in range(count // 2**18):
            yield bytes(2**18)
        yield bytes(count % 2**18)

    assert client.post(path, content=bytes(most)).text == str(most)
    assert client.post(path, content=unannounced(most)).text == str(most)
    refused = client.post(path, content=bytes(most + 1))
    assert (refused.status_code, refused.text) == (413, f"This is too large. The limit is {most / 1e6:.0f} MB.")
    assert client.post(path, content=unannounced(most + 1)).text == "broken off"


def test_no_path_with_a_nul_reaches_the_app(client: TestClient) -> None:
    answer = client.get("/text%00.html", headers={"Accept": "text/html"})
    assert "<h1>There is nothing here.</h1>" in answer.text
    assert "default-src 'self'" in answer.headers["content-security-policy"]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Host": "gaze.example:7860"}, 200),
        ({"Host": "[::1]:7860"}, 200),
        ({"X-Forwarded-Host": "gaze.example, inside_1:80"}, 200),
        ({"X-Gradio-Server": "http://127.0.0.1:7861/gaze"}, 200),
        ({"Host": "gaze.example:port"}, 400),
        ({"Host": "a b"}, 400),
        ({"X-Forwarded-Host": "javascript:window.hacked=1"}, 400),
        ({"X-Forwarded-Host": "gaze.example/<script>"}, 400),
        ({"X-Gradio-Server": "data:text/html,x"}, 400),
    ],
)
def test_an_address_that_makes_no_sense_does_not_reach_the_app(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    assert client.get("/text", headers=headers).status_code == status


def answering(peer: str, hosts: frozenset[str] | None = None) -> TestClient:
    """An app that tells which of the headers from web servers reach it."""

    def told(request: Request) -> Response:
        return PlainTextResponse(",".join(sorted(name for name in request.headers if name.startswith("x-"))))

    guard = Middleware(Guard, most=MOST, hosts=hosts)
    return TestClient(Starlette(routes=[Route("/", told)], middleware=[guard]), client=(peer, 5))


@pytest.mark.parametrize(
    ("peer", "believed"), [("127.0.0.1", True), ("10.1.2.3", True), ("fd00::1", True), ("203.0.113.9", False)]
)
def test_only_web_servers_in_private_networks_say_under_which_name_they_were_asked(peer: str, believed: bool) -> None:
    names = {"X-Forwarded-Host": "evil.example", "X-Forwarded-Proto": "https", "X-Gradio-Server": "http://evil.example"}
    answer = answering(peer).get("/", headers=names)
    assert answer.text == ("x-forwarded-host,x-forwarded-proto,x-gradio-server" if believed else "")
    assert "X-Forwarded-Host" in answer.headers["vary"]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost:7860", 200),
        ("gaze.localhost", 200),
        ("127.0.0.1:7860", 200),
        ("[::1]:7860", 200),
        ("gaze.example", 200),
        ("GAZE.example:80", 200),
        ("evil.example", 421),
        ("localhost.evil.example", 421),
        ("127.0.0.1.evil.example", 421),
        ("192.168.1.9", 421),
    ],
)
def test_an_app_for_this_machine_answers_to_its_own_names(host: str, status: int) -> None:
    answer = answering("127.0.0.1", frozenset({"gaze.example"})).get("/", headers={"Host": host})
    assert answer.status_code == status
    assert status == 200 or "GAZE_HOSTS" in answer.text


def test_where_it_listens_decides_to_which_names_it_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    assert hosts_of(None, shared=False) == hosts_of("localhost", shared=False) == frozenset()
    assert hosts_of("::1", shared=False) == frozenset()
    assert hosts_of("0.0.0.0", shared=False) is None
    assert hosts_of(None, shared=True) is None
    monkeypatch.setenv("GAZE_HOSTS", "Gaze.example, other.example")
    assert hosts_of(None, shared=False) == frozenset({"gaze.example", "other.example"})
    monkeypatch.setenv("GAZE_HOSTS", "*")
    assert hosts_of(None, shared=False) is None
