"""Finds, downloads and loads the published weights.

They come from the Hugging Face Hub, or from a folder that the environment variable `GAZE_WEIGHTS` names, as published
(.pth) or converted to safetensors.
"""

from __future__ import annotations

import io
import os
import queue
import threading
from collections.abc import Generator, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from tqdm import tqdm

from gaze.engines.liveportrait.appearance import AppearanceFeatureExtractor
from gaze.engines.liveportrait.decoder import SpadeDecoder
from gaze.engines.liveportrait.mlps import EyeRetargeting, LipRetargeting, Stitching
from gaze.engines.liveportrait.motion import MotionExtractor
from gaze.engines.liveportrait.warping import WarpingModule
from gaze.errors import WeightsError
from gaze.progress import Loading

REPOSITORY = "KwaiVGI/LivePortrait"
COMMIT: str | None = None
"""The commit of the repository that the weights are taken from. None is known to us yet: the newest are taken."""
REVISION_VARIABLE = "GAZE_WEIGHTS_REVISION"
FOLDER_VARIABLE = "GAZE_WEIGHTS"
CHECKPOINTS = {
    "appearance_feature_extractor": "liveportrait/base_models/appearance_feature_extractor.pth",
    "motion_extractor": "liveportrait/base_models/motion_extractor.pth",
    "warping_module": "liveportrait/base_models/warping_module.pth",
    "spade_generator": "liveportrait/base_models/spade_generator.pth",
    "stitching_retargeting_module": "liveportrait/retargeting_models/stitching_retargeting_module.pth",
}
LANDMARKS = "liveportrait/landmark.onnx"

_HELP = (
    f"Get it from huggingface.co/{REPOSITORY}, or set {FOLDER_VARIABLE} to a folder that holds it. "
    "The instant engine needs no weights."
)
_N = TypeVar("_N", bound=nn.Module)


@dataclass(frozen=True)
class Networks:
    """All networks as published, float32, on the CPU."""

    appearance: AppearanceFeatureExtractor
    motion: MotionExtractor
    warping: WarpingModule
    decoder: SpadeDecoder
    stitching: Stitching
    eye: EyeRetargeting
    lip: LipRetargeting


def revision() -> str:
    """The commit or branch of the weights repository: `GAZE_WEIGHTS_REVISION`, else `COMMIT`, else its main branch."""
    return os.environ.get(REVISION_VARIABLE) or COMMIT or "main"


def local_files() -> dict[str, Path] | None:
    """The checkpoints that are on this machine already, by name; None where one is missing. Touches no network.

    Raises:
        WeightsError: `GAZE_WEIGHTS` names a folder that lacks one.
    """
    if folder := os.environ.get(FOLDER_VARIABLE):
        return {name: _in_folder(Path(folder), path) for name, path in CHECKPOINTS.items()}
    found = {name: _cached(path) for name, path in CHECKPOINTS.items()}
    return {name: path for name, path in found.items() if path} if all(found.values()) else None


def local_landmarks() -> Path | None:
    """The landmark network's file, if it is on this machine."""
    if folder := os.environ.get(FOLDER_VARIABLE):
        places = (Path(folder) / LANDMARKS, Path(folder) / Path(LANDMARKS).name)
        return next((place for place in places if place.is_file()), None)
    return _cached(LANDMARKS)


def download(names: Iterable[str]) -> Generator[Loading, None, None]:
    """Download files of the repository into the Hub's cache; closing the generator stops it and leaves no half file.

    Raises:
        WeightsError: the Hub cannot be reached, or does not have the file.
    """
    names = list(names)
    for index, path in enumerate(names):
        yield from _download_one(path, f"Downloading {Path(path).name} ({index + 1} of {len(names)})")


def load_networks(files: Mapping[str, Path]) -> Networks:
    """Read the checkpoints, strictly: every key that belongs there, and no other.

    Args:
        files: what `local_files` gives.

    Raises:
        WeightsError: a file is damaged, or of something else.
    """
    parts = files["stitching_retargeting_module"]
    small = _read(parts)
    return Networks(
        appearance=_load(AppearanceFeatureExtractor, files["appearance_feature_extractor"]),
        motion=_load(MotionExtractor, files["motion_extractor"]),
        warping=_load(WarpingModule, files["warping_module"]),
        decoder=_load(SpadeDecoder, files["spade_generator"]),
        stitching=_fill(Stitching, _entry(small, "retarget_shoulder", parts), parts),
        eye=_fill(EyeRetargeting, _entry(small, "retarget_eye", parts), parts),
        lip=_fill(LipRetargeting, _entry(small, "retarget_mouth", parts), parts),
    )


