"""What the app holds: memory, threads, open files, and files that it left."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

from gaze.photo.cache import MOST_PHOTOS
from gaze.ui.routes import ZIP
from tests.serving import App
from trials.trying import FAULT, Tried


@dataclass(frozen=True)
class Held:
    """What the app's process holds."""

    megabytes: float
    threads: int
    descriptors: int
    temporary: int

    @classmethod
    def by(cls, app: App, place: Path) -> Held:
        proc = Path(f"/proc/{app.process.pid}")
        status = dict(line.split(":", 1) for line in (proc / "status").read_text().splitlines())
        left = [*place.glob("store/.draft-*"), *place.glob("gaze-app-*/previews/.draft-*"), *place.glob("tmp*")]
        left += [it for it in place.glob("gaze-app-*/uploads/*/*") if it.name != ZIP]  # zips go after an hour
        return cls(
            int(status["VmRSS"].split()[0]) / 1e3,
            int(status["Threads"]),
            len(list((proc / "fd").iterdir())),
            len(left),
        )

    def since(self, before: Held, megabytes: float, threads: int, photos: int = 0) -> Tried:
        """Whether it is as before, but for so many megabytes and threads, and for photos uploaded meanwhile.

        A photo is kept for some minutes: as it was uploaded, and as it was read, in an open file. One that is uploaded
        once more replaces the upload, but is read anew.
        """
        grown = self.megabytes - before.megabytes
        told = (("threads", "threads"), ("descriptors", "open files"), ("temporary", "temporary files"))
        words = ", ".join(f"{getattr(before, name)} → {getattr(self, name)} {what}" for name, what in told)
        files = (before.descriptors + 10 + (MOST_PHOTOS if photos else 0), before.temporary + photos)
        most = Held(before.megabytes + megabytes, before.threads + threads, *files)
        fault = any(getattr(self, it.name) > getattr(most, it.name) for it in fields(Held))
        return Tried(FAULT if fault else words, f"{words}, {grown:.0f} MB more", megabytes=max(0.0, grown))


def typical(held: Sequence[Held]) -> Held:
    """The median of several."""
    middle = (statistics.median(getattr(it, name) for it in held) for name in ("megabytes", "threads", "descriptors"))
    megabytes, threads, descriptors = middle
    return Held(megabytes, int(threads), int(descriptors), min(it.temporary for it in held))
