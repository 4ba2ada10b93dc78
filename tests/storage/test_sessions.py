import errno
import os
import re
import resource
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaze.errors import GazeError, StoreError
from gaze.storage.locks import workplace
from gaze.storage.publishing import SHEETS, is_session, publishing
from gaze.storage.sessions import SessionStore, time_kept


@pytest.fixture
def store(tmp_path: Path) -> SessionStore:
    return SessionStore(tmp_path / "store", kept=500)


def finished(store: SessionStore, age: float = 0) -> str:
    folder = store.new()
    with publishing(folder) as draft:
        (draft / "metadata.json").write_text("{}")
    os.utime(folder, (time.time() - age,) * 2)
    return folder.name


def test_a_folder_appears_only_when_it_is_whole(tmp_path: Path) -> None:
    final = tmp_path / "a" / "b"
    with publishing(final) as draft:
        (draft / "file").write_text("x")
        assert not final.exists()
    assert (final / "file").read_text() == "x"
    assert list(final.parent.iterdir()) == [final]


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt, GeneratorExit])
def test_an_interrupted_run_leaves_nothing(tmp_path: Path, error: type[BaseException]) -> None:
    def interrupted() -> None:
        with publishing(tmp_path / "b") as draft:
            (draft / "file").write_text("x")
            raise error

    with pytest.raises(error):
        interrupted()
    assert list(tmp_path.iterdir()) == []


def test_what_is_there_is_not_overwritten(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="there already"), publishing(tmp_path):
        pass


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(GazeError, match="file cannot be written to"), publishing(tmp_path / "file" / "b"):
        pass
    with pytest.raises(GazeError, match="cannot be written to: File name too long"), publishing(tmp_path / ("a" * 300)):
        pass


def test_a_full_disk_is_told_and_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(GazeError, match="No space left on device"), publishing(tmp_path / "b"):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(tmp_path.iterdir()) == []


def test_visitors_are_not_told_where_the_server_keeps_things(
    store: SessionStore, caplog: pytest.LogCaptureFixture
) -> None:
    store.root.write_text("a file in the place of the folder")
    with pytest.raises(StoreError, match=r"File exists\. Try again in a minute") as told, publishing(store.new()):
        pass
    assert str(store.root) not in str(told.value)
    assert str(store.root) in caplog.text


def test_a_key_is_whole_or_not_there(tmp_path: Path) -> None:
    """Half a key could be guessed, and with it what owners hold."""
    store = SessionStore(tmp_path)
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, limits[1]))
    try:
        with pytest.raises(GazeError, match="cannot be written to: File too large"):
            store.check()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list(tmp_path.iterdir()) == []
    store.check()
    assert len((tmp_path / ".key").read_bytes()) == 32


def test_what_a_block_alone_needs_goes_with_it(store: SessionStore) -> None:
    with store.scratch() as folder:
        (folder / "file").write_text("x")
        store.expire()
        assert (folder / "file").exists()
        assert store.sessions() == []
    assert list(store.root.iterdir()) == []
    with (
        pytest.raises(StoreError, match=r"could not keep a file: No space left on device\. Try again"),
        store.scratch(),
    ):
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    assert list(store.root.iterdir()) == []
    with pytest.raises(KeyError), store.scratch():
        raise KeyError


def test_two_apps_that_start_at_once_share_a_key(tmp_path: Path) -> None:
    """Else what the first gave its owners would be worth nothing."""
    for number in range(20):
        stores = [SessionStore(tmp_path / str(number)) for _ in range(8)]
        gate = Barrier(len(stores))

        def told(store: SessionStore, gate: Barrier = gate) -> str:
            gate.wait()
            return store.secret("0" * 32)

        with ThreadPoolExecutor(len(stores)) as apps:
            assert len(set(apps.map(told, stores))) == 1
        assert [path.name for path in stores[0].root.iterdir()] == [".key"]


