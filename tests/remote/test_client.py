"""Work handed to another Gaze: a real app renders for the endpoints of this process."""

from __future__ import annotations

import dataclasses
import io
import logging
import os
import re
import threading
import zipfile
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError
from PIL import Image

from gaze.errors import GazeError
from gaze.grid import Expression, Strengths
from gaze.options import Options
from gaze.output.validator import check
from gaze.pipeline.making import generate, run
from gaze.progress import Progress
from gaze.remote import client as remote
from gaze.remote import fetching
from gaze.remote.client import as_arguments, place_of
from gaze.remote.fetching import fetch, unpack
from gaze.storage.owners import SECRET
from gaze.storage.sessions import SessionStore
from gaze.ui import __main__ as program
from gaze.ui import api, endpoints
from gaze.ui.queue import Queue
from tests.fakes import FakeEngine
from tests.serving import App, serving
from tests.waiting import wait_for

SMALL = {"size": 4, "frame_size": 128, "engine": "warp"}
LONG: dict[str, Any] = {
    "size": 60,
    "frame_size": 200,
    "engine": "warp",
    "video": "none",
    "sheets": True,
    "sheet_size": 200,
}


@dataclass
class Here:
    """The endpoints in this process."""

    address: str
    store: Path


@dataclass
class Pair:
    """A Gaze, `here`, that hands its work to an app, `there`; each with its store."""

    here: Here
    there: App
    client: Client
    stack: ExitStack

    def bring_back(self, place: Path) -> None:
        """An app where the one was that was killed."""
        address = self.there.address
        self.there = self.stack.enter_context(serving(place, GRADIO_SERVER_PORT=address.rsplit(":", 1)[1]))
        assert self.there.address == address


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with ExitStack() as stack:
        there = stack.enter_context(serving(tmp_path_factory.mktemp("there"), GAZE_WEIGHTS="/nowhere"))
        store, previews = (SessionStore(tmp_path_factory.mktemp(name)) for name in ("here", "previews"))
        with gr.Blocks() as page:
            endpoints.add_endpoints(api.Api(store, previews, Queue(), there.address))
        page.launch(prevent_thread_lock=True, quiet=True)
        stack.callback(page.close)
        downloads = tmp_path_factory.mktemp("downloads")
        client = Client(page.local_url, download_files=str(downloads), verbose=False)
        yield Pair(Here(page.local_url.rstrip("/"), store.root), there, client, stack)


def running(app: App | Here) -> int:
    """How many portraits an app is making for programs."""
    count: int = Client(app.address, verbose=False).predict(api_name="/health")["running"]
    return count


def rendering(job: Any) -> bool:
    assert not job.done(), job.result()
    return any(told.get("stage") in ("render", "sheets") and told["done"] for told, _ in job.outputs())


def test_the_other_gaze_renders_and_the_result_is_stored_here(pair: Pair, photo: Path) -> None:
    job = pair.client.submit(photo=handle_file(photo), api_name="/generate", **{**LONG, "size": 20})
    manifest, archive = job.result(timeout=60)
    assert manifest["reason"] == f"Rendered by {pair.there.address}. It says: The instant engine was asked for."
    [session] = SessionStore(pair.here.store).sessions()
    assert session == manifest["session"]
    folder = pair.here.store / session
    assert check(folder) == []
    assert zipfile.ZipFile(archive).namelist()
    assert {"input.jpg", "index.html", "standalone.html", "gaze.pack", "q3.webp"} <= set(os.listdir(folder))
    assert {path.name for path in pair.there.store.iterdir()} <= {SECRET}
    told = [step for step, _ in job.outputs()[:-1]]
    messages = [step["message"] for step in told]
    assert f"Connecting to {pair.there.address}" in messages
    assert any(re.fullmatch(r"Rendering frame \d+ of \d+", message) for message in messages), messages
    assert "Fetching the portrait" in messages
    assert any(step["remaining"] for step in told)


def test_health_names_who_renders(pair: Pair) -> None:
    health = pair.client.predict(api_name="/health")
    assert (health["engine"], health["reason"]) == ("remote", f"Portraits are made by {pair.there.address}.")


def test_what_hands_its_work_on_itself_is_refused(pair: Pair) -> None:
    """Else a Gaze that was told to hand on to itself, or two to each other, would wait for ever."""
    with pytest.raises(GazeError, match=rf"The Gaze at {pair.here.address} does not render"):
        remote.connect(pair.here.address)


