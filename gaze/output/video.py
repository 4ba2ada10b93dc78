"""Frames as video: one key frame, each other frame predicted from the one before it.

Only the free encoders libvpx (VP9) and SVT-AV1 are used, through PyAV.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import cv2
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.reformatter import ColorRange, Colorspace, VideoReformatter

from gaze.errors import GazeError

_BT709 = 1
_TICK = Fraction(1, 30)
COLOR_SPACE = {"primaries": "bt709", "transfer": "bt709", "matrix": "bt709", "fullRange": False}
"""How the video's samples mean colours, in the words of WebCodecs."""


@dataclass(frozen=True)
class Codec:
    """A video format, and how it is made.

    Attributes:
        encoder, decoder: FFmpeg's names.
        options: of the encoder: one thread, no look-ahead, constant quality.
        levels: largest pictures in pixels, and the level's number in the codec string.
        string: the codec string of WebCodecs, level left open.
        quantizer: constant quality, the encoder's way, as a linear function of WebP's: (value at 70, step per unit).
    """

    encoder: str
    decoder: str
    options: Mapping[str, str]
    levels: tuple[tuple[int, int], ...]
    string: str
    quantizer: tuple[float, float]


CODECS = {
    "vp9": Codec(
        "libvpx-vp9",
        "vp9",
        {
            "deadline": "realtime",
            "cpu-used": "7",
            "b": "0",
            "g": "9999",
            "lag-in-frames": "0",
            "auto-alt-ref": "0",
            "row-mt": "0",
            "threads": "1",
        },
        # VP9 levels: https://www.webmproject.org/vp9/levels/
        (
            (36864, 10),
            (73728, 11),
            (122880, 20),
            (245760, 21),
            (552960, 30),
            (983040, 31),
            (2228224, 40),
            (8912896, 50),
        ),
        "vp09.00.{level:02}.08",
        (38, -0.5),
    ),
    "av1": Codec(
        "libsvtav1",
        "libdav1d",
        {
            "preset": "8",
            "g": "9999",
            "svtav1-params": "pred-struct=1:lookahead=0:lp=1:scd=0:keyint=-1",
        },
        # AV1 specification, annex A.3
        ((147456, 0), (278784, 1), (665856, 4), (1065024, 5), (2359296, 8), (8912896, 12)),
        "av01.0.{level:02}M.08",
        (38, -0.5),
    ),
}
"""The formats that a pack's video may have, by the name that options use."""


def codec_string(codec: str, width: int, height: int) -> str:
    """What `VideoDecoder` wants to know, for coded pictures of this size.

    Raises:
        GazeError: pictures of this size are beyond the format's usual levels.
    """
    known = CODECS[codec]
    for pixels, level in known.levels:
        if width * height <= pixels:
            return known.string.format(level=level)
    raise GazeError(f"Frames coded as {width} × {height} pixels are too large for {codec}. Choose a smaller size.")


def codec_of(string: str) -> str:
    """The name in `CODECS` of a codec string.

    Raises:
        GazeError: it is another codec's.
    """
    for name, known in CODECS.items():
        if string[:4] == known.string[:4]:
            return name
    raise GazeError(f"The codec {string[:20]} cannot be read here. Make the portrait again.")


def coded_size(width: int, height: int, alpha: bool) -> tuple[int, int]:
    """Width and height of the coded picture: even, and twice as high where alpha lies under the colour."""
    even = height + height % 2
    return width + width % 2, even * 2 if alpha else even


def quantizer(codec: str, quality: int) -> int:
    """The constant quality for a WebP quality, as the encoder counts: smaller is better.

    Eyes come out better than WebP's: equal ones would have about 9 more, and save little (benchmarks/RESULTS.md).
    """
    at70, step = CODECS[codec].quantizer
    return int(np.clip(round(at70 + step * (quality - 70)), 4, 60))


