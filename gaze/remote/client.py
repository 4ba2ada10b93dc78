"""Another running Gaze makes the portrait: a Space, or a machine with a GPU.

What is handed over is the whole work, not an engine's: single frames would be hundreds of megabytes on the way.
"""

from __future__ import annotations

import math
import os
import re
import tempfile
import time
from collections.abc import Generator
from concurrent.futures import CancelledError, wait
from contextlib import closing, suppress
from dataclasses import dataclass, fields, is_dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import httpx
import numpy as np
from gradio_client import handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError
from PIL import Image

from gaze.engines.base import Engine
from gaze.errors import GazeError
from gaze.matting.background import is_plain
from gaze.output.metadata import Metadata
from gaze.progress import READY, Progress
from gaze.remote.bounds import SILENCE, BoundedClient
from gaze.remote.fetching import fetch, unpack
from gaze.version import __version__

if TYPE_CHECKING:
    from gaze.options import Options

HANDED_ON = "remote"
"""The engine that /health names where another Gaze makes the portraits."""
_MOST_SENT = 13_000_000
"""Pixels, of three bytes each: a photo may have 40 MB."""
_LONGEST = 6 * 3600.0
"""Seconds that the other side may take."""
_NOTES, _LETTERS = 20, 1000
"""As many notes, and letters of each, as are believed."""
_RETURN = 10.0
"""Seconds for which a lost Gaze is looked for again: one that was restarted needs as many."""
_POLL = 0.1
"""Seconds between two looks at what the other side has answered."""
_LOST = (CancelledError, httpx.HTTPError, ValueError, KeyError)
"""What gradio_client raises when the other side goes away, depending on what it was waiting for."""
_SPACE = re.compile(r"(?:https://huggingface\.co/spaces/)?([\w.-]+/[\w.-]+)/?", re.ASCII)


@dataclass(frozen=True)
class Made:
    """What the other Gaze made.

    Attributes:
        metadata: what its `metadata.json` says.
        reason: why it took the engine it took.
        notes: sentences for the person.
    """

    metadata: Metadata
    reason: str
    notes: tuple[str, ...]


class _UnreachableError(GazeError):
    """There is no Gaze to be reached at the address."""


def render_there(address: str, picture: np.ndarray, options: Options, folder: Path) -> Generator[Progress, None, Made]:
    """Have another Gaze make a portrait, and fetch its pack, sheets, poster and metadata.

    Closing the generator cancels the work there. If the other side is lost, it is looked for again and the work is
    begun anew, once. It keeps nothing of the portrait when it has been fetched.

    Args:
        address: as for `place_of`.
        picture: (height, width, 3 or 4) uint8, the whole photo, RGB or RGBA; sent without loss, and without the file's
            metadata.
        options: all choices.
        folder: where the files go.

    Raises:
        GazeError: there is no Gaze of this version at the address, it was lost, or what it says cannot be done.
    """
    arguments = as_arguments(options)
    with tempfile.TemporaryDirectory(dir=folder) as temporary:
        photo, archive = Path(temporary) / "photo.png", Path(temporary) / "portrait.zip"
        _small_enough(Image.fromarray(picture)).save(photo, compress_level=1)
        yield Progress("load", 0, 1, f"Connecting to {address}")
        client = connect(address)
        try:
            manifest = yield from _make(client, address, photo, arguments, archive)
        except _LOST:
            client = yield from _reconnect(address)
            try:
                manifest = yield from _make(client, address, photo, arguments, archive)
            except _LOST as error:
                raise _lost(address) from error
        metadata = unpack(archive, address, folder)
    notes = manifest.get("notes")
    told = notes[:_NOTES] if isinstance(notes, list) else []
    return Made(metadata, str(manifest.get("reason"))[:_LETTERS], tuple(str(note)[:_LETTERS] for note in told))


def _small_enough(picture: Image.Image) -> Image.Image:
    """What the other side takes, even where it is noise."""
    factor = math.ceil(math.sqrt(picture.width * picture.height / _MOST_SENT))
    return picture.reduce(factor) if factor > 1 else picture


def place_of(address: str) -> str:
    """What gradio_client connects to.

    Args:
        address: a Space, as owner/name or by the address of its page, or the URL of a running app.

    Raises:
        GazeError: it is neither.
    """
    if space := _SPACE.fullmatch(address):
        return space[1]
    parts = urlsplit(address)
    if parts.scheme in ("http", "https") and parts.hostname:
        return address
    raise GazeError(
        f"“{address}” is not the address of a Gaze. Give a Space as owner/name, or a URL such as http://gpu-box:7860."
    )


def as_arguments(options: Options) -> dict[str, Any]:
    """The options as /generate takes them: one by one, the strengths and the expression in their parts.

    Raises:
        GazeError: the engine is no name.
    """
    if isinstance(options.engine, Engine):
        raise GazeError("An engine of your own cannot be sent to another Gaze. Name one, or leave “remote” out.")
    if options.background is not None and not is_plain(options.background):
        raise GazeError("A picture as the background cannot be sent to another Gaze. Choose a colour, or “blur”.")
    arguments: dict[str, Any] = {}
    for field in fields(options):
        value = getattr(options, field.name)
        arguments |= vars(value) if is_dataclass(value) else {field.name: value}
    arguments["background"] = options.background or ""
    for name in ("remote", "wink_left", "wink_right"):  # the last two are poses', not a portrait's
        del arguments[name]
    arguments["sheets"] = options.wants_sheets
    arguments |= {name: str(arguments[name]) for name in ("keys", "frame_size", "face")}
    return arguments


