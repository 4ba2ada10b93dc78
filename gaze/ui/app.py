"""The Gradio app: photo in, living preview at once, the full portrait on demand."""

from __future__ import annotations

import html
import os
import tempfile
from importlib.resources import files
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gradio as gr

from gaze.bundle import widget_source
from gaze.engines.base import ENGINES, choose_engine, load_engine, on_zero_gpu
from gaze.engines.remote import place_of
from gaze.framing import FRAMINGS
from gaze.keys import AUTO, KEY_CHOICES
from gaze.portrait import MAX_BYTES, register_formats
from gaze.sessions import PREVIEWS_KEPT, SessionStore
from gaze.stores import open_store
from gaze.ui import components as ui
from gaze.ui.api import RENDER_QUEUE, Api, add_endpoints
from gaze.ui.handlers import Handlers, example_photos
from gaze.ui.routes import session_routes


def build(handlers: Handlers, api: Api, remote: str | None = None) -> gr.Blocks:
    """The page, and the endpoints for programs."""
    _, reason = choose_engine("auto")
    if remote:
        reason = f"Rendered by {html.escape(remote)}: Generate sends the photo there. The preview is made here."
    with gr.Blocks(title="Gaze", fill_width=True, delete_cache=(3600, 24 * 3600), analytics_enabled=False) as page:
        add_endpoints(api)  # first, so that they have their names and the page's own events do not
        gr.HTML(
            "<header><h1>Gaze</h1><p>One photo becomes a face that follows the pointer.</p></header>",
            apply_default_css=False,
        )
        with gr.Row(equal_height=False, elem_id="room"):
            # The stage comes first, as on a phone; the style sheet puts it on the right where there is room.
            with gr.Column(scale=3, min_width=320):
                stage = ui.viewer()
                actions = ui.actions()
                history_view = ui.history_view()
                with gr.Accordion("Embed on your page", open=False), gr.Tabs():
                    for name, language, code in ui.embed_snippets():
                        with gr.Tab(name):
                            gr.Code(code, language=language, label="Beside the unpacked folder", interactive=False)
            with gr.Column(scale=2, min_width=300):
                photo = ui.photo_input()
                gr.Examples([[str(path)] for path in example_photos()], inputs=photo, label="Or try one")
                with gr.Accordion("Options", open=False):
                    sliders = [
                        gr.Slider(0, 2, 1, step=0.1, label=label, info=info)
                        for label, info in (
                            ("Head", "How far the head turns."),
                            ("Eyes", "How far the eyes travel."),
                            ("Brows", "How much the brows rise when it looks up."),
                        )
                    ]
                    straighten = gr.Checkbox(
                        True, label="Look straight", info="If the photo looks past the camera, the centre looks at you."
                    )
                    framing = gr.Radio(
                        [("Head and shoulders if the face is small", "auto"), ("The whole photo", "whole")],
                        value=FRAMINGS[0],
                        label="Framing",
                    )
                    engine = gr.Radio(
                        [("The best that runs here", "auto"), ("Instant", "warp"), ("LivePortrait", "liveportrait")],
                        value=ENGINES[0],
                        label="Engine",
                        info="For Generate; the preview is always the instant engine's.",
                    )
                    size = gr.Radio([10, 20, 30], value=30, label="Looks", info="Rows and columns of the grid.")
                    keys = gr.Radio(
                        [("As many as are quick", AUTO), *((str(keys), keys) for keys in KEY_CHOICES)],
                        value=AUTO,
                        label="Keys",
                        info="Rows and columns that are rendered; the looks between are morphed.",
                    )
                    frame_size = gr.Radio([384, 512, 640], value=512, label="Frame size", info="Longer side in pixels.")
                start = gr.Button("Generate", variant="primary", interactive=False, elem_id="generate")
                cancel = gr.Button("Cancel", visible=False, elem_id="cancel")
                message = gr.HTML(elem_id="message", apply_default_css=False)
                gr.HTML(f'<p class="hint">{reason}</p>', apply_default_css=False)
        choices = [photo, *sliders, straighten, framing]
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        history = gr.BrowserState([], storage_key="gaze-history-1", secret="gaze")
        made = gr.State()
        everything = [stage, message, actions, history, history_view]
        page.load(handlers.arrive, history, everything, **quiet)
        gr.on(
            [photo.change, *(slider.release for slider in sliders), straighten.input, framing.input],
            handlers.preview,
            choices,
            [stage, message, start],
            trigger_mode="always_last",
            **quiet,
        )
        photo.change(lambda: None, None, actions, **quiet)
        # Shown before the queue is asked, so that who has to wait for others knows it.
        making = start.click(
            handlers.wait, None, [message, start, cancel], queue=False, trigger_mode="once", **quiet
        ).then(
            handlers.generate,
            [history, *choices, frame_size, size, engine, keys],
            [stage, message, actions, made, start, cancel],
            concurrency_limit=1,
            concurrency_id=RENDER_QUEUE,
            **quiet,
        )
        making.then(handlers.remember, [made, history], [history, history_view], **quiet)
        history_view.open(handlers.open, history, [stage, message, actions], **quiet)
        for component in (history_view, actions):
            component.remove(handlers.remove, history, everything, **quiet)
        history_view.clear(handlers.clear, history, everything, **quiet)
        # In two steps, so that what was still on its way when Cancel was pressed does not overwrite what it says.
        cancel.click(None, cancels=[making], queue=False, **quiet).then(
            handlers.cancelled, None, [message, start, cancel], queue=False, **quiet
        )
    return page


def launch(remote: str | None = None, **overrides: Any) -> None:
    """Serve the page until interrupted.

    Args:
        remote: another Gaze that makes the portraits, as in `gaze.pipeline.Options`.
        **overrides: for `gr.Blocks.launch`.

    Raises:
        GazeError: `remote` is no address.
    """
    os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
    if remote:
        place_of(remote)
    elif on_zero_gpu():
        # There weights are taken along to each lent GPU if they were loaded before the launch.
        for step in load_engine("auto"):
            print(step.message)
    register_formats()
    with tempfile.TemporaryDirectory(prefix="gaze-previews-") as previews:
        results, small = open_store(), SessionStore(Path(previews), PREVIEWS_KEPT)
        page = build(Handlers(results, small, remote), Api(results, small, remote), remote)
        page.queue(max_size=20)
        style = files("gaze.ui").joinpath("style.css").read_text(encoding="utf-8")
        page.launch(
            theme=theme(),
            css=style,
            head=f"<script>{widget_source()}</script>",
            app_kwargs={"routes": session_routes(small, results)},
            max_file_size=MAX_BYTES,
            run_history=False,
            ssr_mode=False,
            footer_links=["api"],
            mcp_server=find_spec("mcp") is not None,
            **overrides,
        )


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
    )
