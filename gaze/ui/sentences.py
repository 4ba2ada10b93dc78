"""Every error of an endpoint is a sentence. What Gradio or a library raised is put into words, or logged whole."""

from __future__ import annotations

import json
import logging
import re
from typing import Any, cast

import gradio as gr
from gradio.blocks import BlockFunction
from gradio.exceptions import InvalidPathError
from pydantic import ValidationError
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gaze.errors import GazeError
from gaze.ui.visitors import for_visitors

_log = logging.getLogger(__name__)

RESTARTED = "This photo is not here any more, or was never uploaded: the app may have been restarted. Add it again."
UNEXPECTED = "Something went wrong on our side. Try again; if it happens again, tell whoever runs this app."
NO_FILE = (
    "“photo” is not an uploaded file. Upload it to gradio_api/upload first, then send "
    '{"path": "<what came back>", "meta": {"_type": "gradio.FileData"}}.'
)
_MISFIT = (
    'The request does not fit. Send JSON, either {{"data": [...]}} with all values in their order, or, to '
    "gradio_api/call/v2/{name}, an object with the arguments by name. gradio_api/info lists them."
)
_BUSY = "Too many requests are waiting just now. Try again in a minute."
_CALLS = re.compile(r"/gradio_api/(?:call(?:/v2)?|run|api)/([^/]*)/?", re.ASCII)
_BUSY_STATUS = 503
_NOT_HERE = "is not in the cache folder"
"""Of what Gradio says of a file that an earlier app had."""


class Blocks(gr.Blocks):
    """Gradio's, with our words: it would answer null to what it did not raise itself, and advise a public link."""

    @property
    def mcp_server(self) -> bool:
        """Whether Gradio prints the address of its MCP server, which no `quiet` prevents."""
        return False

    @mcp_server.setter
    def mcp_server(self, is_there: bool) -> None: ...

    def block_thread(self) -> None:
        """Tell the address, and serve until interrupted."""
        print(f"* Running on local URL:  {str(self.local_url).rstrip('/')}", flush=True)
        super().block_thread()

    async def process_api(
        self, block_fn: BlockFunction | int, inputs: list[Any], *more: Any, **named: Any
    ) -> dict[str, Any]:
        """As Gradio has it, with errors that say something.

        Raises:
            gr.Error: it cannot be done; the message says why.
        """
        event = self.fns[block_fn] if isinstance(block_fn, int) else block_fn
        if not event.batch and len(inputs) < len(event.inputs):
            wanted = ", ".join(str(block.label) for block in event.inputs if isinstance(block, gr.components.Component))
            raise refusal(f"{len(inputs)} values were given, and {len(event.inputs)} are needed: {wanted}.")
        try:
            return await super().process_api(block_fn, inputs, *more, **named)
        except gr.Error as error:
            if _NOT_HERE in str(error.message):  # Gradio would show the photo's path
                raise refusal(RESTARTED) from None
            raise
        except GazeError as error:
            raise refusal(error) from error
        except Exception as error:
            _log.exception("An endpoint could not answer.")
            raise refusal(UNEXPECTED) from error

    async def preprocess_data(self, *given: Any, **named: Any) -> list[Any]:
        """The values that an endpoint takes, of what a caller sent.

        Raises:
            gr.Error: the photo is none, or not here; Gradio would log its name.
        """
        try:
            return cast("list[Any]", await super().preprocess_data(*given, **named))
        except (InvalidPathError, FileNotFoundError):
            raise refusal(RESTARTED) from None
        except ValidationError:
            raise refusal(NO_FILE) from None


def refusal(error: GazeError | str) -> gr.Error:
    """An error as Gradio hands it to callers; of ours without the server's paths."""
    message = error if isinstance(error, str) else for_visitors(error)
    return gr.Error(message, title="Not possible", print_exception=False)


class Sentences:
    """ASGI middleware: a call that Gradio refuses before it becomes an event is told why, too.

    Args:
        app: takes the calls.
        names: of the endpoints.
    """

    def __init__(self, app: ASGIApp, names: tuple[str, ...]) -> None:
        self._app, self._names = app, names

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        call = _CALLS.search(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if not call:
            await self._app(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, receive, answer)
        except Exception:
            if answer.begun:
                raise
            if call[1] in self._names:
                _log.info("A call of %s does not fit.", call[1])
            answer.status = answer.status or 400
        if answer.status:
            await _refuse(send, *self._sentence(call[1], answer))

    def _sentence(self, name: str, answer: _Answer) -> tuple[int, str]:
        if name not in self._names:
            return 404, f"There is no endpoint of this name. There are: {', '.join(self._names)}."
        if answer.status == _BUSY_STATUS:
            return _BUSY_STATUS, _BUSY
        if said := answer.said():
            return answer.status, said
        return 400, _MISFIT.format(name=name)


async def _refuse(send: Send, status: int, message: str) -> None:
    body = json.dumps({"error": message}).encode()
    headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": status, "headers": headers})
    await send({"type": "http.response.body", "body": body})


class _Answer:
    """Sends an answer on; a refusal is kept back."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._body = b""
        self.begun = False
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and message["status"] >= 400:
            self.status = message["status"]
        if not self.status:
            self.begun = True
            await self._send(message)
        elif message["type"] == "http.response.body":
            self._body += message.get("body", b"")

    def said(self) -> str:
        """The sentence that it holds already; "" if it has none."""
        try:
            said = json.loads(self._body)["error"]
        except (ValueError, KeyError, TypeError):
            return ""
        return said if isinstance(said, str) else ""
