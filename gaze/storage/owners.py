"""Who owns a session: whoever holds what the store's secret makes of its id."""

from __future__ import annotations

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path

from gaze.errors import GazeError, StoreError
from gaze.storage.modes import PRIVATE

SECRET, SECRET_BYTES = ".key", 32
"""The file in a store that holds its secret, and that file's length."""


def store_secret(root: Path) -> bytes:
    """The secret of a store in a folder: made once, so that sessions stay their owners' over restarts.

    Raises:
        StoreError: the folder cannot be written to.
        GazeError: the secret is damaged.
    """
    path = root / SECRET
    draft = root / f"{SECRET}-{secrets.token_hex(8)}"
    try:
        root.mkdir(PRIVATE, parents=True, exist_ok=True)
        if not path.exists():
            with open(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_bytes(SECRET_BYTES))
                file.flush()
                os.fsync(file.fileno())
            _take_name(draft, path)  # whole, or not at all: part of a secret could be guessed
        found = path.read_bytes()
    except OSError as error:
        raise StoreError(f"{root} cannot be written to: {error.strerror}. Choose another place.") from error
    finally:
        with suppress(OSError):
            draft.unlink()
    return checked(found, str(path))


def checked(secret: bytes, place: str) -> bytes:
    """The secret, which is whole.

    Raises:
        GazeError: it is not; the message names its place.
    """
    if len(secret) != SECRET_BYTES:
        raise GazeError(
            f"{place} is damaged. Remove it: a new one is made. Owners of earlier portraits can then not delete them."
        )
    return secret


def proof(secret: bytes, session: str) -> str:
    """What the owner of a session holds, and nobody else can know."""
    return hmac.new(secret, session.encode(errors="replace"), "sha256").hexdigest()


def is_proof(secret: bytes, session: str, given: str) -> bool:
    """Whether what somebody gives is the owner's."""
    # As bytes: of text, only ASCII can be compared.
    return hmac.compare_digest(proof(secret, session).encode(), given.encode(errors="replace"))


def _take_name(draft: Path, path: Path) -> None:
    """Give a file its name, unless another has it; programs may try at once, and one wins."""
    try:
        with suppress(FileExistsError):
            path.hardlink_to(draft)
    except OSError:  # a file system without links, such as FAT
        draft.rename(path)
