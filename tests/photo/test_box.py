"""The box ends whatever takes too long or too much, goes on with the next, and lets clients take turns."""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import threading
import time
import tracemalloc
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest

from gaze.errors import GazeError, PhotoError
from gaze.photo import process as module
from gaze.photo import reading
from gaze.photo.box import Box, Job
from gaze.photo.cache import PhotoCache
from gaze.photo.portrait import load_portrait, read_portrait
from gaze.photo.process import Pixels
from tests.conftest import PHOTO, ROOT
from tests.waiting import wait_for
from trials import hostile

ADVICE = r"(too long|too much memory) to be read|damaged or cut off"


@pytest.fixture
def box() -> Box:
    return Box()


def job(data: bytes, client: str | None = None) -> Job:
    return Job(lambda: data, 10**6, client)


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.skipif(sys.platform == "win32", reason="the system knows no limit on the processor's time")
@pytest.mark.parametrize("name", [*hostile.QUICK][::3])  # trials/decoders has them all
def test_what_takes_too_long_or_too_much_is_ended(name: str) -> None:
    before = sum(os.times()[:4])
    with pytest.raises(PhotoError, match=ADVICE):
        load_portrait(hostile.QUICK[name]())
    assert sum(os.times()[:4]) - before < 4
    assert load_portrait(PHOTO).width == 512


def test_the_clock_ends_what_the_system_does_not(monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    monkeypatch.setattr(module, "SECONDS", 1000)
    monkeypatch.setattr(module, "PATIENCE", 0.3)
    slow = box.read(job(hostile.QUICK["ICC profile of 120,000 elements"]()))
    assert slow.done.wait(30)
    with pytest.raises(PhotoError, match="too long"):
        slow.result()
    monkeypatch.setattr(module, "PATIENCE", 30)
    after = box.read(job(PHOTO.read_bytes()))
    assert after.done.wait(30)
    assert after.result().rgb.shape == (512, 512, 3)


@pytest.mark.skipif(sys.platform == "win32", reason="the system knows no limit on the processor's time")
@pytest.mark.parametrize("start", [b"no picture", hostile.QUICK["ICC profile of 120,000 elements"]()])
def test_nothing_stays_of_a_picture_that_could_not_be_read(monkeypatch: pytest.MonkeyPatch, start: bytes) -> None:
    """Kills: the error and what waited for it know each other, so that the file stays until garbage is collected."""
    load_portrait(PHOTO)
    monkeypatch.setattr(module, "SECONDS", 0.1)
    gc.disable()
    tracemalloc.start()
    try:
        with pytest.raises(PhotoError):
            load_portrait(start + bytes(10_000_000))
        assert tracemalloc.get_traced_memory()[0] < 2_000_000
    finally:
        tracemalloc.stop()
        gc.enable()


@pytest.mark.skipif(not hasattr(os, "getpriority"), reason="the system knows no priorities")
def test_a_process_that_starts_slowly_reads_as_quickly_as_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_SLOW", 0.0)
    process = module.Process()
    try:
        assert process.fit
        own = os.getpriority(os.PRIO_PROCESS, 0)
        assert os.getpriority(os.PRIO_PROCESS, process._process.pid) == own
    finally:
        process.end()


def test_a_process_that_does_not_start_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    own, here = list[subprocess.Popen[bytes]](), threading.current_thread()

    def ended(process: module.Process) -> None:
        if threading.current_thread() is here:  # boxes of other tests may start some as well
            own.append(process._process)
        raise OSError("The process ended.")

    monkeypatch.setattr(module.Process, "_answer", ended)
    with pytest.raises(OSError, match="ended"):
        module.Process()
    [process] = own
    assert process not in module._STARTED
    assert process.poll() is not None


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch) -> tuple[Box, list[subprocess.Popen[bytes]]]:
    """A box with one process, and those that it has started and not put away."""
    started = list[subprocess.Popen[bytes]]()
    monkeypatch.setattr(module, "_STARTED", started)
    return Box(1), started


def read_by(box: Box) -> Pixels:
    reading = box.read(job(PHOTO.read_bytes()))
    assert reading.done.wait(30)
    return reading.result()


