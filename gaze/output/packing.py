"""Frames into a pack while they arrive: every frame as a still, every block as video, on all cores."""

from __future__ import annotations

import os
from collections.abc import Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from gaze.grid import Cell
from gaze.output.blocks import Block, from_middle
from gaze.output.pack import Facts, Frame, Pack, Payload, write_pack
from gaze.output.sprites import encode_webp
from gaze.output.video import COLOR_SPACE, Chunk, codec_string, coded_size, encode_block, quantizer

STILLS_EFFORT = 4
_MOST_BLOCKS = 4
"""Blocks whose frames may wait for encoders: enough jobs for a hundred cores, 100 frames in memory."""


class PackBuilder:
    """Encodes blocks of frames on a pool of threads, and puts the results in order.

    Encoders run outside Python's lock, so threads are enough. It is a context manager: leaving it stops the threads.

    Args:
        facts: what the frames are.
        quality: WebP quality of the stills, 1 to 100; the video is made to suit.
        codec: one of `gaze.output.video.CODECS`, or None for a pack of stills alone.
        threads: None takes all cores.

    Raises:
        GazeError: frames of this size are too large for the codec.
    """

    def __init__(self, facts: Facts, quality: int, codec: str | None, threads: int | None = None) -> None:
        self.facts, self.quality, self.codec = facts, quality, codec
        self._about = self._describe_video() if codec else {}
        self.threads = threads or os.cpu_count() or 1
        self._pool = ThreadPoolExecutor(self.threads)
        self._working: dict[Future[Any], int] = {}
        self._blocks = 0
        self._stills: dict[Cell, Future[bytes]] = {}
        self._videos: dict[Block, Future[dict[Cell, Chunk]]] = {}

    def __enter__(self) -> PackBuilder:
        return self

    def __exit__(self, *_: object) -> None:
        self._pool.shutdown(wait=False, cancel_futures=True)

    def add(self, block: Block, frames: Mapping[Cell, np.ndarray]) -> None:
        """Begin to encode a block; blocks may come in any order.

        Args:
            frames: (height, width, 3 or 4) uint8 for each cell of the block. They are held until they are encoded:
                add no more while it `is_full`.
        """
        if self.codec:
            crf = quantizer(self.codec, self.quality)
            self._videos[block] = self._pool.submit(encode_block, frames, block, self.codec, crf)
            self._working[self._videos[block]] = self._blocks
        for cell, frame in frames.items():
            self._stills[cell] = self._pool.submit(self._encode_still, frame)
            self._working[self._stills[cell]] = self._blocks
        self._blocks += 1

    @property
    def backlog(self) -> int:
        """Blocks that are not encoded yet, wholly or in part; the error of an encoder comes up here."""
        for future in [future for future in self._working if future.done()]:
            future.result()
            del self._working[future]
        return len(set(self._working.values()))

    @property
    def is_full(self) -> bool:
        """Whether more blocks would only fill the memory, because every core is busy already."""
        return self.backlog > min(self.threads, _MOST_BLOCKS)

    def wait(self, seconds: float) -> None:
        """Until a frame or block is done, or so many seconds have passed."""
        wait(self._working, timeout=seconds, return_when=FIRST_COMPLETED)

    def write(self, path: Path) -> None:
        """Write the pack, the middle of the grid first; waits for all that was added."""
        size = self.facts.size
        outwards = sorted(self._stills, key=lambda cell: from_middle(cell, size))
        stills = {cell: Frame(self._stills[cell].result()) for cell in outwards}
        payloads = [Payload("stills", {}, stills)]
        if self.codec:
            blocks = sorted(self._videos, key=lambda block: from_middle(block.key, size))
            chunks = {
                cell: Frame(chunk.data, chunk.parent)
                for block in blocks
                for cell, chunk in self._videos[block].result().items()
            }
            payloads.insert(0, Payload("video", self._about, chunks))
        with path.open("wb") as file:
            write_pack(Pack(self.facts, payloads), file)

    def _describe_video(self) -> dict[str, Any]:
        facts = self.facts
        assert self.codec
        width, height = coded_size(facts.width, facts.height, facts.alpha)
        about = {"codec": codec_string(self.codec, width, height), "codedWidth": width, "codedHeight": height}
        return {**about, "colorSpace": COLOR_SPACE, **({"alpha": "stacked"} if facts.alpha else {})}

    def _encode_still(self, frame: np.ndarray) -> bytes:
        return encode_webp(Image.fromarray(frame), self.quality, STILLS_EFFORT)
