"""Every sentence of docs/privacy.md is held by a test: here, or where `HELD` says."""

from __future__ import annotations

import ast
import io
import os
import re
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from gradio_client import Client, handle_file
from PIL import Image

from gaze.errors import GazeError
from gaze.options import Options
from gaze.photo.portrait import MAX_BYTES
from gaze.pipeline.making import generate
from gaze.storage.sessions import PREVIEWS_KEPT, SessionStore
from gaze.ui import app as module
from gaze.ui.api import Api
from gaze.ui.app import _keep_tidy, build
from gaze.ui.handlers import Handlers
from gaze.ui.limit import Limit
from gaze.ui.queue import Queue
from gaze.ui.uploads import MOST
from tests.conftest import ROOT
from tests.fakes import FakeEngine
from tests.serving import App, serving
from tests.waiting import wait_for

HELD = {
    "It is read in a separate process": "photo/test_box::test_what_takes_too_long_or_too_much_is_ended",
    "An address from a program": "photo/test_address::test_the_app_fetches_only_where_it_is_allowed",
    "Its pixels stay": "photo/test_box::test_what_is_kept_is_bounded_and_goes_when_it_is_not_used",
    "The uploaded file lies in": "test_privacy::test_uploads_lie_in_a_folder_of_the_apps_own",
    "It is deleted after a day": "test_privacy::test_what_a_killed_app_left_goes_at_the_next_start "
    "test_privacy::test_an_app_that_is_told_to_end_leaves_nothing",
    "A browser keeps no copy": "ui/test_guard::test_nothing_that_can_hold_a_face_is_cached",
    "Its address depends": "test_privacy::test_uploads_lie_in_a_folder_of_the_apps_own",
    "An upload that broke off": "ui/test_uploads::test_what_goes_wrong_is_told_and_leaves_nothing",
    "A copy, without metadata": "test_privacy::test_nothing_of_a_photos_metadata_reaches_a_file",
    "A preview lies in": "ui/test_api::test_a_programs_previews_are_kept_for_an_hour_too",
    "A portrait lies in": "storage/test_sessions::test_other_users_of_the_machine_cannot_look_into_the_store",
    "A folder of the app that was open": "storage/test_modes::test_a_store_that_others_could_enter_is_closed_and_told",
    "What is too old": "test_privacy::test_what_is_too_old_goes_though_nobody_makes_portraits",
    "Each has an address": "storage/test_sessions::test_ids_are_long_and_differ",
    "Only the sheets": "ui/test_routes::test_nothing_else_is_served "
    "output/test_bundle::test_the_zip_holds_the_portrait_but_nothing_private",
    "A portrait's page asks": "ui/test_share::test_a_portrait_has_a_page_of_its_own",
    "The owner's caption": "ui/test_share::test_what_the_owner_says_stays_out_of_the_zip_and_keeps_nothing_longer",
    "Link previews show": "ui/test_share::test_a_link_shows_the_face_only_if_its_owner_wants",
    "A portrait requested with": "test_privacy::test_what_is_not_to_be_kept_is_gone_and_the_log_names_nobody "
    "test_privacy::test_zips_and_parts_of_uploads_go_after_an_hour",
    "A run that is cancelled": "storage/test_sessions::test_an_interrupted_run_leaves_nothing",
    "The browser that made": "ui/test_handlers::test_the_owner_deletes_one_and_then_all",
    "Nobody else can": "ui/test_handlers::test_without_the_secret_nothing_is_deleted_or_said",
    "A browser that has seen it": "ui/test_routes::test_what_was_deleted_is_gone_for_a_browser_that_has_it",
    "Machines that share a store": "storage/test_stores::"
    "test_what_another_machine_deleted_is_gone_here_within_a_minute",
    "It remembers the last twenty": "browser/test_app::test_the_browser_remembers_twenty_addresses_and_no_picture",
    "A tab remembers the portrait": "browser/test_app::test_the_browser_remembers_twenty_addresses_and_no_picture",
    "The app sets no cookie": "test_privacy::test_no_cookie_is_set_and_no_address_told",
    "The page asks no other server": "browser/test_app::test_a_script_that_is_not_the_pages_does_not_run",
    "A portrait's address is": "test_privacy::test_no_cookie_is_set_and_no_address_told",
    "Nothing calls home": "test_privacy::test_analytics_are_off",
    "The app's log names": "test_privacy::test_what_is_not_to_be_kept_is_gone_and_the_log_names_nobody",
    "With `--remote`": "remote/test_client::test_the_other_gaze_renders_and_the_result_is_stored_here",
}
"""The beginning of each sentence, and where it is tested; in two places with a space between them."""


