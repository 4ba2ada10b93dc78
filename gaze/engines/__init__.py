"""What renders a face in other poses, and which of them a run takes.

Other rooms import: `base`, `blinking`, `wrapping`.
"""
