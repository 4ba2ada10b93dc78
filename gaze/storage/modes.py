"""Folders that are not for other users of the machine."""

from __future__ import annotations

import os
import re
import stat
from pathlib import Path

PRIVATE = 0o700
_SHARED = ("nfs", "cifs", "smb", "fuse", "9p", "afs", "ceph", "gluster", "lustre", "virtiofs")
"""How the names of file systems begin on which others than this machine decide about modes."""


def make_private(folder: Path) -> str:
    """Make a folder that only its owner can enter, or see to it that this holds for one that is there.

    What is somebody else's, or lies on a network, stays as it is.

    Returns:
        A sentence on what was changed, or could not be; "" where all was well.

    Raises:
        OSError: it is not there, and cannot be made.
    """
    folder.mkdir(PRIVATE, parents=True, exist_ok=True)
    state = folder.stat()
    open_to = stat.S_IMODE(state.st_mode) & 0o077
    if not open_to or not hasattr(os, "getuid"):
        return ""
    told = f"Other users of this machine can look into {folder}, where photos and portraits lie"
    if state.st_uid != os.getuid():
        return f"{told}; it belongs to another user, and stays as it is."
    if kind := _network(folder):
        return f"{told}; it lies on a file system of the kind {kind}, and stays as it is."
    try:
        folder.chmod(PRIVATE)
    except OSError as error:
        return f"{told}: {error.strerror}."
    return f"Other users of this machine could look into {folder}, where photos and portraits lie. This was corrected."


def _network(folder: Path) -> str:
    """The kind of the file system that a folder lies on, where it is one over a network; "" otherwise."""
    try:
        mounts = [line.split() for line in Path("/proc/self/mounts").read_text().splitlines()]
    except OSError:
        return ""
    place = folder.resolve()
    above = [(len(at), kind) for _, at, kind, *_ in mounts if place.is_relative_to(_unescaped(at))]
    kind = max(above, default=(0, ""))[1]
    return kind if kind.startswith(_SHARED) else ""


def _unescaped(path: str) -> str:
    """A path as /proc/self/mounts has it, with spaces and the like in octal (proc(5))."""
    return re.sub(r"\\(\d{3})", lambda octal: chr(int(octal[1], 8)), path)
