"""Folders with photos in them are for their owner alone, whoever made them and however often."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from gaze.storage import modes as module
from gaze.storage.copies import Copies
from gaze.storage.filesystem import RemoteFolder
from gaze.storage.modes import make_private
from gaze.storage.publishing import publishing
from gaze.storage.remote_store import RemoteStore
from gaze.storage.sessions import SessionStore

pytestmark = pytest.mark.skipif(not hasattr(os, "getuid"), reason="there are no modes")


def made(store: SessionStore) -> Path:
    """A session, as runs make them."""
    folder = store.new()
    with publishing(folder) as draft:
        assert mode(draft) == 0o700, "nor while it is made"
        (draft / "metadata.json").write_text("{}")
    return folder


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_a_store_that_others_could_enter_is_closed_and_told(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    root = tmp_path / "store"
    root.mkdir(0o755)
    SessionStore(root).check()
    assert mode(root) == 0o700
    assert f"could look into {root}" in caplog.text
    caplog.clear()
    SessionStore(root).check()
    assert caplog.text == ""


def test_a_folder_with_other_things_in_it_stays_but_portraits_do_not(tmp_path: Path) -> None:
    root = tmp_path / "home"
    root.mkdir(0o755)
    (root / "letters").mkdir(0o755)
    store = SessionStore(root)
    store.check()
    old = made(store)
    assert mode(old) == 0o700, "made so"
    old.chmod(0o755)
    store.check()
    assert (mode(old), mode(root), mode(root / "letters")) == (0o700, 0o755, 0o755)


def test_a_store_that_was_removed_is_made_again_for_nobody_else(tmp_path: Path) -> None:
    store = SessionStore(tmp_path / "store")
    store.check()
    for path in store.root.iterdir():
        path.unlink()
    store.root.rmdir()
    made(store)
    assert mode(store.root) == 0o700


def test_copies_are_for_nobody_else(tmp_path: Path) -> None:
    root = tmp_path / "copies"
    copies = Copies(root)
    file = copies.file("a", "b.webp", lambda path: path.touch())
    assert (mode(root), mode(file.parent)) == (0o700, 0o700)
    root.chmod(0o755)
    copies.file("a", "c.webp", lambda path: path.touch())
    assert mode(root) == 0o700


def test_copies_that_others_could_enter_are_closed_at_the_start(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (copies := tmp_path / "copies").mkdir(0o755)
    RemoteStore(RemoteFolder(f"memory://{tmp_path.name}"), tmp_path, 60).check()
    assert mode(copies) == 0o700
    assert f"could look into {copies}" in caplog.text


@pytest.mark.parametrize(("kind", "name"), [("nfs4", "store"), ("cifs", "a store"), ("fuse.sshfs", "store")])
def test_a_network_file_system_is_left_alone(
    tmp_path: Path, kind: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    mounts = tmp_path / "mounts"
    folder = tmp_path / name
    folder.mkdir(0o755)
    at = str(folder).replace(" ", "\\040")
    mounts.write_text(f"/dev/x / ext4 rw 0 0\nserver:/x {at} {kind} rw 0 0\n")
    plain = Path.read_text
    monkeypatch.setattr(Path, "read_text", lambda path: plain(mounts if path == Path("/proc/self/mounts") else path))
    note = make_private(folder)
    assert f"of the kind {kind}, and stays as it is" in note
    assert mode(folder) == 0o755


def test_what_is_somebody_elses_is_left_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "store"
    folder.mkdir(0o755)
    monkeypatch.setattr(module.os, "getuid", lambda: os.stat("/").st_uid + 12345)
    assert "it belongs to another user, and stays as it is" in make_private(folder)
    assert mode(folder) == 0o755
