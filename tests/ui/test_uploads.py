import errno
import os
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from gaze.ui import uploads as module
from gaze.ui.limit import Limit
from gaze.ui.uploads import Uploads

PATH, CALL = "/gradio_api/upload", "/gradio_api/mcp/"


def client(tmp_path: Path, error: Exception | None = None, limit: Limit | None = None) -> TestClient:
    folder = tmp_path / "temporary" / "uploads"

    async def take(request: Request) -> PlainTextResponse:
        (folder / "tmpabc").write_bytes(await request.body())
        if error:
            raise error
        (folder / "hash").mkdir(exist_ok=True)
        (folder / "tmpabc").rename(folder / "hash" / request.query_params.get("name", "a"))
        return PlainTextResponse("taken")

    async def call(request: Request) -> PlainTextResponse:
        return PlainTextResponse(str(len(await request.body())))

    limited = Middleware(Uploads, temporary=tmp_path / "temporary", folder=folder, limit=limit)
    routes = [Route(PATH, take, methods=["POST"]), Route(CALL, call, methods=["POST"])]
    return TestClient(Starlette(routes=routes, middleware=[limited]))


def test_a_photo_is_taken_into_folders_of_the_apps_own(tmp_path: Path) -> None:
    assert client(tmp_path).post(PATH, content=b"x").text == "taken"
    for folder in (tmp_path / "temporary", tmp_path / "temporary" / "uploads"):
        assert folder.stat().st_mode & 0o777 == 0o700


def test_a_client_sends_no_more_than_so_many(tmp_path: Path) -> None:
    web = client(tmp_path, limit=Limit(2, 0.001, "uploads"))
    assert [web.post(PATH, content=b"x").status_code for _ in range(3)] == [200, 200, 429]
    assert "You asked for too many uploads in a short time. Wait" in web.post(PATH, content=b"x").text


def test_large_photos_count_for_more(tmp_path: Path) -> None:
    web = client(tmp_path, limit=Limit(6, 0.001, "uploads"))
    large = bytes(2 * module._EACH)
    assert [web.post(PATH, content=large).status_code for _ in range(3)] == [200, 200, 429]


def test_who_sends_one_ordinary_photo_after_the_other_is_not_held_up(tmp_path: Path) -> None:
    web = client(tmp_path)
    assert {web.post(PATH, content=bytes(3 * 2**20)).status_code for _ in range(60)} == {200}


def test_the_oldest_photos_make_room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST", 100)
    web = client(tmp_path)
    folder = tmp_path / "temporary" / "uploads" / "hash"
    for number, name in enumerate("abc"):
        assert web.post(f"{PATH}?name={name}", content=bytes(40)).status_code == 200
        os.utime(folder / name, (number, number))
    assert sorted(path.name for path in folder.iterdir()) == ["b", "c"]


def test_photos_in_data_addresses_count_and_make_room_as_uploads_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST", 2**17)
    web = client(tmp_path, limit=Limit(2, 0.001, "uploads"))
    folder = tmp_path / "temporary" / "uploads"
    (folder / "old" / "a folder").mkdir(parents=True)
    (folder / "old" / "photo").write_bytes(bytes(2**17))
    assert web.post(CALL, content=bytes(module._WORDS)).text == str(module._WORDS)
    assert (folder / "old" / "photo").exists()
    assert web.post(CALL, content=bytes(module._WORDS + 1)).status_code == 200
    assert [path.name for path in folder.glob("old/*")] == ["a folder"]
    assert [web.post(CALL, content=bytes(2 * module._EACH)).status_code for _ in range(2)] == [200, 429]
    assert {web.post(CALL, content=b"words").status_code for _ in range(9)} == {200}


@pytest.mark.parametrize(
    ("error", "status", "words"),
    [
        (OSError(errno.ENOSPC, "No space left on device", "/tmp/secret"), 507, "no room for photos"),
        (TypeError("File is not an instance"), 400, "its file has no name. Choose the photo again"),
    ],
)
def test_what_goes_wrong_is_told_and_leaves_nothing(tmp_path: Path, error: Exception, status: int, words: str) -> None:
    answer = client(tmp_path, error).post(PATH, content=bytes(99))
    assert (answer.status_code, words in answer.text) == (status, True)
    assert "secret" not in answer.text
    assert list((tmp_path / "temporary" / "uploads").iterdir()) == []


def test_a_disk_without_room_takes_no_upload(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.shutil, "disk_usage", lambda _: os.terminal_size((1, 1)) and type("U", (), {"free": 10}))
    answer = client(tmp_path).post(PATH, content=b"x")
    assert (answer.status_code, "no room for photos" in answer.text) == (507, True)
