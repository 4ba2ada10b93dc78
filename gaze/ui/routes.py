"""The routes that serve finished portraits: allow-listed files, which caches ask for again each time, and the zip.

They lie under /gradio_api because a Space's page server passes only such paths on to Python.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from io import BufferedReader
from pathlib import Path
from typing import IO

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route

from gaze.errors import GazeError, StoreError
from gaze.output.bundle import write_zip
from gaze.storage.sessions import SessionStore
from gaze.ui.small_page import GONE, refused
from gaze.ui.visitors import for_visitors

_log = logging.getLogger(__name__)

ROOT = "gradio_api/gaze"
ZIP = "gaze-portrait.zip"
_LISTED = re.compile(r"[a-z0-9_-]+\.(webp|pack)|metadata\.json", re.ASCII)
"""What players ask for; the photo, what runs are continued from, pages and scripts are not served one by one."""
_KINDS = {".webp": "image/webp", ".pack": "application/octet-stream", ".json": "application/json"}
_PART = re.compile(r"bytes=(\d{1,15})-(\d{1,15})?", re.ASCII)
"""A range of bytes; to any other a whole file is the answer, as it may be."""
_BLOCK = 2**18
_ASKED_AGAIN = {"Cache-Control": "private, no-cache", "Access-Control-Allow-Origin": "*"}
"""Only a browser keeps it, and asks each time whether it is still there: what was deleted is seen by nobody."""
_NOT_KEPT = {"Cache-Control": "no-store"}
_FULL = "The server cannot read or write a file just now; its disk may be full. Try again in a minute."


def session_url(session: str, name: str = "") -> str:
    """The address of a session's folder or of a file in it, relative to the page."""
    return f"{ROOT}/{session}/{name}"


def session_routes(*stores: SessionStore) -> list[Route]:
    """Routes for the files of every session in these stores."""

    def serve(request: Request) -> Response:
        session, name = request.path_params["session"], request.path_params["name"]
        for store in stores:
            try:
                if name == ZIP:
                    return _zip(store.folder(session), request.query_params.get("sheets") == "1")
                if _LISTED.fullmatch(name):
                    return _file(request, _open(store, session, name), name)
            except StoreError as error:
                return refused(request, for_visitors(error), 503)
            except (GazeError, FileNotFoundError):
                continue
            except OSError:
                _log.exception("A file could not be sent.")
                return refused(request, _FULL, 503)
        return refused(request, GONE)

    return [Route(f"/{ROOT}/{{session}}/{{name}}", serve)]


def _open(store: SessionStore, session: str, name: str) -> BufferedReader:
    """A file of a session, open before anything is answered: its folder may be renamed, or deleted, at any moment."""
    with suppress(FileNotFoundError):
        return store.file(session, name).open("rb")
    return store.file(session, name).open("rb")


def _file(request: Request, file: BufferedReader, name: str) -> Response:
    tag = f'"{_digest(file)}"'
    headers = {**_ASKED_AGAIN, "ETag": tag, "Accept-Ranges": "bytes"}
    if tag in request.headers.get("If-None-Match", ""):
        file.close()
        return Response(status_code=304, headers=headers)
    start, size = 0, os.fstat(file.fileno()).st_size
    stop, status = size, 200
    part = _PART.fullmatch(request.headers.get("Range", ""))
    if part and request.headers.get("If-Range", tag) == tag:
        start, stop, status = int(part[1]), min(int(part[2] or size) + 1, size), 206
        if start >= stop:
            file.close()
            return Response(status_code=416, headers={**headers, "Content-Range": f"bytes */{size}"})
        headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
    return _stream(file, start, stop, status, _KINDS[Path(name).suffix], headers)


def _digest(file: BufferedReader) -> str:
    """What differs between files that differ, and is the same on whichever machine; computed once for each."""
    state = os.fstat(file.fileno())
    known = state.st_dev, state.st_ino, state.st_size, state.st_mtime_ns
    if known not in _digests:
        if len(_digests) >= _DIGESTS:
            _digests.clear()
        _digests[known] = hashlib.file_digest(file, _hash).hexdigest()
    return _digests[known]


_hash = partial(hashlib.blake2b, digest_size=16)
_digests: dict[tuple[int, ...], str] = {}
_DIGESTS = 10_000


def _stream(file: IO[bytes], start: int, stop: int, status: int, kind: str, headers: dict[str, str]) -> Response:
    """Part of a file, which is closed when it has been sent."""

    def blocks() -> Iterator[bytes]:
        with file:
            file.seek(start)
            left = stop - start
            while block := file.read(min(left, _BLOCK)):
                left -= len(block)
                yield block

    headers = {**headers, "Content-Length": str(stop - start)}
    return StreamingResponse(blocks(), status, headers, kind)


def _zip(folder: Path, sheets: bool) -> Response:
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
    try:
        write_zip(folder, file, sheets)
    except BaseException:
        file.close()
        raise
    headers = {**_NOT_KEPT, "Content-Disposition": f'attachment; filename="{ZIP}"'}
    return _stream(file, 0, file.tell(), 200, "application/zip", headers)
