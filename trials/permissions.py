"""What another user of the machine can read of the app's files, with an open umask and with folders that were open
before. As root another user really tries; otherwise only the modes are checked.
"""

from __future__ import annotations

import os
import shutil
import stat
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

from gradio_client import Client, handle_file

from gaze.storage.sessions import SessionStore
from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.trying import FaultError, Row, Size, attempt_here

_NOBODY = 65534
_LOOK = 'while read -r path; do if [ -r "$path" ]; then echo "$path"; fi; done'
_LONG = {"engine": "warp", "size": 20, "sheets": True, "sheet_size": 256}


def rows(size: Size) -> Iterator[Row]:
    for what, prepare in _STARTS.items():
        with tempfile.TemporaryDirectory() as folder:
            place = Path(folder)
            place.chmod(0o755)
            prepare(place)
            with serving(place, "-c", _LAX, "app.py") as app:
                tries = [attempt_here(partial(_during, app, place)), attempt_here(partial(_unseen, place))]
                if size.share:
                    _remove_all(place, app)
                    tries.append(attempt_here(partial(_during, app, place)))
            yield Row(what, tries)


_LAX = "import os, runpy, sys; os.umask(0); sys.argv = sys.argv[1:]; runpy.run_path(sys.argv[0], run_name='__main__')"


def _open_to_all(place: Path) -> None:
    store = SessionStore(place / "store")
    store.check()
    store.root.chmod(0o777)
    (old := store.root / ("a" * 32)).mkdir()
    (old / "input.jpg").write_bytes(EXAMPLE.read_bytes())
    (old / "metadata.json").write_text("{}")
    old.chmod(0o777)


def _left_by_a_killed_app(place: Path) -> None:
    for name in ("gaze-app-left/uploads/0a", "store/.draft-left"):
        (place / name).mkdir(parents=True)
        (place / name / "photo.jpg").write_bytes(EXAMPLE.read_bytes())
    for path in place.rglob("*"):
        path.chmod(0o777)


_STARTS: dict[str, Callable[[Path], None]] = {
    "files and folders of an app, with a umask of 0": lambda place: None,
    "a store that was open to all": _open_to_all,
    "what a killed app left, open to all": _left_by_a_killed_app,
}


def _during(app: App, place: Path) -> str:
    """Look again and again while a portrait is made."""
    client = Client(app.address, download_files=False, verbose=False)
    client.predict(photo=handle_file(EXAMPLE), api_name="/preview")
    job = client.submit(photo=handle_file(EXAMPLE), api_name="/generate", **_LONG)
    seen, looks = set[str](), 0
    while not job.done():
        seen |= _readable(place)
        looks += 1
    job.result()
    if seen:
        raise FaultError(f"Others can read {sorted(seen)[0]} and {len(seen) - 1} more.")
    return "nothing" if looks else "finished before"


def _unseen(place: Path) -> str:
    if seen := _readable(place):
        raise FaultError(f"Others can read {sorted(seen)[0]} and {len(seen) - 1} more.")
    return "nothing"


def _readable(place: Path) -> set[str]:
    """What somebody else can read of all files that there are, and of their folders, but for the log of this trial."""
    files = [Path(above) / name for above, _, names in os.walk(place) for name in names]
    files.remove(place / "log")
    folders = {above for path in files for above in path.parents if above.is_relative_to(place) and above != place}
    paths = [str(path) for path in (*files, *folders)]
    if os.getuid():
        return {path for path in paths if not _is_closed(Path(path), place)}
    somebody: dict[str, Any] = {"user": _NOBODY, "group": _NOBODY, "extra_groups": []}
    command = ["/bin/sh", "-c", _LOOK]
    looked = subprocess.run(command, input="\n".join(paths), stdout=subprocess.PIPE, text=True, check=True, **somebody)
    return set(looked.stdout.splitlines())


def _is_closed(path: Path, place: Path) -> bool:
    above = [path, *(it for it in path.parents if it.is_relative_to(place) and it != place)]
    modes = [stat.S_IMODE(it.lstat().st_mode) for it in above if it.exists()]
    return any(not mode & 0o077 for mode in modes)


def _remove_all(place: Path, app: App) -> None:
    """As somebody does who tidies up /tmp while the app runs."""
    for folder in (*place.glob("gaze-app-*/*"), app.store):
        shutil.rmtree(folder, ignore_errors=True)
