"""Hostile text in queries, headers and arguments, and values of other kinds than are wanted."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any
from urllib.parse import quote

import httpx
from gradio_client import Client, handle_file

from tests.serving import App
from trials.corpus import EXAMPLE
from trials.injection import WORKED_OUT
from trials.trying import FAULT, REFUSED, FaultError, Tried, attempt
from trials.web.client import SMALL, arguments_of, get, upload
from trials.web.requests import QUICK


def not_reflected(app: App, text: str) -> str:
    odd = "".join(it for it in text if it.isprintable() and it.isascii()) or "<x>"
    ways: list[tuple[str, dict[str, str]]] = [
        (f"/?{name}={quote(text)}", {}) for name in ("session", "__theme", "view", "x", "__lang")
    ]
    ways += [
        (f"/?{quote(text)}", {}),
        (f"/{quote(text, safe='')}", {}),
        (f"/gradio_api/gaze/{quote(text, safe='')}/x", {}),
    ]
    ways += [
        ("/", {name: odd})
        for name in ("Host", "X-Forwarded-Host", "X-Forwarded-Proto", "X-Gradio-Server", "Referer", "Accept-Language")
    ]
    ways += [("/", {"X-Forwarded-For": odd}), ("/", {"X-Forwarded-Prefix": odd}), ("/", {"Cookie": f"a={odd}"})]
    for path, headers in ways:
        status, told, body = get(app, path, headers)
        if status >= 500:
            raise FaultError(f"{path} {headers}: it ends in {status}.")
        html = told.get("Content-Type", "").startswith("text/html")
        if html and ("<" in text or "{{" in text) and (text.encode() in body or odd.encode() in body):
            raise FaultError(f"{path} {headers}: it stands in the page.")
        if WORKED_OUT.encode() in body:
            raise FaultError(f"{path} {headers}: a template was run.")
    return "text"


def arguments(app: App, texts: tuple[str, ...]) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    for text in texts:
        for name, arguments in (
            *(
                ("/generate", {"photo": handle_file(EXAMPLE), **SMALL, it: text})
                for it in ("engine", "keys", "framing")
            ),
            *(("/generate", {"photo": handle_file(EXAMPLE), **SMALL, it: text}) for it in ("video", "mode", "size")),
            ("/session", {"session": text}),
            ("/preview", {"photo": text}),
            ("/preview", {"photo": handle_file(EXAMPLE), "head": text}),
        ):
            yield _told(partial(client.predict, api_name=name, **arguments), f"{name} {text[:60]!r}")


def _told(ask: Callable[[], Any], what: str) -> Tried:
    started = time.monotonic()
    try:
        ask()
    except Exception as error:
        words = str(error)
        odd = "Traceback" in words or 'File "' in words or not words
        return Tried(FAULT if odd else "text", f"{what}: {words[:300]}", time.monotonic() - started)
    return Tried(FAULT, f"{what}: it is taken.", time.monotonic() - started)


def kinds(app: App) -> Iterator[Tried]:
    """Values of other kinds than are wanted; what another run of the same client would do cannot be sent by it."""
    with httpx.Client(base_url=app.address, timeout=60) as here:
        right = arguments_of(here, "generate", photo=upload(here, EXAMPLE.read_bytes()), **SMALL)
        odd = ["null", "NaN", "1e999", "-1e308", "1" + "0" * 30]
        odd += ['"x"', "[]", "{}", '["warp"]', '{"__type__": "update"}']
        for place in range(1, len(right)):
            for value in odd:
                values = [value if number == place else json.dumps(it) for number, it in enumerate(right)]
                body = f'{{"data": [{", ".join(values)}]}}'
                yield attempt(partial(_says_why, here, body), QUICK, f"argument {place}: {value}")


def _says_why(here: httpx.Client, body: str) -> str:
    asked = here.post("/gradio_api/call/generate", content=body, headers={"Content-Type": "application/json"})
    answer = here.get(f"/gradio_api/call/generate/{asked.json()['event_id']}").text
    if "event: error" in answer and '"title": "Not possible"' not in answer:
        raise FaultError(answer[-300:])
    return REFUSED if "event: error" in answer else "portrait"
