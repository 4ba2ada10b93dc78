"""Zips of what was made, from folders with odd files in them."""

from __future__ import annotations

import io
import os
import zipfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from gradio_client import Client, handle_file

from tests.serving import App
from trials.corpus import EXAMPLE
from trials.injection import TEXTS
from trials.trying import FaultError, Tried, attempt
from trials.web.client import SMALL, get


def zips(app: App, place: Path) -> Iterator[Tried]:
    client = Client(app.address, download_files=False, verbose=False)
    made = client.predict(photo=handle_file(EXAMPLE), api_name="/generate", **SMALL)[0]
    folder = app.store / made["session"]
    yield attempt(partial(_checked_zip, app, made["zip"]), what="as made")
    odd = ["..\\evil.webp", "a\nb", "c:evil", ".evil", "evil..webp", "ü.webp", "evil.webp ", *TEXTS[:6]]
    for name in odd:
        path = folder / name.replace("/", "∕")
        path.write_bytes(b"secret")
        yield attempt(partial(_checked_zip, app, made["zip"]), what=repr(name))
        path.unlink()
    for target in ("/etc/passwd", app.store / ".key", place):
        (folder / "evil.webp").symlink_to(target)
        yield attempt(partial(_checked_zip, app, made["zip"]), what=f"a link to {target}")
        (folder / "evil.webp").unlink()
    os.mkfifo(folder / "evil.webp")
    yield attempt(partial(_checked_zip, app, made["zip"]), what="a pipe")


def _checked_zip(app: App, path: str) -> str:
    status, _, body = get(app, f"/{path}")
    if status != 200:
        raise FaultError(f"It ends in {status}.")
    archive = zipfile.ZipFile(io.BytesIO(body))
    names = archive.namelist()
    if archive.testzip() or len(set(names)) != len(names):
        raise FaultError("It is damaged.")
    for entry in archive.infolist():
        start, _, name = entry.filename.partition("/")
        plain = start == "gaze-portrait" and name.replace(".", "").replace("-", "").replace("_", "").isalnum()
        if not plain or "evil" in name or entry.external_attr >> 16 & 0o777 != 0o644 or entry.external_attr >> 28:
            raise FaultError(f"It has {entry.filename!r}.")
    return "plain files in one folder"
