"""The whole work handed to another Gaze, and what it sends taken in within bounds.

Other rooms import: `client`.
"""
