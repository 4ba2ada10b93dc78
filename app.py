"""The Space's entry: build the page and serve it."""

from gaze.ui.app import launch

if __name__ == "__main__":
    launch()
