"""Which looks are rendered as keys, how points move between them, and how all other looks are morphed.

Other rooms import: `eyes`, `guard`, `keys`, `lattice`, `layer`, `morph`, `motion`, `rank`, `tracking`.
"""
