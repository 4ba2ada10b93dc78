"""The Space's entry: build the page and serve it."""

from gaze.errors import GazeError
from gaze.ui.app import launch

if __name__ == "__main__":
    try:
        launch()
    except GazeError as error:
        raise SystemExit(str(error)) from None
