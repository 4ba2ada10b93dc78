"""Where the face of a portrait is, and how the portrait is cut around it.

Other rooms import: `detection`, `face`, `framing`, `person`, `topology`, `typical`.
"""
