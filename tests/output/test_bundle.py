import base64
import io
import json
import re
import shutil
import zipfile
from importlib.resources import files
from pathlib import Path

import pytest
from PIL import Image

from gaze.options import Options
from gaze.output.bundle import PRIVATE, widget_source, write_pages, write_zip
from gaze.output.metadata import Metadata
from gaze.pipeline.making import generate
from tests.conftest import ROOT
from tests.fakes import FakeEngine


@pytest.fixture(scope="module")
def folder(photo: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("bundle") / "out"
    folder = generate(photo, out, Options(engine=FakeEngine(4), size=4, frame_size=128)).folder
    (folder / "keys.zip").touch()
    return folder


def zipped(folder: Path) -> bytes:
    out = io.BytesIO()
    write_zip(folder, out, sheets=True)
    return out.getvalue()


def test_the_zip_holds_the_portrait_but_nothing_private(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zipped(folder)))
    assert archive.testzip() is None
    names = {path.name for path in folder.iterdir()} - {"input.jpg", "keys.zip", "recipe.json"}
    assert {info.filename for info in archive.infolist()} == {f"gaze-portrait/{name}" for name in names}
    for name in names:
        assert archive.read(f"gaze-portrait/{name}") == (folder / name).read_bytes()


def test_pictures_are_stored_and_equal_portraits_give_equal_bytes(folder: Path) -> None:
    archive = zipfile.ZipFile(io.BytesIO(zipped(folder)))
    for name in ("q0.webp", "gaze.pack", "poster.webp"):
        assert archive.getinfo(f"gaze-portrait/{name}").compress_type == zipfile.ZIP_STORED
    assert archive.getinfo("gaze-portrait/gaze-tracker.js").compress_type == zipfile.ZIP_DEFLATED
    assert zipped(folder) == zipped(folder)


def test_the_pages_name_the_pack_and_the_poster_and_fetch_nothing_from_elsewhere(folder: Path) -> None:
    with Image.open(folder / "poster.webp") as poster:
        size = f'width="{poster.width}" height="{poster.height}"'
    for name in ("index.html", "embed.html", "pages.css", "README.txt"):
        text = (folder / name).read_text()
        assert "{{" not in text
        assert "http" not in text
        if name.endswith("html"):
            assert '<gaze-tracker src="gaze.pack"' in text
            assert f'<img slot="poster" src="poster.webp" alt="A portrait" {size}>' in text


def test_pages_of_sheets_say_how_they_lie(folder: Path, tmp_path: Path) -> None:
    facts = Metadata.read(folder).model_copy(update={"pack": None})
    write_pages(tmp_path, facts)
    assert 'src="./" mode="quadrants" grid="4"' in (tmp_path / "index.html").read_text()
    assert 'src="gaze-portrait/" mode="quadrants" grid="4"' in (tmp_path / "README.txt").read_text()
    assert "standalone.html" not in (tmp_path / "embed.html").read_text()  # that one has a pack in it
    write_pages(tmp_path, facts.model_copy(update={"mode": "single", "sheets": ("a.webp",)}))
    assert 'src="a.webp" mode="single" grid="4"' in (tmp_path / "index.html").read_text()


@pytest.mark.parametrize("sheets", [False, True])
def test_the_readme_names_what_is_in_the_zip_and_nothing_else(folder: Path, sheets: bool) -> None:
    out = io.BytesIO()
    write_zip(folder, out, sheets)
    archive = zipfile.ZipFile(out)
    there = {Path(name).name for name in archive.namelist()} - {"README.txt"}
    listed = archive.read("gaze-portrait/README.txt").decode().split("What is in here")[1]
    named = set(re.findall(r"[\w-]+(?:\.[a-z]+)+|LICENSE", listed))
    assert named | {f"q{number}.webp" for number in range(4) if sheets} == there
    assert ("q0.webp ... q3.webp" in listed) == sheets
    assert "other faces" not in listed


