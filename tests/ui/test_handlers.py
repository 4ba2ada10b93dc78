import re
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request as StarletteRequest

from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.storage.sessions import SessionStore
from gaze.ui import handlers as module
from gaze.ui.handlers import Handlers
from gaze.ui.options import option_inputs
from gaze.ui.queue import Line

NORMAL = {
    **{"head": 1, "eyes": 1, "brows": 1, "straighten": True, "remove_background": False, "framing": "auto"},
    **{"engine": "warp", "size": 30, "keys": "auto", "frame_size": 128, "quality": 70},
}


def choices(**changed: Any) -> list[Any]:
    """The values of all options on the page, small frames unless told otherwise."""
    assert tuple(NORMAL) == tuple(option_inputs())
    return list({**NORMAL, **changed}.values())


@pytest.fixture
def stores(tmp_path: Path) -> tuple[SessionStore, SessionStore]:
    return SessionStore(tmp_path / "results"), SessionStore(tmp_path / "previews")


@pytest.fixture
def line() -> Line:
    return Line()


@pytest.fixture
def handlers(stores: tuple[SessionStore, SessionStore], line: Line, tmp_path: Path) -> Handlers:
    return Handlers(*stores, SessionStore(tmp_path / "examples"), line)


def test_the_living_example_is_made_once_and_does_not_expire(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore]
) -> None:
    first, caption = handlers.welcome()
    assert "example" in caption
    assert stores[1].sessions() == []
    assert handlers.welcome()[0] == first


def test_a_preview_is_a_session_of_its_own(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path
) -> None:
    shown, caption, message, actions, button, previewed = handlers.preview(str(photo), None, *choices())
    assert shown["base"] == f"gradio_api/gaze/{stores[1].sessions()[0]}/"
    assert shown["totalImages"] == 100
    assert "preview" in caption
    assert "head and shoulders" in caption
    assert message == ""
    assert actions is None
    assert previewed.folder.name in shown["base"]
    assert button["interactive"] is True
    assert stores[0].sessions() == []


