from pathlib import Path
from urllib.parse import urlencode

import gradio as gr
import numpy as np
import pytest
from PIL import Image
from starlette.requests import Request as StarletteRequest

from gaze.pipeline import Options
from gaze.sessions import SessionStore
from gaze.ui import handlers as module
from gaze.ui.handlers import Handlers

CHOICES = (1, 1, 1, True, "auto")


@pytest.fixture
def stores(tmp_path: Path) -> tuple[SessionStore, SessionStore]:
    return SessionStore(tmp_path / "results"), SessionStore(tmp_path / "previews")


@pytest.fixture
def handlers(stores: tuple[SessionStore, SessionStore]) -> Handlers:
    return Handlers(*stores)


def test_the_living_example_is_made_once_and_again_when_it_is_gone(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore]
) -> None:
    first, message = handlers.welcome()
    assert "example" in message
    assert handlers.welcome()[0] == first
    stores[1].delete(first["base"].rstrip("/").rsplit("/", 1)[1])
    assert handlers.welcome()[0]["base"] != first["base"]


def test_a_preview_is_a_session_of_its_own(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path
) -> None:
    shown, message, button = handlers.preview(str(photo), *CHOICES)
    assert shown["base"] == f"gradio_api/gaze/{stores[1].sessions()[0]}/"
    assert shown["totalImages"] == 100
    assert "head and shoulders" in message
    assert button["interactive"] is True
    assert stores[0].sessions() == []


def test_what_cannot_be_used_keeps_the_stage_and_says_why(
    handlers: Handlers, faceless: np.ndarray, tmp_path: Path
) -> None:
    Image.fromarray(faceless).save(tmp_path / "suit.png")
    shown, message, button = handlers.preview(str(tmp_path / "suit.png"), *CHOICES)
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
    _, message, _ = handlers.preview(str(photo), *CHOICES)
    assert "our side" in message
    assert "secret" not in message
    assert "ZeroDivisionError: secret" in capsys.readouterr().err


def test_a_file_name_cannot_inject_markup(handlers: Handlers) -> None:
    _, message, _ = handlers.preview("<img src=x onerror=alert(1)>.jpg", *CHOICES)
    assert "<img" not in message


def test_generating_tells_its_progress_and_ends_with_the_portrait(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path
) -> None:
    steps = []
    for step in handlers.generate([], str(photo), *CHOICES, 128):
        steps.append(step)
        if "base" in step[0] and len(stores[0].sessions()) == 0:  # playable before the sheets are there
            draft = stores[0].playable(step[0]["base"].rstrip("/").rsplit("/", 1)[1])
            assert {path.name for path in draft.iterdir()} == {"gaze.pack", "poster.webp"}
    *steps, last = steps
    assert all("progressbar" in step[1] for step in steps)
    assert any("of 900" in step[1] for step in steps)
    [early] = [step[0] for step in steps if "base" in step[0]]
    assert early == last[0]
    assert any("ready. Writing sheet" in step[1] for step in steps)
    shown, message, actions, made, generate_button, cancel_button = last
    [session] = stores[0].sessions()
    assert shown["base"] == f"gradio_api/gaze/{session}/"
    assert "900 looks" in message
    assert (actions["zip"], actions["owned"]) == (f"gradio_api/gaze/{session}/gaze-portrait.zip", True)
    assert made == {"session": session, "secret": stores[0].secret(session)}
    assert (generate_button["visible"], cancel_button["visible"]) == (True, False)


def test_the_notes_tell_how_many_frames_were_rendered(handlers: Handlers, photo: Path) -> None:
    *_, last = handlers.generate([], str(photo), *CHOICES, 128, 10, "warp", 6)
    assert "36 of the 100 frames were rendered" in last[1]
    *_, last = handlers.generate([], str(photo), *CHOICES, 128, 10, "warp", "auto")
    assert "frames were rendered" not in last[1]


def test_a_closed_run_leaves_nothing(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path
) -> None:
    steps = handlers.generate([], str(photo), *CHOICES, 128)
    for _ in range(10):
        next(steps)
    steps.close()  # type: ignore[attr-defined]
    assert list(stores[0].root.iterdir()) == []


def test_generating_from_nothing_is_an_error_in_words(handlers: Handlers) -> None:
    *_, last = handlers.generate([], None, *CHOICES, 128)
    assert 'role="alert"' in last[1]
    assert "Add a photo first" in last[1]


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
