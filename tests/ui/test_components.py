import re

from gaze.progress import Progress, SheetProgress
from gaze.ui import components
from tests.conftest import ROOT


def test_the_embed_snippets_come_from_the_docs() -> None:
    snippets = components.embed_snippets()
    assert [snippet.name for snippet in snippets] == ["HTML", "React", "Vue", "Svelte", "iframe"]
    docs = (ROOT / "docs" / "widget.md").read_text()
    assert all(f"\n{snippet.code}\n```" in docs for snippet in snippets)
    assert len({snippet.code for snippet in snippets}) == 5
    assert all("gaze-portrait" in snippet.code and "gaze-portrait" in snippet.place for snippet in snippets)


def test_progress_tells_the_time_left_once_it_is_known() -> None:
    assert "left" not in components.progress_html(Progress("render", 10, 900, "Rendering", None))
    shown = components.progress_html(Progress("render", 450, 900, "Rendering", 12.3))
    assert "about 12 s left" in shown
    assert 'aria-valuenow="50"' in shown
    assert "about 3 min left" in components.progress_html(Progress("render", 1, 900, "Rendering", 200))


def test_sheets_are_drawn_as_they_lie_filling_and_written() -> None:
    sheets = [SheetProgress(f"q{q}{suffix}.webp", 0.25, q == 0) for suffix in ("_20", "") for q in (1, 0, 3, 2)]
    shown = components.progress_html(Progress("encode", 2, 8, "Writing", sheets=tuple(sheets)))
    names = [f"q{q}{suffix}.webp" for suffix in ("", "_20") for q in range(4)]
    assert re.findall(r'title="(.*?)"', shown) == names
    assert shown.count("--frames: 25%") == 8
    assert shown.count("sheet written") == 2


def test_text_is_escaped() -> None:
    assert "<b>" not in components.notes_html(["<b>"]) + components.error_html("<b>")
