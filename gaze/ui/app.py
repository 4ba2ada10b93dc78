"""The Gradio app: its page, its endpoints, its routes, and the places for its files."""

from __future__ import annotations

import atexit
import logging
import os
import secrets
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import gradio as gr
from gradio import mcp, routes
from gradio.utils import colab_check, get_space
from starlette.middleware import Middleware

from gaze.engines.base import load_engine, on_zero_gpu
from gaze.errors import GazeError
from gaze.photo import reading
from gaze.photo.cache import PhotoCache
from gaze.photo.portrait import MAX_BYTES
from gaze.progress import Steps
from gaze.remote.client import place_of
from gaze.storage.locks import locked, matching, sweep
from gaze.storage.sessions import PREVIEWS_KEPT, SessionStore
from gaze.storage.stores import open_store
from gaze.ui import memory
from gaze.ui.agents import agents_routes, has_mcp
from gaze.ui.api import Api
from gaze.ui.clips import clip_routes
from gaze.ui.ending import leave_nothing
from gaze.ui.endpoints import NAMES, add_endpoints
from gaze.ui.guard import Guard, hosts_of
from gaze.ui.handlers import Handlers
from gaze.ui.limit import PROXIES, Limit, current_client
from gaze.ui.link_preview import TITLE, LinkPreview, card_routes
from gaze.ui.listeners import Listeners, Listening
from gaze.ui.page import add_page, head, icon, page_routes
from gaze.ui.queue import Queue
from gaze.ui.routes import ZIP, session_routes
from gaze.ui.sentences import Blocks, Sentences
from gaze.ui.share import share_routes
from gaze.ui.small_page import not_found
from gaze.ui.starting import Repeatable
from gaze.ui.uploads import Uploads

_log = logging.getLogger(__name__)

_TEMPORARY = "gaze-app-"
_EVENTS, _THREADS = 200, 100
"""Requests that Gradio takes before it has begun with them, and those that it answers at once: those who wait in our
queue, and those who follow, keep a thread each."""
_SESSIONS = 100
"""Clients whose state Gradio keeps, a copy of all that the page is made of for each; another client's is made anew
when it asks again, since there is nothing in it."""
_TIDY = 600.0
"""Seconds between two looks for what is too old."""


def build(handlers: Handlers, api: Api, results: SessionStore, remote: str | None = None) -> gr.Blocks:
    """The page, and the endpoints for programs."""
    with Blocks(title=TITLE, fill_width=True, delete_cache=(3600, 24 * 3600), analytics_enabled=False) as page:
        add_endpoints(api)  # first, so that they have their names and the page's own events do not
        add_page(handlers, results, remote)
    return page


