"""After a restart, pages that are still open name photos of the app that was: they are told so, and the log is not."""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.exceptions import InvalidPathError

RESTARTED = "The app was restarted: add the photo again."


def tell_of_restarts(page: gr.Blocks) -> None:
    """Answer in words where a photo is named that is not there: Gradio would log its name, and say null."""
    plain = page.preprocess_data

    async def preprocess_data(*args: Any, **kwargs: Any) -> Any:
        try:
            return await plain(*args, **kwargs)
        except (InvalidPathError, FileNotFoundError):
            raise gr.Error(RESTARTED, title="Not possible", print_exception=False) from None

    page.preprocess_data = preprocess_data  # type: ignore[method-assign]
