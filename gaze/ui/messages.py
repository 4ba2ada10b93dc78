"""What the page sends to the app: checked once, here, since anybody can send anything."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from gaze.errors import GazeError
from gaze.grid import Strengths
from gaze.matting.background import BLUR
from gaze.options import Options

JOB = r"^[0-9a-f]{32}$"
FIRST = 320
"""Pixels of a preview that is there in about a second."""
MOST_REMEMBERED = 20
"""Portraits that a browser remembers."""
_MOST_STRENGTH = 2.0


Number = Annotated[int, Field(ge=0, lt=1000)]


class _Message(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Photo(_Message):
    """A photo that was uploaded, by its path on the server, or one of the examples, by its number.

    Not called `path`: Gradio itself would refuse a path that is not there any more, and the page would not hear of it.
    """

    upload: str | None = Field(default=None, max_length=4096)
    example: int | None = Field(default=None, ge=0, lt=100)


class Choice(_Message):
    """What stands in the controls.

    Strengths: 0 to 2, 1 is normal; `strength` multiplies the three others. `colour` counts where the background is
    "colour", and `picture`, the path of an upload, where it is "picture".
    """

    strength: float = Field(default=1.0, ge=0, le=_MOST_STRENGTH)
    head: float = Field(default=1.0, ge=0, le=_MOST_STRENGTH)
    eyes: float = Field(default=1.0, ge=0, le=_MOST_STRENGTH)
    brows: float = Field(default=1.0, ge=0, le=_MOST_STRENGTH)
    background: Literal["keep", "remove", "colour", "blur", "picture"] = "keep"
    colour: str = Field(default="#f4f1ea", pattern=r"^#[0-9a-f]{6}$")
    picture: str | None = Field(default=None, max_length=4096)
    matting: Literal["quick", "finest"] = "quick"
    framing: Literal["auto", "whole"] = "auto"
    frame_size: Literal["auto", 512, 768, 1024] = "auto"
    straighten: bool = True
    blinking: bool = True

    def options(
        self, face: int | str, anyway: bool = False, remote: str | None = None, picture: Path | None = None
    ) -> Options:
        """The options of a full portrait.

        Args:
            face, anyway, remote: as they stand there.
            picture: the file that `picture` names.
        """
        behind = {"colour": self.colour, "blur": BLUR, "picture": picture}
        parts = (min(self.strength * part, _MOST_STRENGTH) for part in (self.head, self.eyes, self.brows))
        return Options(
            strengths=Strengths(*parts),
            framing=self.framing,
            frame_size=self.frame_size,
            straighten=self.straighten,
            blinking=self.blinking,
            remove_background=self.background == "remove",
            background=behind.get(self.background),
            matting=self.matting,
            face=face,
            anyway=anyway,
            remote=remote,
            sheets=False,  # which are for other programs, and made when they are asked for
        )


class Ask(_Message):
    """A photo, which of its faces (None: not chosen yet), whether eyes may be hard to see, and the controls.

    `face`: "all" for each of them. `side`: pixels of the longer side of a preview, of each face.
    """

    photo: Photo
    face: Number | Literal["all"] | None = None
    anyway: bool = False
    choice: Choice = Choice()
    side: int = Field(default=FIRST, ge=128, le=768)


class Own(_Message):
    """A portrait as its owner's browser remembers it."""

    session: str = Field(max_length=100)
    secret: str = Field(max_length=100)


class Make(Ask):
    """A portrait to make.

    `job`: what the browser calls the run. `mine`: portraits whose rendered frames may be used again.
    """

    job: str = Field(pattern=JOB)
    mine: list[Own] = Field(default_factory=list, max_length=MOST_REMEMBERED)


class Mine(_Message):
    """All portraits that a browser remembers."""

    mine: list[Own] = Field(max_length=MOST_REMEMBERED)


class Session(_Message):
    """A portrait, by its address."""

    session: str = Field(max_length=100)


class Adding(Own):
    """A portrait that is to have sprite sheets; `job`: what the browser calls the run."""

    job: str = Field(pattern=JOB)


class Sharing(Own):
    """What the owner says about a portrait; None leaves it as it is."""

    caption: str | None = Field(default=None, max_length=200)
    card: bool | None = None


class Running(_Message):
    """A run, by the name that only its browser knows, and the portrait that it makes, if that was told already."""

    job: str = Field(max_length=100)
    session: str | None = Field(default=None, max_length=100)


M = TypeVar("M", bound=_Message)


def read(kind: type[M], data: Any) -> M:
    """A message of this kind.

    Raises:
        GazeError: it is none.
    """
    try:
        return kind.model_validate(data)
    except ValidationError as error:
        raise GazeError("This page does not fit the app any more. Reload it and try again.") from error
