"""Pages without Gradio: a portrait's own, and the one for an address where nothing is."""

from __future__ import annotations

import html
from importlib.resources import files

from fastapi.exception_handlers import http_exception_handler
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from gaze.ui.address import path_to_app
from gaze.ui.answers import titled
from gaze.ui.link_preview import tags

GONE = "This portrait is gone. Portraits are kept for a limited time, or until their owner deletes them."
NOTHING = "There is nothing here. The address is wrong, or what was here is gone."
HEADERS = {"Cache-Control": "no-cache", "X-Robots-Tag": "noindex"}
"""Browsers ask again before they show it, and search engines leave it out."""


def small_page(request: Request, head: str, body: str, way: str, status: int = 200) -> Response:
    """A page with one button.

    Args:
        request: what is answered.
        head: tags, as `gaze.ui.link_preview.tags` makes them.
        body: markup.
        way: words on the button, which leads to the app.
        status: of the answer.
    """
    page = files("gaze.ui").joinpath("page", "share.html").read_text(encoding="utf-8")
    markup = {"head": head, "root": path_to_app(request), "body": body, "way": html.escape(way)}
    # In one pass: what is put in is not looked through again.
    parts = page.split("{{")
    filled = parts[0] + "".join(markup[name] + rest for name, _, rest in (part.partition("}}") for part in parts[1:]))
    return HTMLResponse(filled, status, HEADERS)


def refused(request: Request, message: str, status: int = 404, way: str = "Open Gaze") -> Response:
    """What cannot be had: a page for a person, `{"error": message}` for a program.

    Args:
        request: what is answered.
        message: what is said; its first sentence is the page's title.
        status: of the answer.
        way: words on the page's button, which leads to the app.
    """
    if "text/html" in request.headers.get("accept", ""):
        title, text = titled(message).values()
        words = f'<div class="gone"><h1>{html.escape(title)}</h1><p>{html.escape(text)}</p></div>'
        answer = small_page(request, tags(title, text), f'<div class="stage">{words}</div>', way, status)
    else:
        answer = JSONResponse({"error": message}, status, HEADERS)
    answer.headers["Cache-Control"] = "no-store"
    answer.headers["Vary"] = "Accept"
    return answer


async def not_found(request: Request, error: Exception) -> Response:
    """Handles a 404 that Gradio or Starlette raised; where it says more than that, its own programs read it."""
    assert isinstance(error, HTTPException)
    page = refused(request, NOTHING)
    if page.media_type == "text/html" or str(error.detail).lower() == "not found":
        return page
    return await http_exception_handler(request, error)
