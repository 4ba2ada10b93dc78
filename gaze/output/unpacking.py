"""The keys of a pack as frames again, for sheets and for checks."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from gaze.errors import GazeError
from gaze.motion.morph import resized
from gaze.motion.motion import LayerKeys
from gaze.output.pack import Facts, Pack, Payload
from gaze.output.video import codec_of, decode_chain


def decode_keys(pack: Pack) -> dict[int, np.ndarray]:
    """All keys of a pack of version 2: (height, width, 3 or 4) uint8, by number.

    Raises:
        GazeError: it has no payload with all keys, or one that cannot be decoded.
    """
    if pack.motion is None:
        raise GazeError("The pack is of version 1, which has no keys. Make it again from its sheets.")
    count = len(pack.motion.looks) ** 2
    for payload in pack.payloads:
        if len(payload.pictures) == count:
            return _video(payload, pack.facts) if payload.kind == "video" else _stills(payload, pack.facts)
    raise GazeError("The pack does not hold all of its keys. Make the portrait again.")


def decode_layer(pack: Pack, name: str) -> LayerKeys | None:
    """The layer of this name, if the pack has one.

    Raises:
        GazeError: it cannot be decoded.
    """
    for layer in pack.layers:
        if layer.name == name:
            payload = next((each for each in layer.payloads if each.kind == "stills"), layer.payloads[0])
            facts = Facts(pack.facts.size, layer.region[2], layer.region[3], True)
            pictures = _video(payload, facts) if payload.kind == "video" else _stills(payload, facts)
            keys = tuple(payload.about.get("keys", range(len(layer.motion.looks))))
            return LayerKeys(name, layer.values, layer.region, layer.motion, keys, pictures)
    return None


def _video(payload: Payload, facts: Facts) -> dict[int, np.ndarray]:
    codec = codec_of(str(payload.about["codec"]))
    keys: dict[int, np.ndarray] = {}
    inner = {picture.parent for picture in payload.pictures.values()}
    for end in (number for number in payload.pictures if number not in inner):
        chain = payload.chain(end)
        data = (payload.pictures[number].data for number in chain)
        for number, frame in zip(chain, decode_chain(data, codec, facts.width, facts.height, facts.alpha), strict=True):
            keys.setdefault(number, frame)
    return keys


def _stills(payload: Payload, facts: Facts) -> dict[int, np.ndarray]:
    keys = {}
    for number, picture in payload.pictures.items():
        try:
            with Image.open(io.BytesIO(picture.data), formats=["WEBP"]) as still:
                if still.width * still.height > facts.width * facts.height:
                    raise ValueError("larger than a frame")
                frame = np.asarray(still.convert("RGBA" if facts.alpha else "RGB"))
        except (OSError, ValueError, Image.DecompressionBombError) as error:
            raise GazeError("A still of the pack is not a WebP picture. Make the portrait again.") from error
        keys[number] = resized(frame, (facts.width, facts.height))
    return keys