def connect(address: str) -> BoundedClient:
    """A client of the Gaze at an address; who connects closes it.

    Raises:
        GazeError: nothing answers there, not a Gaze of this version, or one that renders nothing itself.
    """
    place = place_of(address)
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")  # else the client reports where it connects to
    on_hub = "://" not in place or re.match(r"https://[\w-]+\.hf\.space(/|$)", place)
    token = None if on_hub else False  # HF_TOKEN is for the Hub alone; by default it would go anywhere.
    try:
        client = BoundedClient(place, token)
    except Exception as error:  # Whatever it is that answers there may cause any.
        raise _UnreachableError(
            f"No Gaze answers at {address} ({error}). Check the address and that Gaze is running there; for a private "
            "Space set HF_TOKEN."
        ) from error
    try:
        health = client.submit(api_name="/health").result(SILENCE)  # some servers report progress for ever
        version, engine = str(health["version"]), health.get("engine")
    except (*_LOST, TypeError, TimeoutError) as error:
        client.close()
        raise _UnreachableError(f"What answers at {address} is not a Gaze. Check the address.") from error
    if version.split(".")[:2] != __version__.split(".")[:2]:
        client.close()
        raise GazeError(
            f"The Gaze at {address} is version {version}, this one is {__version__}. Install the same on both sides."
        )
    if engine == HANDED_ON:  # it may be this one, or lead back to it: each would wait for the other
        client.close()
        raise GazeError(
            f"The Gaze at {address} does not render: it hands its portraits on to another Gaze (--remote), perhaps to "
            "this one. Name the Gaze that renders."
        )
    return client


def _reconnect(address: str) -> Generator[Progress, None, BoundedClient]:
    deadline = time.monotonic() + _RETURN
    while True:
        yield Progress("load", 0, 1, f"{address} was lost. Looking for it, to start again")
        try:
            return connect(address)
        except _UnreachableError as error:
            if time.monotonic() > deadline:
                raise _lost(address) from error
        time.sleep(10 * _POLL)


def _lost(address: str) -> GazeError:
    return GazeError(
        f"The connection to {address} was lost while it made the portrait, and a second try failed, too. Nothing was "
        "kept. Try again when it is there, or make the portrait on this machine, by a Gaze without --remote."
    )


def _make(
    client: BoundedClient, address: str, photo: Path, arguments: dict[str, Any], archive: Path
) -> Generator[Progress, None, dict[str, Any]]:
    """One try: the portrait's zip into `archive`; returns the manifest."""
    with closing(client):
        job = client.submit(photo=handle_file(photo), keep=False, api_name="/generate", **arguments)
        try:
            deadline = time.monotonic() + _LONGEST
            heard, last = 0, Progress("load", 0, 1, f"Sending the photo to {address}")
            while not job.done():
                if time.monotonic() > deadline:
                    raise GazeError(
                        f"{address} has not finished in {_LONGEST / 3600:.0f} hours. Ask for a smaller portrait."
                    )
                news = [_step(output) for output in job.outputs()[heard:]]
                heard += len(news)
                last = news[-1] if news else last if heard else _place(job, address) or last
                yield from news or [last]
                wait([job.future], _POLL)
            manifest, path = _answer(job.result(), address)
            yield from [_step(output) for output in job.outputs()[heard:]]  # the last came while it was waited
        except QueueError as error:
            raise GazeError(f"Too many portraits are waiting at {address}. Try again in a few minutes.") from error
        except AppError as error:
            if error.title != "Error":
                raise GazeError(str(error.message)[:_LETTERS]) from error
            raise GazeError(
                f"{address} failed: there is an error in the program there, and its log has the details. Try again, or "
                "with another photo."
            ) from error
        except _LOST as error:
            if client.bounds.passed:
                raise GazeError(f"The answer of {address} does not end. Check that a Gaze runs there.") from error
            raise
        finally:
            if not job.done():
                _cancel(job)
        yield from fetch(client, address, path, archive)
    return manifest


def _answer(result: Any, address: str) -> tuple[dict[str, Any], str]:
    """The manifest, and the path of the zip."""
    match result:
        case [dict(manifest), {"path": str(path)}]:  # or a tuple of them
            return manifest, path
    raise GazeError(f"The answer of {address} is not a portrait. Check that a Gaze of this version runs there.")


def _step(output: Any) -> Progress:
    """What the other side tells of a step; its last word is the manifest, and what makes no sense is passed over."""
    match output:
        case [{"stage": str(stage), "done": int(done), "total": int(total), "message": str(words)} as told, *_]:
            if stage != "done":
                left = told.get("remaining")
                seconds = float(left) if isinstance(left, int | float) and math.isfinite(left) else None
                words = words[:_LETTERS].removeprefix(READY)  # It is not, on this side.
                return Progress(stage[:_LETTERS], done, total, words, seconds)
    return Progress("fetch", 0, 1, "Fetching the portrait")


def _place(job: Job, address: str) -> Progress | None:
    """Where the work stands in the other side's own queue, before it has told anything."""
    status = job.status()
    if status.rank is None:
        return None
    return Progress("load", 0, 1, f"Waiting at {address}: place {status.rank + 1} of {status.queue_size}")


def _cancel(job: Job) -> None:
    """Free the other side. It has to have told its name of the job first: without it, cancelling does nothing."""
    deadline = time.monotonic() + 10
    while not job.communicator.event_id and not job.done() and time.monotonic() < deadline:
        time.sleep(_POLL)
    with suppress(httpx.HTTPError):  # It may be gone.
        job.cancel()
