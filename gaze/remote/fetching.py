"""Fetches a portrait that another Gaze made: no more than a portrait may have, and nothing but its files.

The other side is trusted no more than anybody: what it sends may have no end, or unpack to more than any disk has.
"""

from __future__ import annotations

import re
import time
import zipfile
import zlib
from collections.abc import Generator
from pathlib import Path
from typing import IO
from urllib.parse import quote

import httpx
from gradio_client import Client

from gaze.errors import GazeError
from gaze.output.metadata import Metadata
from gaze.output.sprites import POSTER
from gaze.output.validator import check
from gaze.progress import Progress
from gaze.remote.bounds import SILENCE

MOST = 2**30
"""Bytes that a portrait may have, packed or not: ten times what one of 900 looks of 640 pixels has."""
_ENTRIES = 200
_TIME = 1800.0
"""Seconds that fetching may take."""
_BLOCK = 2**20
_ODD = (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, zlib.error, ValueError)
"""What Python's zipfile raises for zips that are damaged or of kinds that it cannot read."""
_FILE = re.compile(
    r"gaze-portrait/((?:q[0-3](?:_\d+)?|sheet|poster)\.webp|(?:gaze|stills)\.pack|metadata\.json)", re.ASCII
)
"""What is taken out of the zip. Pages and scripts are not: they would be served as if they were ours."""


def fetch(client: Client, address: str, path: str, target: Path) -> Generator[Progress, None, None]:
    """Fetch a file of another Gaze.

    Args:
        client: is connected with it.
        address: as people know it.
        path: of the file there.
        target: where it goes.

    Raises:
        GazeError: it is larger than a portrait can be, or takes too long.
        httpx.HTTPError: the connection was lost.
    """
    deadline = time.monotonic() + _TIME
    place = f"{client.src_prefixed}file={quote(path)}"
    asked = {"headers": client.headers, "cookies": client.cookies, "timeout": SILENCE}
    with httpx.stream("GET", place, **asked) as answer, target.open("wb") as file:
        answer.raise_for_status()
        total = int(answer.headers.get("Content-Length", 0))
        for block in answer.iter_bytes(_BLOCK):
            file.write(block)
            if max(total, file.tell()) > MOST:
                raise GazeError(f"{address} sends more than {MOST >> 20} MB, as no portrait needs. Try again.")
            if time.monotonic() > deadline:
                raise GazeError(f"Fetching the portrait from {address} takes too long. Try again, or a smaller one.")
            yield Progress("fetch", file.tell(), total, "Fetching the portrait")


def unpack(archive: Path, address: str, folder: Path) -> Metadata:
    """Put the portrait's files into a folder; returns its metadata.

    Args:
        archive: a zip of another Gaze.
        address: where it came from.
        folder: where the files go.

    Raises:
        GazeError: the zip is none, or odd, or no whole portrait is in it that keeps to docs/format.md; what is in its
            pictures shows when they are decoded.
    """
    names = set[str]()
    left = MOST
    try:
        with zipfile.ZipFile(archive) as files:
            if len(files.infolist()) > _ENTRIES:
                raise GazeError("There are too many files in it.")
            for entry in files.infolist():
                if not (name := _FILE.fullmatch(entry.filename)):
                    continue
                if name[1] in names or entry.flag_bits & 1:
                    raise GazeError(f"{name[1]} is encrypted, or listed twice.")
                names.add(name[1])
                with files.open(entry) as source, (folder / name[1]).open("wb") as target:
                    left = _copy(source, target, left)
        metadata = Metadata.read(folder)
        if missing := {*metadata.files, metadata.poster or POSTER} - names:
            raise GazeError(f"{', '.join(sorted(missing))} is missing.")
        if problems := check(folder, decode=False):
            raise GazeError(problems[0])
    except (GazeError, *_ODD) as error:
        told = str(error).replace(f"{folder}/", "").replace(str(folder), "its folder").replace(str(archive), "the zip")
        raise GazeError(f"What {address} sent is not complete: {told.rstrip('.')}. Try again.") from error
    return metadata


def _copy(source: IO[bytes], target: IO[bytes], left: int) -> int:
    """Copy no more than what is left; returns what is left after it. What the zip says of sizes is not believed."""
    while block := source.read(_BLOCK):
        left -= len(block)
        if left < 0:
            raise GazeError(f"It unpacks to more than {MOST >> 20} MB.")
        target.write(block)
    return left
