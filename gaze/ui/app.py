"""The Gradio app: photo in, living preview at once, the full portrait on demand."""

from __future__ import annotations

import atexit
import ctypes
import logging
import math
import os
import secrets
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.middleware import Middleware

from gaze.engines.base import load_engine, on_zero_gpu
from gaze.errors import GazeError
from gaze.output.bundle import widget_source
from gaze.photo import reading
from gaze.photo.kept import Kept
from gaze.photo.portrait import MAX_BYTES
from gaze.remote import place_of
from gaze.storage.locks import claimed, sweep
from gaze.storage.sessions import PREVIEWS_KEPT, SessionStore
from gaze.storage.stores import open_store
from gaze.ui import components as ui
from gaze.ui.api import Api, add_endpoints
from gaze.ui.guard import Guard
from gaze.ui.handlers import Handlers, example_photos
from gaze.ui.limit import PROXIES, Limit, asking
from gaze.ui.options import PREVIEWED, option_inputs
from gaze.ui.queue import Line
from gaze.ui.routes import ZIP, session_routes

_log = logging.getLogger(__name__)

_M_ARENA_MAX = -8
"""As in glibc's malloc.h."""
_TEMPORARY = "gaze-app-"
_TIDY = 600.0
"""Seconds between two looks for what is too old."""


def build(handlers: Handlers, api: Api, limit: Limit) -> gr.Blocks:
    """The page, and the endpoints for programs."""
    example, welcome = handlers.welcome()
    with gr.Blocks(title="Gaze", fill_width=True, delete_cache=(3600, 24 * 3600), analytics_enabled=False) as page:
        add_endpoints(api)  # first, so that they have their names and the page's own events do not
        gr.HTML(
            "<header><h1>Gaze</h1><p>One photo becomes a face that follows the pointer.</p></header>",
            apply_default_css=False,
        )
        with gr.Row(equal_height=False, elem_id="room"):
            # The stage comes first, as on a phone; the style sheet puts it on the right where there is room.
            with gr.Column(scale=5, min_width=320, elem_id="show"):
                stage = ui.viewer(example)
                caption = ui.words("caption", welcome)
                actions = ui.actions()
            with gr.Column(scale=4, min_width=300, elem_id="controls"):
                photo = ui.photo_input()
                examples = ui.picture_choice("examples", ui.examples_of(example_photos()))
                faces = ui.picture_choice("faces")
                message = ui.words("message")
                start = gr.Button("Generate", variant="primary", interactive=False, elem_id="generate")
                cancel = gr.Button("Cancel", visible=False, elem_id="cancel")
                status = ui.words("status")
                with gr.Accordion("Options", open=False, elem_id="options"):
                    options = option_inputs()
                    engine_problem = ui.words("engine-problem")
        _embed_panel()
        history_view = ui.history_view()

        choices = list(options.values())
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        history = gr.BrowserState([], storage_key="gaze-history-1", secret="gaze")
        made, previewed = gr.State(), gr.State()
        everything = [stage, caption, actions, history, history_view]
        page.load(handlers.arrive, history, everything, **quiet)
        gr.on(
            [page.load, *(option.input for name, option in options.items() if name not in PREVIEWED)],
            handlers.plan,
            choices,
            [status, engine_problem],
            **quiet,
        )
        examples.choose(handlers.example, None, photo, **quiet)
        photo.change(handlers.faces, photo, faces, **quiet)
        previewing: dict[str, Any] = {
            "fn": limit.on(handlers.preview),
            "inputs": [photo, faces, *choices],
            "outputs": [stage, caption, message, actions, start, previewed],
            "trigger_mode": "always_last",
            "concurrency_limit": os.cpu_count(),
            **quiet,
        }
        gr.on([photo.change, *(options[name].input for name in PREVIEWED)], **previewing)
        faces.choose(**previewing)
        making = start.click(
            handlers.generate,
            [photo, faces, history, *choices],
            [stage, caption, status, actions, made, start, cancel],
            trigger_mode="once",
            concurrency_limit=None,  # who has to wait does so in our own line, where the place is told
            **quiet,
        )
        making.then(handlers.remember, [made, history], [history, history_view], **quiet)
        history_view.open(handlers.open, history, [stage, caption, actions], **quiet)
        for component in (history_view, actions):
            component.remove(handlers.remove, history, everything, **quiet)
        history_view.clear(handlers.clear, history, everything, **quiet)
        # In two steps, so that what was still on its way when Cancel was pressed does not overwrite what it says.
        cancel.click(None, cancels=[making], queue=False, **quiet).then(
            handlers.cancelled,
            [previewed, *choices],
            [stage, caption, status, start, cancel],
            queue=False,
            **quiet,
        )
    return page


