import io
import json
import re
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.options import Options
from gaze.output.bundle import write_zip
from gaze.output.metadata import FaceFiles, Metadata
from gaze.pipeline.making import generate
from gaze.storage.sessions import SessionStore
from gaze.ui.routes import session_routes
from gaze.ui.share import Share, read_share, share_path, share_routes, write_share
from gaze.ui.small_page import GONE
from tests.fakes import FakeEngine

HOSTILE = """<script>hacked()</script>"><img src=x onerror=hacked()>'{{root}}{{card}}"""


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "store")


@pytest.fixture
def session(store: SessionStore, photo: Path) -> str:
    folder = store.new()
    generate(photo, folder, Options(engine=FakeEngine(4), size=4, frame_size=128))
    return folder.name


@pytest.fixture
def visitor(store: SessionStore) -> TestClient:
    return TestClient(Starlette(routes=[*share_routes(store), *session_routes(store)]))


@pytest.mark.parametrize("root", ["/p", "/gradio_api/p"])
def test_a_portrait_has_a_page_of_its_own(visitor: TestClient, session: str, root: str) -> None:
    answer = visitor.get(f"{root}/{session}")
    assert answer.status_code == 200
    assert answer.headers["x-robots-tag"] == "noindex"
    assert '<meta name="robots" content="noindex">' in answer.text
    assert "input.jpg" not in answer.text
    assert "og:image" not in answer.text, "which the owner has not allowed"
    assert f'content="http://testserver{root}/{session}"' in answer.text
    [pack] = re.findall(r'<gaze-tracker src="(.*?)"', answer.text)
    assert visitor.get(f"{root}/{pack}").content.startswith(b"GAZEPACK")
    [poster] = re.findall(r'<img slot="poster" src="(.*?)" alt=".+?" width="\d+" height="\d+">', answer.text)
    assert visitor.get(f"{root}/{poster}").headers["content-type"] == "image/webp"
    assert "{{" not in answer.text


def test_what_is_not_there_says_so(visitor: TestClient, store: SessionStore, session: str) -> None:
    store.delete(session)
    for name in (session, "x", "..%2f..%2fetc"):
        answer = visitor.get(f"/p/{name}")
        assert answer.status_code == 404
    page = visitor.get(f"/p/{session}", headers={"Accept": "text/html"}).text
    assert "<h1>This portrait is gone.</h1>" in page
    assert "gaze-tracker src" not in page
    assert visitor.get(f"/p/{session}").json() == {"error": GONE}


def test_a_caption_is_text(visitor: TestClient, store: SessionStore, session: str) -> None:
    write_share(store, session, Share(HOSTILE[:80], True))
    page = visitor.get(f"/p/{session}").text
    assert page.count("&lt;script&gt;hacked()") >= 3
    assert not re.search(r"<script>hacked|<img (?!slot=)", page)
    assert read_share(store, session).caption == HOSTILE[:80]


def test_a_link_shows_the_face_only_if_its_owner_wants(visitor: TestClient, store: SessionStore, session: str) -> None:
    assert visitor.get(f"/p/{session}/card.jpg").status_code == 404
    write_share(store, session, Share("Ada", True))
    [address] = re.findall(r'og:image" content="(.*?)"', visitor.get(f"/p/{session}").text)
    assert address == f"http://testserver/p/{session}/card.jpg"
    card = visitor.get(address)
    assert Image.open(io.BytesIO(card.content)).size == (1200, 630)
    assert card.headers["cache-control"] == "no-cache"
    write_share(store, session, Share("Ada", False))
    assert visitor.get(address).status_code == 404
    assert "og:image" not in visitor.get(f"/p/{session}").text


def test_the_card_of_several_portraits_shows_each(visitor: TestClient, store: SessionStore, session: str) -> None:
    folder = store.folder(session)
    facts = Metadata.read(folder)
    colours = [(220, 40, 40), (40, 200, 40), (40, 40, 220)]
    for number, colour in enumerate(colours):
        Image.new("RGB", (64, 64), colour).save(folder / f"poster-{number}.webp")
    shown = {"image_width": 64, "image_height": 64, "face": facts.face, "pack": facts.pack}
    faces = [FaceFiles.model_validate({**shown, "poster": f"poster-{number}.webp"}) for number in range(len(colours))]
    facts.model_copy(update={"faces": tuple(faces)}).write(folder)
    write_share(store, session, Share("", True))
    card = np.asarray(Image.open(io.BytesIO(visitor.get(f"/p/{session}/card.jpg").content)), float)
    for number, colour in enumerate(colours):
        assert np.abs(card[315, 200 + 400 * number] - colour).max() < 12


def test_what_the_owner_says_stays_out_of_the_zip_and_keeps_nothing_longer(
    visitor: TestClient, store: SessionStore, session: str, tmp_path: Path
) -> None:
    folder = store.folder(session)
    before = folder.stat().st_mtime
    write_share(store, session, Share("Ada"))
    assert folder.stat().st_mtime == before
    assert visitor.get(f"/gradio_api/gaze/{session}/share.json").status_code == 404
    write_zip(folder, tmp_path / "z.zip")
    assert b"share.json" not in (tmp_path / "z.zip").read_bytes()
    (folder / "share.json").write_text(json.dumps({"caption": 5}))
    assert read_share(store, session) == Share()


def test_on_a_space_links_name_its_own_host(visitor: TestClient, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert share_path() == "p/"
    monkeypatch.setenv("SPACE_HOST", "me-gaze.hf.space")
    assert share_path() == "https://me-gaze.hf.space/gradio_api/p/"
    page = visitor.get(f"/gradio_api/p/{session}").text
    assert f'og:url" content="https://me-gaze.hf.space/gradio_api/p/{session}"' in page


def test_below_another_path_links_name_it(visitor: TestClient, session: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for given, expected in (("/gaze", "http://testserver/gaze"), ("https://a.example/gaze", "https://a.example/gaze")):
        monkeypatch.setenv("GRADIO_ROOT_PATH", given)
        assert f'og:url" content="{expected}/p/{session}"' in visitor.get(f"/p/{session}").text
