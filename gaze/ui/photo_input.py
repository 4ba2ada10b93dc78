"""How a program hands a photo over: as a file that was uploaded, by that file's address, as a data: URL, or by an https
address where that is allowed."""

from __future__ import annotations

import base64
import binascii
import re
from pathlib import Path
from urllib.parse import unquote

import gradio as gr
from anyio.to_thread import run_sync
from gradio.data_classes import ImageData
from gradio.processing_utils import save_bytes_to_cache
from gradio.utils import get_upload_folder

from gaze.errors import GazeError, PhotoError
from gaze.photo import address
from gaze.photo.portrait import MAX_BYTES
from gaze.ui.sentences import RESTARTED, refusal

_OWN = re.compile(r"https?://[^/]+(?:/[^?#]*)?/gradio_api/file=([^?#]+)", re.ASCII)
"""The address of a file of this app, as the upload tool for MCP gives it; of it only the path counts."""
_DATA = re.compile(r"data:image/[\w.+-]+;base64,", re.ASCII)
_NAME = "photo"


def uploaded(path: str) -> Path | None:
    """The file at a path that the upload gave to a caller, if it is there; None for any other path."""
    if "\0" in path:
        return None
    try:
        found = Path(path).resolve()
        # Whoever asks could name any file of the server.
        inside = found.is_relative_to(Path(get_upload_folder()).resolve())
        return found if inside and found.is_file() else None
    except OSError:  # a name that is too long for a file
        return None


def taken_from(place: str) -> Path:
    """The photo at an address, as a file among the uploads.

    Args:
        place: this app's own address of a file that was uploaded, a data: URL, or another https address.

    Raises:
        PhotoError: there is none, or none that may be had.
    """
    if own := _OWN.fullmatch(place):
        if path := uploaded(unquote(own[1])):
            return path
        if not address.is_allowed():
            raise PhotoError(RESTARTED)
    if place.startswith("data:"):
        return _kept(_decoded(place))
    return _kept(address.fetch(place))


def photo_input() -> gr.Image:
    """An image input, for programs, that hands the file on untouched.

    Gradio's own reading would drop the orientation of phone photos, and refuse a broken file before `load_portrait` can
    say what is wrong with it. (Not a subclass: Gradio writes a stub file beside the source of each.)
    """
    image = gr.Image(label="photo", type="filepath", image_mode=None)

    def path_of(payload: ImageData | None) -> str | None:
        if payload is None:
            return None
        if payload.path:
            path = uploaded(payload.path)
        elif payload.url:
            path = _in_words(payload.url)
        else:
            return None
        if path is None:
            raise refusal(RESTARTED)
        return str(path)

    to_cache = image.async_move_resource_to_block_cache

    async def file_of(place: str | Path | None) -> str | None:
        # Gradio would fetch whatever is there, however much that is.
        if str(place).lower().startswith(("http:", "https:")):
            return str(await run_sync(_in_words, str(place)))
        return await to_cache(place)

    image.preprocess = path_of  # type: ignore[method-assign]
    image.async_move_resource_to_block_cache = file_of  # type: ignore[method-assign,assignment]
    return image


def _in_words(place: str) -> Path:
    try:
        return taken_from(place)
    except GazeError as error:
        raise refusal(error) from error


def _decoded(place: str) -> bytes:
    start = _DATA.match(place)
    if not start or len(place) > MAX_BYTES * 4 / 3 + 100:
        raise PhotoError("This data: URL holds no photo. Give data:image/jpeg;base64, and the file in base64.")
    try:
        return base64.b64decode(place[start.end() :], validate=True)
    except binascii.Error as error:
        raise PhotoError("The photo in this data: URL is damaged. Encode the whole file in base64.") from error


def _kept(data: bytes) -> Path:
    return Path(save_bytes_to_cache(data, f"{_NAME}.bin", get_upload_folder()))