def _embed_panel() -> None:
    """Code for other people's pages, a tab for each way."""
    with gr.Accordion("Embed on your page", open=False, elem_id="embed"):
        gr.HTML(
            '<p class="hint">Download the portrait and unpack it. Then copy one of these.</p>', apply_default_css=False
        )
        with gr.Tabs():
            for snippet in ui.embed_snippets():
                with gr.Tab(snippet.name):
                    gr.HTML(f'<p class="hint">{snippet.place}</p>', apply_default_css=False)
                    gr.Code(
                        snippet.code,
                        language=snippet.language,
                        show_label=False,
                        interactive=False,
                        wrap_lines=True,  # what scrolls sideways cannot be reached by the keyboard
                        buttons=["copy"],
                    )


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
    _give_memory_back()
    if remote:
        place_of(remote)
    elif on_zero_gpu():
        # There weights are taken along to each lent GPU if they were loaded before the launch.
        for step in load_engine("auto"):
            _log.info(step.message)
    results = open_store()
    temporary = _temporary_folder()
    kept = Kept(temporary)
    reading.serve(asking, kept)
    os.environ.setdefault("GRADIO_TEMP_DIR", str(temporary / "uploads"))
    previews = SessionStore(temporary / "previews", PREVIEWS_KEPT)
    examples = SessionStore(temporary / "examples", math.inf)
    tidying = (results.tidy, previews.tidy, kept.tidy, partial(_tidy_uploads, temporary / "uploads"))
    threading.Thread(target=_keep_tidy, args=tidying, daemon=True).start()
    line, limit = Line(), Limit()
    page = build(
        Handlers(results, previews, examples, line, remote), Api(results, previews, line, remote, limit), limit
    )
    page.queue(max_size=20)
    widget = widget_source()
    style = files("gaze.ui").joinpath("style.css").read_text(encoding="utf-8")
    page.launch(
        theme=theme(),
        css=style,
        head=f"<script>{widget}</script>",
        app_kwargs={
            "routes": session_routes(previews, examples, results),
            "middleware": [Middleware(Guard, scripts=(widget,), most=MAX_BYTES)],
        },
        max_file_size=MAX_BYTES,
        run_history=False,
        ssr_mode=False,
        footer_links=["api"],
        mcp_server=find_spec("mcp") is not None,
        **overrides,
    )
    return page


def _give_memory_back() -> None:
    """Let all threads share two of glibc's arenas: each keeps what was freed in it, and there would be eight a core."""
    with suppress(OSError, AttributeError):  # other systems have other ways
        ctypes.CDLL("libc.so.6").mallopt(_M_ARENA_MAX, 2)


def _temporary_folder() -> Path:
    """For what need not outlive the app, photos among it: removed when the app ends, or starts again after a kill."""
    parent = Path(tempfile.gettempdir())
    sweep(parent, f"{_TEMPORARY}*")
    claim = claimed(parent / f"{_TEMPORARY}{secrets.token_hex(8)}", 0o700)
    try:
        folder = claim.__enter__()  # until the program ends
    except OSError as error:
        raise GazeError(f"{parent} cannot be written to: {error.strerror}. Name another place in TMPDIR.") from error
    atexit.register(claim.__exit__, None, None, None)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
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
    for path in (*uploads.glob(f"*/{ZIP}"), *uploads.glob("tmp*")):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > PREVIEWS_KEPT:
                path.unlink()


def theme() -> gr.themes.Base:
    """Warm greys and one accent, in light and dark."""
    return gr.themes.Soft(
        primary_hue=gr.themes.colors.orange,
        neutral_hue=gr.themes.colors.stone,
        font=[gr.themes.LocalFont("IBM Plex Sans", weights=(400, 700)), "system-ui", "sans-serif"],
        radius_size=gr.themes.sizes.radius_lg,
    ).set(
        # White on the theme's own orange would be too faint to read.
        button_primary_background_fill="*primary_700",
        button_primary_background_fill_dark="*primary_700",
        button_primary_background_fill_hover="*primary_800",
        button_primary_background_fill_hover_dark="*primary_600",
        button_secondary_background_fill_hover_dark="*neutral_600",
        body_background_fill="*neutral_50",
        body_background_fill_dark="*neutral_950",
        body_text_color_subdued="*neutral_500",
        body_text_color_subdued_dark="*neutral_400",
        block_label_background_fill="none",
        block_label_background_fill_dark="none",
        block_label_text_color="*body_text_color_subdued",
        block_label_text_color_dark="*body_text_color_subdued",
        block_title_background_fill="none",
        block_title_background_fill_dark="none",
        block_title_text_color="*body_text_color",
        block_title_text_color_dark="*body_text_color",
        checkbox_label_background_fill_selected="*primary_100",
        checkbox_label_background_fill_selected_dark="*primary_900",
        checkbox_label_text_color_selected="*primary_900",
        checkbox_label_text_color_selected_dark="*primary_50",
        checkbox_label_shadow="none",
        checkbox_border_color="*neutral_400",
        checkbox_border_color_dark="*neutral_500",
    )
