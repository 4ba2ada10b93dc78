"""A page of its own for each portrait: the face, a caption, nothing else; and what its owner says about it."""

from __future__ import annotations

import html
import io
import json
import math
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from importlib.resources import files
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, Response
from starlette.routing import Route

from gaze.errors import GazeError, StoreError
from gaze.output.bundle import GROUP, SHARE, columns_for, source_attributes
from gaze.output.sprites import POSTER
from gaze.storage.sessions import SessionStore
from gaze.ui.routes import session_url
from gaze.ui.visitors import for_visitors

MOST_CAPTION = 80
"""Letters."""
_CARD = (1200, 630)
"""Pixels of a link's picture, as Open Graph has it."""
_TITLE = "A portrait that looks at you"
_TITLE_OF_MANY = "Portraits that look at you"
_DESCRIPTION = "Move the pointer, and the eyes follow it."
_HEADERS = {"Cache-Control": "no-cache", "X-Robots-Tag": "noindex"}


@dataclass(frozen=True)
class Share:
    """What the owner says about a portrait.

    Attributes:
        caption: words beneath it; any text.
        card: whether previews of its link may show the face.
    """

    caption: str = ""
    card: bool = False


def read_share(store: SessionStore, session: str) -> Share:
    """What is said about a portrait; nothing is, at first.

    Raises:
        StoreError: the store did not answer.
    """
    try:
        told = json.loads(store.file(session, SHARE).read_text(encoding="utf-8"))
        return Share(str(told["caption"])[:MOST_CAPTION], bool(told["card"]))
    except StoreError:
        raise
    except (GazeError, OSError, ValueError, KeyError, TypeError):
        return Share()


def write_share(store: SessionStore, session: str, share: Share) -> None:
    """Keep what is said about a finished portrait.

    Raises:
        GazeError: there is no such portrait, or it cannot be written.
    """
    store.write(session, SHARE, json.dumps(asdict(share)).encode())


def share_path() -> str:
    """What the address of a portrait's page begins with: relative to the app, or whole on a Space.

    A Space's own page would put itself around it, and its page server passes only Gradio's own paths on.
    """
    host = os.environ.get("SPACE_HOST")
    return f"https://{host}/gradio_api/p/" if host else "p/"


def share_routes(store: SessionStore) -> list[Route]:
    """The pages of portraits, and the pictures for previews of their links."""

    def page(request: Request) -> Response:
        return _answer(lambda: _page(store, request))

    def card(request: Request) -> Response:
        return _answer(lambda: _card(store, request.path_params["session"]))

    return [
        route
        for root in ("/p", "/gradio_api/p")
        for route in (Route(f"{root}/{{session}}", page), Route(f"{root}/{{session}}/card.jpg", card))
    ]


def _answer(act: Callable[[], Response]) -> Response:
    try:
        return act()
    except StoreError as error:
        return PlainTextResponse(for_visitors(error), status_code=503)


def _page(store: SessionStore, request: Request) -> Response:
    session = request.path_params["session"]
    root = "../../" if request.url.path.rpartition("/")[0].endswith("/gradio_api/p") else "../"
    try:
        facts = store.metadata(session)
    except StoreError:
        raise
    except (GazeError, OSError):
        days = "Portraits are kept for a limited time, or until their owner deletes them."
        body = f'<div class="stage"><div class="gone"><h1>This portrait is gone.</h1><p>{days}</p></div></div>'
        return _filled(404, root=root, title="This portrait is gone", description=days, body=body)
    share = read_share(store, session)
    folder = root + session_url(session)
    alt = f"{share.caption}: a portrait that looks at you" if share.caption else _TITLE
    title = share.caption or (_TITLE_OF_MANY if facts.faces else _TITLE)
    buttons = " hide-controls" if facts.faces else ""  # they have theirs together
    portraits = "".join(
        f'<gaze-tracker {source_attributes(folder, shown)} alt="{html.escape(alt)}" fit="contain" idle{buttons}>'
        f'<img slot="poster" src="{html.escape(folder + (shown.poster or POSTER))}" alt="{html.escape(alt)}" '
        f'width="{shown.image_width}" height="{shown.image_height}"></gaze-tracker>'
        for shown in facts.faces or (facts,)
    )
    if facts.faces:
        script = f'<script src="{html.escape(root)}gradio_api/gaze-widget/{GROUP}" defer></script>'
        columns = columns_for(len(facts.faces))
        portraits = f'<gaze-group class="all columns-{columns}">{portraits}</gaze-group>{script}'
    body = (
        f'<figure><div class="stage">{portraits}</div><figcaption><h1>{html.escape(title)}</h1></figcaption></figure>'
    )
    address = address_of(request)
    card = ""
    if share.card:
        card = (
            f'<meta property="og:image" content="{html.escape(address)}/card.jpg">\n'
            f'<meta property="og:image:width" content="{_CARD[0]}">\n'
            f'<meta property="og:image:height" content="{_CARD[1]}">\n'
            '<meta name="twitter:card" content="summary_large_image">\n'
        )
    return _filled(200, root=root, title=title, description=_DESCRIPTION, address=address, card=card, body=body)


