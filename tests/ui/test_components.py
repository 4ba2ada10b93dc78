from gaze.pipeline import Progress
from gaze.ui import components


def test_the_embed_snippets_come_from_the_docs() -> None:
    snippets = components.embed_snippets()
    assert [name for name, _, _ in snippets] == ["HTML", "React", "Vue", "Svelte"]
    assert all("gaze-tracker" in code for _, _, code in snippets)


def test_progress_tells_the_time_left_once_it_is_known() -> None:
    assert "left" not in components.progress_html(Progress("render", 10, 900, "Rendering", None))
    shown = components.progress_html(Progress("render", 450, 900, "Rendering", 12.3))
    assert "about 12 s left" in shown
    assert 'aria-valuenow="50"' in shown
    assert "about 3 min left" in components.progress_html(Progress("render", 1, 900, "Rendering", 200))


def test_text_is_escaped() -> None:
    assert "<b>" not in components.notes_html(["<b>"]) + components.error_html("<b>")
