"""What the page and the endpoints for programs show of photos, faces and portraits."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image, ImageOps

from gaze.face.detection import clear_faces
from gaze.face.face import Face
from gaze.matting.background import BLUR, find_behind
from gaze.output.metadata import Metadata
from gaze.photo.portrait import Portrait
from gaze.ui.routes import session_url

_THUMBNAIL = 128
"""Pixels; shown at half of it."""
_STILL = 900
"""Pixels of the longer side of a photo on the stage."""


def manifest(session: str, metadata: Metadata) -> dict[str, Any]:
    """What `<gaze-tracker>` plays: a session's metadata and where its files are."""
    return {**metadata.fields(), "base": session_url(session)}


def examples_of(photos: Iterable[Path]) -> list[dict[str, str]]:
    """The example photos: a name and a thumbnail each."""
    return [{"name": photo.stem, "picture": _small_picture(Image.open(photo))} for photo in photos]


def faces_found(portrait: Portrait, faces: list[Face]) -> dict[str, Any]:
    """What the chooser of faces needs: the photo as the browser can show it, and where each face is.

    Positions and sizes are percent of the photo's width and height: `x` and `y` of the middle, `w` of the width.
    """
    places = []
    for face in faces:
        x, y, width, height = face.box
        edge = 0.2 * width
        box = (round(x - edge), round(y - edge), round(x + width + edge), round(y + height + edge))
        places.append(
            {
                "x": 100 * (x + width / 2) / portrait.width,
                "y": 100 * (y + height / 2) / portrait.height,
                "w": 100 * (width + 2 * edge) / portrait.width,
                "picture": _small_picture(Image.fromarray(portrait.image).crop(box)),
            }
        )
    return {"faces": places, **still_of(portrait)}


def doubtful_face(portrait: Portrait) -> dict[str, Any]:
    """Where the eyes are that are hard to see, in percent as in `faces_found`, and the photo.

    Of the face that is taken if the person says so, which need not be the likeliest of the photo.
    """
    face = clear_faces(portrait, anyway=True)[0]
    x, y = face.centre
    where = {
        "x": 100 * x / portrait.width,
        "y": 100 * y / portrait.height,
        "w": 220 * face.iris_distance / portrait.width,
    }
    return {"where": where, **still_of(portrait)}


def still_of(portrait: Portrait) -> dict[str, Any]:
    """The photo as any browser can show it, and its sides in pixels."""
    picture = Image.fromarray(portrait.image)
    picture.thumbnail((_STILL, _STILL))
    return {"still": _data_url(picture), "width": portrait.width, "height": portrait.height}


def blurred(photo: np.ndarray, poster: Path) -> str:
    """The background of a portrait that was cut out, out of focus, as it would be made: small, as a data URL.

    Args:
        photo: (height, width, 3) uint8, framed as the portrait is.
        poster: of the portrait.
    """
    with Image.open(poster) as person:
        matte = person.convert("RGBA").getchannel("A").resize((photo.shape[1], photo.shape[0]))
    return _data_url(Image.fromarray(find_behind(BLUR, photo, np.asarray(matte))))


def _small_picture(picture: Image.Image) -> str:
    """A square thumbnail as a data URL."""
    return _data_url(ImageOps.fit(picture, (_THUMBNAIL, _THUMBNAIL)))


def _data_url(picture: Image.Image) -> str:
    out = io.BytesIO()
    picture.convert("RGB").save(out, "WEBP", quality=80)
    return f"data:image/webp;base64,{base64.b64encode(out.getvalue()).decode()}"


@dataclass(frozen=True)
class Snippet:
    """How to put a portrait on a page.

    Attributes:
        name: with what.
        place: where the folder of the portrait belongs, in words.
        code: the text of a file in `snippets`.
    """

    name: str
    place: str
    code: str


def embed_snippets() -> list[Snippet]:
    """One for each way to put a portrait on a page; docs/widget.md shows or links them."""
    beside = "Put the folder gaze-portrait beside your page."
    public = "Put the folder gaze-portrait into public/, and its gaze-tracker.mjs and gaze-tracker-more.js into src/."
    known = [
        ("HTML", beside, "page.html"),
        ("React", public, "react.jsx"),
        ("Vue", f"{public} Tell Vue that the tag is not a component (docs/widget.md).", "vue.vue"),
        ("Svelte", public, "svelte.svelte"),
        ("iframe", f"{beside} The face follows over the frame only.", "iframe.html"),
    ]
    codes = files("gaze.ui") / "snippets"
    return [Snippet(name, place, (codes / file).read_text(encoding="utf-8").rstrip()) for name, place, file in known]