def test_the_app_does_not_start_with_what_is_no_address(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GRADIO_ANALYTICS_ENABLED", "FORWARDED_ALLOW_IPS"):
        monkeypatch.setenv(name, "")  # else it would set them for all tests
    told = SimpleNamespace(basicConfig=lambda **_: None, getLogger=logging.Logger, INFO=logging.INFO)
    monkeypatch.setattr(program, "logging", told)
    with pytest.raises(SystemExit, match=r"^gaze: “gpu-box:7860” is not the address of a Gaze\."):
        program.main(["--remote", "gpu-box:7860"])


def test_it_is_the_portrait_that_would_have_been_made_here(pair: Pair, photo: Path, tmp_path: Path) -> None:
    options = Options(engine="warp", size=4, frame_size=128, sheets=False)
    local = generate(photo, tmp_path / "local", options)
    there = generate(photo, tmp_path / "there", dataclasses.replace(options, remote=pair.there.address))
    assert {path.name for path in there.folder.iterdir()} == {path.name for path in local.folder.iterdir()}
    for path in local.folder.iterdir():
        assert path.read_bytes() == (there.folder / path.name).read_bytes(), path.name
    assert there.metadata == local.metadata
    assert there.notes == local.notes


def test_errors_of_the_other_side_arrive_word_for_word(pair: Pair, photo: Path) -> None:
    with pytest.raises(AppError, match="GAZE_WEIGHTS is nowhere") as there:
        Client(pair.there.address, verbose=False).predict(
            photo=handle_file(photo), engine="liveportrait", api_name="/generate"
        )
    before = set(os.listdir(pair.here.store))
    with pytest.raises(AppError) as here:
        pair.client.predict(photo=handle_file(photo), engine="liveportrait", api_name="/generate")
    assert here.value.message == there.value.message
    assert set(os.listdir(pair.here.store)) == before


def test_a_photo_that_cannot_be_used_is_not_sent_at_all(pair: Pair, faceless: np.ndarray, tmp_path: Path) -> None:
    steps: list[Progress] = []
    with pytest.raises(GazeError, match="No face was found"):
        generate(faceless, tmp_path / "out", Options(remote=pair.there.address), steps.append)
    assert {step.stage for step in steps} == {"read"}


def test_cancelling_here_frees_the_other_side(pair: Pair, photo: Path) -> None:
    before = set(os.listdir(pair.here.store))
    job = pair.client.submit(photo=handle_file(photo), api_name="/generate", **LONG)
    wait_for(lambda: rendering(job))
    assert running(pair.there) == 1
    job.cancel()
    wait_for(lambda: running(pair.there) == 0 and running(pair.here) == 0)
    assert set(os.listdir(pair.here.store)) == before
    assert {path.name for path in pair.there.store.iterdir()} <= {SECRET}


def test_cancelling_before_the_other_side_has_begun(pair: Pair, photo: Path, tmp_path: Path) -> None:
    steps = run(photo, tmp_path / "out", Options(remote=pair.there.address, **LONG))
    while "Sending" not in next(steps).message:
        pass
    steps.close()
    wait_for(lambda: running(pair.there) == 0)
    assert list(tmp_path.iterdir()) == []


def test_the_other_side_dies_and_comes_back(pair: Pair, photo: Path, tmp_path: Path) -> None:
    first = pair.there
    told = []
    for step in run(photo, tmp_path / "out", Options(remote=first.address, **{**LONG, "size": 20})):
        told.append(step.message)
        if step.stage in ("render", "sheets") and step.done and pair.there is first:
            first.process.kill()
            first.process.wait(10)
            pair.bring_back(tmp_path / "again")
    assert any("was lost. Looking for it" in message for message in told)
    assert check(tmp_path / "out") == []


def test_losing_the_other_side_for_good_is_said_and_leaves_nothing(
    pair: Pair, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The last of the tests of the pair: it kills the one that renders."""
    monkeypatch.setattr(remote, "_RETURN", 1)
    steps = run(photo, tmp_path / "out", Options(remote=pair.there.address, **LONG))
    while next(steps).stage != "render":
        pass
    pair.there.process.kill()
    with pytest.raises(GazeError, match=rf"connection to {pair.there.address} was lost.*Nothing was kept\. Try again"):
        list(steps)
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(AppError, match=rf"No Gaze answers at {pair.there.address} \(.*refused"):
        pair.client.predict(photo=handle_file(photo), api_name="/generate", **SMALL)


def test_every_option_reaches_the_other_side(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, photo: Path) -> None:
    """A new field of `Options` fails here until /generate takes it."""
    unusual = Options(
        engine="warp",
        size=14,
        keys=7,
        frame_size=321,
        quality=33,
        framing="whole",
        face=1,
        anyway=True,
        remove_background=True,
        matting="finest",
        background="teal",
        strengths=Strengths(0.5, 1.5, 0.25),
        straighten=False,
        expression=Expression(0.75, 0.5, -0.5, True),
        mode="single",
        effort=3,
        pack=False,
        sheets=True,
        sheet_size=300,
        video="av1",
        blinking=False,
    )
    for field in dataclasses.fields(Options):
        same = getattr(unusual, field.name) == getattr(Options(), field.name)
        assert same == (field.name == "remote"), f"give {field.name} another value here than the normal one"
    seen = []

    def stand_in(photo: object, out: object, options: Options) -> Iterator[None]:
        seen.append(options)
        raise GazeError("enough")
        yield

    monkeypatch.setattr(api, "run", stand_in)
    with gr.Blocks() as page:
        store = SessionStore(tmp_path)
        endpoints.add_endpoints(api.Api(store, store, Queue()))
    page.launch(prevent_thread_lock=True, quiet=True)
    try:
        with pytest.raises(AppError, match="enough"):
            Client(page.local_url, verbose=False).predict(
                photo=handle_file(photo), keep=False, api_name="/generate", **as_arguments(unusual)
            )
    finally:
        page.close()
    assert seen == [unusual]


def test_an_engine_of_ones_own_cannot_be_sent(photo: Path, tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="engine of your own cannot be sent"):
        generate(photo, tmp_path / "out", Options(engine=FakeEngine(30), remote="http://127.0.0.1:9"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("address", "place"),
    [
        ("owner/gaze", "owner/gaze"),
        ("https://huggingface.co/spaces/owner/gaze", "owner/gaze"),
        ("https://owner-gaze.hf.space", "https://owner-gaze.hf.space"),
        ("http://gpu-box:7860/", "http://gpu-box:7860/"),
    ],
)
def test_addresses(address: str, place: str) -> None:
    assert place_of(address) == place


@pytest.mark.parametrize("address", ["gpu-box:7860", "gaze", "ftp://gpu-box", "http://", "file:///etc/passwd"])
def test_what_is_no_address_is_told_with_an_example(address: str) -> None:
    with pytest.raises(GazeError, match=r"is not the address.*owner/name.*http://"):
        place_of(address)


@pytest.mark.parametrize(("address", "sent"), [("http://gpu-box:7860", False), ("owner/gaze", None)])
def test_the_token_of_the_hub_goes_to_the_hub_alone(address: str, sent: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: dict[str, Any] = {}

    def client(place: str, token: Any) -> None:
        seen["token"] = token
        raise OSError("enough")

    monkeypatch.setattr(remote, "BoundedClient", client)
    with pytest.raises(GazeError, match="enough"):
        remote.connect(address)
    assert seen["token"] is sent


class Other(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"<html>a blog</html>")

    def log_message(self, *_: object) -> None: ...


def test_a_web_server_that_is_no_app_is_told() -> None:
    with HTTPServer(("127.0.0.1", 0), Other) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with pytest.raises(GazeError, match="No Gaze answers at"):
            remote.connect(f"http://127.0.0.1:{server.server_port}")
        server.shutdown()


@pytest.mark.parametrize(
    ("endpoint", "version", "words"),
    [("predict", "", "is not a Gaze"), ("health", "9.1.0", r"is version 9\.1\.0, this one is .* Install the same")],
)
def test_other_apps_and_other_versions_are_told(endpoint: str, version: str, words: str) -> None:
    with gr.Blocks() as page:
        gr.Button().click(lambda: {"version": version}, None, gr.JSON(), api_name=endpoint)
    page.launch(prevent_thread_lock=True, quiet=True)
    try:
        with pytest.raises(GazeError, match=words):
            remote.connect(page.local_url)
    finally:
        page.close()


def packed(files: dict[str, bytes]) -> io.BytesIO:
    data = io.BytesIO()
    with zipfile.ZipFile(data, "w") as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return data


def test_only_a_portraits_own_files_are_taken_from_the_zip(photo: Path, tmp_path: Path) -> None:
    made = generate(photo, tmp_path / "made", Options(engine="warp", size=2, frame_size=128)).folder
    files = {f"gaze-portrait/{path.name}": path.read_bytes() for path in made.iterdir() if path.suffix != ".jpg"}
    files |= {"gaze-portrait/../../evil.webp": b"", "gaze-portrait/evil.html": b"", "/etc/evil.webp": b""}
    (tmp_path / "out").mkdir()
    metadata = unpack(packed(files), "there", tmp_path / "out")  # type: ignore[arg-type]
    assert set(os.listdir(tmp_path / "out")) == {*metadata.files, "metadata.json"}
    assert not list(tmp_path.rglob("evil*"))
    del files["gaze-portrait/q2.webp"]
    (tmp_path / "partly").mkdir()
    with pytest.raises(GazeError, match=r"there sent is not complete: q2\.webp is missing"):
        unpack(packed(files), "there", tmp_path / "partly")  # type: ignore[arg-type]
    with pytest.raises(GazeError, match="not complete"):
        unpack(io.BytesIO(b"PK"), "there", tmp_path)  # type: ignore[arg-type]


def test_odd_zips_are_refused_in_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(data: io.BytesIO) -> str:
        with pytest.raises(GazeError, match=r"What there sent is not complete: .* Try again") as told:
            unpack(data, "there", tmp_path)  # type: ignore[arg-type]
        return str(told.value)

    locked = bytearray(packed({"gaze-portrait/gaze.pack": b"x"}).getvalue())
    for mark, place in ((b"PK\3\4", 6), (b"PK\1\2", 8)):
        locked[locked.index(mark) + place] |= 1
    assert "is encrypted" in refused(io.BytesIO(locked))
    unknown = bytearray(packed({"gaze-portrait/gaze.pack": b"x"}).getvalue())
    for mark, place in ((b"PK\3\4", 8), (b"PK\1\2", 10)):
        unknown[unknown.index(mark) + place] = 99
    assert "compression" in refused(io.BytesIO(unknown))
    assert "too many files" in refused(packed({f"{number}": b"" for number in range(201)}))
    assert str(tmp_path) not in refused(packed({"gaze-portrait/q0.webp": b"x"}))
    monkeypatch.setattr(fetching, "MOST", 2**20)
    bomb = io.BytesIO()
    with zipfile.ZipFile(bomb, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("gaze-portrait/gaze.pack", bytes(3 * 2**20))
    assert "It unpacks to more than 1 MB" in refused(bomb)
    assert sum(path.stat().st_size for path in tmp_path.iterdir()) <= 2**21


@pytest.mark.parametrize("announced", [True, False])
def test_an_answer_without_end_is_given_up(announced: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Endless(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            if announced:
                self.send_header("Content-Length", str(10**12))
            self.end_headers()
            with suppress(OSError):
                while True:
                    self.wfile.write(bytes(2**16))

    monkeypatch.setattr(fetching, "MOST", 2**22)
    server = HTTPServer(("127.0.0.1", 0), Endless)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    client = SimpleNamespace(src_prefixed=f"http://127.0.0.1:{server.server_port}/", headers={}, cookies={})
    try:
        with pytest.raises(GazeError, match="there sends more than 4 MB"):
            list(fetch(client, "there", "x", tmp_path / "x"))
        assert (tmp_path / "x").stat().st_size <= 2**23
    finally:
        server.shutdown()


def test_the_photos_metadata_stays_here(photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    exif = Image.Exif()
    exif[0x010E] = "secret place"
    Image.open(photo).save(tmp_path / "photo.jpg", exif=exif)
    sent: list[bytes] = []

    def make(client: object, address: str, photo: Path, *_: object) -> Iterator[None]:
        sent.append(photo.read_bytes())
        raise GazeError("enough")
        yield

    monkeypatch.setattr(remote, "connect", lambda _: None)
    monkeypatch.setattr(remote, "_make", make)
    with pytest.raises(GazeError, match="enough"):
        generate(tmp_path / "photo.jpg", tmp_path / "out", Options(remote="owner/gaze"))
    assert b"secret place" not in sent[0]
    assert np.array_equal(np.asarray(Image.open(io.BytesIO(sent[0]))), np.asarray(Image.open(tmp_path / "photo.jpg")))
