"""The app as tools of the Model Context Protocol, used by a client of that protocol as assistants have it."""

from __future__ import annotations

import ast
import asyncio
import base64
import re
import shutil
import sys
import urllib.request
import zipfile
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import pytest

from gaze.options import Options
from gaze.storage.sessions import SessionStore
from gaze.ui import api as module
from gaze.ui.api import Api
from gaze.ui.app import build
from gaze.ui.handlers import Handlers
from gaze.ui.queue import Queue

pytest.importorskip("mcp", reason="mcp is missing: pip install 'gradio[mcp]'")

from mcp import ClientSession, StdioServerParameters
from mcp.client.stdio import stdio_client
from mcp.client.streamable_http import streamable_http_client


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The page and its endpoints with small portraits."""
    place = tmp_path_factory.mktemp("app")
    results, previews, queue = SessionStore(place / "results"), SessionStore(place / "previews"), Queue()
    run = module.run

    def small(photo: Path, out: Path, options: Options) -> Any:
        return run(photo, out, replace(options, engine="warp", keys=5, frame_size=128))

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "run", small)
        page = build(Handlers(results, previews, queue), Api(results, previews, queue), results)
        page.queue(max_size=20)
        _, found, _ = page.launch(prevent_thread_lock=True, quiet=True, ssr_mode=False, mcp_server=True)
        yield found
        page.close()


pytestmark = pytest.mark.filterwarnings("ignore:.*no_silent_downcasting")  # in Gradio's own statistics

Ask = Callable[[ClientSession], Awaitable[Any]]


def with_client(address: str, ask: Ask) -> Any:
    async def go() -> Any:
        streams = streamable_http_client(f"{address}gradio_api/mcp/")
        async with streams as (read, write, _), ClientSession(read, write) as session:
            await session.initialize()
            return await ask(session)

    return asyncio.run(go())


def with_upload_tool(address: str, folder: Path, ask: Ask) -> Any:
    """The tool that Gradio gives to assistants for files of the person's own machine."""
    program = StdioServerParameters(
        command=sys.executable,
        args=["-c", "from gradio.cli import cli; cli()", "upload-mcp", address, str(folder)],
    )

    async def go() -> Any:
        async with stdio_client(program) as (read, write), ClientSession(read, write) as session:
            await session.initialize()
            return await ask(session)

    return asyncio.run(go())


def call(name: str, **arguments: Any) -> Ask:
    return lambda session: session.call_tool(name, arguments)


def text_of(answer: Any) -> str:
    return "\n".join(part.text for part in answer.content if part.type == "text")


def tool(address: str, name: str) -> str:
    """Its whole name: Gradio may put the app's before it."""
    tools = with_client(address, lambda session: session.list_tools()).tools
    [found] = [it.name for it in tools if it.name == name or it.name.endswith(f"_{name}")]
    return str(found)


def test_its_tools_say_what_they_are_for(address: str) -> None:
    tools = with_client(address, lambda session: session.list_tools()).tools
    assert {re.sub(r".*_", "", it.name) for it in tools} == {"generate", "preview", "session", "health"}
    for it in tools:
        assert it.description
    [generate] = [it for it in tools if it.name.endswith("generate")]
    assert "portrait" in generate.description
    assert generate.inputSchema["properties"]["photo"]["type"] == "string"


def test_a_portrait_from_a_file_that_the_upload_tool_sent(address: str, photo: Path, tmp_path: Path) -> None:
    shutil.copy(photo, tmp_path / "portrait.jpg")
    sent = with_upload_tool(address, tmp_path, call("upload_file_to_gradio", file=str(tmp_path / "portrait.jpg")))
    place = text_of(sent).strip()
    assert place.startswith(address)
    made = with_client(address, call(tool(address, "generate"), photo=place))
    assert not made.isError, text_of(made)
    manifest, archive = ast.literal_eval(text_of(made))  # which is how Gradio writes several values
    assert manifest["pack"] == "gaze.pack"
    with urllib.request.urlopen(archive["url"]) as answer, zipfile.ZipFile(BytesIO(answer.read())) as files:
        assert "gaze-portrait/index.html" in files.namelist()


def test_a_preview_from_a_data_url(address: str, photo: Path) -> None:
    url = f"data:image/jpeg;base64,{base64.b64encode(photo.read_bytes()).decode()}"
    made = with_client(address, call(tool(address, "preview"), photo=url))
    assert not made.isError, text_of(made)
    assert '"pack"' in text_of(made).replace("'", '"')


@pytest.mark.parametrize(
    ("photo", "words"),
    [
        ("https://example.com/x.jpg", "fetches no photos"),
        ("https://x.example/gradio_api/file=/etc/hostname", "not here"),
    ],
)
def test_what_cannot_be_done_is_told_in_words(address: str, photo: str, words: str) -> None:
    answer = with_client(address, call(tool(address, "preview"), photo=photo))
    assert answer.isError
    assert words in text_of(answer)
