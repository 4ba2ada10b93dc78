import errno
import io
import zipfile
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.options import Options
from gaze.pipeline.making import generate
from gaze.storage.publishing import publishing
from gaze.storage.sessions import SessionStore
from gaze.ui.routes import ZIP, session_routes, session_url
from tests.fakes import FakeEngine


@pytest.fixture(scope="module")
def store(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    store = SessionStore(tmp_path_factory.mktemp("store"))
    folder = generate(photo, store.new(), Options(engine=FakeEngine(4), size=4, frame_size=128)).folder
    (folder / "keys.zip").touch()
    return store


@pytest.fixture(scope="module")
def client(store: SessionStore, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    empty = SessionStore(tmp_path_factory.mktemp("empty"))
    return TestClient(Starlette(routes=session_routes(empty, store)))


def test_files_are_served_whole_by_range_and_asked_for_again(store: SessionStore, client: TestClient) -> None:
    [session] = store.sessions()
    answer = client.get(session_url(session, "q0.webp"))
    assert answer.content == (store.folder(session) / "q0.webp").read_bytes()
    assert answer.headers["content-type"] == "image/webp"
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    tag = answer.headers["etag"]
    again = client.get(session_url(session, "q0.webp"), headers={"If-None-Match": f'"other", W/{tag}'})
    assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
    assert client.get(session_url(session, "q0.webp"), headers={"If-None-Match": '"other"'}).status_code == 200
    part = client.get(session_url(session, "q0.webp"), headers={"Range": "bytes=4-9"})
    assert (part.status_code, part.content) == (206, answer.content[4:10])


def test_a_file_that_changes_has_another_tag_and_no_two_share_one(store: SessionStore, client: TestClient) -> None:
    [session] = store.sessions()
    names = ("q0.webp", "q1.webp", "poster.webp", "gaze.pack", "metadata.json")
    tags = {name: client.get(session_url(session, name)).headers["etag"] for name in names}
    assert len(set(tags.values())) == len(names)
    assert not any(tag.startswith("W/") for tag in tags.values())
    path = store.folder(session) / "poster.webp"
    whole = path.read_bytes()
    try:
        path.write_bytes(whole[::-1])
        assert client.get(session_url(session, "poster.webp")).headers["etag"] != tags["poster.webp"]
    finally:
        path.write_bytes(whole)
    again = client.get(session_url(session, "poster.webp"), headers={"If-None-Match": tags["poster.webp"]})
    assert again.status_code == 304, "the same on whichever machine, whenever it was written"


def test_what_was_deleted_is_gone_for_a_browser_that_has_it(photo: Path, tmp_path: Path) -> None:
    store = SessionStore(tmp_path)
    session = generate(photo, store.new(), Options(engine=FakeEngine(4), size=4, frame_size=128)).folder.name
    client = TestClient(Starlette(routes=session_routes(store)))
    for name in ("gaze.pack", "poster.webp", "q0.webp", "metadata.json"):
        # Whoever keeps it has to ask (RFC 9111, 5.2.2.4), and nobody between may keep it (5.2.2.7).
        assert set(client.get(session_url(session, name)).headers["cache-control"].split(", ")) == {
            "private",
            "no-cache",
        }
    tag = client.get(session_url(session, "gaze.pack")).headers["etag"]
    store.delete(session)
    gone = client.get(session_url(session, "gaze.pack"), headers={"If-None-Match": tag})
    assert (gone.status_code, gone.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(
    ("asked", "status", "part"),
    [
        ({"Range": "bytes=4-"}, 206, slice(4, None)),
        ({"Range": "bytes=0-0"}, 206, slice(0, 1)),
        ({"Range": "bytes=4-999999999"}, 206, slice(4, None)),
        ({"Range": "bytes=999999999-"}, 416, slice(0, 0)),
        ({"Range": "bytes=9-4"}, 416, slice(0, 0)),
        ({"Range": "bytes=-5"}, 200, slice(None)),
        ({"Range": "bytes=0-1,4-5"}, 200, slice(None)),
        ({"Range": "bytes=" + "9" * 5000 + "-"}, 200, slice(None)),
        ({"Range": "bytes=4-", "If-Range": '"other"'}, 200, slice(None)),
    ],
)
def test_parts_of_files(
    store: SessionStore, client: TestClient, asked: dict[str, str], status: int, part: slice
) -> None:
    [session] = store.sessions()
    answer = client.get(session_url(session, "gaze.pack"), headers=asked)
    assert answer.status_code == status
    assert answer.content == (store.folder(session) / "gaze.pack").read_bytes()[part]
    assert answer.headers["content-length"] == str(len(answer.content))


def test_what_is_renamed_or_deleted_meanwhile_is_served_or_not_there(
    store: SessionStore, client: TestClient, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    [session] = store.sessions()
    find = SessionStore.file
    calls = []

    def late(self: SessionStore, session: str, name: str) -> Path:
        calls.append(name)
        path = find(self, session, name)
        return tmp_path / "draft" / name if len(calls) == 2 else path  # the first store asked has nothing

    monkeypatch.setattr(SessionStore, "file", late)
    assert client.get(session_url(session, "gaze.pack")).status_code == 200
    monkeypatch.setattr(SessionStore, "file", lambda *_: tmp_path / "gone")
    assert client.get(session_url(session, "gaze.pack")).status_code == 404


def test_the_zip_is_complete_and_its_length_known(store: SessionStore, client: TestClient) -> None:
    [session] = store.sessions()
    answer = client.get(session_url(session, ZIP))
    assert answer.headers["content-length"] == str(len(answer.content))
    assert ZIP in answer.headers["content-disposition"]
    assert answer.headers["cache-control"] == "no-store"
    assert zipfile.ZipFile(io.BytesIO(answer.content)).testzip() is None


TRICKS = [
    "..",
    ".",
    "%2e%2e",
    "..%2fmetadata.json",
    "%2e%2e%2f.key",
    "..%5c.key",
    "%2fetc%2fhostname",
    "//etc/hostname",
]
TRICKS += ["q0.webp%00", "%00", "q0.webp%00.json", "Q0.WEBP", "q0.webp%20", "%252e%252e%252f.key", "q0.webp%0a"]


@pytest.mark.parametrize("name", ["input.jpg", "keys.zip", "index.html", "gaze-tracker.js", "nothing.webp", *TRICKS])
def test_nothing_else_is_served(store: SessionStore, client: TestClient, name: str) -> None:
    [session] = store.sessions()
    assert client.get(session_url(session, name)).status_code == 404


@pytest.mark.parametrize("trick", ["..", ".key", "%2e%2e", "%2fetc", "{}%00", "%2e/{}", ".draft-x", "{}%2f", "{}%20"])
def test_no_other_path_is_a_session(store: SessionStore, client: TestClient, trick: str) -> None:
    [session] = store.sessions()
    for place in (trick.format(session), session.upper()):
        for name in ("metadata.json", ".key", ZIP):
            assert client.get(session_url(place, name)).status_code == 404


def test_an_unknown_session_is_not_found(client: TestClient) -> None:
    for session in ("0" * 32, "..", "x"):
        for name in ("metadata.json", ZIP):
            assert client.get(session_url(session, name)).status_code == 404


def test_a_link_planted_in_a_session_is_not_followed_out_of_it(store: SessionStore, client: TestClient) -> None:
    [session] = store.sessions()
    link = store.folder(session) / "link.webp"
    link.symlink_to("/etc/hostname")
    try:
        assert client.get(session_url(session, "link.webp")).status_code == 404
    finally:
        link.unlink()


def test_a_pack_is_served_while_its_sheets_are_made_but_no_zip(store: SessionStore, client: TestClient) -> None:
    folder = store.new()
    with publishing(folder) as draft:
        (draft / "gaze.pack").write_bytes(b"0123456789")
        answer = client.get(session_url(folder.name, "gaze.pack"), headers={"Range": "bytes=4-"})
        assert (answer.status_code, answer.content) == (206, b"456789")
        assert client.get(session_url(folder.name, ZIP)).status_code == 404
        assert client.get(session_url(folder.name, "input.jpg")).status_code == 404
        (draft / "metadata.json").write_text("{}")
    assert client.get(session_url(folder.name, "gaze.pack")).content == b"0123456789"
    store.delete(folder.name)


def test_a_full_disk_is_told_and_not_how_it_is(
    store: SessionStore, client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/tmp/secret")

    monkeypatch.setattr("gaze.ui.routes.write_zip", full)
    answer = client.get(session_url(store.sessions()[0], ZIP))
    assert (answer.status_code, answer.headers["cache-control"]) == (503, "no-store")
    assert "its disk may be full. Try again" in answer.text
    assert "secret" not in answer.text
