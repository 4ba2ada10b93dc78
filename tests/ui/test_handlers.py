import base64
import io
import secrets
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np
import pytest
from gradio.processing_utils import check_all_files_in_cache
from PIL import Image

from gaze.face import detection
from gaze.face.confidence import DOUBTFUL, SURE
from gaze.options import Options
from gaze.photo.portrait import Portrait
from gaze.pipeline.making import generate
from gaze.storage.sessions import SessionStore
from gaze.ui import handlers as module
from gaze.ui import photo_input
from gaze.ui.handlers import Handlers
from gaze.ui.limit import Limit
from gaze.ui.queue import Queue
from tests.conftest import PHOTO

EXAMPLE = {"photo": {"example": 0}}


@pytest.fixture
def stores(tmp_path: Path) -> tuple[SessionStore, SessionStore]:
    return SessionStore(tmp_path / "results"), SessionStore(tmp_path / "previews")


@pytest.fixture
def handlers(
    stores: tuple[SessionStore, SessionStore], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Handlers]:
    """With small portraits, and uploads in a folder of the test's own."""
    run = module.run
    monkeypatch.setattr(photo_input, "get_upload_folder", lambda: str(tmp_path / "uploads"))
    (tmp_path / "uploads").mkdir()

    def small(photo: Path, out: Path, options: Options, earlier: Any) -> Any:
        return run(photo, out, replace(options, engine="warp", keys=5, frame_size=128), earlier)

    monkeypatch.setattr(module, "run", small)
    handlers = Handlers(*stores, Queue())
    yield handlers
    handlers.jobs.close()


@pytest.fixture
def uploaded(tmp_path: Path) -> Callable[[np.ndarray], dict[str, Any]]:
    def save(image: np.ndarray) -> dict[str, Any]:
        path = tmp_path / "uploads" / "photo.png"
        Image.fromarray(image).save(path)
        return {"photo": {"upload": str(path)}}

    return save


def event(**data: Any) -> gr.EventData:
    return gr.EventData(None, data)


def make(handlers: Handlers, **data: Any) -> Iterator[dict[str, Any]]:
    return handlers.make(event(**{"nonce": "n", "job": secrets.token_hex(16), **EXAMPLE, **data}))


def made(handlers: Handlers, **data: Any) -> dict[str, Any]:
    *_, told = make(handlers, **data)
    assert told["phase"] == "done", told
    return told


def own(told: dict[str, Any]) -> dict[str, str]:
    return {name: told[name] for name in ("session", "secret")}


def test_a_photo_with_one_face_is_seen_at_once(handlers: Handlers, stores: tuple[SessionStore, SessionStore]) -> None:
    answer = handlers.look(EXAMPLE)
    assert answer["kind"] == "preview"
    assert answer["portrait"]["base"] == f"gradio_api/gaze/{stores[1].sessions()[0]}/"
    assert answer["seconds"] is None, "nothing was made yet"
    assert stores[0].sessions() == []


def picture_of(url: str) -> np.ndarray:
    """The picture in a data: URL, (height, width, 3) float."""
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2]))).convert("RGB"), float)


def test_a_person_who_is_cut_out_comes_with_the_background_out_of_focus(handlers: Handlers) -> None:
    answer = handlers.look({**EXAMPLE, "choice": {"background": "remove"}})
    assert answer["portrait"]["hasAlpha"]
    [picture] = (picture_of(url) for url in answer["blurred"])
    assert picture.shape[1::-1] == (answer["portrait"]["imageWidth"], answer["portrait"]["imageHeight"])
    sharp = [np.abs(np.diff(each.mean(2))).mean() for each in (picture, np.asarray(Image.open(PHOTO), float))]
    assert sharp[0] < sharp[1] / 4


