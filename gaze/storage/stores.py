"""Where the app keeps its results: a folder, or a file system elsewhere, such as an S3 bucket."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

from fsspec.core import split_protocol

from gaze.cache import cache_folder
from gaze.storage.filesystem import RemoteFolder
from gaze.storage.remote_store import RemoteStore
from gaze.storage.sessions import SessionStore, time_kept


def open_store() -> SessionStore:
    """The store that `GAZE_STORE` names, a folder or a URL, ready for use; else a folder in the user's cache.

    Raises:
        GazeError: it cannot be used, or `GAZE_KEEP_DAYS` is wrong.
    """
    cache = cache_folder()
    url = os.environ.get("GAZE_STORE") or str(cache / "sessions")
    protocol, path = split_protocol(url)
    store: SessionStore
    if protocol in (None, "file", "local"):
        store = SessionStore(Path(path).expanduser(), time_kept())
    else:
        place = cache / "stores" / hashlib.sha256(url.encode()).hexdigest()[:16]
        store = RemoteStore(RemoteFolder(url), place, time_kept())
    store.check()
    return store