def test_the_zip_has_the_readme_of_the_folder(folder: Path, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    text = "q0.webp ... q3.webp  of sheets\nposter.webp  the poster\n"
    (copy / "README.txt").write_text(text)
    out = io.BytesIO()
    write_zip(copy, out)
    assert zipfile.ZipFile(out).read("gaze-portrait/README.txt").decode() == text.split("\n", 1)[1]


def test_the_zip_is_written_from_front_to_back(folder: Path) -> None:
    class Pipe(io.RawIOBase):
        """Takes bytes, and can neither go back nor tell where it is."""

        def __init__(self) -> None:
            self.data = bytearray()

        def writable(self) -> bool:
            return True

        def write(self, data: object) -> int:
            self.data += bytes(data)  # type: ignore[call-overload]
            return len(bytes(data))  # type: ignore[call-overload]

    pipe = Pipe()
    write_zip(folder, pipe, sheets=True)  # type: ignore[arg-type]
    archive = zipfile.ZipFile(io.BytesIO(bytes(pipe.data)))
    assert archive.testzip() is None
    assert len(archive.infolist()) == len(list(folder.iterdir())) - 3


def test_a_folder_that_goes_while_it_is_listed_gives_no_empty_zip(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def listed(folder: Path) -> list[Path]:
        folder.rmdir()
        return []

    (tmp_path / "portrait").mkdir()
    monkeypatch.setattr(Path, "iterdir", listed)
    with pytest.raises(FileNotFoundError):
        write_zip(tmp_path / "portrait", io.BytesIO())


def test_a_zip_for_a_page_has_no_sheets_and_says_so(folder: Path) -> None:
    out = io.BytesIO()
    write_zip(folder, out)
    archive = zipfile.ZipFile(out)
    names = {name.removeprefix("gaze-portrait/") for name in archive.namelist()}
    assert names == {path.name for path in folder.iterdir() if path.name not in PRIVATE and path.name[0] != "q"}
    metadata = json.loads(archive.read("gaze-portrait/metadata.json"))
    whole = json.loads((folder / "metadata.json").read_text())
    assert (metadata["sheets"], metadata["mobileSheets"], metadata["mobileGridSize"]) == ([], [], 4)
    assert whole["sheets"] != []
    assert metadata["pack"] == whole["pack"] == "gaze.pack"


def test_every_file_of_the_zip_stands_in_the_docs(folder: Path) -> None:
    page = (ROOT / "docs" / "format.md").read_text(encoding="utf-8")
    listed = set(re.findall(r"`([\w.-]+\.\w+|LICENSE)`", page))
    for path in folder.iterdir():
        assert path.name in listed or path.name in ("q1.webp", "q2.webp"), path.name


def test_the_embedded_pack_is_the_pack(folder: Path) -> None:
    script = (folder / "gaze.pack.js").read_text()
    data = base64.b64decode(re.search(r'base64,([^"]*)"', script)[1])  # type: ignore[index]
    assert data == (folder / "gaze.pack").read_bytes()


def test_one_page_carries_all_it_needs(folder: Path) -> None:
    page = (folder / "standalone.html").read_text()
    assert widget_source() in page
    assert "href=" not in page
    carried = dict(re.findall(r' src="data:([\w/-]+);base64,(.*?)"', page))
    for kind, name in (("application/octet-stream", "gaze.pack"), ("image/webp", "poster.webp")):
        assert base64.b64decode(carried[kind]) == (folder / name).read_bytes()
    assert page.split("<body")[1].split("<script>")[0].count("src=") == len(carried) == 2


def test_the_licence_of_the_widget_is_the_projects() -> None:
    assert files("gaze.widget").joinpath("LICENSE").read_text() == (ROOT / "LICENSE").read_text()


def test_names_in_the_metadata_are_no_markup(folder: Path, tmp_path: Path) -> None:
    name = "a\"><b>'.pack"
    metadata = Metadata(grid_size=4, image_width=1, image_height=1).model_copy(update={"pack": name})
    write_pages(tmp_path, metadata)
    assert "<b>" not in (tmp_path / "index.html").read_text()


def test_the_zip_takes_nothing_that_is_no_file_of_a_portrait(tmp_path: Path) -> None:
    made = tmp_path / "made"
    made.mkdir()
    for name in ("q0.webp", "..\\evil.webp", ".hidden", "a\nb.webp", "c:evil.webp", "con .webp", "ü.webp", "x..webp"):
        (made / name).write_bytes(b"x")
    (made / "link.webp").symlink_to("/etc/hostname")
    (made / "folder").mkdir()
    assert zipfile.ZipFile(io.BytesIO(zipped(made))).namelist() == ["gaze-portrait/q0.webp"]


def test_the_widget_can_be_put_into_a_page() -> None:
    assert "</script" not in widget_source()
    assert 'customElements.define("gaze-tracker"' in widget_source()


def test_a_zip_without_a_file_that_was_deleted_meanwhile_is_none(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Path, "iterdir", lambda _: iter([folder / "q0.webp", tmp_path / "gone.webp"]))
    with pytest.raises(FileNotFoundError):
        zipped(tmp_path)
