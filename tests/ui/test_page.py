import re
from functools import partial
from importlib.resources import files
from typing import Any, cast

import anyio
import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.ui import page as module
from gaze.ui.answers import Answer
from gaze.ui.limit import AtOnce
from gaze.ui.page import head, page_routes

FOLDER = files("gaze.ui").joinpath("page")
SCRIPTS = {path.name: path.read_text() for path in FOLDER.iterdir() if path.name.endswith(".js")}


def test_the_markup_is_nothing_that_gradio_would_run() -> None:
    """Templates are Handlebars first, and the text of a JavaScript template then."""
    markup = FOLDER.joinpath("page.html").read_text()
    assert not re.search(r"\$\{|\{\{|`|<script", markup)


def test_no_script_writes_markup() -> None:
    """Text of visitors stays text."""
    for name, script in SCRIPTS.items():
        assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", script), name


@pytest.mark.parametrize("root", ["", "/faces"])
def test_all_that_the_page_asks_for_is_served(root: str) -> None:
    """At its root, too, and below a path that a web server before it has cut off."""
    app = TestClient(Starlette(routes=page_routes()), root_path=root)
    for name in re.findall(r'(?:href|src)="(.*?)"', head()):
        if name.startswith("static/"):  # Gradio serves its own
            assert files("gradio").joinpath("templates", "frontend", name).is_file(), name
            continue
        answer = app.get(f"/{name}")
        assert answer.status_code == 200, name
        assert answer.headers["cache-control"] == "no-cache"
        assert app.get(f"/{name}", headers={"If-None-Match": answer.headers["etag"]}).status_code == 304
    widget = files("gaze.widget").joinpath("gaze-tracker.js").read_text()
    assert app.get("/gradio_api/gaze-widget/gaze-tracker.js").text == widget
    assert app.get("/gradio_api/gaze-widget/gaze-tracker-more.js").status_code == 200
    assert app.get("/gradio_api/gaze-page/example/0").headers["content-type"] == "image/jpeg"
    for name in ("example/99", "../handlers.py", "..%2fhandlers.py", "nothing.js"):
        assert app.get(f"/gradio_api/gaze-page/{name}").status_code == 404


def test_every_element_that_scripts_look_for_is_there() -> None:
    markup = FOLDER.joinpath("page.html").read_text()
    made = set(re.findall(r'id: "([\w-]+)"', "".join(SCRIPTS.values())))
    wanted = set(re.findall(r'\$\("([\w-]+)"\)', "".join(SCRIPTS.values())))
    assert wanted <= set(re.findall(r'id="([\w-]+)"', markup)) | made


def test_events_that_scripts_trigger_are_named_where_gradio_looks() -> None:
    for name in ("make", "follow"):
        assert f"trigger('{name}')" in module._START
        assert f'"{name}"' in SCRIPTS["work.js"]


def test_what_takes_long_is_done_in_turn_and_too_much_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AtOnce", partial(AtOnce, 1, waiting=1))
    look = module._server_function_in_turn(lambda data, request: {"answer": data})
    answers: list[Answer] = []

    async def ask(number: int) -> None:
        answers.append(await look(number, cast(Any, None)))

    async def ask_at_once() -> None:
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(ask, number)

    anyio.run(ask_at_once)
    assert {it["answer"] for it in answers if "answer" in it} == {0, 1}
    [told] = [it["problem"]["title"] for it in answers if "problem" in it]
    assert told == "You asked for too many previews at once."
