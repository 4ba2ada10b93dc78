"""How long portraits take on this machine, learnt from those that were made."""

from __future__ import annotations

from dataclasses import dataclass

from gaze.face.framing import AUTO_SIDE
from gaze.motion.keys import AUTO, USUAL
from gaze.options import Options


@dataclass(frozen=True)
class Times:
    """Seconds that a portrait takes.

    Attributes:
        ready: until it is on the stage.
        total: until all its files are written; None while that is not known.
        source: where this was learnt, in words.
    """

    ready: float
    total: float | None
    source: str


class Pace:
    """Times grow with the pixels of all frames; engines, and how many keys are rendered, are learnt apart."""

    def __init__(self) -> None:
        self._runs: dict[tuple[str, str | int], tuple[float, float]] = {}
        self._preview: float | None = None

    def learn(self, engine: str, options: Options, ready: float, total: float) -> None:
        """After a portrait was made: seconds until it was on the stage, and until all was written."""
        self._runs[engine, options.keys] = ready / _pixels(options), total / _pixels(options)

    def learn_preview(self, options: Options, seconds: float) -> None:
        """After a preview, which goes through the same stages on a smaller scale; the quickest counts."""
        pace = seconds / _pixels(options)
        self._preview = min(pace, self._preview or pace)

    def expect(self, engine: str, options: Options) -> Times | None:
        """What a portrait will take; None where nothing like it was made here yet."""
        pixels = _pixels(options)
        if run := self._runs.get((engine, options.keys)):
            return Times(run[0] * pixels, run[1] * pixels, "as the last one took here")
        if engine == "warp" and self._preview:
            return Times(self._preview * pixels, None, "judging by the preview")
        return None


def _pixels(options: Options) -> int:
    keys = USUAL if options.keys == AUTO else int(options.keys)
    side = AUTO_SIDE if options.frame_size == AUTO else int(options.frame_size)
    return keys**2 * side**2
