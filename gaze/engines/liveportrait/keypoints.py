"""Head pose and keypoints: from what the motion extractor says to where the warping module is to move the face.

Keypoints are rows (x, y, z): x to the right, y down, z away from the viewer; -1 to 1 spans the feature volume. All of
it stays in float32: neighbouring cells of the grid differ by less than bfloat16 can tell apart. Signs and factors are
those of KwaiVGI/LivePortrait and artokun/gaze-app.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace

import torch
from torch import Tensor

from gaze.grid import Expression, Pose

KEYPOINTS = 21

# What the keypoints move, as far as the edits need it.
_BROWS = (1, 2)
_EYEBALLS = (11, 15)
_LIDS = (13, 16)
_CHEEKS = (3, 7)
_MOUTH_CORNERS, _LIPS, _UPPER_LIP = 14, 17, 20
_X, _Y, _Z = 0, 1, 2

_FULL_BLINK, _FULL_BROWS = 20.0, 15.0
"""What 1 means in the units of the editors."""


@dataclass(frozen=True)
class Motion:
    """What the motion extractor says about B pictures, float32.

    Attributes:
        kp: (B, 21, 3) canonical keypoints.
        exp: (B, 21, 3) expression: what is added to them after the rotation.
        t: (B, 3) translation.
        scale: (B, 1).
        pitch, yaw, roll: (B, 1) degrees; positive turns the face down, to the image's left, and clockwise.
    """

    kp: Tensor
    exp: Tensor
    t: Tensor
    scale: Tensor
    pitch: Tensor
    yaw: Tensor
    roll: Tensor

    def to(self, device: torch.device | str) -> Motion:
        """The same on another device, in float32."""
        return Motion(*(getattr(self, part.name).to(device, torch.float32) for part in fields(self)))


def bins_to_degrees(logits: Tensor) -> Tensor:
    """(B, 66) logits of angle bins, 3° wide from -97.5° → (B, 1) expected angle in degrees."""
    shares = logits.float().softmax(1)
    return 3 * (shares * torch.arange(shares.shape[1], device=logits.device)).sum(1, keepdim=True) - 97.5


def rotation(pitch: Tensor, yaw: Tensor, roll: Tensor) -> Tensor:
    """Angles in degrees, each (B, 1) or (1, 1) → (B, 3, 3) R, to be multiplied from the right: keypoints @ R."""
    angles = torch.broadcast_tensors(pitch, yaw, roll)
    x, y, z = (torch.deg2rad(angle.float()).squeeze(1) for angle in angles)
    zero, one = torch.zeros_like(x), torch.ones_like(x)

    def matrix(*rows: Sequence[Tensor]) -> Tensor:
        return torch.stack([torch.stack(tuple(row), -1) for row in rows], -2)

    about_x = matrix((one, zero, zero), (zero, x.cos(), -x.sin()), (zero, x.sin(), x.cos()))
    about_y = matrix((y.cos(), zero, y.sin()), (zero, one, zero), (-y.sin(), zero, y.cos()))
    about_z = matrix((z.cos(), -z.sin(), zero), (z.sin(), z.cos(), zero), (zero, zero, one))
    return (about_z @ about_y @ about_x).transpose(1, 2)


def source_keypoints(motion: Motion) -> Tensor:
    """(B, 21, 3): where the keypoints are in the picture itself. Depth is not translated."""
    turned = motion.kp @ rotation(motion.pitch, motion.yaw, motion.roll) + motion.exp
    x_s = motion.scale[..., None] * turned
    return torch.cat([x_s[..., :2] + motion.t[:, None, :2], x_s[..., 2:]], -1)


def driving_keypoints(motion: Motion, poses: Sequence[Pose], expression: Expression) -> Tensor:
    """(len(poses), 21, 3): where the keypoints of one picture go, before stitching.

    Args:
        motion: of one picture (B = 1).
        poses: what each frame shows, relative to the picture.
        expression: what is changed in all frames alike.
    """

    def column(name: str) -> Tensor:
        return torch.tensor([[getattr(pose, name)] for pose in poses], device=motion.kp.device)

    turned = rotation(motion.pitch + column("head_pitch"), motion.yaw + column("head_yaw"), motion.roll)
    edits = gaze_edits(poses, expression.lid_term) + expression_edits(expression) + _own_edits(poses)
    x = motion.kp @ turned + motion.exp + edits.to(motion.exp.device)
    # The editor's convention: here depth is translated, too.
    return motion.scale[..., None] * x + motion.t[:, None]


def _own_edits(poses: Sequence[Pose]) -> Tensor:
    """(len(poses), 21, 3): what each pose's own expression adds. Eyes that close are `EyeRetargeting`'s."""
    neutral = Expression()
    if all(pose.expression == neutral for pose in poses):
        return torch.zeros(1, KEYPOINTS, 3)
    own = {it: expression_edits(replace(it, blink=min(0.0, it.blink))) for it in {pose.expression for pose in poses}}
    return torch.stack([own[pose.expression] for pose in poses])


def gaze_edits(poses: Sequence[Pose], lid_term: bool = False) -> Tensor:
    """(len(poses), 21, 3): what gaze and brows of each pose add to the expression; `lid_term` as in `Expression`."""
    edits = torch.zeros(len(poses), KEYPOINTS, 3)
    pupil_x, pupil_y, eyebrow = (
        torch.tensor([float(getattr(pose, name)) for pose in poses]) for name in ("pupil_x", "pupil_y", "eyebrow")
    )
    for eyeball, farther in zip(_EYEBALLS, (pupil_x < 0, pupil_x > 0), strict=True):
        # The eye that turns outwards goes further.
        edits[:, eyeball, _X] += torch.where(farther, 0.001, 0.0007) * pupil_x
        edits[:, eyeball, _Y] -= 0.001 * pupil_y
    if lid_term:
        _open_lids(edits, -pupil_y / 2)
    _raise_brows(edits, eyebrow)
    return edits


def expression_edits(expression: Expression) -> Tensor:
    """(21, 3): what an `Expression` adds to the source's own."""
    edits = torch.zeros(1, KEYPOINTS, 3)
    edit = edits[0]
    smile = expression.smile
    edit[_UPPER_LIP, _Y] -= 0.01 * smile
    edit[_MOUTH_CORNERS, _Y] -= 0.02 * smile
    edit[_LIPS, _Y] += 0.0065 * smile
    edit[_LIPS, _Z] += 0.003 * smile
    for lid, cheek in zip(_LIDS, _CHEEKS, strict=True):
        edit[lid, _Y] -= 0.00275 * smile
        edit[cheek, _Y] -= 0.0035 * smile
    _open_lids(edits, torch.tensor([-_FULL_BLINK * expression.blink]))
    for eye, wink in enumerate((expression.wink_left, expression.wink_right)):
        _open_lids(edits, torch.tensor([-_FULL_BLINK * wink]), (eye,))
    _raise_brows(edits, torch.tensor([_FULL_BROWS * expression.eyebrow]))
    return edit


def _open_lids(edits: Tensor, amounts: Tensor, eyes: tuple[int, ...] = (0, 1)) -> None:
    """The editors' lid term for edits (n, 21, 3) by amounts (n): negative closes these eyes, 0 the image's left one."""
    for eyeball, lid in ((_EYEBALLS[eye], _LIDS[eye]) for eye in eyes):
        edits[:, eyeball, _Y] -= 0.001 * amounts
        edits[:, lid, _Y] += 0.0003 * amounts


def _raise_brows(edits: Tensor, amounts: Tensor) -> None:
    """Brows of edits (n, 21, 3) go up by positive amounts (n), and down and together by negative ones."""
    up, down = amounts.clamp(min=0), amounts.clamp(max=0)
    for brow, way in zip(_BROWS, (1, -1), strict=True):
        edits[:, brow, _Y] += way * (0.001 * up + 0.0003 * down)
        edits[:, brow, _X] -= way * 0.001 * down
