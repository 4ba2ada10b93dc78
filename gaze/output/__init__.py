"""The files of a portrait, written, read and checked."""
