"""A page of its own for each portrait: the face, a caption, nothing else; and what its owner says about it."""

from __future__ import annotations

import html
import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from gaze.errors import GazeError, StoreError
from gaze.output.bundle import GROUP, SHARE, columns_for, source_attributes
from gaze.output.sprites import POSTER
from gaze.storage.sessions import SessionStore
from gaze.ui.address import address_of, path_to_app
from gaze.ui.link_preview import draw_card, tags
from gaze.ui.routes import session_url
from gaze.ui.small_page import GONE, HEADERS, NOTHING, refused, small_page
from gaze.ui.visitors import for_visitors

MOST_CAPTION = 80
"""Letters."""
_TITLE = "A portrait that looks at you"
_TITLE_OF_MANY = "Portraits that look at you"
_OWN = "Make your own"
_DESCRIPTION = "Move the pointer, and the eyes follow it."


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
        return _answer(_page, store, request)

    def card(request: Request) -> Response:
        return _answer(_card, store, request)

    return [
        route
        for root in ("/p", "/gradio_api/p")
        for route in (Route(f"{root}/{{session}}", page), Route(f"{root}/{{session}}/card.jpg", card))
    ]


def _answer(act: Callable[[SessionStore, Request], Response], store: SessionStore, request: Request) -> Response:
    try:
        return act(store, request)
    except StoreError as error:
        return refused(request, for_visitors(error), 503)


def _page(store: SessionStore, request: Request) -> Response:
    session = request.path_params["session"]
    root = path_to_app(request)
    try:
        metadata = store.metadata(session)
    except StoreError:
        raise
    except (GazeError, OSError):
        return refused(request, GONE, way=_OWN)
    share = read_share(store, session)
    folder = root + session_url(session)
    alt = f"{share.caption}: a portrait that looks at you" if share.caption else _TITLE
    title = share.caption or (_TITLE_OF_MANY if metadata.faces else _TITLE)
    buttons = " hide-controls" if metadata.faces else ""  # they have theirs together
    portraits = "".join(
        f'<gaze-tracker {source_attributes(folder, shown)} alt="{html.escape(alt)}" fit="contain" idle{buttons}>'
        f'<img slot="poster" src="{html.escape(folder + (shown.poster or POSTER))}" alt="{html.escape(alt)}" '
        f'width="{shown.image_width}" height="{shown.image_height}"></gaze-tracker>'
        for shown in metadata.faces or (metadata,)
    )
    if metadata.faces:
        script = f'<script src="{html.escape(root)}gradio_api/gaze-widget/{GROUP}" defer></script>'
        columns = columns_for(len(metadata.faces))
        portraits = f'<gaze-group class="all columns-{columns}">{portraits}</gaze-group>{script}'
    body = (
        f'<figure><div class="stage">{portraits}</div><figcaption><h1>{html.escape(title)}</h1></figcaption></figure>'
    )
    address = address_of(request)
    card = f"{address}/card.jpg" if share.card else ""
    return small_page(request, tags(title, _DESCRIPTION, address, card), body, _OWN)


def _card(store: SessionStore, request: Request) -> Response:
    session = request.path_params["session"]
    try:
        if not read_share(store, session).card:
            return refused(request, NOTHING)
        shown = store.metadata(session)
        posters = [it.poster or POSTER for it in shown.faces or (shown,)]
        picture = draw_card([store.file(session, poster) for poster in posters])
    except StoreError:
        raise
    except (GazeError, OSError):
        return refused(request, NOTHING)
    return Response(picture, media_type="image/jpeg", headers=HEADERS)
