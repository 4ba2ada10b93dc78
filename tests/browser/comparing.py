"""What is shown, compared with the morph that tests/browser/keys.py draws; for any browser."""

from __future__ import annotations

import numpy as np

from tests.browser.driving import TRACKER
from tests.browser.keys import SIZE, Keys, morph

WIDTH, HEIGHT = 160, 200
"""Of a frame, and of the portrait on the page, at its top left corner."""

MANUAL = '<gaze-tracker src="portrait/" smoothing="0" follow="none" hide-controls></gaze-tracker>'
PACK_ALONE = MANUAL.replace('"portrait/"', '"portrait/gaze.pack"')
LOOKS = [(14.5, 14.5), (3.3, 21.7), (0, 29), (25.2, 8.1), (11.9, 14.0)]
NO_VIDEO = "delete window.VideoDecoder;"
NO_WEBGL = """
    const get = HTMLCanvasElement.prototype.getContext;
    HTMLCanvasElement.prototype.getContext = function (kind, ...rest) {
        return kind === "webgl2" ? null : get.call(this, kind, ...rest);
    };
"""
SLOW = """
    const read = WebGL2RenderingContext.prototype.readPixels;
    WebGL2RenderingContext.prototype.readPixels = function (...all) {
        for (const end = performance.now() + 20; performance.now() < end; );
        read.apply(this, all);
    };
"""
"""Whoever waits for a picture waits long: drawing is slow, however fast the machine."""
QUICK = """
    for (const kind of ["drawElements", "drawArrays", "readPixels"]) {
        WebGL2RenderingContext.prototype[kind] = () => {};
    }
    CanvasRenderingContext2D.prototype.drawImage = () => {};
"""
"""Nothing is drawn, nor copied, and so in no time, however much else the machine does."""

LOOK_AT = f"""(([row, col]) => {{
    const it = {TRACKER}, box = it.getBoundingClientRect(), face = [0.5, 0.42];
    const point = (value, low, size, share, extent) => {{
        const look = value / {SIZE - 1} * 2 - 1, at = low + size * share;
        return at + look * (look > 0 ? extent - at : at);
    }};
    const x = point(col, box.left, box.width, face[0], innerWidth);
    it.lookAt(x, point(row, box.top, box.height, face[1], innerHeight));
}})"""
"""Asks for a look, by means that need no room on the page."""

SHOWS = f"""(([row, col]) => Math.abs({TRACKER}.row - row) < 0.01 && Math.abs({TRACKER}.col - col) < 0.01)"""
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"


def assert_is_morph(
    shown: np.ndarray,
    keys: Keys,
    row: float,
    col: float,
    axis: list[int] | None = None,
    mean: float = 1.5,
    most: float = 12,
) -> None:
    """On average within so many levels, and 99.9 % of the pixels around the eyes within others.

    Args:
        shown: (HEIGHT, WIDTH, 3).
        axis: the keys along one axis whose pictures are used; all by default.
        most: of each channel.
    """
    difference = shown.astype(float) - morph(keys, row, col, axis)[..., :3]
    assert np.abs(difference).mean() <= mean, (row, col, np.abs(difference).mean())
    eyes = difference[int(HEIGHT * 0.3) : int(HEIGHT * 0.55), int(WIDTH * 0.2) : int(WIDTH * 0.8)]
    assert np.mean(np.abs(eyes) <= most) >= 0.999, (row, col, np.percentile(np.abs(eyes), 99.9))