def test_a_key_that_is_there_already_wins(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".key").write_bytes(b"k" * 32)
    expected = SessionStore(tmp_path).secret("0" * 32)
    monkeypatch.setattr(Path, "exists", lambda _: False)  # looked before the other was done
    assert SessionStore(tmp_path).secret("0" * 32) == expected


def test_a_file_system_without_links_has_a_key_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(Path, "hardlink_to", refuse)
    assert SessionStore(tmp_path).secret("0" * 32) == SessionStore(tmp_path).secret("0" * 32)
    assert [path.name for path in tmp_path.iterdir()] == [".key"]


def test_part_of_a_key_is_refused(tmp_path: Path) -> None:
    (tmp_path / ".key").write_bytes(b"k" * 5)
    with pytest.raises(GazeError, match=r"\.key is damaged"):
        SessionStore(tmp_path).check()


def test_ids_are_long_and_differ(store: SessionStore) -> None:
    ids = {store.new().name for _ in range(100)}
    assert len(ids) == 100
    assert all(re.fullmatch("[0-9a-f]{32}", session) for session in ids)


def test_sessions_are_found_until_deleted(store: SessionStore) -> None:
    first, second = finished(store, age=60), finished(store)
    assert store.sessions() == [second, first]
    assert store.folder(first).is_dir()
    store.delete(first)
    store.delete(first)
    assert store.sessions() == [second]
    with pytest.raises(GazeError, match="not there any more"):
        store.folder(first)


@pytest.mark.parametrize("name", ["", ".", "..", "../store", "/etc", "x" * 32, "A" * 32, "0" * 31, "0" * 33, "0" * 32])
def test_no_other_path_is_a_session(store: SessionStore, name: str) -> None:
    finished(store)
    with pytest.raises(GazeError):
        store.folder(name)
    store.delete(name)
    assert len(store.sessions()) == 1


def test_only_old_sessions_and_old_drafts_expire(store: SessionStore) -> None:
    new = store.new()
    fresh = finished(store)
    finished(store, age=1000)
    (store.root / ".draft-killed").mkdir()
    (store.root / fresh / ".sheets-killed").mkdir()
    (store.root / ".key-killed").touch()
    os.utime(store.root / ".key-killed", (0, 0))
    with publishing(new) as draft:
        os.utime(draft, (0, 0))
        assert store.expire() == 1
        assert store.sessions() == [fresh]
        assert sorted(store.root.iterdir()) == sorted([store.root / fresh, draft])
        with workplace(store.root / fresh, SHEETS) as busy:
            store.expire()
            assert [it for it in (store.root / fresh).iterdir() if it.is_dir()] == [busy]
        assert not busy.exists()
        (draft / "metadata.json").write_text("{}")


@pytest.mark.parametrize("name", ["a" * 33, "a" * 32 + "\n", "a" * 32 + "/..", "A" * 32, "a" * 31, "", "g" * 32])
def test_only_a_whole_id_is_one(name: str) -> None:
    """Kills: an id is matched at its beginning only."""
    assert is_session("0123456789abcdef" * 2)
    assert not is_session(name)


def test_what_is_new_makes_what_is_old_go(store: SessionStore) -> None:
    old, fresh = finished(store, age=1000), finished(store)
    assert not store.has(old)
    store.new()
    assert store.sessions() == [fresh]


def test_a_portrait_can_be_played_while_its_sheets_are_made_but_is_no_session_yet(store: SessionStore) -> None:
    folder = store.new()
    with publishing(folder) as draft:
        with pytest.raises(GazeError):
            store.playable(folder.name)
        (draft / "coarse-6.pack").touch()
        assert store.playable(folder.name) == draft
        assert store.sessions() == []
        with pytest.raises(GazeError):
            store.folder(folder.name)
        (draft / "metadata.json").write_text("{}")
    assert store.playable(folder.name) == store.folder(folder.name) == folder
    for name in ("*", "..", "0" * 32):
        with pytest.raises(GazeError):
            store.playable(name)


