import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from gaze.photo import decoder
from tests.conftest import PHOTO


def picture(megapixels: int, format: str = "JPEG", is_transparent: bool = False, **info: object) -> Any:
    """A picture whose header has been read."""
    size = (10_000, megapixels * 100)
    return SimpleNamespace(size=size, format=format, info=info, has_transparency_data=is_transparent)


def test_a_progressive_jpeg_may_have_fewer_pixels_than_another() -> None:
    """Kills: the limit of progressive JPEG, which is decoded whole in memory for each of its passes, is that of any."""
    assert decoder._size(picture(119)) == pytest.approx(119 / 120)
    assert decoder._size(picture(49, progressive=1)) == pytest.approx(49 / 50)
    with pytest.raises(decoder.RefusedError, match="more than 50 million pixels"):
        decoder._size(picture(51, progressive=1))
    with pytest.raises(decoder.RefusedError, match="more than 120 million pixels"):
        decoder._size(picture(121))


@pytest.mark.parametrize(("format", "opaque", "transparent"), [("PNG", 45, 26), ("TIFF", 50, 40), ("WEBP", 20, 20)])
def test_a_transparent_picture_may_have_fewer_pixels(format: str, opaque: int, transparent: int) -> None:
    for is_transparent, most in ((False, opaque), (True, transparent)):
        assert decoder._size(picture(most, format, is_transparent)) == 1
        with pytest.raises(decoder.RefusedError, match=f"more than {most} million pixels"):
            decoder._size(picture(most + 1, format, is_transparent))


def test_the_time_for_a_picture_grows_with_its_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    allowed = list[float]()
    decoder.decode(PHOTO.read_bytes(), 10**6, allow=allowed.append)
    monkeypatch.setitem(decoder._LONGER, "JPEG", 3.0)
    decoder.decode(PHOTO.read_bytes(), 10**6, allow=allowed.append)
    assert allowed == [pytest.approx(512 * 512 / 120e6), pytest.approx(3 * 512 * 512 / 120e6)]


def test_a_process_that_reads_starts_without_numpy() -> None:
    """Kills: what takes as long as all else together is loaded before there is a picture that needs it."""
    folder = Path(decoder.__file__).parent
    code = f"import sys; sys.path.insert(0, {str(folder)!r}); import decoder; print('numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert done.stdout == "False\n", done.stderr