def encode_chain(frames: Sequence[np.ndarray], codec: str, crf: int) -> list[bytes]:
    """Frames as chunks: a key frame, then each predicted from the one before.

    Args:
        frames: (height, width, 3 or 4) uint8, as rendered: a lossy pass before this one would double the size.
        codec: one of `CODECS`.
        crf: constant quality, as the encoder counts: smaller is better.
    """
    known = CODECS[codec]
    os.environ.setdefault("SVT_LOG", "1")  # errors only; SVT-AV1 would print a page
    width, height = coded_size(frames[0].shape[1], frames[0].shape[0], frames[0].shape[2] == 4)
    encoder: Any = VideoCodecContext.create(known.encoder, "w")
    encoder.width, encoder.height, encoder.pix_fmt = width, height, "yuv420p"
    encoder.time_base = _TICK
    encoder.colorspace = encoder.color_primaries = encoder.color_trc = _BT709
    encoder.color_range = int(ColorRange.MPEG)
    encoder.thread_count = 1
    encoder.options = {**known.options, "crf": str(crf)}
    packets, reformatter = [], VideoReformatter()
    never_seen = colours_never_seen(frames) if frames[0].shape[2] == 4 else None
    for number, frame in enumerate(frames):
        coded = even_sides(frame) if never_seen is None else stack_alpha(frame, never_seen)
        picture = to_yuv(coded, reformatter)
        picture.pts = number
        picture.time_base = _TICK
        packets += encoder.encode(picture)
    packets += encoder.encode(None)
    if len(packets) != len(frames):
        raise RuntimeError(f"{codec} made {len(packets)} chunks of {len(frames)} frames.")
    return [bytes(packet) for packet in packets]


def stack_alpha(frame: np.ndarray, never_seen: np.ndarray) -> np.ndarray:
    """A frame with even sides, (height, width, 3); alpha as a grey picture under the colour.

    Under full transparency colours go on from what is seen: hard edges that nobody sees cost bytes, and would bleed.

    Args:
        frame: (height, width, 4) uint8.
        never_seen: what `colours_never_seen` gives for all frames.
    """
    alpha, nowhere = frame[..., 3:], never_seen[..., 3:] > 0
    colour = np.where(nowhere, never_seen[..., :3], frame[..., :3])
    colour = _gone_on(colour, ((alpha > 0) | nowhere)[..., 0].astype(np.float32)).round().astype(np.uint8)
    return np.concatenate([even_sides(colour), even_sides(np.repeat(alpha, 3, axis=2))])


def colours_never_seen(frames: Sequence[np.ndarray]) -> np.ndarray:
    """The colours of places that all frames hide: the same in each, so that they are coded once.

    Args:
        frames: (height, width, 4) uint8.

    Returns:
        (height, width, 4) uint8; the last channel is 0 where a frame is seen.
    """
    size = frames[0].shape[:2]
    sums, count = np.zeros((*size, 3), np.float32), np.zeros(size, np.float32)
    for frame in frames:
        seen = np.sign(frame[..., 3])
        cv2.accumulate(np.ascontiguousarray(frame[..., :3]), sums, seen)
        cv2.accumulate(seen, count)
    if not count.any():
        return np.dstack([frames[0][..., :3], np.full(size, 255, np.uint8)])
    colours = _gone_on(sums / np.maximum(count, 1)[..., None], np.sign(count)).round().astype(np.uint8)
    return np.dstack([colours, np.where(count > 0, 0, 255).astype(np.uint8)])


def even_sides(picture: np.ndarray) -> np.ndarray:
    """A picture (height, width, 3) whose last row and column are there twice if sides are odd."""
    odd = picture.shape[0] % 2, picture.shape[1] % 2
    return np.pad(picture, ((0, odd[0]), (0, odd[1]), (0, 0)), mode="edge") if any(odd) else picture


