"""The Space's entry: build the page and serve it."""

from gaze.ui.__main__ import main

if __name__ == "__main__":
    main()
