"""Stores elsewhere, in the memory of fsspec and in an S3 bucket of a server on this machine."""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import fsspec
import pytest

from gaze.errors import GazeError, StoreError
from gaze.progress import Progress, Steps
from gaze.storage import copies
from gaze.storage.filesystem import RemoteFolder
from gaze.storage.publishing import publishing
from gaze.storage.remote_store import RemoteStore
from gaze.storage.sessions import SessionStore
from gaze.storage.stores import open_store
from tests.s3 import S3

FILES = {
    "input.jpg": b"photo",
    "gaze.pack": b"0123456789",
    "metadata.json": b'{"gridSize": 4, "imageWidth": 8, "imageHeight": 8}',
    "q0.webp": b"sheet",
}
WEEK = 7 * 24 * 3600.0


@pytest.fixture(scope="module")
def s3() -> Iterator[S3]:
    with S3() as server, pytest.MonkeyPatch.context() as patch:
        server.configure(patch)  # once: what botocore reads for each new client takes seconds
        yield server


@pytest.fixture(params=["memory", "s3"])
def url(request: pytest.FixtureRequest) -> str:
    """A folder of its own for each test."""
    name = f"place-{time.monotonic_ns()}"
    if request.param == "memory":
        return f"memory://{name}"
    server: S3 = request.getfixturevalue("s3")
    return f"s3://{server.bucket()}/{name}"


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def store(url: str, tmp_path: Path, clock: Clock) -> RemoteStore:
    return machine(url, tmp_path / "first", clock=clock)


def machine(url: str, place: Path, kept: float = WEEK, clock: Clock | None = None) -> RemoteStore:
    """The store as another machine, or another start, has it."""
    clock = clock or Clock()
    return RemoteStore(RemoteFolder(url), place, kept, clock, lambda: time.time() + clock.now)


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def making(folder: Path) -> Generator[Progress, None, str]:
    """What `gaze.pipeline.making.run` does, in short."""
    with publishing(folder) as draft:
        yield Progress("render", 0, 1, "Rendering")
        for name, data in FILES.items():
            (draft / name).write_bytes(data)
    yield Progress("done", 1, 1, "Finished")
    return "result"


def make(store: SessionStore) -> str:
    folder = store.root / os.urandom(16).hex()
    for _ in store.keeping(folder, making(folder)):
        pass
    return folder.name


