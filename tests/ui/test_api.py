"""The endpoints of the real app, called as programs call them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from gaze import __version__
from gaze.storage.sessions import PREVIEWS_KEPT, SessionStore
from gaze.ui.api import Api
from gaze.ui.queue import Queue
from tests.clone import installed
from tests.green import write_network
from tests.pages import blocks, read
from tests.serving import serving
from tests.waiting import wait_for

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of the app as README says to start it, with a store of its own."""
    place = tmp_path_factory.mktemp("app")
    network = write_network(place / "green.onnx")
    folder = installed(place / "clone")
    with serving(place, "run", program="make", folder=folder, GAZE_MATTING_MODEL=str(network)) as app:
        yield app.address


@pytest.fixture(scope="module")
def client(server: str, tmp_path_factory: pytest.TempPathFactory) -> Client:
    return Client(server, download_files=str(tmp_path_factory.mktemp("downloads")), verbose=False)


SMALL = {"size": 4, "frame_size": 128, "engine": "warp"}
LONG = {"size": 60, "frame_size": 200, "engine": "warp", "sheets": True, "sheet_size": 200}


def test_a_portrait_from_a_program(client: Client, server: str, photo: Path) -> None:
    job = client.submit(photo=handle_file(photo), api_name="/generate", **SMALL)
    manifest, archive = job.result(timeout=60)
    assert (manifest["gridSize"], manifest["engine"]) == (4, "warp")
    assert manifest["reason"] == "The instant engine was asked for."
    assert any("cut to head and shoulders" in note for note in manifest["notes"])
    with zipfile.ZipFile(archive) as files:
        assert "gaze-portrait/index.html" in files.namelist()
    with urllib.request.urlopen(f"{server}/{manifest['base']}metadata.json") as answer:
        assert json.load(answer)["gridSize"] == 4
    again = client.predict(session=manifest["session"], api_name="/session")
    assert again["base"] == manifest["base"]


def test_a_portrait_without_its_background(client: Client, server: str, green_photo: Path) -> None:
    manifest, _ = client.predict(photo=handle_file(green_photo), remove_background=True, api_name="/generate", **SMALL)
    assert manifest["hasAlpha"]
    with urllib.request.urlopen(f"{server}/{manifest['base']}poster.webp") as answer:
        assert np.asarray(Image.open(answer))[0, 0, 3] < 8


def test_progress_reaches_the_caller(client: Client, photo: Path) -> None:
    job = client.submit(photo=handle_file(photo), api_name="/generate", **{**SMALL, "size": 20, "frame_size": 256})
    told: set[str] = set()
    while not job.done():
        for unit in job.status().progress_data or []:
            told.add(unit.desc or "")
        time.sleep(0.02)
    assert job.result()[0]["totalImages"] == 400
    *steps, (manifest, _) = job.outputs()
    assert manifest["totalImages"] == 400
    messages = {step["message"] for step, _ in steps}
    assert any(re.fullmatch(r"Rendering frame \d+ of \d+", message) for message in messages), messages
    assert told & messages
    assert {"stage": "done", "done": 1, "total": 1, "message": "Finished", "remaining": 0} in [s for s, _ in steps]


def test_a_cancelled_run_frees_the_place_and_leaves_nothing(client: Client, server: str, photo: Path) -> None:
    other = Client(server, download_files=False, verbose=False)  # a client that cancels may lose its next answer
    job = client.submit(photo=handle_file(photo), api_name="/generate", **LONG)
    wait_for(lambda: job.status().progress_data)
    assert client.predict(api_name="/health")["running"] == 1
    job.cancel()
    wait_for(lambda: not other.predict(api_name="/health")["running"], 5)


def test_a_second_caller_is_told_the_place(client: Client, server: str, photo: Path) -> None:
    first = client.submit(photo=handle_file(photo), api_name="/generate", **LONG)
    wait_for(lambda: first.status().progress_data)
    other = Client(server, download_files=False, verbose=False)
    second = other.submit(photo=handle_file(photo), api_name="/generate", **SMALL)
    wait_for(lambda: second.status().progress_data)
    assert second.status().progress_data[0].desc == "You are next."
    assert client.predict(api_name="/health")["waiting"] == 1
    first.cancel()
    assert second.result(timeout=60)[0]["gridSize"] == 4


def test_a_preview(client: Client, photo: Path) -> None:
    manifest = client.predict(photo=handle_file(photo), head=1.5, api_name="/preview")
    assert (manifest["imageWidth"], manifest["pack"]) == (256, "gaze.pack")


def test_health(client: Client) -> None:
    health = client.predict(api_name="/health")
    assert health["version"] == __version__
    assert health["engine"] in ("warp", "liveportrait")
    assert (health["running"], health["waiting"]) == (0, 0)


