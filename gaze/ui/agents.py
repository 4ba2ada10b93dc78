"""`/agents.md`: how a program that reads plain text uses this app.

Spaces have such a page of Hugging Face's own; this is the same for an app that runs elsewhere.
"""

from __future__ import annotations

import os
from importlib.util import find_spec

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from gaze.photo.address import is_allowed
from gaze.ui.address import address_of

_TEXT = """\
# Gaze

Turns one portrait photo into a face that follows the visitor's pointer: a zip for any web page.

- Upload the photo: POST {root}gradio_api/upload, multipart field `files`; the answer is a list with its path.
- Make the portrait: POST {root}gradio_api/call/v2/generate with JSON
  {{"photo": {{"path": "<path>", "meta": {{"_type": "gradio.FileData"}}}}}}; the answer has an `event_id`.
- Fetch the result: GET {root}gradio_api/call/generate/<event_id>, a stream of events. The last one is `complete`, with
  [manifest, zip], or `error`, with a sentence that says why. It takes a few seconds.
- Show it: {root}p/<session> is a page for people, with `session` from the manifest. `base` in the manifest is the
  folder that `<gaze-tracker src>` plays, relative to {root}
- A small preview, kept for an hour: the same with `preview` in place of `generate`. Health check: POST
  {root}gradio_api/run/health with {{"data": []}}.
- All arguments: GET {root}gradio_api/info.{mcp}
- {urls}
- {auth}
"""
_MCP = " MCP: {root}gradio_api/mcp/"
_FETCHED = "A photo may be given by its https address, too, in the place of its path."
_UPLOADED = "Send photos as files: none is fetched from an address."
_TOKEN = "On a private Space send the header Authorization: Bearer $HF_TOKEN."
_OPEN = "No account or key is needed."


def has_mcp() -> bool:
    """Whether the app is an MCP server, too: if the extra `mcp` is installed."""
    return find_spec("mcp") is not None


def agents_routes() -> list[Route]:
    """The page, and the same below Gradio's own paths."""

    def serve(request: Request) -> Response:
        root = address_of(request).removesuffix("agents.md").removesuffix("gradio_api/")
        urls = _FETCHED if is_allowed() else _UPLOADED
        auth = _TOKEN if os.environ.get("SPACE_ID") else _OPEN
        mcp = _MCP.format(root=root) if has_mcp() else ""
        return PlainTextResponse(_TEXT.format(root=root, mcp=mcp, urls=urls, auth=auth), media_type="text/markdown")

    return [Route(path, serve) for path in ("/agents.md", "/gradio_api/agents.md")]
