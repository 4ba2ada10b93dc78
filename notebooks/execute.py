"""Run the notebook and keep what it showed: `python notebooks/execute.py`.

A living portrait is kept as its poster: pages that only show notebooks leave frames out, and each would be 300 kB.
"""

from __future__ import annotations

import base64
import html
import io
import re
from pathlib import Path
from typing import Any

import nbclient
import nbformat
from PIL import Image

NOTEBOOK = Path(__file__).with_name("gaze_walkthrough.ipynb")
_POSTER = re.compile(r'<img[^>]+src="data:image/(webp|png|jpeg);base64,([^"]+)"')


def execute(notebook: Any, folder: Path) -> Any:
    """The notebook with the outputs of all its cells, run from top to bottom.

    Args:
        notebook: as nbformat reads it.
        folder: where its kernel works.
    """
    client = nbclient.NotebookClient(
        notebook,
        timeout=300,
        kernel_name="python3",
        coalesce_streams=True,
        resources={"metadata": {"path": str(folder)}},
    )
    return client.execute()


def keep(notebook: Any) -> None:
    """Make the outputs fit to be kept: small, the same on each machine where they can be, and seen without scripts."""
    for cell in notebook.cells:
        cell.metadata.pop("execution", None)
        for output in cell.get("outputs", ()):
            data = output.get("data", {})
            if picture := _POSTER.search(html.unescape(data.get("text/html", ""))):
                kind, text = _small_picture(base64.b64decode(picture[2]))
                output["data"] = data = {kind: text}
            if "image/jpeg" in data:
                data.pop("image/png", None)
            if len(data) > 1:
                data.pop("text/plain", None)
        if cell.get("id") == "app":  # its frame leads to an address that is gone
            cell.outputs = []


def _small_picture(picture: bytes) -> tuple[str, str]:
    """A picture as notebooks keep it: its type, and its bytes in base64."""
    shown = Image.open(io.BytesIO(picture))
    shown.thumbnail((256, 256))
    out = io.BytesIO()
    kind = "png" if shown.has_transparency_data else "jpeg"
    shown.save(out, kind, optimize=True)
    return f"image/{kind}", base64.b64encode(out.getvalue()).decode()


if __name__ == "__main__":
    made = execute(nbformat.read(NOTEBOOK, as_version=4), NOTEBOOK.parent.parent)  # type: ignore[no-untyped-call]
    keep(made)
    nbformat.write(made, NOTEBOOK)  # type: ignore[no-untyped-call]