def test_every_sentence_is_held() -> None:
    told = re.findall(r"^- (.+?)$", (ROOT / "docs" / "privacy.md").read_text(encoding="utf-8"), re.MULTILINE)
    assert [next((start for start in HELD if sentence.startswith(start)), sentence) for sentence in told] == list(HELD)
    for place in " ".join(HELD.values()).split():
        path, name = place.split("::")
        tree = ast.parse((ROOT / "tests" / f"{path}.py").read_text(encoding="utf-8"))
        assert name in {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}, place


def test_the_numbers() -> None:
    privacy, hosting = ((ROOT / "docs" / f"{name}.md").read_text(encoding="utf-8") for name in ("privacy", "hosting"))
    assert f"a request: {MAX_BYTES // 2**20} MB for a photo," in hosting
    assert "1 GB in all" in hosting
    assert (PREVIEWS_KEPT, module._TIDY, MOST) == (3600, 600, 2**30)
    assert "for an hour" in privacy
    assert "every ten minutes" in privacy


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("place")


@pytest.fixture(scope="module")
def app(place: Path) -> Iterator[App]:
    with serving(place) as app:
        yield app


def uploads(place: Path) -> list[Path]:
    return [path for path in place.glob("gaze-app-*/uploads/*/*") if path.is_file()]


def test_uploads_lie_in_a_folder_of_the_apps_own(app: App, place: Path, photo: Path) -> None:
    client = Client(app.address, download_files=False, verbose=False)
    client.predict(photo=handle_file(photo), api_name="/preview")
    [upload] = uploads(place)
    assert re.fullmatch("[0-9a-f]{64}", upload.parent.name)
    [folder] = place.glob("gaze-app-*")
    assert folder.stat().st_mode & 0o777 == 0o700
    assert not (place / "gradio").exists(), "Gradio has a folder of its own, for all eyes"


def test_no_cookie_is_set_and_no_address_told(app: App) -> None:
    with urllib.request.urlopen(app.address) as answer:
        assert answer.headers["Set-Cookie"] is None
        assert answer.headers["Referrer-Policy"] == "same-origin"


def test_what_is_not_to_be_kept_is_gone_and_the_log_names_nobody(app: App, photo: Path) -> None:
    client = Client(app.address, download_files=False, verbose=False)
    small = {"size": 4, "frame_size": 128, "engine": "warp", "keep": False}
    made, _ = client.predict(photo=handle_file(photo), api_name="/generate", **small)
    assert [path.name for path in app.store.iterdir()] == [".key"]
    log = "".join(line for line in app.log.read_text().splitlines() if "URL: " not in line)
    for secret in (made["session"], photo.stem, "127.0.0.1:"):
        assert secret not in log


def test_what_a_killed_app_left_goes_at_the_next_start(photo: Path, tmp_path: Path) -> None:
    with serving(tmp_path) as app:
        client = Client(app.address, download_files=False, verbose=False)
        client.predict(photo=handle_file(photo), api_name="/preview")
        assert uploads(tmp_path) != []
        app.process.kill()
        app.process.wait(20)
    with serving(tmp_path) as app:
        assert uploads(tmp_path) == []
        assert len(list(tmp_path.glob("gaze-app-*"))) == 1
        end(app, tmp_path, photo, signal.SIGTERM)


