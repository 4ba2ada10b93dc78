"""The instant engine: the photo itself, bent on a processor."""
