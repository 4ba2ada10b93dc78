"""Where the app is: for others who are given a link to it, and for a page of it that leads back."""

from __future__ import annotations

import os

from starlette.requests import Request


def address_of(request: Request) -> str:
    """The whole address of this page, as others reach it."""
    if host := os.environ.get("SPACE_HOST"):
        return f"https://{host}{request.url.path}"
    given = os.environ.get("GRADIO_ROOT_PATH", "").rstrip("/")
    if given.startswith(("http://", "https://")):
        return given + request.url.path
    return f"{request.url.scheme}://{request.url.netloc}{given}{request.url.path}"


def path_to_app(request: Request) -> str:
    """From this page to the app, relative: a web server before the app may have cut off the path that both lie in."""
    return "../" * (request.scope["path"].count("/") - 1) or "./"
