"""Serve the page from the command line: `gaze-app`, `python -m gaze.ui`, and the Space's app.py."""

from __future__ import annotations

import argparse
import logging
import os
import sys

from gaze.errors import GazeError
from gaze.ui.app import launch
from gaze.ui.ending import leave


def main(argv: list[str] | None = None) -> None:
    """Build the page and serve it until interrupted; ends the program with a sentence where that cannot be."""
    parser = argparse.ArgumentParser(prog="gaze-app", description="Serve Gaze's page, and its API for programs.")
    parser.add_argument(
        "--remote",
        default=os.environ.get("GAZE_REMOTE"),
        help="another Gaze that makes the portraits: a Space as owner/name, or a URL (default: GAZE_REMOTE)",
    )
    logging.basicConfig(format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    logging.getLogger("gaze").setLevel(logging.INFO)
    try:
        launch(parser.parse_args(argv).remote)
        leave()
    except GazeError as error:
        sys.exit(f"gaze: {error}")


if __name__ == "__main__":
    main()
