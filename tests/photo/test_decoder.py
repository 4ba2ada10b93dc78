from types import SimpleNamespace
from typing import Any

import pytest

from gaze.photo import decoder


def picture(megapixels: int, **info: object) -> Any:
    """A JPEG whose header has been read."""
    return SimpleNamespace(size=(10_000, megapixels * 100), format="JPEG", info=info)


def test_a_progressive_jpeg_may_have_fewer_pixels_than_another() -> None:
    """Kills: the limit of progressive JPEG, which is decoded whole in memory for each of its passes, is that of any."""
    decoder._check_size(picture(119))
    decoder._check_size(picture(49, progressive=1))
    with pytest.raises(decoder.RefusedError, match="more than 50 million pixels"):
        decoder._check_size(picture(51, progressive=1))
    with pytest.raises(decoder.RefusedError, match="more than 120 million pixels"):
        decoder._check_size(picture(121))
