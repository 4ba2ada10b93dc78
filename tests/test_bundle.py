import io
import json
import re
import zipfile
from pathlib import Path

import pytest

from gaze.bundle import widget_source, write_pages, write_zip
from gaze.pipeline import Options, generate
from tests.fakes import FakeEngine


@pytest.fixture(scope="module")
def folder(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "out"
    return generate(photo, out, Options(engine=FakeEngine(4), size=4, frame_size=128)).folder


def zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    write_zip(folder, out)
    return out.getvalue()


def test_the_zip_holds_the_portrait_but_not_the_photo(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zipped(folder)))
    assert archive.testzip() is None
    names = {path.name for path in folder.iterdir()} - {"input.jpg"}
    assert {info.filename for info in archive.infolist()} == {f"gaze-portrait/{name}" for name in names}
    for name in names:
        assert archive.read(f"gaze-portrait/{name}") == (folder / name).read_bytes()


def test_pictures_are_stored_and_equal_portraits_give_equal_bytes(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zipped(folder)))
    assert archive.getinfo("gaze-portrait/q0.webp").compress_type == zipfile.ZIP_STORED
    assert archive.getinfo("gaze-portrait/gaze-tracker.js").compress_type == zipfile.ZIP_DEFLATED
    assert zipped(folder) == zipped(folder)


def test_the_page_carries_the_metadata_and_fetches_nothing_from_elsewhere(folder: Path) -> None:
    page = (folder / "index.html").read_text()
    manifest = re.search(r"manifest = (\{.*\});", page)
    assert manifest
    facts = json.loads((folder / "metadata.json").read_text())
    assert json.loads(manifest[1]) == {**facts, "base": "./"}
    for text in (page, (folder / "README.txt").read_text()):
        assert "{{" not in text
        assert "http" not in text


def test_text_in_the_metadata_cannot_end_the_script(tmp_path: Path) -> None:
    write_pages(tmp_path, {"imageWidth": 1, "imageHeight": 1, "engine": "</script><script>alert(1)"})
    assert (tmp_path / "index.html").read_text().count("</script>") == 2


def test_the_widget_can_be_put_into_a_page() -> None:
    assert "</script" not in widget_source()
    assert 'customElements.define("gaze-tracker"' in widget_source()
