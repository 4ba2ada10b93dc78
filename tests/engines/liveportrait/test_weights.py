"""The real loading code on files in the published layout, from a folder and from a stand-in of the Hub."""

from __future__ import annotations

import resource
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import ClassVar

import pytest
import torch
from huggingface_hub import constants
from safetensors.torch import save_file

from gaze.engines.liveportrait import weights
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.errors import WeightsError
from tests.engines.liveportrait import rule
from tests.engines.liveportrait.conftest import MANIFEST
from trials.trying import REFUSED, attempt

SMALL = "stitching_retargeting_module"


@pytest.fixture
def folder(checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy, by links, of the checkpoints, named by the environment variable."""
    for file in checkpoints.rglob("*.pth"):
        link = tmp_path / file.relative_to(checkpoints)
        link.parent.mkdir(parents=True, exist_ok=True)
        link.symlink_to(file)
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    return tmp_path


def replace(folder: Path, name: str, data: bytes) -> Path:
    file = folder / weights.CHECKPOINTS[name]
    file.unlink()
    file.write_bytes(data)
    return file


def load() -> weights.Networks:
    files = weights.local_files()
    assert files is not None
    return weights.load_networks(files)


def test_a_folder_in_the_published_layout(folder: Path, decoder: SpadeDecoder) -> None:
    networks = load()
    for key, value in decoder.state_dict().items():
        torch.testing.assert_close(networks.decoder.state_dict()[key], value, atol=0, rtol=0)
    for part, network in (("retarget_shoulder", networks.stitching), ("retarget_eye", networks.eye)):
        expected = rule.state_dict(part, {key: tuple(shape) for key, shape in MANIFEST[part].items()})
        torch.testing.assert_close(dict(network.state_dict()), expected, atol=0, rtol=0)
    assert all(not p.requires_grad for p in networks.warping.parameters())
    assert not networks.warping.training


def test_files_side_by_side_and_as_safetensors(folder: Path, tmp_path: Path) -> None:
    published = weights.local_files()
    assert published is not None
    entries = torch.load(published[SMALL], weights_only=True)
    flat = {
        f"{entry}_module.{key.removeprefix('module.')}": value
        for entry, state in entries.items()
        for key, value in state.items()
    }
    published[SMALL].unlink()
    save_file(flat, folder / "stitching_retargeting_module.safetensors")
    moved = folder / "motion_extractor.pth"
    published["motion_extractor"].rename(moved)
    files = weights.local_files()
    assert files is not None
    assert files[SMALL].suffix == ".safetensors"
    assert files["motion_extractor"] == moved
    torch.testing.assert_close(
        load().stitching.mlp[0].weight, entries["retarget_shoulder"]["module.mlp.0.weight"], atol=0, rtol=0
    )


def test_half_precision_conversions_are_read_as_float32(folder: Path) -> None:
    file = folder / weights.CHECKPOINTS["appearance_feature_extractor"]
    state = {key: value.half() if value.is_floating_point() else value for key, value in torch.load(file).items()}
    save_file(state, file.with_suffix(".safetensors"))
    assert load().appearance.second.weight.dtype == torch.float32


def test_a_missing_file_is_named(folder: Path) -> None:
    (folder / weights.CHECKPOINTS["warping_module"]).unlink()
    with pytest.raises(WeightsError, match=r"warping_module\.pth is not there. Expected are the files of"):
        weights.local_files()


@pytest.mark.parametrize("kept", [0.0, 0.3, 0.999])
def test_a_truncated_file(folder: Path, kept: float) -> None:
    whole = (folder / weights.CHECKPOINTS[SMALL]).read_bytes()
    replace(folder, SMALL, whole[: int(len(whole) * kept)])
    with pytest.raises(WeightsError, match=r"stitching_retargeting_module\.pth \([\d,]+ bytes\) cannot be read"):
        load()


def test_a_truncated_safetensors_file(folder: Path) -> None:
    file = folder / "motion_extractor.safetensors"
    save_file({"detector.norm.weight": torch.zeros(768)}, file)
    file.write_bytes(file.read_bytes()[:-9])
    (folder / weights.CHECKPOINTS["motion_extractor"]).unlink()
    with pytest.raises(WeightsError, match="cannot be read"):
        load()


class Code:
    """What must never run."""

    ran: ClassVar[list[bool]] = []

    def __reduce__(self) -> tuple[object, ...]:
        return (Code.ran.append, (True,))


def test_code_in_a_checkpoint_does_not_run(folder: Path) -> None:
    file = replace(folder, SMALL, b"")
    torch.save({"retarget_shoulder": Code()}, file)
    with pytest.raises(WeightsError, match="something other than tensors"):
        load()
    assert Code.ran == []


def test_a_checkpoint_of_something_else(folder: Path) -> None:
    file = replace(folder, "appearance_feature_extractor", b"")
    file.unlink()
    file.symlink_to((folder / weights.CHECKPOINTS["motion_extractor"]).resolve())
    with pytest.raises(WeightsError, match=r"does not fit AppearanceFeatureExtractor: .* first detector\."):
        load()
    file.unlink()
    torch.save([1, 2], file)
    with pytest.raises(WeightsError, match="holds a list"):
        load()


def test_a_wrong_shape_is_named(folder: Path) -> None:
    state = torch.load(folder / weights.CHECKPOINTS["appearance_feature_extractor"], weights_only=True)
    state["first.conv.weight"] = torch.zeros(64, 1, 3, 3)
    file = replace(folder, "appearance_feature_extractor", b"")
    torch.save(state, file)
    expected = r"first\.conv\.weight \(expected \(64, 3, 3, 3\), found \(64, 1, 3, 3\)\)"
    with pytest.raises(WeightsError, match=expected):
        load()


def test_a_stitching_file_without_stitching(folder: Path) -> None:
    file = replace(folder, SMALL, b"")
    torch.save({"retarget_mouth": {}}, file)
    with pytest.raises(WeightsError, match="has no entry retarget_shoulder"):
        load()


class Hub(BaseHTTPRequestHandler):
    """The Hub's endpoints for files of one repository, as far as downloading needs them."""

    files: ClassVar[Path]
    cut_after: ClassVar[int | None]
    requests: ClassVar[list[str]]
    commit = "0123456789abcdef0123456789abcdef01234567"

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        type(self).requests.append(f"{self.command} {self.path}")
        prefix = f"/{weights.REPOSITORY}/resolve/{weights.revision()}/"
        alike = f"/{weights.REPOSITORY}/resolve/{self.commit}/"
        path = self.path.removeprefix(prefix).removeprefix(alike)
        file = type(self).files / path
        if not self.path.startswith((prefix, alike)) or not file.is_file():
            self.send_response(404)
            self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", self.commit)
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        data = file.read_bytes()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("ETag", f'"{file.stem}"')
        self.send_header("X-Repo-Commit", self.commit)
        self.end_headers()
        if body:
            self.wfile.write(data[: type(self).cut_after])
            if type(self).cut_after is not None:
                self.close_connection = True

    def log_message(self, *_: object) -> None:
        pass


def point_to(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """What the environment variable HF_ENDPOINT does, which is read once, at import."""
    monkeypatch.setattr(
        constants, "HUGGINGFACE_CO_URL_TEMPLATE", f"{endpoint}/{{repo_id}}/resolve/{{revision}}/{{filename}}"
    )
    monkeypatch.setattr(constants, "ENDPOINT", endpoint)


@pytest.fixture
def hub(checkpoints: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[type[Hub]]:
    """The Hub's client pointed at a stand-in, with an empty cache."""
    Hub.files, Hub.cut_after, Hub.requests = checkpoints, None, []
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    point_to(f"http://127.0.0.1:{server.server_port}", monkeypatch)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "cache"))
    yield Hub
    server.shutdown()
    server.server_close()


def left_in(cache: Path) -> list[Path]:
    """Files of the cache that are or could be taken for parts of the weights."""
    return [file for file in cache.rglob("*") if file.is_file() and file.stat().st_size and "blobs" in file.parts]


def test_downloading_then_offline(hub: type[Hub], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert weights.local_files() is None
    steps = list(weights.download(weights.CHECKPOINTS.values()))
    assert steps[0].message == "Downloading appearance_feature_extractor.pth (1 of 5)"
    of_last = [step for step in steps if step.message == "Downloading stitching_retargeting_module.pth (5 of 5)"]
    assert of_last[-1].done == of_last[-1].total > 900_000
    fetched = {line.split("/")[-1] for line in hub.requests if line.startswith("GET") and "/resolve/" in line}
    assert fetched == {Path(path).name for path in weights.CHECKPOINTS.values()}
    hub.requests.clear()
    point_to("http://127.0.0.1:9", monkeypatch)
    assert load().decoder.fc.weight.shape == (512, 256, 3, 3)
    assert hub.requests == []


def test_a_revision_can_be_named(hub: type[Hub], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(weights.REVISION_VARIABLE, Hub.commit)
    list(weights.download([weights.CHECKPOINTS[SMALL]]))
    assert any(f"/resolve/{Hub.commit}/" in line for line in hub.requests)
    assert not any("/resolve/main/" in line for line in hub.requests)
    assert weights._cached(weights.CHECKPOINTS[SMALL])
    monkeypatch.delenv(weights.REVISION_VARIABLE)
    monkeypatch.setattr(weights, "COMMIT", "1" * 40)
    assert weights.revision() == "1" * 40
    assert weights._cached(weights.CHECKPOINTS[SMALL]) is None


def test_a_file_that_the_hub_lacks(hub: type[Hub], tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"has no file liveportrait/landmark\.onnx in KwaiVGI/LivePortrait"):
        list(weights.download([weights.LANDMARKS]))


def test_a_download_that_breaks_off_leaves_nothing(hub: type[Hub], tmp_path: Path) -> None:
    hub.cut_after = 1000
    with pytest.raises(WeightsError, match=r"stitching_retargeting_module\.pth could not be downloaded"):
        list(weights.download([weights.CHECKPOINTS[SMALL]]))
    assert left_in(tmp_path / "cache") == []
    hub.cut_after = None
    list(weights.download([weights.CHECKPOINTS[SMALL]]))
    assert len(left_in(tmp_path / "cache")) == 1


def test_no_room_on_the_disk(hub: type[Hub], tmp_path: Path) -> None:
    def download() -> str:
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
        list(weights.download([weights.CHECKPOINTS[SMALL]]))
        return "downloaded"

    tried = attempt(download)  # in a process of its own, whose files may not grow
    assert tried.happened == REFUSED, tried.words
    assert "the free disk space" in tried.words
    assert left_in(tmp_path / "cache") == []


def test_a_cancelled_download_leaves_nothing(hub: type[Hub], tmp_path: Path) -> None:
    steps = weights.download([weights.CHECKPOINTS["spade_generator"]])
    for step in steps:
        if step.done:
            break
    steps.close()
    assert left_in(tmp_path / "cache") == []


def test_without_a_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(weights.FOLDER_VARIABLE, raising=False)
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    assert weights.local_files() is None
    with pytest.raises(WeightsError, match="Check the connection"):
        list(weights.download([weights.CHECKPOINTS[SMALL]]))
