import threading
from types import SimpleNamespace

import pytest

from gaze.ui import memory
from gaze.ui.queue import Queue, Turn


class Seen(Queue):
    """Tells when somebody has looked how many are in it."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = threading.Semaphore(0)

    def __len__(self) -> int:
        count = super().__len__()
        self.seen.release()
        return count


def test_memory_is_given_back_unless_somebody_has_come_meanwhile(monkeypatch: pytest.MonkeyPatch) -> None:
    queue, given_back, turns = Seen(), threading.Semaphore(0), list[Turn]()
    meanwhile = iter([lambda: None, lambda: turns.append(queue.enter()), lambda: None])
    monkeypatch.setattr(memory, "_glibc", lambda: SimpleNamespace(malloc_trim=lambda kept: given_back.release()))
    monkeypatch.setattr(memory, "time", SimpleNamespace(sleep=lambda seconds: next(meanwhile)()))
    threading.Thread(target=memory.give_back, args=(queue,), daemon=True).start()
    for _ in range(2):
        with queue.enter(), queue.enter():
            pass
        assert queue.seen.acquire(timeout=30)
        assert turns or given_back.acquire(timeout=30)
    assert not given_back.acquire(blocking=False)
    queue.leave(turns[0])
    assert given_back.acquire(timeout=30)


def test_where_there_is_no_glibc_nothing_is_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(memory.ctypes, "CDLL", lambda name: SimpleNamespace())
    memory.share_arenas()
    memory.give_back(Queue())