def test_of_several_faces_one_is_chosen(
    handlers: Handlers, uploaded: Callable[[np.ndarray], dict[str, Any]], portrait: Portrait
) -> None:
    pair = uploaded(np.hstack([portrait.image, portrait.image[:, ::-1]]))
    answer = handlers.look(pair)
    assert answer["kind"] == "several"
    assert (answer["width"], answer["height"]) == (2 * portrait.width, portrait.height)
    left, right = sorted(answer["faces"], key=lambda face: face["x"])
    assert left["x"] + right["x"] == pytest.approx(100, abs=1)
    assert left["picture"].startswith("data:image/webp;base64,")
    assert answer["still"].startswith("data:image/webp;base64,")
    chosen = [handlers.look({**pair, "face": face})["portrait"]["face"]["x"] for face in (0, 1)]
    assert sum(chosen) == pytest.approx(1, abs=0.05), "they are each other's mirror images"


def test_the_face_is_searched_once_however_controls_move(
    handlers: Handlers,
    uploaded: Callable[[np.ndarray], dict[str, Any]],
    portrait: Portrait,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    searched: list[np.ndarray] = []

    def counted(image: np.ndarray) -> Iterator[list[detection.Detection]]:
        searched.append(image)
        return detect(image)

    detect = detection.detect
    monkeypatch.setattr(detection, "detect", counted)
    photo = uploaded(np.ascontiguousarray(portrait.image[1:]))
    for eyes in (0.5, 1.0, 1.5):
        assert handlers.look({**photo, "choice": {"eyes": eyes}})["kind"] == "preview"
    assert len(searched) == 1


def test_where_the_eyes_are_hard_to_see_the_person_is_asked(
    handlers: Handlers, monkeypatch: pytest.MonkeyPatch, portrait: Portrait
) -> None:
    doubted = replace(detection.find_faces(portrait)[0], confidence=(DOUBTFUL + SURE) / 2)
    monkeypatch.setattr(detection, "find_faces", lambda _: [doubted])
    asked = handlers.look(EXAMPLE)
    assert asked["kind"] == "doubtful"
    assert "hard to see" in asked["text"]
    assert asked["still"].startswith("data:image/webp;base64,")
    assert handlers.look({**EXAMPLE, "anyway": True})["kind"] == "preview"


def test_all_faces_are_one_portrait_of_their_owner(
    handlers: Handlers,
    stores: tuple[SessionStore, SessionStore],
    uploaded: Callable[[np.ndarray], dict[str, Any]],
    portrait: Portrait,
) -> None:
    pair = uploaded(np.hstack([portrait.image, portrait.image[:, ::-1]]))
    told = made(handlers, **pair, face="all")
    assert [face["pack"] for face in told["portrait"]["faces"]] in (
        ["gaze.pack", "gaze-2.pack"],
        ["gaze-2.pack", "gaze.pack"],
    )
    assert stores[0].sessions() == [told["session"]]
    folder = stores[0].folder(told["session"])
    handlers.remove({"mine": [own(told)]})
    assert not folder.exists()


def test_a_preview_of_all_faces_is_one_portrait(
    handlers: Handlers, uploaded: Callable[[np.ndarray], dict[str, Any]], portrait: Portrait
) -> None:
    pair = uploaded(np.hstack([portrait.image, portrait.image[:, ::-1]]))
    answer = handlers.look({**pair, "face": "all", "side": 128, "choice": {"background": "remove"}})
    assert answer["kind"] == "preview"
    assert len(answer["portrait"]["faces"]) == 2
    assert answer["portrait"]["hasAlpha"]
    assert {max(face["imageWidth"], face["imageHeight"]) for face in answer["portrait"]["faces"]} == {128}
    left, right = (picture_of(url) for url in answer["blurred"])
    difference = np.abs(left - right[:, ::-1]).mean()
    assert difference < 3 < np.abs(left - right).mean(), "each has its own behind it"


def test_what_cannot_be_used_is_explained(
    handlers: Handlers, uploaded: Callable[[np.ndarray], dict[str, Any]], faceless: np.ndarray
) -> None:
    problem = handlers.look(uploaded(faceless))["problem"]
    assert problem["title"].endswith(".")
    assert "face" in problem["title"]
    assert problem["text"]
    assert problem["gone"] is False


@pytest.mark.parametrize("path", ["/etc/hostname", "", "x", "\0", "../../etc/passwd"])
def test_other_files_of_the_server_are_no_photos(handlers: Handlers, path: str, tmp_path: Path) -> None:
    for named in (path, str(tmp_path / "uploads" / ".." / "results"), str(tmp_path / "uploads" / "gone.jpg")):
        asked: Any = {"photo": {"upload": named}}
        check_all_files_in_cache(asked)  # as Gradio does, whose errors the page does not hear
        problem = handlers.look(asked)["problem"]
        assert problem == {"title": "Your photo is not here any more.", "text": "Add it again.", "gone": True}


def test_a_fault_of_ours_is_logged_and_not_shown(
    handlers: Handlers, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*arguments: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(module, "generate", broken)
    problem = handlers.look(EXAMPLE)["problem"]
    assert "our side" in problem["title"]
    assert "secret" not in str(problem)
    assert "ZeroDivisionError: secret" in caplog.text


@pytest.mark.parametrize("name", ["look", "begin", "peek", "stop", "arrive", "open", "remove", "share"])
@pytest.mark.parametrize("data", [None, 5, "x", [], {}, {"mine": 5}, {"session": None}, {"job": []}])
def test_what_makes_no_sense_is_answered_in_words(handlers: Handlers, name: str, data: Any) -> None:
    problem = getattr(handlers, name)(data)["problem"]
    assert "Reload it" in problem["text"]


def test_who_asks_too_often_is_told(stores: tuple[SessionStore, SessionStore], tmp_path: Path) -> None:
    handlers = Handlers(*stores, Queue(), Limit(most=0))
    assert "Wait" in handlers.look(EXAMPLE)["problem"]["text"]


def test_making_tells_one_share_and_ends_with_the_portrait(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "choose_engine", lambda name: ("cluster", ""))  # which has another name in the end
    told = list(make(handlers))
    assert {step["nonce"] for step in told} == {"n"}
    assert len({step["job"] for step in told}) == 1
    shares = [step["share"] for step in told]
    assert shares == sorted(shares)
    [session] = stores[0].sessions()
    last = told[-1]
    assert (last["phase"], last["share"], last["session"]) == ("done", 1.0, session)
    assert last["portrait"]["base"] == f"gradio_api/gaze/{session}/"
    assert last["secret"] == stores[0].secret(session)
    assert last["problems"] == []
    assert "The photo was cut to head and shoulders." in last["notes"]
    assert handlers.look(EXAMPLE)["seconds"] > 0, "how long it takes is known now"


def test_a_page_that_was_loaded_anew_finds_its_run_again(handlers: Handlers) -> None:
    told = made(handlers)
    *_, again = handlers.follow(event(nonce="m", job=told["job"]))
    assert again == {**told, "nonce": "m"}
    assert handlers.peek({"job": told["job"]})["phase"] == "done"
    [lost] = handlers.follow(event(nonce="m", job="x"))
    assert (lost["phase"], lost["nonce"]) == ("failed", "m")
    assert "restarted" in lost["problem"]["text"]


def test_who_asks_for_the_same_run_twice_gets_one(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore]
) -> None:
    """A page that is loaded anew at once cannot know whether the app had heard of its run."""
    told = made(handlers, job="0" * 32)
    again = made(handlers, job="0" * 32)
    assert again == told
    begun = handlers.begin({"job": "0" * 32, **EXAMPLE})
    assert begun == {name: value for name, value in told.items() if name != "nonce"}
    assert stores[0].sessions() == [told["session"]]


def test_a_page_to_which_no_events_come_begins_and_asks(handlers: Handlers) -> None:
    job = "2" * 32
    begun = handlers.begin({"job": job, **EXAMPLE})
    assert begun["phase"] in ("waiting", "making")
    *_, told = handlers.follow(event(nonce="n", job=job))
    assert told["phase"] == "done"
    assert handlers.peek({"job": job})["portrait"] == told["portrait"]
    gone = handlers.begin({"job": "3" * 32, "photo": {"upload": "gone"}})
    assert gone["problem"]["gone"]


def test_a_run_that_is_forgotten_is_found_by_what_it_made(handlers: Handlers, monkeypatch: pytest.MonkeyPatch) -> None:
    told = made(handlers)
    monkeypatch.setattr(handlers.jobs, "find", lambda name: None)
    [again] = handlers.follow(event(nonce="m", job=told["job"], session=told["session"]))
    assert (again["phase"], again["portrait"]) == ("done", told["portrait"])
    assert handlers.peek({"job": told["job"], "session": told["session"]})["phase"] == "done"


def test_a_run_that_is_stopped_before_it_is_asked_for_makes_nothing(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore]
) -> None:
    handlers.stop({"job": "1" * 32})
    *_, last = make(handlers, job="1" * 32)
    assert last["phase"] == "stopped"
    assert stores[0].sessions() == []