def _gone_on(colour: np.ndarray, weight: np.ndarray) -> np.ndarray:
    """A picture whose pixels without weight take on what is around them, the farther away the coarser."""
    if weight.all():
        return colour
    half = (-(-weight.shape[1] // 2), -(-weight.shape[0] // 2))
    known, sums = (cv2.resize(it, half, interpolation=cv2.INTER_AREA) for it in (weight, colour * weight[..., None]))
    coarser = _gone_on(sums / np.maximum(known, 1e-6)[..., None], known)
    wide = cv2.resize(coarser, weight.shape[::-1], interpolation=cv2.INTER_LINEAR)
    return np.where(weight[..., None] > 0, colour, wide)


def to_yuv(picture: np.ndarray, reformatter: VideoReformatter) -> VideoFrame:
    """RGB (height, width, 3) as BT.709, limited range, 4:2:0, and tagged so: untagged it would be guessed.

    What the reformatter sets up serves all pictures of one size; threads must not share it.
    """
    frame = VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")
    return reformatter.reformat(
        frame,
        format="yuv420p",
        src_color_range=ColorRange.JPEG,
        dst_color_range=ColorRange.MPEG,
        dst_colorspace=Colorspace.ITU709,
    )


def decode_chain(chunks: Iterable[bytes], codec: str, width: int, height: int, alpha: bool) -> Iterator[np.ndarray]:
    """The frames (height, width, 3 or 4) uint8 of a chain, from its key frame on.

    Raises:
        GazeError: a chunk is no frame of this codec and size.
    """
    decoder: Any = VideoCodecContext.create(CODECS[codec].decoder, "r")
    decoder.thread_count = 1
    expected = coded_size(width, height, alpha)
    # Whatever size a chunk claims; decoders ask for up to 128 more each way.
    decoder.options = {"max_pixels": str((expected[0] + 128) * (expected[1] + 128))}
    try:
        for data in chunks:
            pictures = decoder.decode(av.Packet(data))
            pictures = pictures or decoder.decode(None)
            if len(pictures) != 1:
                raise GazeError("A chunk of the video does not decode to one frame. Make the pack again.")
            if (pictures[0].width, pictures[0].height) != expected:
                raise GazeError("A frame of the video has another size than the pack says. Make the pack again.")
            if pictures[0].colorspace != _BT709:
                raise GazeError("The video does not say that its colours are BT.709. Make the pack again.")
            yield _unstack(pictures[0], width, height, alpha)
    except av.FFmpegError as error:
        raise GazeError("A chunk of the video cannot be decoded. Make the pack again.") from error


def _unstack(picture: VideoFrame, width: int, height: int, alpha: bool) -> np.ndarray:
    # Exact, because this is what frames are measured by: FFmpeg's own way to RGB truncates, a whole level on average.
    yuv = np.moveaxis(picture.reformat(format="yuv444p").to_ndarray(), 0, -1)
    colour = cv2.transform(np.ascontiguousarray(yuv[:height, :width]), _TO_RGB)
    if not alpha:
        return colour
    luma = yuv[picture.height // 2 :][:height, :width, :1].astype(np.float32)
    return np.concatenate([colour, ((luma - 16) * (255 / 219)).round().clip(0, 255).astype(np.uint8)], axis=2)


def _bt709_to_rgb() -> np.ndarray:
    """(3, 4) float64: limited-range Y, Cb, Cr and 1 to R, G, B in 0 to 255 (ITU-R BT.709-6, items 3.2 to 3.5)."""
    kr, kb = 0.2126, 0.0722
    kg = 1 - kr - kb
    red, blue = 2 * (1 - kr), 2 * (1 - kb)
    unit = np.array([[1, 0, red], [1, -kb * blue / kg, -kr * red / kg], [1, blue, 0]])
    linear = unit * 255 / np.array([219, 224, 224])
    return np.column_stack([linear, -linear @ np.array([16, 128, 128])])


_TO_RGB = _bt709_to_rgb()
