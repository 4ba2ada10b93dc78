from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from PIL import Image

from gaze.errors import GazeError
from gaze.output.sheet_reader import open_picture


def write_header(file: Path, width: int, height: int) -> None:
    """A PNG that ends before its first pixel."""
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    data = b"IDAT"
    chunks = (header, data)
    sizes = (len(chunk) - 4 for chunk in chunks)
    parts = (
        struct.pack(">I", size) + chunk + struct.pack(">I", zlib.crc32(chunk))
        for size, chunk in zip(sizes, chunks, strict=True)
    )
    file.write_bytes(b"\x89PNG\r\n\x1a\n" + b"".join(parts))


def test_a_sheet_of_large_frames_is_no_bomb(tmp_path: Path) -> None:
    """Pillow alone refuses what `--sheet-size 1024` makes."""
    write_header(tmp_path / "q0.png", 15 * 1024, 15 * 1024)
    with pytest.raises(Image.DecompressionBombError):
        Image.open(tmp_path / "q0.png")
    with open_picture(tmp_path / "q0.png") as picture:
        assert picture.size == (15 * 1024, 15 * 1024)


def test_what_is_no_sheet(tmp_path: Path) -> None:
    write_header(tmp_path / "endless.png", 100_000, 100_000)
    (tmp_path / "cut.png").write_bytes(b"\x89PNG\r\n\x1a\n\0\0")
    (tmp_path / "text.webp").write_text("RIFF of nothing")
    (tmp_path / "empty.webp").touch()
    Image.new("RGB", (4, 4)).save(tmp_path / "other.bmp")  # a format that browsers would show, but no sheet has
    for name in ("endless.png", "cut.png", "text.webp", "empty.webp", "other.bmp"):
        with pytest.raises(GazeError, match=f"{name} cannot be read as a picture"):
            open_picture(tmp_path / name)
    with pytest.raises(GazeError, match=r"gone\.webp is not there"):
        open_picture(tmp_path / "gone.webp")


@pytest.mark.parametrize("name", ["a.webp", "a.avif", "a.png", "a.jpg", "a.gif"])
def test_every_format_of_a_sheet(tmp_path: Path, name: str) -> None:
    Image.new("RGB", (40, 30)).save(tmp_path / name)
    with open_picture(tmp_path / name) as picture:
        assert picture.size == (40, 30)
