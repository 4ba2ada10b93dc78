"""The routes that serve finished portraits: allow-listed files, cached for good, and the zip.

They lie under /gradio_api because a Space's page server passes only such paths on to Python.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from gaze.bundle import write_zip
from gaze.errors import GazeError, StoreError
from gaze.sessions import SessionStore

ROOT = "gradio_api/gaze"
ZIP = "gaze-portrait.zip"
_LISTED = re.compile(r"[a-z0-9_-]+\.(webp|pack)|metadata\.json", re.ASCII)
"""What players ask for; the photo, what runs are continued from, pages and scripts are not served one by one."""
_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable", "Access-Control-Allow-Origin": "*"}


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
                    return _zip(store.folder(session))
                if _LISTED.fullmatch(name):
                    return _file(request, store.file(session, name))
            except StoreError as error:
                return PlainTextResponse(str(error), status_code=503)
            except (GazeError, FileNotFoundError):
                continue
        return PlainTextResponse("There is no such portrait here, or it has expired.", status_code=404)

    return [Route(f"/{ROOT}/{{session}}/{{name}}", serve)]


def _file(request: Request, path: Path) -> Response:
    # What a session's address gives never changes, on whichever machine.
    headers = {**_FOREVER, "ETag": f'"{request.path_params["session"]}"'}
    if headers["ETag"] in request.headers.get("If-None-Match", ""):
        return Response(status_code=304, headers=headers)
    return FileResponse(path, headers=headers)


def _zip(folder: Path) -> Response:
    file: IO[bytes] = tempfile.TemporaryFile()  # noqa: SIM115 - closed when it has been sent
    write_zip(folder, file)
    size = file.tell()
    file.seek(0)

    def blocks() -> Iterator[bytes]:
        with file:
            while block := file.read(2**18):
                yield block

    headers = {"Content-Length": str(size), "Content-Disposition": f'attachment; filename="{ZIP}"'}
    return StreamingResponse(blocks(), media_type="application/zip", headers=headers)