def _in_folder(folder: Path, path: str) -> Path:
    """A checkpoint in a folder laid out like the repository, or flat; a safetensors conversion is preferred."""
    for place in (folder / path, folder / Path(path).name):
        for candidate in (place.with_suffix(".safetensors"), place):
            if candidate.is_file():
                return candidate
    raise WeightsError(
        f"{FOLDER_VARIABLE} is {folder}, but {path} is not there. Expected are the files of "
        f"huggingface.co/{REPOSITORY}, in its folders or side by side, as .pth or .safetensors."
    )


def _cached(path: str) -> Path | None:
    from huggingface_hub import try_to_load_from_cache

    found = try_to_load_from_cache(REPOSITORY, path, revision=revision())
    return Path(found) if isinstance(found, str) else None


def _download_one(path: str, message: str) -> Generator[Loading, None, None]:
    from huggingface_hub import hf_hub_download
    from huggingface_hub.errors import RemoteEntryNotFoundError, RepositoryNotFoundError, RevisionNotFoundError

    steps: queue.SimpleQueue[tuple[float, float] | None] = queue.SimpleQueue()
    stopped = threading.Event()
    failures: list[BaseException] = []

    class Watched(tqdm):  # type: ignore[misc]
        """Says how far a download is instead of drawing it, and ends it when nobody listens any more."""

        def __init__(self, *args: Any, **options: Any) -> None:
            options.pop("name", None)
            super().__init__(*args, **{**options, "file": io.StringIO(), "disable": False})

        def update(self, n: float | None = 1) -> bool | None:
            if stopped.is_set():
                raise InterruptedError
            shown = super().update(n)
            steps.put((self.n, self.total or 0))
            return shown

    def work() -> None:
        try:
            hf_hub_download(REPOSITORY, path, revision=revision(), tqdm_class=Watched)
        except BaseException as error:
            failures.append(error)
        finally:
            steps.put(None)

    thread = threading.Thread(target=work, daemon=True)
    yield Loading(message, 0, 0)
    thread.start()
    try:
        while (step := steps.get()) is not None:
            yield Loading(message, *step)
    finally:
        stopped.set()
        thread.join(timeout=10)
    if not failures:
        return
    if isinstance(failures[0], RemoteEntryNotFoundError | RepositoryNotFoundError | RevisionNotFoundError):
        raise WeightsError(f"The Hugging Face Hub has no file {path} in {REPOSITORY}. {_HELP}") from failures[0]
    raise WeightsError(
        f"{path} could not be downloaded from the Hugging Face Hub ({type(failures[0]).__name__}: {failures[0]}). "
        f"Check the connection and the free disk space, and try again. {_HELP}"
    ) from failures[0]


def _load(kind: type[_N], file: Path) -> _N:
    return _fill(kind, _read(file), file)


def _read(file: Path) -> dict[str, Any]:
    try:
        if file.suffix == ".safetensors":
            from safetensors.torch import load_file

            return load_file(file)
        # Only tensors: a pickle could hold code.
        loaded = torch.load(file, map_location="cpu", weights_only=True)
    except Exception as error:
        raise WeightsError(
            f"{file} ({_size(file)}) cannot be read as a LivePortrait checkpoint: it is damaged, cut off, or holds "
            f"something other than tensors. Delete it, so that it is downloaded again. {_HELP}"
        ) from error
    if not isinstance(loaded, dict):
        raise WeightsError(f"{file} holds a {type(loaded).__name__}; expected is a dict of tensors. {_HELP}")
    return loaded


def _entry(loaded: dict[str, Any], name: str, file: Path) -> dict[str, Tensor]:
    """One network of the file that holds several: nested, as published, or flat, as converted."""
    if isinstance(entry := loaded.get(name), dict):
        return {key.removeprefix("module."): value for key, value in entry.items()}
    prefix = f"{name}_module."
    flat = {key.removeprefix(prefix): value for key, value in loaded.items() if key.startswith(prefix)}
    if not flat:
        raise WeightsError(f"{file} has no entry {name}; it is not LivePortrait's stitching checkpoint. {_HELP}")
    return flat


def _fill(kind: type[_N], state: Mapping[str, Any], file: Path) -> _N:
    with torch.device("meta"):
        network = kind()
    wanted = {key: tuple(tensor.shape) for key, tensor in network.state_dict().items()}
    given = {key: tuple(value.shape) for key, value in state.items() if isinstance(value, Tensor)}
    odd = sorted({*wanted, *state} - {key for key in wanted if given.get(key) == wanted[key]})
    if odd:
        name = odd[0]
        raise WeightsError(
            f"{file} does not fit {kind.__name__}: {len(odd)} of {len(wanted)} entries differ, first {name} "
            f"(expected {wanted.get(name, 'nothing')}, found {given.get(name, 'nothing')}). {_HELP}"
        )
    network.load_state_dict(state, strict=True, assign=True)
    return network.float().eval().requires_grad_(False)


def _size(file: Path) -> str:
    try:
        return f"{file.stat().st_size:,} bytes"
    except OSError:
        return "missing"
