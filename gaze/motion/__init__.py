"""Which frames are rendered as keys, and how the others are morphed from them.

Other rooms import: `inbetween`, `keys`, `ssim`.
"""
