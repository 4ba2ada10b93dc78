"""The Space's entry: build the page and serve it."""

import argparse
import os
import sys

from gaze import GazeError
from gaze.ui.app import launch

if __name__ == "__main__":
    parser = argparse.ArgumentParser(description="Serve Gaze's page, and its API for programs.")
    parser.add_argument(
        "--remote",
        default=os.environ.get("GAZE_REMOTE"),
        help="another Gaze that makes the portraits: a Space as owner/name, or a URL (default: GAZE_REMOTE)",
    )
    try:
        launch(parser.parse_args().remote)
    except GazeError as error:
        sys.exit(f"gaze: {error}")