def launch(remote: str | None = None, **overrides: Any) -> gr.Blocks:
    """Serve the page: from a script until interrupted, from a notebook in the background, until the page is closed.

    Args:
        remote: another Gaze that makes the portraits, as in `gaze.options.Options`.
        **overrides: for `gr.Blocks.launch`.

    Raises:
        GazeError: `remote` is no address, or results or temporary files cannot be kept.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    os.environ.setdefault("FORWARDED_ALLOW_IPS", PROXIES)  # for uvicorn, which serves the page
    memory.share_arenas()
    if remote:
        place_of(remote)
    elif on_zero_gpu():
        _preload()
    results = open_store()
    temporary = _temporary_folder()
    photos = PhotoCache(temporary)
    reading.serve(current_client, photos)
    uploads = os.environ.setdefault("GRADIO_TEMP_DIR", str(temporary / "uploads"))
    modules: tuple[Any, ...] = (mcp, routes)
    for module in modules:  # read when Gradio is imported; what is put there would stay, for all eyes
        module.DEFAULT_TEMP_DIR = uploads
    previews = SessionStore(temporary / "previews", PREVIEWS_KEPT)
    tidying = (results.tidy, previews.tidy, photos.tidy, partial(_tidy_uploads, temporary / "uploads"))
    threading.Thread(target=_keep_tidy, args=tidying, daemon=True).start()
    queue, limit, listeners = Queue(), Limit(), Listeners()
    threading.Thread(target=memory.give_back, args=(queue,), daemon=True).start()
    handlers = Handlers(results, previews, queue, limit, remote)
    atexit.register(handlers.jobs.close)
    page = build(handlers, Api(results, previews, queue, remote, limit, listeners), results, remote)
    page.queue(max_size=_EVENTS)
    overrides.setdefault("quiet", True)  # the page tells its address itself, without Gradio's advice to make it public
    page.launch(
        theme=theme(),
        head=head(),
        favicon_path=icon(),
        app_kwargs={
            "routes": [
                *page_routes(),
                *agents_routes(),
                *card_routes(),
                *share_routes(results),
                *clip_routes(results, limit),
                *session_routes(previews, results),
            ],
            "exception_handlers": {404: not_found},
            "middleware": [
                Middleware(Repeatable, page),
                Middleware(Guard, MAX_BYTES, _hosts(overrides), os.environ["FORWARDED_ALLOW_IPS"]),
                Middleware(LinkPreview),
                Middleware(Uploads, temporary, temporary / "uploads"),
                Middleware(Listening, listeners),
                Middleware(Sentences, NAMES),
            ],
        },
        max_file_size=MAX_BYTES,
        max_threads=_THREADS,
        state_session_capacity=_SESSIONS,
        run_history=False,
        enable_monitoring=False,
        ssr_mode=False,
        footer_links=[],
        mcp_server=has_mcp(),
        **overrides,
    )
    return page


def _preload() -> None:
    """On a ZeroGPU Space, weights are taken along to each lent GPU if they were loaded before the launch."""
    loading = Steps(load_engine("auto"))
    for step in loading:
        _log.info(step.message)
    engine, reason = loading.result
    _log.info(" ".join([reason, *engine.notes()]))


def _hosts(overrides: dict[str, Any]) -> frozenset[str] | None:
    """Where Gradio will listen decides to which names the app answers."""
    name = overrides.get("server_name") or os.environ.get("GRADIO_SERVER_NAME")
    share = overrides.get("share") or os.environ.get("GRADIO_SHARE", "").lower() == "true"
    return hosts_of(name, bool(share or colab_check() or get_space()))


def _temporary_folder() -> Path:
    """For what need not outlive the app, photos among it: removed when the app ends, or starts again after a kill."""
    parent = Path(tempfile.gettempdir())
    sweep(parent, f"{_TEMPORARY}*")
    lock = locked(parent / f"{_TEMPORARY}{secrets.token_hex(8)}", 0o700)
    try:
        folder = lock.__enter__()  # until the program ends
    except OSError as error:
        raise GazeError(f"{parent} cannot be written to: {error.strerror}. Name another place in TMPDIR.") from error
    atexit.register(lock.__exit__, None, None, None)
    leave_nothing()
    return folder


def _keep_tidy(*tidying: Callable[[], object]) -> None:
    """See to it that nothing is kept for longer than was promised, even if nobody makes portraits."""
    while True:
        time.sleep(_TIDY)
        for tidy in tidying:
            try:
                tidy()
            except Exception:
                _log.exception("What is old could not be removed")


def _tidy_uploads(uploads: Path) -> None:
    """Remove what Gradio would keep in the app's own folder for a day, or for ever, and fill the disk with: copies of
    zips, which programs soon have fetched, and what there is of uploads that broke off."""
    for path in (*matching(uploads, f"*/{ZIP}"), *matching(uploads, "tmp*")):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > PREVIEWS_KEPT:
                path.unlink()


def theme() -> gr.themes.Base:
    """Nothing but the fonts, which Gradio brings along: the page has its own style."""
    return gr.themes.Base(
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        font_mono=[gr.themes.LocalFont("IBM Plex Mono", weights=(400,)), "ui-monospace", "monospace"],
    )