BAD: list[tuple[str, dict[str, Any], str]] = [
    ("/generate", {"size": 7}, "grid size is 7"),
    ("/generate", {"quality": 400}, "quality is 400"),
    ("/generate", {"keys": "many"}, "number of keys per side is many"),
    ("/generate", {"size": None}, "“size” is None. Give a number of at most nine digits"),
    ("/generate", {"size": 1e300}, r"“size” is 1e\+300"),
    ("/generate", {"quality": "70"}, "“quality” is 70. Give a number"),
    ("/generate", {"effort": 7}, "“effort” is 7. Give a number from 0 to 6"),
    ("/generate", {"smile": []}, r"“smile” is \[\]. Give a number from -0.3 to 1.3"),
    ("/generate", {"keys": "9" * 5000}, "“keys” is 9+. Give a text of at most 100 letters"),
    ("/generate", {"engine": None}, "“engine” is None. Give one of: auto, warp"),
    ("/generate", {"engine": ["warp"]}, r"“engine” is \['warp'\]"),
    ("/generate", {"mode": "<b>"}, "“mode” is <b>. Give one of: quadrants, single"),
    ("/generate", {"remove_background": None}, "“remove_background” is None. Give true or false"),
    ("/session", {"session": None}, "“session” is None"),
    ("/session", {"session": "../../etc"}, "not there any more"),
    ("/session", {"session": "0" * 32}, "not there any more"),
]


@pytest.mark.parametrize(("endpoint", "arguments", "words"), BAD)
def test_what_cannot_be_done_says_why(
    client: Client, photo: Path, endpoint: str, arguments: dict[str, Any], words: str
) -> None:
    given = {"photo": handle_file(photo)} if endpoint == "/generate" else {}
    with pytest.raises(AppError, match=words):
        client.predict(api_name=endpoint, **given, **arguments)


def test_a_photo_without_a_face(client: Client, faceless: np.ndarray, tmp_path: Path) -> None:
    Image.fromarray(faceless).save(tmp_path / "suit.png")
    with pytest.raises(AppError, match="No face was found"):
        client.predict(photo=handle_file(tmp_path / "suit.png"), api_name="/preview")


def call(server: str, endpoint: str, photo: list[Any]) -> bytes:
    """What comes of a call with a photo and strengths of one."""
    body = json.dumps({"data": [*photo, 1, 1, 1, True, 0, False]}).encode()
    request = urllib.request.Request(f"{server}/gradio_api/call/{endpoint}", body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(request) as answer:
        event = json.load(answer)["event_id"]
    with urllib.request.urlopen(f"{server}/gradio_api/call/{endpoint}/{event}") as answer:
        return bytes(answer.read())


def test_files_of_the_server_cannot_be_named_as_photos(server: str, photo: Path, tmp_path: Path) -> None:
    """A caller may send files, not paths."""
    private = tmp_path / "private.jpg"
    private.write_bytes(photo.read_bytes())
    for path in ("/etc/hostname", str(private)):
        for file in ({"path": path}, {"path": path, "meta": {"_type": "gradio.FileData"}}):
            assert b"event: error" in call(server, "preview", [file])


def test_a_photo_is_not_fetched_from_where_a_caller_says(server: str) -> None:
    """Whatever is there would be read whole."""
    answer = call(server, "preview", [{"path": "https://example.com/x.jpg", "meta": {"_type": "gradio.FileData"}}])
    assert b"event: error" in answer
    assert b"Send the file itself" in answer


def test_only_the_endpoints_for_programs_are_listed(client: Client) -> None:
    listed = client.view_api(return_format="dict", print_info=False)
    assert set(listed["named_endpoints"]) == {"/generate", "/preview", "/session", "/health"}
    assert not listed["unnamed_endpoints"]


def test_the_python_of_the_docs(server: str, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(photo, tmp_path / "portrait.jpg")
    monkeypatch.chdir(tmp_path)
    [code] = blocks(read("docs/api.md"), "python")
    assert "size=30" in code
    known: dict[str, Any] = {}
    quick = code.replace("size=30", "size=4, frame_size=128, engine='warp'")
    exec(quick.replace("http://127.0.0.1:7860", server), known)
    assert known["manifest"]["gridSize"] == 4
    assert zipfile.is_zipfile(known["archive"])


@pytest.mark.skipif(not (shutil.which("curl") and shutil.which("jq")), reason="curl and jq are not both there")
def test_the_curl_of_the_docs(server: str, photo: Path, tmp_path: Path) -> None:
    shutil.copy(photo, tmp_path / "portrait.jpg")
    [script] = blocks(read("docs/api.md"), "sh")
    done = subprocess.run(
        ["sh", "-e", "-c", script], cwd=tmp_path, env={**os.environ, "APP": server}, capture_output=True, text=True
    )
    assert "event: complete" in done.stdout, done.stderr


def test_the_containers_health_check(server: str) -> None:
    check = json.loads(re.search(r"^HEALTHCHECK .*CMD (.*)$", read("Dockerfile"), re.MULTILINE)[1])  # type: ignore[index]
    _, *arguments = check
    for port, status in ((server.rsplit(":", 1)[1], 0), ("1", 1)):
        environment = {**os.environ, "GRADIO_SERVER_PORT": port}
        assert (
            subprocess.run([sys.executable, *arguments], env=environment, stderr=subprocess.DEVNULL).returncode
            == status
        )


def test_a_programs_previews_are_kept_for_an_hour_too(photo: Path, tmp_path: Path) -> None:
    previews = SessionStore(tmp_path / "previews", PREVIEWS_KEPT)
    api = Api(SessionStore(tmp_path / "results"), previews, Queue())
    old, new = (api.preview(str(photo), 1, 1, 1, True, 0)["session"] for _ in range(2))
    assert set(previews.sessions()) == {old, new}
    two_hours_ago = time.time() - 7200
    os.utime(previews.root / old, (two_hours_ago, two_hours_ago))
    latest = api.preview(str(photo), 1, 1, 1, True, 0)["session"]
    assert set(previews.sessions()) == {new, latest}