def _filled(status: int, *, body: str, card: str = "", **texts: str) -> Response:
    """The page; `texts` are escaped here, `card` and `body` are markup already."""
    page = files("gaze.ui").joinpath("page", "share.html").read_text(encoding="utf-8")
    values = {"address": "", **texts}
    markup = {**{name: html.escape(text) for name, text in values.items()}, "card": card, "body": body}
    # In one pass: what is put in is not looked through again.
    parts = page.split("{{")
    filled = parts[0] + "".join(markup[name] + rest for name, _, rest in (part.partition("}}") for part in parts[1:]))
    return HTMLResponse(filled, status, _HEADERS)


def address_of(request: Request) -> str:
    """The whole address of this page, as others reach it."""
    if host := os.environ.get("SPACE_HOST"):
        return f"https://{host}{request.url.path}"
    given = os.environ.get("GRADIO_ROOT_PATH", "").rstrip("/")
    if given.startswith(("http://", "https://")):
        return given + request.url.path
    return f"{request.url.scheme}://{request.url.netloc}{given}{request.url.path}"


def _card(store: SessionStore, session: str) -> Response:
    try:
        if not read_share(store, session).card:
            return PlainTextResponse("There is no such picture.", status_code=404, headers=_HEADERS)
        shown = store.metadata(session)
        posters = [it.poster or POSTER for it in shown.faces or (shown,)]
        picture = _drawn_card([store.file(session, poster) for poster in posters])
    except StoreError:
        raise
    except (GazeError, OSError):
        return PlainTextResponse("There is no such picture.", status_code=404, headers=_HEADERS)
    return Response(picture, media_type="image/jpeg", headers=_HEADERS)


def _drawn_card(posters: list[Path]) -> bytes:
    """The portraits in rows, in the middle of the first of them, blurred."""
    faces = [_opaque(poster) for poster in posters]
    ground = ImageOps.fit(faces[0], (_CARD[0] // 8, _CARD[1] // 8)).filter(ImageFilter.GaussianBlur(5)).resize(_CARD)
    columns = math.ceil(math.sqrt(len(faces) * _CARD[0] / _CARD[1])) if len(faces) > 1 else 1
    rows = [faces[start : start + columns] for start in range(0, len(faces), columns)]
    cell = (_CARD[0] // columns, _CARD[1] // len(rows))
    for down, row in enumerate(rows):
        for across, face in enumerate(row):
            front = ImageOps.contain(face, cell, Image.Resampling.LANCZOS)
            left = (_CARD[0] - len(row) * cell[0]) // 2 + across * cell[0]
            ground.paste(front, (left + (cell[0] - front.width) // 2, down * cell[1] + (cell[1] - front.height) // 2))
    out = io.BytesIO()
    ground.save(out, "JPEG", quality=85)
    return out.getvalue()


def _opaque(poster: Path) -> Image.Image:
    with Image.open(poster) as file:
        face = Image.new("RGB", file.size, (246, 243, 237))
        face.paste(file.convert("RGBA"), mask=file.convert("RGBA").getchannel("A"))
    return face
