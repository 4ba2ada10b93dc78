"""From a photo to a folder with a living portrait: the only room that knows the whole line.

Other rooms import: `group`, `making`, `preparing`, `sheets`.
"""