def test_a_run_is_stopped_by_who_has_its_name(handlers: Handlers, stores: tuple[SessionStore, SessionStore]) -> None:
    steps = make(handlers)
    job = next(steps)["job"]
    assert handlers.stop({"job": "another"}) == {}
    assert handlers.stop({"job": job}) == {}
    *_, last = steps
    assert last["phase"] == "stopped"
    assert stores[0].sessions() == []


def test_making_from_nothing_is_an_error_in_words(handlers: Handlers) -> None:
    [told] = make(handlers, photo={})
    assert told["problem"]["gone"] is True
    [told] = handlers.make(event(nonce="n"))
    assert "Reload" in told["problem"]["text"]


def test_what_is_gone_is_forgotten(handlers: Handlers, stores: tuple[SessionStore, SessionStore]) -> None:
    first, second = own(made(handlers)), own(made(handlers))
    stores[0].delete(first["session"])
    assert handlers.arrive({"mine": [first, second]}) == {"there": [second["session"]]}
    assert handlers.open({"session": second["session"]})["portrait"]["gridSize"] == 30
    for session in (first["session"], "../../etc", "<b>"):
        assert handlers.open({"session": session}) == {"expired": True}


def test_the_owner_deletes_one_and_then_all(handlers: Handlers, stores: tuple[SessionStore, SessionStore]) -> None:
    mine = [own(made(handlers)) for _ in range(3)]
    assert handlers.remove({"mine": mine[1:2]}) == {}
    assert sorted(stores[0].sessions()) == sorted(one["session"] for one in (mine[0], mine[2]))
    assert handlers.remove({"mine": mine}) == {}, "what is gone already is no error"
    assert stores[0].sessions() == []