def end(app: App, place: Path, photo: Path, number: signal.Signals) -> None:
    """In the middle of a run."""
    client = Client(app.address, download_files=False, verbose=False)
    long = {"engine": "warp", "size": 30, "pack": False, "sheets": True}
    running = client.submit(photo=handle_file(photo), **long, api_name="/generate")
    wait_for(lambda: running.done() or (uploads(place) and any(app.store.glob(".draft-*/*"))), 180)
    assert not running.done(), running.exception()
    app.process.send_signal(number)
    app.process.wait(20)
    assert list(place.glob("gaze-app-*")) == []
    assert [path.name for path in app.store.iterdir()] == [".key"]
    with suppress(httpx.HTTPError):
        running.cancel()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_kill_and_a_closed_terminal_remove_what_is_locked(tmp_path: Path, number: signal.Signals) -> None:
    code = """if True:
        import pathlib, signal, sys, time
        from gaze.storage.locks import locked
        from gaze.ui.ending import leave_nothing
        signal.signal(signal.SIGHUP, signal.SIG_DFL)  # else what runs with nohup goes on, and should
        leave_nothing()
        with locked(pathlib.Path(sys.argv[1]) / "photos") as folder:
            (folder / "photo").touch()
            print(flush=True)
            time.sleep(60)
    """
    with subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], stdout=subprocess.PIPE, cwd=ROOT) as program:
        assert program.stdout
        program.stdout.readline()
        program.send_signal(number)
        assert program.wait(20) == -number
    assert list(tmp_path.iterdir()) == []


def test_nothing_of_a_photos_metadata_reaches_a_file(photo: Path, tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x010E] = "of whom, and where"
    exif.get_ifd(0x8825)[2] = (48.0, 51.0, 29.5)
    data = io.BytesIO()
    with Image.open(photo) as picture:
        picture.save(data, "JPEG", exif=exif, quality=95, comment=b"of whom, and where")
    assert b"of whom" in data.getvalue()
    folder = generate(data.getvalue(), tmp_path / "out", Options(engine=FakeEngine(4), size=4, frame_size=128)).folder
    for path in folder.iterdir():
        assert b"of whom" not in path.read_bytes(), path.name
        if path.suffix in (".jpg", ".webp"):
            with Image.open(path) as picture:
                assert not picture.info.keys() & {"exif", "xmp", "comment", "icc_profile"}
    assert (folder / "input.jpg").exists()


class StoppedError(Exception):
    pass


def test_what_is_too_old_goes_though_nobody_makes_portraits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = SessionStore(tmp_path / "store", kept=500)
    store.check()
    old = store.root / ("0" * 32)
    old.mkdir()
    os.utime(old, (0, 0))
    naps = iter([None])

    def sleep(seconds: float) -> None:
        assert seconds == 600
        if next(naps, StoppedError) is StoppedError:
            raise StoppedError

    monkeypatch.setattr(module, "time", SimpleNamespace(sleep=sleep))
    with pytest.raises(StoppedError):
        _keep_tidy(store.tidy)
    assert not old.exists()


def test_zips_and_parts_of_uploads_go_after_an_hour(tmp_path: Path) -> None:
    gone = ("old/gaze-portrait.zip", "tmpold")
    stays = ("new/gaze-portrait.zip", "tmpnew", "old/photo.jpg")
    for name in (*gone, *stays):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
        age = 3500 if "new" in name else 3700
        os.utime(tmp_path / name, (time.time() - age,) * 2)
    module._tidy_uploads(tmp_path)
    assert {str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file()} == set(stays)


def test_a_temporary_folder_that_cannot_be_written_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.tempfile, "tempdir", "/proc")
    with pytest.raises(GazeError, match=r"^/proc cannot be written to: .*\. Name another place in TMPDIR\."):
        module._temporary_folder()


def test_the_app_tells_its_address_and_nothing_else_of_gradios(app: App) -> None:
    said = app.log.read_text()
    assert f"Running on local URL:  {app.address}\n" in said
    assert "share" not in said
    assert "public" not in said
    assert "MCP" not in said


def test_analytics_are_off(tmp_path: Path) -> None:
    results, previews = (SessionStore(tmp_path / name) for name in ("results", "previews"))
    line, limit = Queue(), Limit()
    api = Api(results, previews, line, limit=limit)
    page = build(Handlers(results, previews, line, limit), api, results)
    assert page.analytics_enabled is False


@pytest.mark.skipif(sys.platform == "win32", reason="there are no signals")
def test_an_app_that_is_told_to_end_leaves_nothing(app: App, place: Path, photo: Path) -> None:
    """The last of the tests of this app. A plain kill leaves nothing either: see the start after a kill."""
    end(app, place, photo, signal.SIGINT)
