from __future__ import annotations

import zipfile
from io import BytesIO
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.errors import GazeError
from gaze.options import Options
from gaze.pipeline.making import generate
from gaze.progress import Steps
from gaze.storage.sessions import SessionStore
from gaze.ui.adding import adding_sheets
from gaze.ui.finished import Finished
from gaze.ui.jobs import Jobs
from gaze.ui.queue import Queue
from gaze.ui.routes import ZIP, session_routes

SMALL = Options(engine="warp", size=4, keys=5, frame_size=128, sheets=False)


@pytest.fixture(scope="module")
def store(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> SessionStore:
    store = SessionStore(tmp_path_factory.mktemp("store"))
    generate(photo, store.new(), SMALL)
    return store


def test_sheets_are_added_to_a_finished_portrait_and_its_zip(store: SessionStore) -> None:
    [session] = store.sessions()
    before = {path.name for path in store.folder(session).iterdir()}
    stopped = adding_sheets(store, session)
    next(stopped)
    stopped.close()
    assert {path.name for path in store.folder(session).iterdir()} == before, "a run that is stopped changes nothing"

    jobs = Jobs(Queue())
    finished = Finished(store, jobs)
    assert "Only the browser" in str(finished.sheets({"session": session, "secret": "x", "job": "0" * 32}))
    own = {"session": session, "secret": store.secret(session), "job": "1" * 32}
    assert finished.sheets(own) == finished.sheets(own)
    job = jobs.find("1" * 32)
    assert job
    *_, state = job.follow()
    assert (state.phase, state.share) == ("done", 1.0)
    sheets = store.metadata(session).sheets
    assert sheets
    assert {path.name for path in store.folder(session).iterdir()} - before == set(sheets)

    client = TestClient(Starlette(routes=session_routes(store)))
    for query, wanted in (("", set[str]()), ("?sheets=1", set(sheets))):
        answer = client.get(f"/gradio_api/gaze/{session}/{ZIP}{query}")
        with zipfile.ZipFile(BytesIO(answer.content)) as files:
            names = {name.removeprefix("gaze-portrait/") for name in files.namelist()}
        assert names & set(sheets) == wanted


def test_sheets_of_a_portrait_that_is_gone_are_not_made(store: SessionStore) -> None:
    with pytest.raises(GazeError, match="not there any more"):
        list(Steps(adding_sheets(store, "0" * 32)))
