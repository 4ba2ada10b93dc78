import pytest

from gaze.ui.visitors import for_visitors


@pytest.mark.parametrize(
    ("words", "shown"),
    [
        ("/home/me/.cache/gaze/sessions cannot be written to: No space.", "sessions cannot be written to: No space."),
        ("GAZE_WEIGHTS is /nowhere. Name a folder.", "GAZE_WEIGHTS is nowhere. Name a folder."),
        ("[Errno 2] No such file: '/srv/store/0a/metadata.json'", "[Errno 2] No such file: 'metadata.json'"),
        (r"“C:\Users\me\gaze\keys.zip” is damaged.", "“keys.zip” is damaged."),
        (r"\\server\share\x.pack is damaged", "x.pack is damaged"),
        ("~/weights/a.pth is damaged.", "a.pth is damaged."),
        ("No Gaze answers at http://gpu:7860/gaze (refused).", "No Gaze answers at http://gpu:7860/gaze (refused)."),
        ("Name a Space as owner/name, or s3://bucket/folder.", "Name a Space as owner/name, or s3://bucket/folder."),
        ("Keys per side: 5/7/9, and/or 1 / 2.", "Keys per side: 5/7/9, and/or 1 / 2."),
        ("4000 × 3000 pixels", "4000 × 3000 pixels"),
    ],
)  # fmt: skip
def test_paths_of_the_server_are_not_told(words: str, shown: str) -> None:
    assert for_visitors(ValueError(words)) == shown
