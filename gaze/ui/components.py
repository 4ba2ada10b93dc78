"""The page's own components: the photo input, the viewer, and the lines of text beside them."""

from __future__ import annotations

import html
import os
import re
from collections.abc import Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder

from gaze.progress import Progress
from gaze.sprites import POSTER
from gaze.ui.routes import ZIP, session_url


def photo_input() -> gr.Image:
    """An image input that hands the uploaded file on untouched.

    Gradio's own reading would drop the orientation of phone photos, and refuse a broken file before `load_portrait` can
    say what is wrong with it. (Not a subclass: Gradio writes a stub file beside the source of each.)
    """
    image = gr.Image(
        label="Your photo",
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        height=260,
        buttons=[],
    )

    def path_of(payload: ImageData | None) -> str | None:
        if payload is None or not payload.path:
            return None
        # A caller can leave out what makes Gradio check this, and name any file of the server.
        if not Path(payload.path).resolve().is_relative_to(Path(get_upload_folder()).resolve()):
            raise gr.Error("This photo was not uploaded. Send the file itself.", print_exception=False)
        return payload.path

    image.preprocess = path_of  # type: ignore[method-assign]
    return image


# The template is constant and the portrait travels as a property: Gradio would run `${...}` inside a rendered value.
_VIEWER_SCRIPT = """
const root = (window.gradio_config?.root || location.origin).replace(/\\/$/, "") + "/";
const apply = () => {
  const tracker = element.querySelector("gaze-tracker");
  if (tracker && props.value) tracker.manifest = {...props.value, base: new URL(props.value.base, root).href};
};
customElements.whenDefined("gaze-tracker").then(apply);
watch("value", apply);
"""


def viewer() -> gr.HTML:
    """The stage with the living portrait; its value is what `manifest` returns."""
    return gr.HTML(
        html_template='<gaze-tracker alt="Portrait that looks at you" fit="contain" blend="motion"></gaze-tracker>',
        js_on_load=_VIEWER_SCRIPT,
        apply_default_css=False,
        elem_id="stage",
    )


def manifest(session: str, facts: dict[str, Any]) -> dict[str, Any]:
    """The viewer's value for a session: its metadata and where its files are."""
    return {**facts, "base": session_url(session)}


def notes_html(notes: tuple[str, ...] | list[str]) -> str:
    """Sentences for the person."""
    return "".join(f'<p class="note">{html.escape(note)}</p>' for note in notes)


def error_html(message: str) -> str:
    """What was wrong and what to do."""
    return f'<p class="problem" role="alert">{html.escape(message)}</p>'


def progress_html(step: Progress) -> str:
    """A bar with the stage and the time left."""
    share = step.done / max(step.total, 1) * 100
    left = "" if step.remaining is None else f"<span>about {_duration(step.remaining)} left</span>"
    return (
        f'<div class="progress" role="progressbar" aria-valuenow="{share:.0f}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-label="{html.escape(step.message)}"><p><span>{html.escape(step.message)}</span>{left}</p>'
        f'<div class="track"><div class="fill" style="width:{share:.1f}%"></div></div></div>'
    )


def actions() -> gr.HTML:
    """What can be done with the portrait on the stage; its value is what `actions_for` returns, or None."""
    return _scripted("actions")


def actions_for(session: str, owned: bool) -> dict[str, Any]:
    """The actions of a finished portrait; only its owner may delete it."""
    space = os.environ.get("SPACE_ID")
    page = f"https://huggingface.co/spaces/{space}" if space else None
    return {"session": session, "zip": session_url(session, ZIP), "owned": owned, "page": page}


def history_view() -> gr.HTML:
    """The portraits made in this browser as thumbnails; its value is what `thumbnails` returns."""
    return _scripted("history")


def thumbnails(sessions: Iterable[str]) -> list[dict[str, str]]:
    """The history's value for these sessions."""
    return [{"session": session, "poster": session_url(session, POSTER)} for session in sessions]


def embed_snippets() -> list[tuple[str, Literal["html", "javascript"], str]]:
    """How to put a portrait on a page, from docs/widget.md, where it is tested: (name, language, code)."""
    text = (Path(__file__).resolve().parents[2] / "docs" / "widget.md").read_text(encoding="utf-8")
    known: list[tuple[str, str, Literal["html", "javascript"]]] = [
        ("HTML", "html", "html"),
        ("React", "jsx", "javascript"),
        ("Vue", "vue", "html"),
        ("Svelte", "svelte", "html"),
    ]
    snippets = []
    for name, fence, language in known:
        code = re.search(rf"```{fence}\n(.*?)\n```", text, re.DOTALL)
        if code:
            snippets.append((name, language, code[1]))
    return snippets


def _scripted(name: str) -> gr.HTML:
    """An empty box that a script of gaze/ui fills from its value, as text: a template would run what stands in it."""
    return gr.HTML(
        html_template=f'<div class="{name}"></div>',
        js_on_load=files("gaze.ui").joinpath(f"{name}.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name,
    )


def _duration(seconds: float) -> str:
    seconds = max(1, round(seconds))
    return f"{seconds} s" if seconds < 90 else f"{round(seconds / 60)} min"
