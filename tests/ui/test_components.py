from gaze.ui import components
from tests.conftest import ROOT


def test_the_embed_snippets_come_from_the_docs() -> None:
    snippets = components.embed_snippets()
    assert [snippet.name for snippet in snippets] == ["HTML", "React", "Vue", "Svelte", "iframe"]
    docs = (ROOT / "docs" / "widget.md").read_text()
    assert all(f"\n{snippet.code}\n```" in docs for snippet in snippets)
    assert len({snippet.code for snippet in snippets}) == 5
    assert all("gaze-portrait" in snippet.code and "gaze-portrait" in snippet.place for snippet in snippets)
