"""What a run works on, once it is chosen: the portrait, its face, and the engine."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from gaze.engines.base import Engine
from gaze.face.face import Face
from gaze.grid import GazeGrid
from gaze.options import Options
from gaze.output.metadata import Metadata
from gaze.output.pack import PACK, STILLS_PACK, Facts
from gaze.output.sprites import describe
from gaze.photo.portrait import Portrait
from gaze.pipeline.sheets import sheet_plan
from gaze.storage.checkpoint import fingerprint_of


@dataclass(frozen=True)
class Subject:
    """One portrait to be made.

    Attributes:
        grid: the looks.
        photographed: the framed photo.
        portrait: the same with the background that was asked for.
        face: in it.
        engine: what renders it.
        options: all choices.
    """

    grid: GazeGrid
    photographed: Portrait
    portrait: Portrait
    face: Face
    engine: Engine
    options: Options

    def facts(self, alpha: bool) -> Facts:
        """What its pack says of it; `alpha` is whether frames are transparent."""
        x, y = self.face.centre
        where = (round(x / self.portrait.width, 4), round(y / self.portrait.height, 4))
        return Facts(self.grid.size, self.portrait.width, self.portrait.height, alpha, where)

    def metadata(self, alpha: bool) -> Metadata:
        """Its metadata without sheets."""
        size = sheet_plan(self.grid, self.portrait, self.options, alpha).size
        metadata = describe(self.grid, self.options.mode, size, self.facts(alpha).face, self.engine.name, alpha)
        if not self.options.pack:
            return metadata
        stills = None if self.options.video == "none" else STILLS_PACK
        return metadata.model_copy(update={"pack": PACK, "stills": stills})

    @cached_property
    def fingerprint(self) -> str:
        """The same for whatever would be rendered alike, by the engine as it is when this is first asked for."""
        portrait, options = self.portrait, self.options
        seen = portrait.image if portrait.alpha is None else np.dstack([portrait.image, portrait.alpha])
        return fingerprint_of(seen, self.face, self.grid, options.straighten, options.expression, self.engine.name)
