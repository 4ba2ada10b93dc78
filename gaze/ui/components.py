"""The page's own components: the photo input, the viewer, and the lines of text beside them."""

from __future__ import annotations

import base64
import html
import io
import os
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal

import gradio as gr
from gradio.data_classes import ImageData
from gradio.utils import get_upload_folder
from PIL import Image, ImageOps

from gaze.face.face import Face
from gaze.output.metadata import Metadata
from gaze.output.sprites import POSTER
from gaze.photo.portrait import Portrait
from gaze.progress import Progress, SheetProgress
from gaze.ui.eta import Times
from gaze.ui.queue import duration
from gaze.ui.routes import ZIP, session_url

Faces = dict[str, Any]
"""What `faces_found` returns; `chosen` is as `Options.face`."""

_THUMBNAIL = 128
"""Pixels; shown at half of it."""
_ENGINE_NAMES = {
    "warp": "Instant engine",
    "liveportrait": "LivePortrait engine",
    "cluster": "Cluster",
    "remote": "Another Gaze",
}


def photo_input() -> gr.Image:
    """An image input that hands the uploaded file on untouched.

    Gradio's own reading would drop the orientation of phone photos, and refuse a broken file before `load_portrait` can
    say what is wrong with it. (Not a subclass: Gradio writes a stub file beside the source of each.)
    """
    image = gr.Image(
        label="Your photo",
        show_label=False,
        type="filepath",
        image_mode=None,
        sources=["upload", "webcam", "clipboard"],
        placeholder="Drop an image file here",  # Gradio tells screen readers the same, and “to upload”
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

    to_cache = image.async_move_resource_to_block_cache

    async def file_of(url_or_file_path: str | Path | None) -> str | None:
        # Gradio would fetch whatever is there, however much that is.
        if str(url_or_file_path).lower().startswith(("http:", "https:")):
            raise gr.Error("This is the address of a photo. Send the file itself.", print_exception=False)
        return await to_cache(url_or_file_path)

    image.preprocess = path_of  # type: ignore[method-assign]
    image.async_move_resource_to_block_cache = file_of  # type: ignore[method-assign]
    return image


# The template is constant and the portrait travels as a property: Gradio would run `${...}` inside a rendered value.
_VIEWER_SCRIPT = """
const root = (window.gradio_config?.root || location.origin).replace(/\\/$/, "") + "/";
const show = (portrait) => {
  const tracker = element.querySelector("gaze-tracker");
  if (tracker && portrait) tracker.manifest = {...portrait, base: new URL(portrait.base, root).href};
};
// Who comes by a link waits for that portrait, and does not see the example first.
const linked = new URLSearchParams(location.search).has("session");
customElements.whenDefined("gaze-tracker").then(() => show(props.value || !linked && props.example));
watch("value", () => show(props.value));
"""


def viewer(example: dict[str, Any]) -> gr.HTML:
    """The stage with the living portrait; its value is what `manifest` returns. `example` is there from the start."""
    return gr.HTML(
        example=example,
        html_template='<gaze-tracker alt="Portrait that looks at you" fit="contain" blend="motion"></gaze-tracker>',
        js_on_load=_VIEWER_SCRIPT,
        apply_default_css=False,
        elem_id="stage",
    )


def manifest(session: str, metadata: Metadata) -> dict[str, Any]:
    """The viewer's value for a session: its metadata and where its files are."""
    return {**metadata.fields(), "base": session_url(session)}


def words(name: str, first: str = "") -> gr.HTML:
    """A place for sentences: what the functions below that end in `_html` return."""
    return gr.HTML(first, elem_id=name, apply_default_css=False)


def notes_html(notes: tuple[str, ...] | list[str]) -> str:
    """Sentences for the person."""
    return f'<p class="note">{html.escape(" ".join(notes))}</p>' if notes else ""


def error_html(message: str) -> str:
    """What was wrong and what to do."""
    return f'<p class="problem" role="alert">{html.escape(message)}</p>'


def plan_html(engine: str, reason: str, times: Times | None) -> str:
    """What Generate would do: which engine, how long, and why that one."""
    wait = f", on the stage in about {duration(times.ready)}, {times.source}" if times else ""
    unknown = "" if times else " How long it takes here is told once it has begun."
    return (
        f'<p class="plan"><strong>{_ENGINE_NAMES[engine]}</strong>{html.escape(wait)}.</p>'
        f'<p class="hint">{html.escape(reason + unknown)}</p>'
    )


def waiting_html(place: str) -> str:
    """For those in the line."""
    return f'<p class="plan" role="status"><strong>{html.escape(place)}</strong></p>' + (
        '<p class="hint">One portrait is made at a time. Yours begins by itself.</p>'
    )


def progress_html(step: Progress) -> str:
    """A bar with the stage and the time left, and the sheets filling."""
    share = step.done / max(step.total, 1) * 100
    left = "" if step.remaining is None else f"<span>about {duration(step.remaining)} left</span>"
    return (
        f'<div class="progress" role="progressbar" aria-valuenow="{share:.0f}" aria-valuemin="0" aria-valuemax="100" '
        f'aria-label="{html.escape(step.message)}"><p><span>{html.escape(step.message)}</span>{left}</p>'
        f'<div class="track"><div class="fill" style="width:{share:.1f}%"></div></div></div>'
        + _sheets_html(step.sheets)
    )


def _sheets_html(sheets: tuple[SheetProgress, ...]) -> str:
    """The sheets as small drawings, the four of each set as they lie: they fill with frames, then they are written."""
    desktop = sorted((sheet for sheet in sheets if "_" not in sheet.name), key=lambda sheet: sheet.name)
    mobile = sorted((sheet for sheet in sheets if "_" in sheet.name), key=lambda sheet: sheet.name)
    sets = [
        f'<figure><div class="set">{"".join(map(_sheet_html, those))}</div><figcaption>{title}</figcaption></figure>'
        for title, those in (("Desktop", desktop), ("Phone", mobile))
        if those
    ]
    return f'<div class="sheets" aria-hidden="true">{"".join(sets)}</div>' if sets else ""


def _sheet_html(sheet: SheetProgress) -> str:
    state = "sheet written" if sheet.written else "sheet"
    return f'<div class="{state}" title="{sheet.name}" style="--frames: {sheet.frames:.0%}"></div>'


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


def picture_choice(name: str, value: dict[str, Any] | None = None) -> gr.HTML:
    """Pictures to choose from; its value is what `faces_found` or `examples_of` return. Its event is `choose`."""
    return _scripted("choice", name, value)


def examples_of(photos: Iterable[Path]) -> dict[str, Any]:
    """The choice among example photos."""
    pictures = [_small_picture(Image.open(photo)) for photo in photos]
    return {"title": "Or try one", "name": "Example", "pictures": pictures}


def faces_found(photo: str, portrait: Portrait, faces: list[Face]) -> Faces | None:
    """The chooser's value for a new photo; None where there is no choice."""
    if len(faces) < 2:
        return None
    pictures = [_face_picture(portrait, face) for face in faces]
    return {"title": "Which face?", "name": "Face", "photo": photo, "chosen": 0, "pictures": pictures}


def chosen_face(photo: str, faces: Faces | None) -> int:
    """Which face of this photo was chosen; that of an earlier photo does not count."""
    return int(faces["chosen"]) if faces and faces.get("photo") == photo else 0


def _face_picture(portrait: Portrait, face: Face) -> str:
    x, y, width, height = face.box
    edge = 0.2 * width
    box = [round(value) for value in (x - edge, y - edge, x + width + edge, y + height + edge)]
    return _small_picture(Image.fromarray(portrait.image).crop((box[0], box[1], box[2], box[3])))


def _small_picture(picture: Image.Image) -> str:
    """A square thumbnail as a data URL."""
    out = io.BytesIO()
    ImageOps.fit(picture, (_THUMBNAIL, _THUMBNAIL)).save(out, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


@dataclass(frozen=True)
class Snippet:
    """How to put a portrait on a page.

    Attributes:
        name: with what.
        place: where the folder of the portrait belongs, in words.
        language: as `gr.Code` calls it.
        code: the text of a file in `snippets`.
    """

    name: str
    place: str
    language: Literal["html", "javascript"]
    code: str


def embed_snippets() -> list[Snippet]:
    """One for each way to put a portrait on a page; docs/widget.md shows the same."""
    beside = "Put the folder gaze-portrait beside your page."
    public = "Put the folder gaze-portrait into public/, and its gaze-tracker.js into src/."
    known: list[tuple[str, str, str, Literal["html", "javascript"]]] = [
        ("HTML", beside, "page.html", "html"),
        ("React", public, "react.jsx", "javascript"),
        ("Vue", f"{public} Tell Vue that the tag is no component (docs/widget.md).", "vue.vue", "html"),
        ("Svelte", public, "svelte.svelte", "html"),
        ("iframe", f"{beside} The face follows over the frame only.", "iframe.html", "html"),
    ]
    codes = files("gaze.ui") / "snippets"
    return [
        Snippet(name, place, language, (codes / file).read_text(encoding="utf-8").rstrip())
        for name, place, file, language in known
    ]


def _scripted(script: str, name: str = "", value: Any = None) -> gr.HTML:
    """An empty box that a script of gaze/ui fills from its value, as text: a template would run what stands in it."""
    return gr.HTML(
        value,
        html_template=f'<div class="{script}"></div>',
        js_on_load=files("gaze.ui").joinpath(f"{script}.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id=name or script,
    )
