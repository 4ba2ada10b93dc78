import re
from dataclasses import replace

import pytest

from gaze.face import detection
from gaze.face.confidence import DOUBTFUL, SURE
from gaze.photo.portrait import Portrait
from gaze.ui import components
from tests.conftest import ROOT


def test_the_embed_snippets_stand_in_the_docs() -> None:
    snippets = components.embed_snippets()
    assert [snippet.name for snippet in snippets] == ["HTML", "React", "Vue", "Svelte", "iframe"]
    docs = (ROOT / "docs" / "widget.md").read_text()
    linked = [it for it in snippets if f"\n{it.code}\n```" not in docs]
    assert [it.name for it in linked] == ["React", "Vue", "Svelte"]
    files = {
        (ROOT / "docs" / path).read_text().rstrip() for path in re.findall(r"\((\.\./gaze/ui/snippets/\S+)\)", docs)
    }
    assert files == {it.code for it in linked}
    assert len({snippet.code for snippet in snippets}) == 5
    assert all("gaze-portrait" in snippet.code and "gaze-portrait" in snippet.place for snippet in snippets)


def test_of_faces_that_are_hard_to_see_the_one_that_would_be_taken_is_shown(
    portrait: Portrait, monkeypatch: pytest.MonkeyPatch
) -> None:
    doubtful = replace(detection.main_face(portrait)[0], confidence=(DOUBTFUL + SURE) / 2)
    left, right = doubtful.left, doubtful.right
    tiny = replace(doubtful, left=replace(left, x=20, y=20), right=replace(right, x=25, y=20), confidence=0.9)
    monkeypatch.setattr(detection, "find_faces", lambda portrait: [tiny, doubtful])
    where = components.doubtful_face(portrait)["where"]
    assert where["x"] == pytest.approx(100 * doubtful.centre[0] / portrait.width)
    assert where["y"] == pytest.approx(100 * doubtful.centre[1] / portrait.height)
