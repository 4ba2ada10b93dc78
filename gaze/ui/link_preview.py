"""What messengers and social networks show of a link: title, description, picture."""

from __future__ import annotations

import html
import io
import math
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path

from PIL import Image, ImageFilter, ImageOps
from starlette.datastructures import MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from gaze.output.sprites import POSTER
from gaze.ui import hero
from gaze.ui.address import address_of
from gaze.ui.held_page import HeldPage

TITLE = "Gaze: your photo looks at you"
_DESCRIPTION = "One portrait photo becomes a face that follows the pointer. Put it on any web page."
_CARD = "gradio_api/gaze-card.jpg"
_SIZE = (1200, 630)
"""Pixels of a link's picture, as Open Graph has it."""
_OTHERS = re.compile(r'<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>\s*|<title>.*?</title>\s*')
"""Of the page that Gradio writes: its own name and picture come first there, and those count."""
_FIRST = re.compile(r"<meta charset[^>]*>")


def tags(title: str, description: str, address: str = "", picture: str = "") -> str:
    """What a page's head has to say of itself; texts are escaped.

    Args:
        title, description: of the page.
        address: its own, whole; "" leaves it out, as the next.
        picture: the whole address of a picture of 1200 × 630 pixels.
    """
    found = {"og:type": "website", "og:site_name": "Gaze", "og:title": title, "og:description": description}
    found |= {"og:url": address} if address else {}
    if picture:
        width, height = map(str, _SIZE)
        found |= {"og:image": picture, "og:image:width": width, "og:image:height": height}
    named = {"description": description} | ({"twitter:card": "summary_large_image"} if picture else {})
    lines = [f"<title>{html.escape(title)}</title>"]
    lines += [f'<meta name="{name}" content="{html.escape(text)}">' for name, text in named.items()]
    lines += [f'<meta property="{name}" content="{html.escape(text)}">' for name, text in found.items()]
    return "\n".join(lines)


def draw_card(posters: Sequence[Path]) -> bytes:
    """A JPEG picture of 1200 × 630 pixels: the portraits in rows, in the middle of the first of them, blurred."""
    faces = [_opaque(poster) for poster in posters]
    ground = ImageOps.fit(faces[0], (_SIZE[0] // 8, _SIZE[1] // 8)).filter(ImageFilter.GaussianBlur(5)).resize(_SIZE)
    columns = math.ceil(math.sqrt(len(faces) * _SIZE[0] / _SIZE[1])) if len(faces) > 1 else 1
    rows = [faces[start : start + columns] for start in range(0, len(faces), columns)]
    cell = (_SIZE[0] // columns, _SIZE[1] // len(rows))
    for down, row in enumerate(rows):
        for across, face in enumerate(row):
            front = ImageOps.contain(face, cell, Image.Resampling.LANCZOS)
            left = (_SIZE[0] - len(row) * cell[0]) // 2 + across * cell[0]
            ground.paste(front, (left + (cell[0] - front.width) // 2, down * cell[1] + (cell[1] - front.height) // 2))
    out = io.BytesIO()
    ground.save(out, "JPEG", quality=85)
    return out.getvalue()


def card_routes() -> list[Route]:
    """The picture of a link to the app: its example."""

    @cache
    def drawn() -> bytes:
        return draw_card([hero.folder() / POSTER])

    def card(_: Request) -> Response:
        return Response(drawn(), media_type="image/jpeg", headers={"Cache-Control": "public, max-age=86400"})

    return [Route(f"/{_CARD}", card)]


class LinkPreview:
    """ASGI middleware: the page that Gradio writes says of itself what it is."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return

        def described(headers: MutableHeaders, page: bytes) -> bytes:
            if b"<gradio-app" not in page:
                return page
            address = address_of(Request(scope)).rpartition("/")[0] + "/"
            head = tags(TITLE, _DESCRIPTION, address, address + _CARD)
            own = _FIRST.sub(lambda first: f"{first[0]}\n{head}", _OTHERS.sub("", page.decode()), 1).encode()
            headers["Content-Length"] = str(len(own))
            return own

        await self._app(scope, receive, HeldPage(send, described))


def _opaque(poster: Path) -> Image.Image:
    with Image.open(poster) as file:
        face = Image.new("RGB", file.size, (246, 243, 237))
        face.paste(file.convert("RGBA"), mask=file.convert("RGBA").getchannel("A"))
    return face
