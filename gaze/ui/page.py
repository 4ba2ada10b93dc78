"""The page: one component with its own markup, style and scripts, all in the folder `page` beside this module.

The markup is constant. Text of visitors never becomes part of it: scripts set it as text, since Gradio would run what
stands in a template.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict
from importlib.resources import files
from typing import Any

import gradio as gr
from anyio.to_thread import run_sync
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import BaseRoute, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from gaze.errors import GazeError
from gaze.matting.finest import is_finest_there
from gaze.output.bundle import GROUP, MORE, SCRIPT
from gaze.photo.portrait import MAX_BYTES
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui import hero
from gaze.ui.answers import Answer, problem_of
from gaze.ui.handlers import Handlers
from gaze.ui.hero import example_photos
from gaze.ui.limit import AtOnce, client_of
from gaze.ui.share import share_path
from gaze.ui.small_page import NOTHING, refused

ROOT, _WIDGET = "gradio_api/gaze-page", "gradio_api/gaze-widget"
"""Below Gradio's own paths, since a Space's page server passes only such on."""
_FOLDER = files("gaze.ui").joinpath("page")
_STYLES = ("base", "shell", "stage", "column", "controls", "start", "sheets", "wide")
_BOLD = "static/fonts/IBMPlexSans/IBMPlexSans-Bold.woff2"
"""Gradio's; the regular one is asked for early by Gradio's own page."""
_PLAYERS = ((SCRIPT, ""), (GROUP, ""), (MORE, " async"))
_SCRIPTS = sorted(it.name for it in _FOLDER.iterdir() if it.name.endswith(".js"))
_START = """
const root = (window.gradio_config?.root || location.origin).replace(/\\/$/, "") + "/";
import(root + "gradio_api/gaze-page/main.js").then(({start}) => {
  start({props, server, trigger, watch, root});
});
// Names of events, which Gradio looks for here: trigger('make'), trigger('follow')
"""


def head() -> str:
    """What the page needs before it is drawn; addresses are relative, since the app may lie below another's."""
    styles = "".join(f'<link rel="stylesheet" href="{ROOT}/{name}.css">' for name in _STYLES)
    scripts = "".join(f'<link rel="modulepreload" href="{ROOT}/{name}">' for name in _SCRIPTS)
    # A font that came late would move all lines; the first preview needs the rest of the widget.
    font = f'<link rel="preload" href="{_BOLD}" as="font" type="font/woff2" crossorigin>'
    players = "".join(f'<script src="{_WIDGET}/{name}"{how}></script>' for name, how in _PLAYERS)
    return styles + font + scripts + players


def icon() -> str:
    """The file of the picture on the page's tab, which would be Gradio's."""
    return str(_FOLDER.joinpath("icon.svg"))


def add_page(handlers: Handlers, results: SessionStore, remote: str | None) -> gr.HTML:
    """Put the page into the `gr.Blocks` that are being built."""
    page = gr.HTML(
        html_template=_text("page.html"),
        js_on_load=_START,
        apply_default_css=False,
        elem_id="gaze",
        server_functions=[
            _server_function(act)
            for act in (
                *(handlers.begin, handlers.peek, handlers.stop, handlers.arrive, handlers.open, handlers.remove),
                *(handlers.share, handlers.sheets),
            )
        ]
        + [_server_function_in_turn(handlers.look)],
        config={
            "hero": hero.hero(),
            "examples": _examples(),
            "sharePath": share_path(),
            "snippets": [asdict(snippet) for snippet in ui.embed_snippets()],
            "days": results.kept / 86400,
            "remote": remote,
            "finest": not remote and is_finest_there(),
            "mostBytes": MAX_BYTES,
        },
    )
    told: dict[str, Any] = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "concurrency_limit": None,  # who has to wait does so in our own queue, where the place is told
        "trigger_mode": "multiple",
    }
    page.make(handlers.make, None, page, **told)
    page.follow(handlers.follow, None, page, **told)
    return page


def page_routes() -> list[BaseRoute]:
    """Routes for the scripts and style sheets, and for the widget's own.

    Where a stream of events has broken, Gradio's page asks every two seconds by which name the app runs, and loads
    itself anew once it is told one. Without it that page stays, with the photo that nobody else has, and ours goes on
    by itself. The browser keeps the empty answer, so that the app is asked once.
    """

    def example(request: Request) -> Response:
        photos = example_photos()
        number = request.path_params["number"]
        return FileResponse(photos[number]) if number < len(photos) else refused(request, NOTHING)

    def no_name(request: Request) -> Response:
        return Response(headers={"Cache-Control": "private, max-age=86400"})

    return [
        Route("/gradio_api/app_id", no_name),
        Route(f"/{ROOT}/example/{{number:int}}", example),
        _served(ROOT, _FOLDER),
        _served(hero.ROOT, hero.folder()),
        _served(_WIDGET, files("gaze.widget")),
    ]


def _served(root: str, folder: object) -> Route:
    """The files of a folder. A mount would not find them where a web server has cut off the path of the app."""
    found = _Files(directory=str(folder))

    async def serve(request: Request) -> Response:
        return await found.get_response(request.path_params["path"], request.scope)

    return Route(f"/{root}/{{path:path}}", serve)


def _examples() -> list[dict[str, str]]:
    small = ui.examples_of(example_photos())
    return [{**example, "still": f"{ROOT}/example/{number}"} for number, example in enumerate(small)]


class _Files(StaticFiles):
    """Asked for anew at each visit, and sent anew only when they have changed."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["Cache-Control"] = "no-cache"
        return response


def _text(name: str) -> str:
    return _FOLDER.joinpath(name).read_text(encoding="utf-8")


def _server_function(act: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """A bound method cannot carry the mark that Gradio puts on functions which the page may call."""

    def call(data: Any = None) -> Any:
        return act(data)

    call.__name__ = act.__name__
    return call


def _server_function_in_turn(act: Callable[[Any, gr.Request], Answer]) -> Callable[..., Any]:
    """One that takes long: of one client a few are done at a time, so that others find a free thread."""
    turns = AtOnce()

    async def call(data: Any, request: gr.Request) -> Answer:
        try:
            async with turns.turn(client_of(request)):
                return await run_sync(act, data, request)
        except GazeError as error:
            return {"problem": problem_of(error)}

    call.__name__ = act.__name__
    return call
