"""The program of a process that reads pictures, one after the other: `python -I -S worker.py PATHS`.

It is started, watched and replaced by `gaze.photo.box`. Both sides speak in frames: a line of JSON, and bytes whose
number the line says. Whatever libraries print goes nowhere.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import time
import zlib
from contextlib import suppress
from functools import partial
from importlib import import_module
from pathlib import Path
from typing import IO, Any

_SPEED = 0.003
"""Seconds of the processor that `_slowness` takes on the machine for which limits are given (AMD EPYC)."""
_SLOWEST = 8.0


def main() -> None:
    """Answer questions until their pipe is closed."""
    answers = _only_own_output()
    questions = sys.stdin.buffer
    sys.path[:] = json.loads(sys.argv[1])
    sys.path.insert(0, str(Path(__file__).parent))
    os.environ["OPENBLAS_NUM_THREADS"] = "1"  # NumPy is there for a percentile alone, and its threads take their time
    decoder = import_module("decoder")
    decoder.prepare()
    slowness = _slowness()
    rest = _used()
    _bound_files()
    _say(answers, ready=True)
    while line := questions.readline():
        asked = json.loads(line)
        _bound(rest + asked["memory"], asked["seconds"] * slowness)
        data = questions.read(asked["bytes"])
        allow = partial(_allow, asked["more"] * slowness)
        try:
            picture = decoder.decode(data, asked["most"], asked["rows"], allow)
            del data
            about = {name: getattr(picture, name) for name in ("height", "width", "has_alpha", "notes")}
            _say(answers, **about)
            for rgb, alpha in picture.rows:
                answers.write(rgb)
                answers.write(alpha)
            answers.flush()
            del picture, rgb, alpha
        except decoder.RefusedError as refusal:
            _say(answers, refused=str(refusal))
        except MemoryError:
            _say(answers, memory=True)
            return
        _unbound()


def _say(answers: IO[bytes], **what: Any) -> None:
    answers.write(json.dumps(what).encode() + b"\n")
    answers.flush()


def _only_own_output() -> IO[bytes]:
    """The standard output, for this program alone: libraries print into the void."""
    own = os.dup(1)
    void = os.open(os.devnull, os.O_WRONLY)
    os.dup2(void, 1)
    os.dup2(void, 2)
    if sys.platform == "win32":
        import msvcrt

        msvcrt.setmode(own, os.O_BINARY)
        msvcrt.setmode(0, os.O_BINARY)
    return os.fdopen(own, "wb")


def _slowness() -> float:
    """How much slower this machine is than the one for which limits are given; at least 1."""
    took = []
    for _ in range(3):
        started = time.process_time()
        zlib.decompress(zlib.compress(bytes(range(256)) * 1024, 6))
        took.append(time.process_time() - started)
    return min(_SLOWEST, max(1.0, min(took) / _SPEED))


def _bound_files() -> None:
    """Write no file, core dumps least of all."""
    if sys.platform != "win32":
        import resource

        for kind in (resource.RLIMIT_FSIZE, resource.RLIMIT_CORE):
            resource.setrlimit(kind, (0, 0))


def _used() -> int:
    """Bytes that count towards the limit on memory."""
    if sys.platform == "linux":
        for line in Path("/proc/self/status").read_text().splitlines():
            if line.startswith("VmData:"):
                return int(line.split()[1]) * 1024
    return 2**28


def _bound(memory: int, seconds: float) -> None:
    """End this process when it passes these limits, where the system can."""
    if sys.platform == "win32":
        return
    import resource

    # Address space that is merely set aside counts as data nowhere, but as address space.
    kind = resource.RLIMIT_DATA if sys.platform == "linux" else resource.RLIMIT_AS
    hard = resource.getrlimit(kind)[1]
    with suppress(OSError, ValueError):
        resource.setrlimit(kind, (memory, hard))
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _allow(seconds: float, times: float) -> None:
    """Have this process end so many times so many seconds later."""
    if sys.platform != "win32":
        left, _ = signal.getitimer(signal.ITIMER_PROF)
        signal.setitimer(signal.ITIMER_PROF, left + seconds * times)


def _unbound() -> None:
    if sys.platform != "win32":
        signal.setitimer(signal.ITIMER_PROF, 0)


if __name__ == "__main__":
    main()