def test_without_the_secret_nothing_is_deleted_or_said(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore]
) -> None:
    told = made(handlers)
    forged = {"session": told["session"], "secret": "x"}
    for answer in (handlers.remove({"mine": [forged]}), handlers.share({**forged, "caption": "mine"})):
        assert "Only the browser in which" in answer["problem"]["title"]
    assert len(stores[0].sessions()) == 1
    assert handlers.share(own(told)) == {"caption": "", "card": False}
    assert "Only the browser" in handlers.remove({"mine": [forged, own(told)]})["problem"]["title"]
    assert stores[0].sessions() == [], "what is the owner's goes, whatever stands beside it"


def test_what_the_owner_says_is_kept(handlers: Handlers) -> None:
    mine = own(made(handlers))
    assert handlers.share({**mine, "caption": "  Ada,\n smiling "}) == {"caption": "Ada, smiling", "card": False}
    assert handlers.share({**mine, "card": True}) == {"caption": "Ada, smiling", "card": True}
    assert len(handlers.share({**mine, "caption": "x" * 150})["caption"]) == 80
    assert handlers.share({**mine, "caption": ""}) == {"caption": "", "card": True}


def test_rendered_frames_of_ones_own_portraits_are_used_again(
    handlers: Handlers, stores: tuple[SessionStore, SessionStore], photo: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = stores[0].new()
    generate(photo, folder, Options(engine="warp", keys=5, frame_size=128, sheets=False))
    (folder / "keys.zip").write_bytes(b"x")
    seen: list[Path] = []
    run = module.run

    def watched(photo: Path, out: Path, options: Options, earlier: Iterator[Path]) -> Any:
        seen.extend(earlier)
        return run(photo, out, options, ())

    monkeypatch.setattr(module, "run", watched)
    made(handlers, mine=[{"session": folder.name, "secret": "x"}, {"session": "0" * 32, "secret": "x"}])
    assert seen == [folder]