def test_what_cannot_be_used_keeps_the_stage_and_says_why(
    handlers: Handlers, faceless: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(faceless).save(tmp_path / "suit.png")
    shown, _, message, _, button, _ = handlers.preview(str(tmp_path / "suit.png"), None, *choices())
    assert "value" not in shown
    assert 'role="alert"' in message
    assert "No face was found" in message
    assert button["interactive"] is False


def test_a_fault_of_ours_is_logged_and_not_shown(
    handlers: Handlers, photo: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(module, "generate", broken)
    _, _, message, *_ = handlers.preview(str(photo), None, *choices())
    assert "our side" in message
    assert "secret" not in message
    assert "ZeroDivisionError: secret" in capsys.readouterr().err


def test_a_file_name_cannot_inject_markup(handlers: Handlers) -> None:
    _, _, message, *_ = handlers.preview("<img src=x onerror=alert(1)>.jpg", None, *choices())
    assert "<img" not in message


def test_generating_tells_its_progress_and_ends_with_the_portrait(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path
) -> None:
    steps = []
    for step in handlers.generate(str(photo), None, [], *choices()):
        steps.append(step)
        if "base" in step[0] and len(stores[0].sessions()) == 0:  # playable before the sheets are there
            draft = stores[0].playable(step[0]["base"].rstrip("/").rsplit("/", 1)[1])
            assert {path.name for path in draft.iterdir()} == {"gaze.pack", "poster.webp"}
    *steps, last = steps
    assert all("progressbar" in step[2] for step in steps)
    assert any("of 900" in step[2] for step in steps)
    assert any('title="q3_20.webp"' in step[2] for step in steps)
    [early] = [step[0] for step in steps if "base" in step[0]]
    assert early == last[0]
    assert any("ready. Writing sheet" in step[2] for step in steps)
    assert any("sheet written" in step[2] for step in steps)
    shown, caption, status, actions, made, generate_button, cancel_button = last
    [session] = stores[0].sessions()
    assert shown["base"] == f"gradio_api/gaze/{session}/"
    assert "900 looks" in caption
    assert "as the last one took here" in status
    assert (actions["zip"], actions["owned"]) == (f"gradio_api/gaze/{session}/gaze-portrait.zip", True)
    assert made == {"session": session, "secret": stores[0].secret(session)}
    assert (generate_button["visible"], cancel_button["visible"]) == (True, False)


def test_the_notes_tell_how_many_frames_were_rendered(handlers: Handlers, photo: Path) -> None:
    *_, last = handlers.generate(str(photo), None, [], *choices(size=10, keys=6))
    assert "36 of the 100 frames were rendered" in last[1]
    *_, last = handlers.generate(str(photo), None, [], *choices(size=10))
    assert "frames were rendered" not in last[1]


def test_a_closed_run_leaves_nothing_and_frees_its_place(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], line: Line, photo: Path
) -> None:
    steps = handlers.generate(str(photo), None, [], *choices())
    for _ in range(10):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert list(stores[0].root.iterdir()) == []
    assert len(line) == 0


def test_who_waits_sees_the_place_and_the_time_and_may_leave(handlers: Handlers, photo: Path, line: Line) -> None:
    small = choices(size=10)
    assert list(handlers.generate(str(photo), None, [], *small))
    first, second, third = (handlers.generate(str(photo), None, [], *small) for _ in range(3))
    assert "progressbar" in next(first)[2]
    assert re.search(r"You are next; about \d+ s\.", next(second)[2])
    assert re.search(r"You are number 2 in line; about \d+ s\.", next(third)[2])
    second.close()  # type: ignore[attr-defined]
    assert "You are next" in next(third)[2]
    first.close()  # type: ignore[attr-defined]
    assert "progressbar" in next(third)[2]
    third.close()  # type: ignore[attr-defined]
    assert len(line) == 0


def test_after_cancel_the_preview_is_back(handlers: Handlers, photo: Path) -> None:
    shown, *_, previewed = handlers.preview(str(photo), None, *choices())
    stage, caption, status, start, cancel = handlers.cancelled(previewed, *choices())
    assert stage == shown
    assert "preview" in caption
    assert "Nothing was kept" in status
    assert (start["visible"], cancel["visible"]) == (True, False)


def test_the_plan_names_the_engine_the_reason_and_the_time(handlers: Handlers, photo: Path) -> None:
    status, problem = handlers.plan(*choices())
    assert "Instant engine" in status
    assert "was asked for" in status
    assert "told once it has begun" in status
    assert problem == ""
    handlers.preview(str(photo), None, *choices())
    assert re.search(r"in about \d+ s, judging by the preview", handlers.plan(*choices())[0])


def test_the_plan_tells_that_another_gaze_renders(
    stores: tuple[SessionStore, SessionStore], line: Line, tmp_path: Path
) -> None:
    handlers = Handlers(*stores, SessionStore(tmp_path / "examples"), line, "http://gpu-box:7860")
    assert "Rendered by http://gpu-box:7860: Generate sends the photo there." in handlers.plan(*choices())[0]


def test_an_engine_that_is_not_there_is_told_beside_the_choice(
    handlers: Handlers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("gaze.engines.base.find_spec", lambda name: None)
    status, problem = handlers.plan(*choices(engine="liveportrait"))
    assert status == ""
    assert "needs PyTorch" in problem


def test_of_several_faces_the_chosen_one_is_taken(handlers: Handlers, portrait: Portrait, tmp_path: Path) -> None:
    pair = np.hstack([portrait.image, portrait.image[:, ::-1]])
    photo = str(tmp_path / "pair.png")
    Image.fromarray(pair).save(photo)
    found = handlers.faces(photo)
    assert found
    assert (found["photo"], found["chosen"], len(found["pictures"])) == (photo, 0, 2)
    assert all(picture.startswith("data:image/webp;base64,") for picture in found["pictures"])
    *_, result = handlers.preview(photo, {**found, "chosen": 1}, *choices())
    assert any("number 1" in note for note in result.notes)
    *_, result = handlers.preview(photo, {**found, "chosen": 1, "photo": "an earlier one"}, *choices())
    assert any("the largest was taken" in note for note in result.notes)


def test_where_there_is_no_choice_of_faces_none_is_offered(
    handlers: Handlers, photo: Path, faceless: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(faceless).save(tmp_path / "suit.png")
    assert handlers.faces(str(photo)) is handlers.faces(str(tmp_path / "suit.png")) is handlers.faces(None) is None


def test_generating_from_nothing_is_an_error_in_words(handlers: Handlers) -> None:
    *_, last = handlers.generate(None, None, [], *choices())
    assert 'role="alert"' in last[2]
    assert "Add a photo first" in last[2]


def arriving(**query: str) -> gr.Request:
    return gr.Request(request=StarletteRequest({"type": "http", "query_string": urlencode(query), "headers": []}))


def event(**data: str) -> gr.EventData:
    return gr.EventData(None, data)


@pytest.fixture
def made(stores: tuple[SessionStore, SessionStore], photo: Path) -> list[dict[str, str]]:
    """Three portraits in the store, as a browser remembers them."""
    folders = [stores[0].new() for _ in range(3)]
    for folder in folders:
        module.generate(photo, folder, Options(engine="warp", size=2, frame_size=128))
    return [{"session": folder.name, "secret": stores[0].secret(folder.name)} for folder in folders]


def test_a_first_visit_shows_the_example(handlers: Handlers) -> None:
    shown, message, actions, history, thumbnails = handlers.arrive(None, arriving())
    assert shown["totalImages"] == 100
    assert "example" in message
    assert (actions, history, thumbnails) == (None, [], [])


def test_a_link_opens_a_portrait_that_only_its_owner_may_delete(handlers: Handlers, made: list[dict[str, str]]) -> None:
    session = made[1]["session"]
    shown, message, actions, *_ = handlers.arrive([], arriving(session=session))
    assert shown["base"] == f"gradio_api/gaze/{session}/"
    assert "shared" in message
    assert actions["owned"] is False
    _, message, actions, history, thumbnails = handlers.arrive(made, arriving(session=session))
    assert actions["owned"] is True
    assert history == made
    assert [thumbnail["session"] for thumbnail in thumbnails] == [one["session"] for one in made]


@pytest.mark.parametrize("session", ["0" * 32, "../../etc", "<b>"])
def test_a_link_that_leads_nowhere_says_so_kindly(handlers: Handlers, session: str) -> None:
    shown, message, actions, *_ = handlers.arrive(None, arriving(session=session))
    assert shown["totalImages"] == 100
    assert "not there any more" in message
    assert actions is None


def test_what_has_expired_is_forgotten(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], made: list[dict[str, str]]
) -> None:
    stores[0].delete(made[0]["session"])
    *_, history, thumbnails = handlers.arrive(made, arriving())
    assert history == made[1:]
    assert len(thumbnails) == 2


def test_the_last_twenty_are_remembered_the_newest_first(handlers: Handlers) -> None:
    history = [{"session": str(n), "secret": ""} for n in range(20)]
    kept, thumbnails = handlers.remember({"session": "new", "secret": "s"}, history)
    assert [one["session"] for one in kept] == ["new", *map(str, range(19))]
    assert thumbnails[0] == {"session": "new", "poster": "gradio_api/gaze/new/poster.webp"}


def test_the_owner_deletes_one_and_then_all(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], made: list[dict[str, str]]
) -> None:
    *_, actions, history, _ = handlers.remove(made, event(session=made[1]["session"]))
    assert actions is None
    assert history == [made[0], made[2]]
    assert sorted(stores[0].sessions()) == sorted(one["session"] for one in history)
    *_, history, thumbnails = handlers.clear(history)
    assert (history, thumbnails, stores[0].sessions()) == ([], [], [])


def test_without_the_secret_nothing_is_deleted(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], made: list[dict[str, str]]
) -> None:
    forged = [{"session": made[0]["session"], "secret": made[1]["secret"]}]
    _, message, *_ = handlers.clear(forged)
    assert "Only the browser in which" in message
    assert len(stores[0].sessions()) == 3


@pytest.mark.parametrize(
    "history", ["x", 5, {}, ["x"], [None], [[]], [{}], [{"session": 5, "secret": 5}], [{"session": "x"}]]
)
def test_a_history_that_makes_no_sense_is_none(handlers: Handlers, history: Any) -> None:
    assert handlers.arrive(history, arriving())[-2:] == ([], [])
    assert "nothing to delete" in handlers.clear(history)[1]
    assert handlers.remember({"session": "0" * 32, "secret": "s"}, history)[0] == [{"session": "0" * 32, "secret": "s"}]


def test_a_history_is_no_longer_than_it_can_be(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each entry is asked for, of a store that may be far away."""
    asked: list[str] = []
    monkeypatch.setattr(stores[0], "present", lambda sessions: asked.extend(sessions) or set())
    handlers.arrive([{"session": str(number), "secret": ""} for number in range(1000)], arriving())
    assert len(asked) == 20
