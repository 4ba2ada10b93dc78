"""The matte of one picture by a large network, run by rembg where that is installed."""

from __future__ import annotations

import logging
import os
import queue
import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import contextmanager, suppress
from functools import cache, partial
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.errors import GazeError, WeightsError, how_to_install
from gaze.matting.refinement import refine
from gaze.progress import Loading

_log = logging.getLogger(__name__)

MODEL_VARIABLE = "GAZE_MATTING_MODEL"
MODELS = {"birefnet-general-lite": 224, "birefnet-portrait": 973, "u2net_human_seg": 176}
"""Networks of rembg whose weights are free for any use, and about how many megabytes each downloads; the first is the
normal one."""

Network = Callable[[np.ndarray], np.ndarray]
"""Finds the matte, (height, width) uint8, of a picture, (height, width, 3) uint8 RGB."""

_FAMILIES = {320: "u2net_custom", 1024: "dis_custom"}
"""What rembg calls the sessions for networks like U²-Net and like IS-Net, by the side of the square that these take."""
_POLL = 0.25
"""Seconds between two looks at how far a download is."""


def finest_missing() -> str | None:
    """What has to be installed for the networks of rembg, in a sentence; None where all is there. Loads nothing."""
    if find_spec("rembg") is None or find_spec("onnxruntime") is None:
        return f"The finest background removal needs rembg, which is not installed. {how_to_install('matting')}"
    return None


def is_finest_there() -> bool:
    """Whether rembg and the weights of its network are on this machine. Loads nothing."""
    name = os.environ.get(MODEL_VARIABLE) or next(iter(MODELS))
    if finest_missing() or name not in MODELS:
        return not finest_missing() and Path(name).is_file()
    return any((folder / f"{name}.onnx").is_file() for folder in _weight_folders(name))


def _weight_folders(name: str) -> Iterator[Path]:
    """Where rembg keeps a network since 2.0.86, and where it did before and still looks."""
    data, old = os.environ.get("XDG_DATA_HOME"), os.environ.get("U2NET_HOME")
    home = old or os.environ.get("REMBG_HOME") or (Path(data) / "rembg" if data else "~/.rembg")
    yield Path(home).expanduser() / "models" / name
    yield Path(old or Path(data or "~") / ".u2net").expanduser()


def load_finest() -> Generator[Loading, None, Network]:
    """Get the network ready that `GAZE_MATTING_MODEL` names, one of `MODELS` or an ONNX file, and return it.

    It runs on the processor, which every machine has: a ZeroGPU Space lends its GPU to torch alone.

    Raises:
        GazeError: rembg is not installed.
        WeightsError: the network cannot be had.
    """
    name = os.environ.get(MODEL_VARIABLE) or next(iter(MODELS))
    if name not in MODELS and not Path(name).is_file():
        raise WeightsError(
            f"{MODEL_VARIABLE} is “{name}”, and there is no such file. Name an ONNX file that is there, or one of: "
            f"{', '.join(MODELS)}."
        )
    if missing := finest_missing():
        raise GazeError(f"{missing} Or choose “quick”, which needs nothing.")
    steps: queue.SimpleQueue[Any] = queue.SimpleQueue()
    # A thread, so that whoever cancels a download need not wait for its end.
    threading.Thread(target=_load, args=(name, steps), daemon=True).start()
    folder = None
    while True:
        yield _state(name, folder)
        try:
            step = steps.get(timeout=_POLL)
        except queue.Empty:
            continue
        if isinstance(step, Exception):
            _log.warning("The network %s could not be loaded: %s", name, step)
            raise _unavailable(name) from step
        if not isinstance(step, Path):
            return partial(_matte, step)
        folder = step


def _load(name: str, steps: queue.SimpleQueue[Any]) -> None:
    try:
        with _without_numba():
            from rembg.sessions import sessions
        if name in MODELS and sessions[name].resolve_existing(f"{name}.onnx") is None:
            steps.put(Path(sessions[name].model_dir()))
        steps.put(_session(name))
    except Exception as error:
        steps.put(error)


@contextmanager
def _without_numba() -> Generator[None, None, None]:
    """While rembg is imported: it would have numba compile for a minute what only its own cutting out needs."""
    before = os.environ.get("NUMBA_DISABLE_JIT")
    os.environ["NUMBA_DISABLE_JIT"] = "1"
    try:
        yield
    finally:
        del os.environ["NUMBA_DISABLE_JIT"]
        if before is not None:
            os.environ["NUMBA_DISABLE_JIT"] = before


@cache
def _session(name: str) -> Any:
    """A session of rembg, loaded once for all runs of this process."""
    from onnxruntime import SessionOptions
    from rembg.sessions import sessions
    from rembg.sessions.base import BaseSession

    class Given(BaseSession):  # type: ignore[misc]
        """A network from a file anywhere; rembg takes those in its own folder only, and is told their family."""

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            self._kind = sessions[_family(self.inner_session)]

        def predict(self, image: Image.Image) -> list[Image.Image]:
            return self._kind.predict(self, image)

        @classmethod
        def download_models(cls, *_: Any, model_path: str, **__: Any) -> str:
            return model_path

    kind, more = (sessions[name], {}) if name in MODELS else (Given, {"model_path": name})
    return kind(name, SessionOptions(), providers=["CPUExecutionProvider"], **more)


def _family(session: Any) -> str:
    """Which kind of session runs a network, told by what it takes and gives."""
    [taken], found = session.get_inputs(), session.get_outputs()[0]
    if taken.type == "tensor(float)" and len(found.shape) == 4:
        for side, name in _FAMILIES.items():
            if taken.shape[1:] == [3, side, side]:
                return name
    raise ValueError(f"It takes {taken.type} {taken.shape} and gives {found.shape}.")


def _matte(session: Any, image: np.ndarray) -> np.ndarray:
    with np.errstate(invalid="ignore"):  # Where nothing stands out rembg divides 0 by 0.
        [found] = session.predict(Image.fromarray(image))
    [taken] = session.inner_session.get_inputs()
    return refine(image, np.asarray(found, np.float32) / 255, taken.shape[-1] * taken.shape[-2])


def _state(name: str, folder: Path | None) -> Loading:
    """How far loading is; while it downloads, in bytes."""
    message = "Loading the network for background removal"
    if folder is None or (folder / f"{name}.onnx").is_file():
        return Loading(message)
    arrived = 0
    with suppress(FileNotFoundError):  # The file of a download has another name when it is whole.
        arrived = sum(file.stat().st_size for file in folder.iterdir())
    total = MODELS[name] * 1_000_000
    return Loading(message.replace("Loading", "Downloading"), min(arrived, total), total)


def _unavailable(name: str) -> WeightsError:
    if name not in MODELS:
        return WeightsError(
            f"{Path(name).name} cannot be read as a network for background removal. {MODEL_VARIABLE} must name an ONNX "
            "file with the inputs and outputs of U²-Net or IS-Net."
        )
    return WeightsError(
        f"The network for the finest background removal ({name}, about {MODELS[name]} MB) could not be loaded. Check "
        f"the connection and the free disk space and try again, or name an ONNX file in {MODEL_VARIABLE}, or choose "
        "“quick”, which needs nothing."
    )