def break_down(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    """From now on the file system answers nothing."""

    def lost(*arguments: object, **options: object) -> None:
        raise TimeoutError("no answer")

    for name in ("info", "find", "cat_file", "pipe_file", "put_file", "get_file", "rm", "modified"):
        monkeypatch.setattr(fsspec.core.url_to_fs(url)[0], name, lost)


def test_what_is_made_on_one_machine_is_there_on_the_next(store: RemoteStore, url: str, tmp_path: Path) -> None:
    session = make(store)
    other = machine(url, tmp_path / "second")
    assert (store.sessions(), other.sessions()) == ([session], [session])
    assert other.has(session)
    assert other.metadata(session).grid_size == 4
    assert other.file(session, "gaze.pack").read_bytes() == b"0123456789"
    assert {path.name: path.read_bytes() for path in other.folder(session).iterdir()} == FILES
    assert list(store.root.glob("[0-9a-f]*")) == []
    assert store.notes(session) == ()


def test_a_run_tells_what_is_kept_and_returns_its_result(store: RemoteStore) -> None:
    folder = store.new()
    running = Steps(store.keeping(folder, making(folder)))
    steps = list(running)
    assert running.result == "result"
    assert [step.stage for step in steps] == ["render", "done", "keep", "keep", "keep"]
    assert steps[-1].message == "Keeping the portrait: file 3 of 3"


def test_what_is_played_early_and_what_is_not_copied_yet_come_from_here(store: RemoteStore) -> None:
    folder = store.new()
    with publishing(folder) as draft:
        (draft / "gaze.pack").write_bytes(b"early")
        assert store.file(folder.name, "gaze.pack").read_bytes() == b"early"
        assert not store.has(folder.name)


def test_owners_stay_owners_on_every_machine(store: RemoteStore, url: str, tmp_path: Path) -> None:
    session = make(store)
    secret = store.secret(session)
    other = machine(url, tmp_path / "second")
    assert other.secret(session) == secret
    with pytest.raises(GazeError, match="Only the browser"):
        other.delete_owned(session, "0" * 64)
    other.file(session, "gaze.pack")
    other.delete_owned(session, secret)
    other.delete_owned(session, secret)
    assert RemoteFolder(url).find(session) == []
    assert not list(tmp_path.glob(f"second/*/{session}"))
    assert not other.has(session)
    assert machine(url, tmp_path / "third").sessions() == []


def test_what_another_machine_deleted_is_gone_here_within_a_minute(
    store: RemoteStore, url: str, tmp_path: Path, clock: Clock
) -> None:
    session = make(store)
    machine(url, tmp_path / "second").delete(session)
    assert store.has(session)
    clock.now = 60
    for look in (store.folder, store.metadata, lambda session: store.file(session, "gaze.pack")):
        with pytest.raises(GazeError, match="not there any more"):
            look(session)
    assert not list(tmp_path.glob(f"first/*/{session}"))


def test_what_another_machine_wrote_is_seen_within_a_minute(
    store: RemoteStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(store)
    other = machine(url, tmp_path / "second")

    def seen(age: float) -> bytes:
        copy = other.file(session, "share.json")
        os.utime(copy, (time.time() - age,) * 2)
        return other.file(session, "share.json").read_bytes()

    store.write(session, "share.json", b"before")
    other.folder(session)
    store.write(session, "share.json", b"after")
    assert seen(age=50) == b"before"
    assert seen(age=60) == b"after"
    with monkeypatch.context() as broken:
        break_down(broken, url)
        assert seen(age=60) == b"after"
    monkeypatch.setattr(RemoteFolder, "get", lambda *_: pytest.fail("what is never written again is fetched again"))
    os.utime(other.file(session, "gaze.pack"), (0, 0))
    other.file(session, "gaze.pack")


def test_old_sessions_expire_and_so_does_what_an_interrupted_copy_left(
    store: RemoteStore, url: str, tmp_path: Path, clock: Clock
) -> None:
    old = make(store)
    remote, part = RemoteFolder(url), "0" * 32
    remote.create(f"{part}/gaze.pack", b"half")
    assert store.sessions() == [old]
    with pytest.raises(GazeError, match="not there any more"):
        store.file(part, "gaze.pack")
    assert store.expire() == 0
    clock.now = 24 * 3600
    assert store.expire() == 0
    assert {folder for folder, _ in remote.find() if len(folder) == 32} == {old}
    clock.now *= 8
    assert machine(url, tmp_path / "second", clock=clock).expire() == 1
    assert [name for _, name in remote.find()] in ([], [".key"])


def test_a_portrait_whose_sheets_are_added_is_kept_no_longer_for_that(
    store: RemoteStore, url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(store)
    store.write(session, "metadata.json", FILES["metadata.json"])
    written = RemoteFolder.written
    monkeypatch.setattr(
        RemoteFolder, "written", lambda self, name: written(self, name) + WEEK * name.endswith("metadata.json")
    )
    assert store.expire() == 0
    clock.now = WEEK + 60
    assert store.expire() == 1
    assert RemoteFolder(url).find(session) == []


def test_a_lost_connection_loses_no_portrait(
    store: RemoteStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = make(store)
    with monkeypatch.context() as broken:
        break_down(broken, url)
        session = make(store)
        assert store.has(session)
        assert store.file(session, "gaze.pack").read_bytes() == b"0123456789"
        assert {path.name for path in store.folder(session).iterdir()} == set(FILES)
        assert "download it" in store.notes(session)[0]
        assert store.file(before, "gaze.pack").read_bytes() == b"0123456789"
        assert {path.name for path in store.folder(before).iterdir()} == set(FILES)  # all its copies are here
        with pytest.raises(StoreError, match="not deleted yet"):
            store.delete(before)
        again = machine(url, tmp_path / "first")  # a restart changes nothing
        assert again.has(session)
        assert again.present([session, before]) == {session, before}
        with pytest.raises(StoreError, match="does not answer"):
            again.metadata("1" * 32)
        with pytest.raises(StoreError):
            again.expire()
    again.expire()
    assert machine(url, tmp_path / "second").metadata(session).grid_size == 4
    assert again.notes(session) == ()


@pytest.mark.parametrize("last", FILES)
def test_a_copy_that_breaks_in_the_middle_looks_like_nothing(
    store: RemoteStore, url: str, last: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = fsspec.core.url_to_fs(url)[0]
    put = files.put_file

    def put_until(source: str, target: str) -> None:
        if target.endswith(last):
            raise ConnectionResetError
        put(source, target)

    with monkeypatch.context() as broken:
        broken.setattr(files, "put_file", put_until)
        session = make(store)
    other = machine(url, tmp_path / "second")
    assert other.sessions() == []
    assert not other.has(session)
    store.expire()
    assert other.sessions() == [session]


def test_a_run_that_is_cancelled_while_it_is_copied_leaves_nothing(store: RemoteStore, url: str) -> None:
    folder = store.new()
    with closing(store.keeping(folder, making(folder))) as running:
        for step in running:
            if step.stage == "keep" and step.done == 1:
                break
    assert not store.has(folder.name)
    assert not folder.exists()
    assert RemoteFolder(url).find(folder.name) == []


@pytest.mark.parametrize("on_its_way", FILES)
def test_what_is_written_while_a_portrait_is_copied_is_copied_too(
    store: RemoteStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, on_its_way: str
) -> None:
    put, captions = RemoteFolder.put, [b"words"]

    def put_while_its_owner_writes(self: RemoteFolder, source: Path, name: str) -> None:
        put(self, source, name)
        if name.endswith(on_its_way) and captions:
            store.write(source.parent.name, "share.json", captions.pop())

    monkeypatch.setattr(RemoteFolder, "put", put_while_its_owner_writes)
    session = make(store)
    assert machine(url, tmp_path / "second").file(session, "share.json").read_bytes() == b"words"
    assert store.notes(session) == ()


def test_what_a_killed_program_left_of_a_file_is_not_copied(store: RemoteStore, url: str, tmp_path: Path) -> None:
    folder = store.new()
    list(making(folder))
    for left in (".draft-0123", ".metadata.json"):
        (folder / left).write_bytes(b"half")
    (folder / ".sheets-0123").mkdir()
    store.expire()
    other = machine(url, tmp_path / "second")
    assert {path.name for path in other.folder(folder.name).iterdir()} == set(FILES)


@pytest.mark.parametrize("on_its_way", FILES)
def test_a_portrait_that_is_deleted_while_it_is_copied_does_not_come_back(
    store: RemoteStore, url: str, monkeypatch: pytest.MonkeyPatch, on_its_way: str
) -> None:
    put = RemoteFolder.put

    def put_what_is_deleted(self: RemoteFolder, source: Path, name: str) -> None:
        if name.endswith(on_its_way):
            store.delete(source.parent.name)
            source.parent.mkdir()
            source.write_bytes(b"on its way")
            put(self, source, name)
            source.unlink()
            source.parent.rmdir()
        else:
            put(self, source, name)

    monkeypatch.setattr(RemoteFolder, "put", put_what_is_deleted)
    session = make(store)
    assert RemoteFolder(url).find(session) == []


@pytest.mark.parametrize("name", ["", ".", "..", "../x", "/etc/passwd", ".key", "x" * 32, "A" * 32, "0" * 31])
def test_no_other_path_is_a_session(store: RemoteStore, name: str) -> None:
    store.check()
    session = make(store)
    for look in (store.folder, store.metadata, lambda given: store.file(given, "metadata.json")):
        with pytest.raises(GazeError, match="not there any more"):
            look(name)
    store.delete(name)
    for file in (name, f"../{session}/gaze.pack", ".."):
        with pytest.raises(GazeError, match="not there any more"):
            store.file(session, file)
    assert store.sessions() == [session]


def test_copies_make_room_for_others(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = machine(url, tmp_path / "first")
    made = [make(first) for _ in range(3)]
    other = machine(url, tmp_path / "second")
    other.folder(made[0])
    [one] = (tmp_path / "second" / "copies").iterdir()
    room = sum(path.stat().st_size for path in [one, *one.iterdir()])
    monkeypatch.setattr(copies, "MOST", 2 * room)
    for age, session in ((60, made[0]), (30, made[1])):
        other.folder(session)
        os.utime(tmp_path / "second" / "copies" / session, (time.time() - age,) * 2)
    other.folder(made[2])
    assert {path.name for path in (tmp_path / "second" / "copies").iterdir()} == set(made[1:])
    assert other.metadata(made[0]).grid_size == 4


def test_many_may_ask_for_the_same_at_once(url: str, tmp_path: Path) -> None:
    session = make(machine(url, tmp_path / "first"))
    other = machine(url, tmp_path / "second")
    with ThreadPoolExecutor(12) as visitors:
        read = visitors.map(lambda name: other.file(session, name).read_bytes(), [*FILES] * 12)
    assert list(read) == [*FILES.values()] * 12
    assert len(list((tmp_path / "second" / "copies").iterdir())) == 1


def test_a_file_that_many_ask_for_is_fetched_once(url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make(machine(url, tmp_path / "first"))
    other = machine(url, tmp_path / "second")
    fetched: list[str] = []
    get = RemoteFolder.get

    def slow(self: RemoteFolder, name: str, target: Path) -> None:
        fetched.append(name)
        time.sleep(0.05)
        get(self, name, target)

    monkeypatch.setattr(RemoteFolder, "get", slow)
    with ThreadPoolExecutor(12) as visitors:
        read = visitors.map(lambda _: other.file(session, "gaze.pack").read_bytes(), range(12))
    assert (set(read), len(fetched)) == ({FILES["gaze.pack"]}, 1)


def test_what_is_deleted_while_it_is_fetched_is_gone(
    store: RemoteStore, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = make(machine(url, tmp_path / "second"))
    get = RemoteFolder.get

    def get_and_lose(self: RemoteFolder, name: str, target: Path) -> None:
        get(self, name, target)
        store.delete(session)

    monkeypatch.setattr(RemoteFolder, "get", get_and_lose)
    for _ in range(2):
        with pytest.raises(GazeError, match="not there any more"):
            store.file(session, "gaze.pack")
    assert not store.has(session)
    assert not list(tmp_path.glob(f"first/*/{session}"))


def test_a_slow_store_does_not_hold_up_the_page(store: RemoteStore, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gaze.storage.remote_store._PATIENCE", 0.05)
    monkeypatch.setattr(store, "has", lambda session: time.sleep(0.5))
    assert store.present(["1" * 32]) == {"1" * 32}


def test_the_store_can_be_chosen(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, url: str) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.delenv("GAZE_STORE", raising=False)
    monkeypatch.setenv("GAZE_KEEP_DAYS", "2")
    assert open_store().root == tmp_path / "cache" / "gaze" / "sessions"
    for given in (tmp_path / "x", f"file://{tmp_path}/x", f"local://{tmp_path}/x"):
        monkeypatch.setenv("GAZE_STORE", str(given))
        store = open_store()
        assert (type(store), store.root, store.kept) == (SessionStore, tmp_path / "x", 2 * 24 * 3600)
    monkeypatch.setenv("GAZE_STORE", url)
    store = open_store()
    assert (type(store), store.kept) == (RemoteStore, 2 * 24 * 3600)
    assert store.root.is_relative_to(tmp_path / "cache" / "gaze" / "stores")
    assert len(RemoteFolder(url).read(".key")) == 32


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("nonsense://x", "Protocol not known: nonsense"),
        ("gs://bucket/x", "install gcsfs"),
        ("s3://", "names no folder"),
        ("memory://", "names no folder"),
        ("http://127.0.0.1:9/x", "cannot be used"),
        ("/proc/x", "cannot be written to"),
    ],
)
def test_a_store_that_cannot_be_used_is_told_at_the_start(
    given: str, words: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("GAZE_STORE", given)
    with pytest.raises(GazeError, match=words):
        open_store()


def test_a_bucket_that_is_not_there_is_told_at_the_start(
    s3: S3, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setenv("GAZE_STORE", "s3://no-such-bucket/x")
    with pytest.raises(GazeError, match=r"“s3://no-such-bucket/x” cannot be used: .*bucket does not exist"):
        open_store()


def test_a_server_that_can_only_overwrite_will_do(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    files = fsspec.core.url_to_fs(url)[0]
    write = files.pipe_file

    def plain(path: str, data: bytes, mode: str = "overwrite") -> None:
        if mode == "create":
            raise OSError(errno.ENOSYS, "A header you provided implies functionality that is not implemented.")
        write(path, data)

    monkeypatch.setattr(files, "pipe_file", plain)
    RemoteFolder(url).create("file", b"data")
    assert RemoteFolder(url).read("file") == b"data"


def test_what_is_still_there_was_not_deleted(store: RemoteStore, url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    session = make(store)
    monkeypatch.setattr(fsspec.core.url_to_fs(url)[0], "rm", lambda path, recursive: None)
    with pytest.raises(StoreError, match="not deleted yet"):
        store.delete(session)


def test_passwords_are_not_told() -> None:
    with pytest.raises(GazeError) as told:
        RemoteFolder("nonsense://me:secret@place/x")
    assert "secret" not in str(told.value)
    assert "nonsense://place/x" in str(told.value)


def test_a_wrong_time_to_keep_is_told_at_the_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GAZE_STORE", str(tmp_path))
    monkeypatch.setenv("GAZE_KEEP_DAYS", "soon")
    with pytest.raises(GazeError, match="GAZE_KEEP_DAYS"):
        open_store()


def test_a_hugging_face_bucket_is_asked_with_the_token_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The Hub cannot be reached from tests; a server that refuses everything shows what it is asked."""
    asked: list[tuple[str, str | None]] = []

    class Refusing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append((self.path, self.headers["Authorization"]))
            self.send_error(403)

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        Thread(target=server.serve_forever).start()
        monkeypatch.setitem(fsspec.config.conf, "hf", {"endpoint": f"http://127.0.0.1:{server.server_port}"})
        monkeypatch.setenv("HF_TOKEN", "hf_of_the_space")
        with pytest.raises(StoreError):
            RemoteFolder("hf://buckets/owner/name/folder").read(".key")
        server.shutdown()
    assert asked
    assert all("owner/name" in path and token == "Bearer hf_of_the_space" for path, token in asked)