def test_a_process_that_is_ended_between_two_pictures_is_replaced(
    alone: tuple[Box, list[subprocess.Popen[bytes]]],
) -> None:
    box, started = alone
    read_by(box)
    os.kill(started[0].pid, 9)  # as systems do that are short of memory
    started[0].wait(10)
    assert read_by(box).rgb.shape == (512, 512, 3)
    assert len(started) == 1


def test_nothing_is_left_of_a_process_that_is_ended_after_its_picture_was_read(
    alone: tuple[Box, list[subprocess.Popen[bytes]]],
) -> None:
    box, started = alone
    late = Job(PHOTO.read_bytes, 10**6, None, lambda pixels: late.cancel())
    assert box.read(late).done.wait(30)
    read_by(box)
    assert [process.poll() for process in started] == [None]


@pytest.mark.parametrize("answer", [{}, [], {"height": None, "width": 1}])
def test_a_process_that_answers_nonsense_is_replaced(
    alone: tuple[Box, list[subprocess.Popen[bytes]]], monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    box, started = alone
    read_by(box)
    [before] = started
    own = module.Process._answer
    monkeypatch.setattr(module.Process, "_answer", lambda it: answer if it._process is before else own(it))
    with pytest.raises(PhotoError, match="damaged"):
        read_by(box)
    assert read_by(box).rgb.shape == (512, 512, 3)
    assert started != [before]


def test_who_comes_while_a_process_is_replaced_waits_for_it(monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    """Kills: a second process is started, though the first is there again as soon."""
    read_by(box)

    def slowly() -> module.Process:
        time.sleep(0.3)
        return module.Process()

    monkeypatch.setattr("gaze.photo.box.Process", slowly)
    ended = Job(PHOTO.read_bytes, 10**6, None, lambda pixels: ended.cancel())
    assert box.read(ended).done.wait(30)
    read_by(box)
    assert box._threads == 1


def test_a_process_that_could_not_be_started_is_tried_again(monkeypatch: pytest.MonkeyPatch, box: Box) -> None:
    fails = iter([True, False])

    def process() -> module.Process:
        if next(fails, False):
            raise OSError("Cannot allocate memory")
        return module.Process()

    monkeypatch.setattr("gaze.photo.box.Process", process)
    assert read_by(box).rgb.shape == (512, 512, 3)


def test_closing_the_steps_ends_the_reading_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS", 1000)
    load_portrait(PHOTO)
    steps = read_portrait(hostile.QUICK["ICC profile of 120,000 elements"]())
    next(steps)
    busy = [process.pid for process in module._STARTED]
    steps.close()
    wait_for(lambda: busy != [process.pid for process in module._STARTED], 10)


def test_a_client_with_many_pictures_stands_in_nobodys_way(box: Box) -> None:
    order: list[str] = []
    gate = threading.Event()

    def data(name: str) -> Pixels:
        order.append(name)
        if name.startswith("many"):
            gate.wait(20)
        return Pixels(np.zeros((1, 1, 3), np.uint8), None, ())

    many = [box.read(Job(partial(data, f"many {number}"), 1, "many")) for number in range(3)]
    assert box.read(Job(lambda: data("other"), 1, "other")).done.wait(30)
    assert order in (["many 0", "other"], ["other", "many 0"], ["other"])
    gate.set()
    assert all(it.done.wait(20) for it in many)
    assert [name for name in order if name != "other"] == ["many 0", "many 1", "many 2"]


def test_what_is_cancelled_while_it_waits_is_never_read(box: Box) -> None:
    waiting = Job(lambda: pytest.fail("It was read."), 1, "a")
    waiting.cancel()
    assert box.read(waiting).done.wait(30)
    with pytest.raises(GazeError, match="cancelled"):
        waiting.result()


def test_who_cancels_late_ends_nobody_elses_reading() -> None:
    killed: list[str] = []
    job = Job(bytes, 1)
    job.process = cast(Any, SimpleNamespace(kill=lambda: killed.append("its own")))
    job.cancel()
    assert killed == ["its own"]
    job.let_go()
    job.cancel()
    assert killed == ["its own"]


def test_an_upload_is_read_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache = PhotoCache(tmp_path)
    monkeypatch.setattr(reading._shared, "cache", cache)
    monkeypatch.setattr(reading._shared, "client", lambda: "a")
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(PHOTO.read_bytes())
    reads: list[Path] = []
    plain = Path.read_bytes

    def read_bytes(path: Path) -> bytes:
        reads.append(path)
        return plain(path)

    monkeypatch.setattr(Path, "read_bytes", read_bytes)
    images: list[np.ndarray] = []
    # At once, as the page does: one looks for faces while the other makes a preview.
    threads = [threading.Thread(target=lambda: images.append(load_portrait(photo).image)) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(reads) == 1
    assert all(np.array_equal(image, images[0]) for image in images)
    photo.write_bytes((ROOT / "tests" / "data" / "scene.heic").read_bytes())
    assert load_portrait(photo).image.shape != images[0].shape


def test_what_is_kept_is_bounded_and_goes_when_it_is_not_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    cache = PhotoCache(tmp_path, lambda: now[0])
    monkeypatch.setattr("gaze.photo.cache.MOST", 1000)
    picture = Pixels(np.arange(300, dtype=np.uint8).reshape(10, 10, 3), np.full((10, 10), 7, np.uint8), ("a note",))
    for name in "abc":
        cache.put(name, picture)
    assert cache.get("a") is None
    for name in "bc":
        got = cache.get(name)
        assert got
        assert got.alpha is not None
        assert np.array_equal(got.rgb, picture.rgb)
        assert np.array_equal(got.alpha, np.full((10, 10), 7))
        assert got.notes == picture.notes
    assert list(tmp_path.iterdir()) == []  # no name, so that nothing is left of it
    now[0] = 599
    assert cache.get("b")
    now[0] = 601
    cache.tidy()
    assert list(cache._entries) == ["b"]


def test_a_picture_can_be_had_before_it_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cache, gate = PhotoCache(tmp_path), threading.Event()
    monkeypatch.setattr("gaze.photo.cache.time", SimpleNamespace(sleep=lambda _: gate.wait(10)))
    picture = Pixels(np.arange(300, dtype=np.uint8).reshape(10, 10, 3), None, ())
    cache.put_soon("a", picture)
    assert cache.get("a") is picture
    assert cache.get("b") is None
    cache.put_soon("c", picture)
    assert cache.get("c") is not picture, "only one waits"
    gate.set()
    wait_for(lambda: not cache._coming)
    got = cache.get("a")
    assert got
    assert got is not picture
    assert np.array_equal(got.rgb, picture.rgb)


def test_so_many_small_photos_are_not_kept_that_files_run_out(tmp_path: Path) -> None:
    cache = PhotoCache(tmp_path)
    before = len(list(Path("/proc/self/fd").iterdir())) if Path("/proc/self/fd").exists() else None
    for number in range(200):
        cache.put(str(number), Pixels(np.full((2, 2, 3), number, np.uint8), None, ()))
    assert cache.get("199")
    assert cache.get("100") is None
    assert len(cache._entries) == 64
    if before is not None:
        assert len(list(Path("/proc/self/fd").iterdir())) <= before + 66


def test_a_script_without_a_guard_reads(tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(f"from gaze.photo.portrait import load_portrait\nprint(load_portrait({str(PHOTO)!r}).width)\n")
    here = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=60, env=here)
    assert (done.stdout, done.returncode) == ("512\n", 0), done.stderr


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")
def test_a_forked_process_reads_with_processes_of_its_own() -> None:
    load_portrait(PHOTO)
    code = "import os\nfrom gaze.photo.portrait import load_portrait as l\n" + (
        f"l({str(PHOTO)!r})\nchild = os.fork()\nassert l({str(PHOTO)!r}).width == 512\n"
        "assert not child or os.waitpid(child, 0)[1] == 0\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_libraries_say_nothing_on_the_standard_error(capfd: pytest.CaptureFixture[str]) -> None:
    with suppress(PhotoError):  # a picture of what there is, or none
        load_portrait(hostile.fax(64, 20_000))
    assert capfd.readouterr().err == ""


def test_no_process_outlives_its_host(tmp_path: Path) -> None:
    code = (
        "from gaze.photo.portrait import load_portrait as l\nfrom gaze.photo import process\n"
        f"l({str(PHOTO)!r})\nprint(*(it.pid for it in process._STARTED), flush=True)\ninput()"
    )
    host = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, cwd=ROOT, text=True
    )
    assert host.stdout
    children = list(map(int, host.stdout.readline().split()))
    assert children
    host.kill()
    host.wait(10)
    wait_for(lambda: not any(map(alive, children)), 10)
