from pathlib import Path
from typing import Any, cast

from gaze.progress import Progress, Result, duration


def test_a_notebook_shows_the_portrait_itself(tmp_path: Path) -> None:
    result = Result(tmp_path, cast(Any, None), "warp", "", ())
    assert result._repr_html_() is None
    (tmp_path / "standalone.html").write_text('<p class="x">&</p>', encoding="utf-8")
    shown = result._repr_html_()
    assert shown
    assert 'srcdoc="&lt;p class=&quot;x&quot;&gt;&amp;&lt;/p&gt;"' in shown


def test_a_step_is_printed_as_one_line() -> None:
    step = Progress("render", 3, 9, "Rendering frame 3 of 9", 4.2, Result(Path("x"), cast(Any, None), "warp", "", ()))
    assert str(step) == "Rendering frame 3 of 9, about 4 s left"
    assert str(Progress("done", 1, 1, "Finished", 0.0)) == "Finished"


def test_times_are_told_as_people_say_them() -> None:
    assert [duration(seconds) for seconds in (0.21, 1.26, 12.3, 89, 200)] == [
        "0.21 s",
        "1.3 s",
        "12 s",
        "89 s",
        "3 min",
    ]
