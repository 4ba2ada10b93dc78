import threading
from types import SimpleNamespace

import pytest

from gaze.ui import memory
from gaze.ui.queue import Queue


def test_memory_is_given_back_each_time_that_all_have_left_the_queue(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, given_back = Queue(), threading.Semaphore(0)
    glibc = SimpleNamespace(malloc_trim=lambda kept: given_back.release())
    monkeypatch.setattr(memory, "_CALM", 0.0)
    monkeypatch.setattr(memory, "_glibc", lambda: glibc)
    threading.Thread(target=memory.give_back, args=(queue,), daemon=True).start()
    for _ in range(2):
        with queue.enter():
            with queue.enter():
                pass
            assert not given_back.acquire(blocking=False)
        assert given_back.acquire(timeout=30)
    assert not given_back.acquire(blocking=False)


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: SimpleNamespace())
    memory.share_arenas()
    memory.give_back(Queue())