def test_an_owners_secret_stays_and_is_nobody_elses(tmp_path: Path) -> None:
    store = SessionStore(tmp_path)
    first, second = store.new().name, store.new().name
    assert SessionStore(tmp_path).secret(first) == store.secret(first) != store.secret(second)
    assert SessionStore(tmp_path / "other").secret(first) != store.secret(first)
    assert (tmp_path / ".key").stat().st_mode & 0o077 == 0
    assert store.sessions() == []


@pytest.mark.parametrize("days", ["0", "-1", "soon", "inf", "nan"])
def test_a_time_to_keep_that_is_none(days: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GAZE_KEEP_DAYS", days)
    with pytest.raises(GazeError, match="GAZE_KEEP_DAYS"):
        time_kept()


def test_the_time_to_keep(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("GAZE_KEEP_DAYS", raising=False)
    assert time_kept() == 7 * 24 * 3600
    monkeypatch.setenv("GAZE_KEEP_DAYS", "0.5")
    assert time_kept() == 12 * 3600


ODD_IDS = st.text() | st.text("0123456789abcdefABCDEF./\\\0*\n", min_size=30, max_size=34) | st.binary().map(repr)


@settings(max_examples=30)
@given(ODD_IDS, st.text())
def test_whatever_is_asked_for_only_a_sessions_own_id_finds_it(
    tmp_path_factory: pytest.TempPathFactory, name: str, secret: str
) -> None:
    store = SessionStore(tmp_path_factory.getbasetemp() / "one session")
    own = (store.sessions() or [finished(store)])[0]
    for ask in (store.folder, store.playable, store.metadata):
        with pytest.raises(GazeError):
            ask(name)
    for session in (name, own):
        with pytest.raises(GazeError, match="Only the browser"):
            store.delete_owned(session, secret)
    store.delete(name)
    assert store.sessions() == [own]
    assert store.folder(own).parent == store.root


def test_a_clock_that_was_ahead_keeps_nothing_for_longer(store: SessionStore) -> None:
    ahead = finished(store, age=-(10**9))
    store.expire()
    assert store.sessions() == [ahead]
    assert time.time() - (store.root / ahead).stat().st_mtime < 60


def test_two_tabs_delete_at_once(store: SessionStore) -> None:
    for _ in range(20):
        session = finished(store)
        secret = store.secret(session)
        with ThreadPoolExecutor(4) as tabs:
            for done in [tabs.submit(store.delete_owned, session, secret) for _ in range(4)]:
                done.result()
        assert [path.name for path in store.root.iterdir()] == [".key"]


def test_what_cannot_be_deleted_is_told(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    session = finished(store)

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(GazeError, match="could not be deleted: Read-only file system"):
        store.delete(session)


def test_what_cannot_be_deleted_stands_in_nobodys_way(store: SessionStore, monkeypatch: pytest.MonkeyPatch) -> None:
    stays, goes = finished(store), finished(store)
    for session in (stays, goes):
        os.utime(store.folder(session), (0, 0))
    rename = Path.rename

    def refused(path: Path, target: Path) -> Path:
        if path.name == stays:
            raise OSError(errno.EPERM, "Operation not permitted")
        return rename(path, target)

    monkeypatch.setattr(Path, "rename", refused)
    assert store.expire() == 1
    assert (store.has(stays), store.has(goes)) == (True, False)
    assert store.has(finished(store))


def test_a_link_in_the_place_of_a_session_is_none(store: SessionStore, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "metadata.json").write_text("{}")
    store.check()
    (store.root / ("a" * 32)).symlink_to(tmp_path / "elsewhere")
    assert not store.has("a" * 32)
    assert store.sessions() == []


def test_other_users_of_the_machine_cannot_look_into_the_store(store: SessionStore) -> None:
    store.check()
    assert store.root.stat().st_mode & 0o777 == 0o700
