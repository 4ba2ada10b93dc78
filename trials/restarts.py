"""The app is asked to end at random moments of a run, and started again. It may leave no photo and no unfinished
portrait. A page or program that was open is told to add the photo again. The log names neither photo nor portrait.
"""

from __future__ import annotations

import signal
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

from gaze.ui.sentences import RESTARTED
from tests.serving import serving
from trials.corpus import EXAMPLE
from trials.kills import Trial
from trials.trying import FaultError, Row, Size, attempt_here
from trials.web.client import call, upload, visitor

_NAME = "nobody-elses-face.jpg"


def rows(size: Size) -> Iterator[Row]:
    for end, times in ((signal.SIGTERM, size.of(2, 20)), (signal.SIGINT, size.of(1, 10))):
        with tempfile.TemporaryDirectory() as folder, Trial(Path(folder), end) as trial:
            trial.finish_one()
            yield Row(f"{end.name} at a random moment of a run, or shortly after", list(trial.spread(times)))
    with tempfile.TemporaryDirectory() as folder:
        yield from _open_meanwhile(Path(folder))


def _open_meanwhile(place: Path) -> Iterator[Row]:
    with serving(place) as app, visitor(app, 0) as web:
        answer = web.post("/gradio_api/upload", files={"files": (_NAME, EXAMPLE.read_bytes())})
        photo = {"path": answer.json()[0], "meta": {"_type": "gradio.FileData"}}
        if "event: complete" not in web.get(call(web, "preview", photo=photo)).text:
            raise FaultError("It does not work before either.")
    with serving(place) as app, visitor(app, 0) as web:
        endpoints = ("preview", "generate")
        told = [attempt_here(partial(_is_told, web, it, photo), it) for it in endpoints]
        yield Row("programs that name a photo of the app that was", told)
        again = attempt_here(lambda: _works(web))
        yield Row("the photo, added again", [again])
        yield Row("names in the log", [attempt_here(partial(_names_nothing, app.log))])


def _is_told(web: Any, endpoint: str, photo: dict[str, Any]) -> str:
    text = web.get(call(web, endpoint, photo=photo)).text
    if RESTARTED not in text:
        raise FaultError(text[-200:])
    return "told to add it again"


def _works(web: Any) -> str:
    text = web.get(call(web, "preview", photo=upload(web, EXAMPLE.read_bytes()))).text
    if "event: complete" not in text:
        raise FaultError(text[-200:])
    return "preview"


def _names_nothing(log: Path) -> str:
    if _NAME.removesuffix(".jpg") in log.read_text():
        raise FaultError("It names the photo.")
    return "none"
