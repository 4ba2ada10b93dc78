"""Which of the mesh's 468 points lie where. Left and right are as in the image.

The numbers are those of MediaPipe's face mesh (Kartynnik et al., "Real-time Facial Surface Geometry from Monocular
Video on Mobile GPUs", 2019). Contours run from left to right in the image, unless their text says otherwise.
"""

from __future__ import annotations

POINTS = 468

LEFT_UPPER_LID = (33, 246, 161, 160, 159, 158, 157, 173, 133)
LEFT_LOWER_LID = (33, 7, 163, 144, 145, 153, 154, 155, 133)
RIGHT_UPPER_LID = (362, 398, 384, 385, 386, 387, 388, 466, 263)
RIGHT_LOWER_LID = (362, 382, 381, 380, 374, 373, 390, 249, 263)
"""Edges of the lids, both corners included; the middle one of each is the lid's apex."""

LEFT_BROW = (70, 63, 105, 66, 107)
RIGHT_BROW = (336, 296, 334, 293, 300)
"""Upper edges of the brows."""
LEFT_BROW_BELOW = (46, 53, 52, 65, 55)
RIGHT_BROW_BELOW = (285, 295, 282, 283, 276)
"""Lower edges of the brows, each below the point of the upper edge."""

UPPER_LIP = (61, 185, 40, 39, 37, 0, 267, 269, 270, 409, 291)
LOWER_LIP = (61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291)
"""Outer edges of the lips, both corners of the mouth included."""

NOSE_TIP, NOSE_ROOT = 1, 6

OUTLINE = (
    *(10, 338, 297, 332, 284, 251, 389, 356, 454, 323, 361, 288, 397, 365, 379, 378, 400, 377),
    *(152, 148, 176, 149, 150, 136, 172, 58, 132, 93, 234, 127, 162, 21, 54, 103, 67, 109),
)
"""Around the face, clockwise in the image, from the middle of the forehead's upper edge."""
CHIN = 152
LEFT_CHEEK, RIGHT_CHEEK = 234, 454
"""Of the outline: beside the ears."""

STEADY = (
    *(10, 151, 9, 8, 109, 67, 103, 54, 21, 162, 127, 234, 93, 338, 297, 332, 284, 251, 389, 356, 454, 323),
    *(168, 6, 197, 195, 5, 4, 1, 19, 2, 98, 327, 116, 117, 118, 50, 101, 345, 346, 347, 280, 330),
)
"""What no expression moves much: forehead, temples, nose, cheekbones."""
