"""What a person can choose about a portrait."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from gaze.engines.base import Engine
from gaze.errors import GazeError
from gaze.face.framing import MAX_FRAME_SIDE
from gaze.grid import Expression, Strengths
from gaze.matting.background import check_background
from gaze.matting.matte import QUICK, check_matting
from gaze.motion.keys import AUTO, COARSE, check_keys
from gaze.output.sprites import MODES
from gaze.output.video import CODECS
from gaze.photo.portrait import Photo

VIDEOS = (*CODECS, "none")
ALL = "all"
"""Every face of a photo, as `Options.face`."""


@dataclass(frozen=True)
class Options:
    """What a person can choose; the app, the command line and Python share these.

    Attributes:
        engine: one of `gaze.engines.base.ENGINES`, or an engine of your own.
        size: rows and columns of the grid, even.
        keys: how many looks per side are rendered, 5, 7 or 9; all others are morphed between them. "auto" takes 7, or 5
            where every frame is dear, or 9 where the portrait needs them. 3 are enough for a first glance.
        frame_size: longer side of the pack's frames in pixels; "auto": the photo's own pixels, at most 768.
        quality: WebP quality of the sheets, 1 to 100; the pack follows it, a little better.
        framing: one of `gaze.face.framing.FRAMINGS`.
        face: which one where there are several: 0 the main face, 1 the next largest, and so on; "all": each of them, on
            one page (`gaze.pipeline.group`).
        anyway: whether a face whose eyes are hard to see is taken, where else `DoubtfulFaceError` would ask.
        strengths: how strongly head, eyes and brows follow.
        straighten: whether a source that looks past the camera looks straight in the grid's centre.
        remove_background: whether only the person is left, before nothing.
        matting: how the person is told from the background, one of `gaze.matting.matte.MATTINGS`: "quick" by the
            network in the package, "finest" by a large one that the extra `matting` downloads.
        background: what stands behind the person instead of the photo's background: a colour as CSS writes it, "blur",
            or a picture; None leaves nothing where the background is removed or the photo is transparent.
        expression: what is changed in all frames alike (LivePortrait engine).
        mode: "quadrants", the exchange format, or "single" for one sheet.
        effort: libwebp's method for pictures, 0 fast to 6 slow.
        blinking: whether the face can blink.
        pack: whether to write a pack, before the sheets.
        sheets: whether to write sprite sheets, for other programs, once the portrait is finished; None: unless another
            Gaze makes it, or it is one of all faces.
        sheet_size: longer side of a sheet's frames in pixels; a smaller portrait is not enlarged.
        video: how the pack's video is coded, "vp9" or "av1"; "none": stills alone.
        remote: another Gaze that makes the portrait: a Space, or the URL of a running app (`gaze.remote.client`).
    """

    engine: str | Engine = "auto"
    size: int = 30
    keys: str | int = AUTO
    frame_size: str | int = AUTO
    quality: int = 70
    framing: str = "auto"
    face: int | str = 0
    anyway: bool = False
    strengths: Strengths = field(default_factory=Strengths)
    straighten: bool = True
    remove_background: bool = False
    matting: str = QUICK
    background: Photo | None = None
    expression: Expression = field(default_factory=Expression)
    mode: str = "quadrants"
    effort: int = 4
    blinking: bool = True
    pack: bool = True
    sheets: bool | None = None
    sheet_size: int = 512
    video: str = "vp9"
    remote: str | None = None

    @property
    def wants_sheets(self) -> bool:
        """Whether sheets are written."""
        return self.remote is None and self.face != ALL if self.sheets is None else self.sheets

    def check(self) -> None:
        """Check what can be checked here; the rest is checked where it is used.

        Raises:
            GazeError: something is out of range.
        """
        check_keys(self.keys)
        check_matting(self.matting)
        check_background(self.background)
        if not 1 <= self.quality <= 100:
            raise GazeError(f"The quality is {self.quality}. Choose a value from 1 to 100; 70 is the default.")
        if not 0 <= self.effort <= 6:
            raise GazeError(f"The effort is {self.effort}. Choose a value from 0 to 6; 4 is the default.")
        if isinstance(self.face, str) and self.face != ALL:
            raise GazeError(f"The face is “{self.face}”. Give its number, 0 for the main one, or “{ALL}”.")
        if self.face == ALL and self.sheets:
            raise GazeError("Sprite sheets hold one face. Choose one of the faces, or leave the sheets out.")
        if not 64 <= self.sheet_size <= MAX_FRAME_SIDE:
            raise GazeError(
                f"The sheet size is {self.sheet_size}. Choose 64 to {MAX_FRAME_SIDE} pixels; 512 is the default."
            )
        if not self.pack and not self.wants_sheets:
            raise GazeError("There is nothing to make: neither a pack nor sheets. Ask for one of the two.")
        if self.mode not in MODES:
            raise GazeError(f"There is no mode called “{self.mode}”. Choose one of: {', '.join(MODES)}.")
        if self.video not in VIDEOS:
            raise GazeError(f"There is no video called “{self.video}”. Choose one of: {', '.join(VIDEOS)}.")


PREVIEW = Options(engine="warp", keys=5, frame_size=256, quality=75, sheets=False, blinking=False)
"""The small portrait that is there at once."""
GLANCE = replace(PREVIEW, keys=COARSE, quality=60, video="none", effort=2)
"""What is there still earlier: a third of the frames, as stills: soon encoded, and shown before a video begins."""
