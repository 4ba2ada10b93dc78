"""The route that makes clips of finished portraits."""

from __future__ import annotations

import io
import threading

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gaze.errors import GazeError, StoreError
from gaze.output.clip import KINDS, write_clip
from gaze.storage.sessions import SessionStore
from gaze.ui.limit import Limit, client_of
from gaze.ui.small_page import refused
from gaze.ui.visitors import for_visitors

ROOT = "gradio_api/gaze-clip"
_ONE = threading.Lock()
"""One clip is made at a time: each keeps a core busy for a second or two."""


def clip_routes(store: SessionStore, limit: Limit) -> list[Route]:
    """`gradio_api/gaze-clip/<session>/<shape>.<kind>`; each clip counts as a preview of whoever asks."""

    def serve(request: Request) -> Response:
        session, shape, kind = (request.path_params[name] for name in ("session", "shape", "kind"))
        try:
            limit.take(client_of(request))
        except GazeError as error:
            return refused(request, for_visitors(error), 429)
        try:
            data = made(store, session, kind, shape)
        except StoreError as error:
            return refused(request, for_visitors(error), 503)
        except GazeError as error:
            return refused(request, for_visitors(error))
        headers = {
            "Content-Disposition": f'attachment; filename="gaze-portrait.{kind}"',
            "Cache-Control": "no-store",
        }
        return Response(data, headers=headers, media_type=KINDS[kind].media)

    return [Route(f"/{ROOT}/{{session}}/{{shape}}.{{kind}}", serve)]


def made(store: SessionStore, session: str, kind: str, shape: str) -> bytes:
    """A clip of a finished session.

    Raises:
        GazeError: there is no such session, or no such clip.
    """
    folder, out = store.folder(session), io.BytesIO()  # a store elsewhere may be slow
    with _ONE:
        write_clip(folder, out, kind, shape)
    return out.getvalue()
