"""What every call of `cv2.remap` with one map of positions gives in place of a second."""

from __future__ import annotations

from typing import Any

NO_MAP: Any = None
"""The types of `cv2.remap` want an array, but OpenCV 5 reads at wrong places where that is an empty one."""
