"""What a visitor does while the app has not answered yet. The app is played by a few lines, so that it can be slow."""

from __future__ import annotations

import re
import shutil
from typing import Any
from urllib.parse import quote

import pytest

from tests.browser.app_page import STILL, move, upload, wait_state
from tests.browser.conftest import Record, Site
from tests.browser.portraits import WIDGET

APP = """async () => {
  customElements.define("gaze-tracker", class extends HTMLElement { loaded = true; lookAt() {} });
  window.asked = [];  // [name, data, answer], the answer to be given by the test
  window.answers = {  // what is answered at once
    look: () => ({kind: "preview", portrait: {base: "preview/"}, seconds: 3}),
    arrive: ({mine}) => ({there: mine.map(({session}) => session)}),
    open: ({session}) => ({portrait: {base: `gradio_api/gaze/${session}/`}}),
    share: () => ({caption: "", card: false}),
    upload: ({name}) => ({path: name}),
  };
  const ask = (name, data) => new Promise((answer) => {
    if (window.cut) throw new Error("no connection");
    asked.push([name, data, answer]);
    if (answers[name]) answer(answers[name](data));
  });
  const props = {value: null, config: {
    hero: {base: "hero/", poster: "poster.webp"}, examples: [{name: "one", picture: "one.webp", still: "one.webp"}],
    snippets: [{name: "HTML", place: "", code: ""}], sharePath: "p/", days: 7, mostBytes: 1e6,
  }};
  let [nonce, heard] = ["", null];
  window.tell = (state) => (props.value = {...state, nonce}, heard());
  const {start} = await import("./main.js");
  start({
    props,
    root: new URL("../..", location.href).href,
    server: new Proxy({}, {get: (_, name) => (data) => ask(name, data)}),
    upload: (file, tell) => ((window.sent = tell), ask("upload", file)),
    trigger: (event, message) => ((nonce = message.nonce), asked.push([event, message])),
    watch: (_, act) => (heard = act),
  });
}"""
LATE = "([name, answer]) => asked.findLast(([it]) => it === name)[2](answer)"
ENTRY = '[{"session": "%s", "secret": "secret", "made": 1}]'


@pytest.fixture
def page(open_page: Any, site: Site, record: Record) -> Any:
    """The page before it is started."""
    record.allowed.append("Failed to load resource")  # pictures of portraits that nobody made
    folder = site.folder / "gradio_api/gaze-page"
    shutil.copytree(WIDGET.parents[1] / "ui/page", folder)
    page = open_page(**STILL)
    page.goto(f"{site.url}gradio_api/gaze-page/page.html")
    return page


def until(page: Any, state: str) -> None:
    wait_state(page, state, timeout=10_000)


def begin(page: Any, state: str = "empty") -> None:
    page.evaluate(APP)
    until(page, state)


def hold(page: Any, name: str) -> None:
    """The next answer to such a question is given by `late`."""
    page.evaluate("name => { answers[name] = null; }", name)


def late(page: Any, name: str, answer: dict[str, Any]) -> None:
    page.evaluate(LATE, [name, answer])


def wait_asked(page: Any, name: str) -> None:
    page.wait_for_function("name => asked.some(([it]) => it === name)", arg=name)


def photo(page: Any, name: str = "one.jpg") -> None:
    upload(page, name, b"photo")


def make(page: Any) -> None:
    """Begins a run for the photo that is looked at."""
    until(page, "preview")
    page.get_by_role("button", name="Make it").click()
    until(page, "making")


def finish(page: Any) -> None:
    """Makes a portrait of the photo that is looked at."""
    make(page)
    page.evaluate(
        """() => tell({phase: "done", session: "two", secret: "secret", portrait: {base: "gradio_api/gaze/two/"}})"""
    )
    until(page, "done")


def test_a_new_photo_before_the_first_one_is_sent(page: Any) -> None:
    begin(page)
    hold(page, "upload")
    photo(page)
    wait_asked(page, "upload")
    page.get_by_role("button", name="New photo").click()
    until(page, "empty")
    late(page, "upload", {"path": "one"})
    page.evaluate("answers.upload = () => ({path: 'two'})")
    photo(page, "two.jpg")
    until(page, "preview")
    assert page.evaluate("asked.filter(([it]) => it === 'look').map(([, {photo}]) => photo.upload)") == ["two"]


def test_a_photo_that_takes_long_to_be_sent_says_how_much_is_there(page: Any) -> None:
    begin(page)
    hold(page, "upload")
    photo(page)
    wait_asked(page, "upload")
    words = page.locator("#words")
    sending, finding = "Sending the photo…\n40 % has arrived.", "Finding the face…\nThis takes a second."
    for share, told in ((0.4, sending), (1, finding)):
        page.evaluate("share => sent(share)", share)
        assert re.sub(r"\n+", "\n", words.inner_text()) == told
    page.evaluate("sent(0.6)")
    title = page.locator("#words h1").element_handle()
    page.evaluate("sent(0.7)")
    assert "70 %" in words.inner_text()
    assert title.evaluate("it => it.isConnected"), "it is not said once more"
    page.evaluate("sent(1)")
    late(page, "upload", {"path": "one"})
    until(page, "preview")
    page.evaluate("sent(0.9)")
    assert "look" in words.inner_text()


def test_an_upload_that_is_refused_is_told_in_the_apps_words(page: Any) -> None:
    page.route("**/gradio_api/upload", lambda it: it.fulfill(status=507, body="There is no room for photos."))
    send = """async () => {
        const {sender} = await import("./sending.js");
        return sender(new URL("../..", location.href).href)(new File(["photo"], "one.jpg"), () => {});
    }"""
    assert page.evaluate(send)["problem"]["text"] == "There is no room for photos."
    page.unroute("**/gradio_api/upload")
    page.route("**/gradio_api/upload", lambda it: it.fulfill(body='["/there/one.jpg"]'))
    assert page.evaluate(send) == {"path": "/there/one.jpg"}


def test_a_new_photo_ends_the_run_of_the_one_before(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.get_by_role("button", name="New photo").click()
    until(page, "empty")
    assert page.evaluate("asked.some(([it]) => it === 'stop') && sessionStorage.getItem('gaze-run-1') === null")


def test_going_back_does_not_leave_a_run(page: Any) -> None:
    """What is being made would be told over another portrait."""
    begin(page)
    photo(page)
    finish(page)
    photo(page, "two.jpg")
    make(page)
    page.go_back()
    page.wait_for_url("**session=two")
    page.evaluate("tell({phase: 'making', share: 0.5, left: 1})")
    assert page.evaluate("document.querySelector('#face').manifest.base").endswith("/preview/")
    page.evaluate("tell({phase: 'failed', problem: {title: 'No room.', text: ''}})")
    until(page, "error-making")
    page.get_by_role("button", name="Try again").wait_for()


def test_the_players_of_several_faces_stay(page: Any) -> None:
    """A new one would show nothing until its portrait is there."""
    begin(page)
    page.evaluate("""() => {
        const face = {x: 30, y: 50, w: 20, picture: "one.webp"};
        window.faces = [{pack: "gaze.pack"}, {pack: "gaze-2.pack"}];
        answers.look = ({face: chosen}) => chosen === null
            ? {kind: "several", faces: [face, face], still: "one.webp", width: 100, height: 100}
            : {kind: "preview", portrait: {base: "preview/", faces}, seconds: null};
    }""")
    photo(page)
    page.get_by_role("button", name="Take both").click()
    page.get_by_role("button", name="Choose one face").wait_for()
    page.evaluate("window.players = [...document.querySelectorAll('#all gaze-tracker')]")
    page.get_by_role("button", name="Make them").click()
    until(page, "making")
    page.evaluate(
        "tell({phase: 'done', session: 'two', secret: 'secret', portrait: {base: 'gradio_api/gaze/two/', faces}})"
    )
    until(page, "done")
    shown = page.evaluate("players.map((it) => it.isConnected && it.manifest.base + it.manifest.pack)")
    assert [str(it).rsplit("/", 2)[1:] for it in shown] == [["two", "gaze.pack"], ["two", "gaze-2.pack"]]


def test_a_control_that_is_moved_after_going_back_changes_the_preview(page: Any) -> None:
    begin(page)
    photo(page)
    finish(page)
    page.go_back()
    until(page, "preview")
    move(page, "Strength", 50)
    assert page.locator(".page").get_attribute("data-state") == "preview"


def test_a_page_that_opens_without_a_connection_goes_on_when_it_is_there(page: Any) -> None:
    page.evaluate("entry => localStorage.setItem('gaze-portraits-1', entry)", ENTRY % "one")
    page.goto(f"{page.url}?session=one")
    cut = [True]
    page.route("**/dom.js", lambda it: it.abort() if cut and it.request.method == "HEAD" else it.continue_())
    page.evaluate("window.cut = true")
    begin(page, "silent")
    page.evaluate("cut = false")
    cut.clear()
    until(page, "done")


@pytest.mark.parametrize("name", ["\0", "../one", "one two", "ün"])
def test_an_address_that_names_no_portrait_says_so(page: Any, name: str) -> None:
    page.goto(f"{page.url}?session={quote(name, safe='')}")
    begin(page, "expired")
    assert "session" not in page.url


HELD = """(held) => {
    const portrait = (name) => ({base: `${name}/`, pack: "gaze.pack"});
    const answer = (name) => ({kind: "preview", portrait: portrait(name), blurred: ["data:image/webp;base64,AAAA"]});
    answers.look = ({choice: {background}}) =>
        background === held ? new Promise((go) => (window.go = () => go(answer(held)))) : answer(background);
}"""
"""Previews with one background come when `go` is called, all others at once."""


def test_another_background_is_seen_before_the_app_has_made_it(page: Any) -> None:
    begin(page)
    page.evaluate(HELD, "blur")
    photo(page)
    until(page, "preview")
    page.wait_for_function("asked.some(([it, {choice}]) => it === 'look' && choice.background === 'remove')")
    shown = "[document.querySelector('#face').manifest.base.split('/').at(-2), behind().slice(0, 9)]"
    page.evaluate("window.behind = () => document.querySelector('#stage').style.getPropertyValue('--behind')")
    for name, seen in (("Colour", ["remove", "#f4f1ea"]), ("Keep", ["keep", ""]), ("Blur", ["remove", "center / "])):
        page.get_by_role("radio", name=name).check()
        page.wait_for_function(f"seen => String({shown}) === String(seen)", arg=seen)
    page.wait_for_function("Boolean(window.go)")
    page.evaluate("go()")
    page.wait_for_function(f"String({shown}) === 'blur,'")


def test_each_of_several_faces_has_its_own_background_behind_it(page: Any) -> None:
    begin(page)
    page.evaluate("""() => {
        const face = {x: 30, y: 50, w: 20, picture: "one.webp"};
        const faces = [{pack: "gaze.pack"}, {pack: "gaze-2.pack"}];
        const blurred = ["data:image/webp;base64,AAAA", "data:image/webp;base64,BBBB"];
        answers.look = ({face: chosen, choice: {background}}) => chosen === null
            ? {kind: "several", faces: [face, face], still: "one.webp", width: 100, height: 100}
            : background === "blur" ? new Promise(() => {})
            : {kind: "preview", portrait: {base: `${background}/`, faces}, blurred};
    }""")
    photo(page)
    until(page, "several")
    page.get_by_role("button", name="Take both").click()
    until(page, "preview")
    page.wait_for_function("asked.some(([it, {choice}]) => it === 'look' && choice.background === 'remove')")
    page.get_by_role("radio", name="Blur").check()
    behind = "[...document.querySelectorAll('#all gaze-tracker')].map((it) => it.style.getPropertyValue('--behind'))"
    page.wait_for_function(f"String({behind}.map((it) => it.slice(-6, -2))) === 'AAAA,BBBB'")
    page.get_by_role("radio", name="Colour").check()
    page.wait_for_function(f"String({behind}) === ','")


def test_a_background_that_is_on_its_way_is_not_asked_for_once_more(page: Any) -> None:
    begin(page)
    page.evaluate(HELD, "remove")
    photo(page)
    until(page, "preview")
    page.wait_for_function("Boolean(window.go)")
    page.get_by_role("radio", name="None").check()
    # Nothing tells that nothing is asked: it would be after the 160 ms for which a control has to be still.
    page.wait_for_function("since => performance.now() > since + 500", arg=page.evaluate("performance.now()"))
    page.evaluate("go()")
    page.wait_for_function("document.querySelector('#face').manifest.base.endsWith('/remove/')")
    small = "asked.filter(([it, data]) => it === 'look' && data.choice.background === 'remove' && data.side === 320)"
    assert page.evaluate(f"{small}.length") == 1


def test_what_is_deleted_late_takes_nothing_else_away(page: Any) -> None:
    begin(page)
    photo(page)
    finish(page)
    hold(page, "remove")
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    wait_asked(page, "remove")
    photo(page, "two.jpg")
    until(page, "preview")
    late(page, "remove", {"removed": True})
    page.wait_for_function("localStorage.getItem('gaze-portraits-1') === '[]'")
    assert page.locator(".page").get_attribute("data-state") == "preview"


def test_what_is_deleted_is_gone_from_the_stage_at_once(page: Any) -> None:
    begin(page)
    photo(page)
    finish(page)
    page.evaluate("() => { answers.remove = () => ({}); }")
    page.get_by_role("button", name="Delete it").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    until(page, "deleted")
    assert shown(page) == [page.url.partition("gradio_api")[0] + "hero/", False]
    assert page.locator("#still").get_attribute("src").endswith("/hero/poster.webp")
    assert page.locator("#chip").inner_text() == "Example"
    page.evaluate(
        "() => { const it = document.querySelector('#face'); it.loaded = true; it.dispatchEvent(new Event('load')); }"
    )
    assert shown(page)[1]


def test_what_another_tab_has_deleted_is_said_to_be_gone(page: Any) -> None:
    begin(page)
    photo(page)
    finish(page)
    page.evaluate("() => { answers.open = () => ({expired: true}); localStorage.clear(); }")
    page.evaluate("dispatchEvent(new StorageEvent('storage', {key: 'gaze-portraits-1'}))")
    until(page, "expired")
    page.get_by_role("heading", name="This portrait is gone.").wait_for()


def test_a_portrait_that_is_only_not_remembered_any_more_stays(page: Any) -> None:
    """A browser remembers the last ones alone."""
    begin(page)
    photo(page)
    finish(page)
    page.evaluate("localStorage.clear()")
    page.evaluate("dispatchEvent(new StorageEvent('storage', {key: 'gaze-portraits-1'}))")
    wait_asked(page, "open")
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.locator(".page").get_attribute("data-state") == "done"


def test_the_second_click_of_a_double_click_on_stop_does_not_begin_again(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.get_by_role("button", name="Stop").hover()
    for count in (1, 2):
        page.mouse.down(click_count=count)
        page.mouse.up(click_count=count)
        until(page, "preview")
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.locator(".page").get_attribute("data-state") == "preview"
    page.get_by_role("button", name="Make it").press("Enter")
    until(page, "making")


def test_a_portrait_that_is_forgotten_meanwhile_is_not_listed(page: Any) -> None:
    """As by “Delete all” in the moment after one was made."""
    page.evaluate("entries => localStorage.setItem('gaze-portraits-1', entries)", ENTRY % "old")
    begin(page)
    page.locator("#mine").wait_for()
    hold(page, "arrive")
    list_anew = "() => dispatchEvent(new StorageEvent('storage', {key: 'gaze-portraits-1'}))"
    page.evaluate(list_anew)
    wait_asked(page, "arrive")
    page.evaluate("localStorage.clear()")
    page.evaluate(list_anew)
    page.locator("#mine").wait_for(state="hidden")
    late(page, "arrive", {"there": ["old"]})
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.locator("#mine").is_hidden()


def test_a_link_that_is_not_there_yet_is_copied_when_it_is(page: Any) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    begin(page)
    photo(page)
    finish(page)
    hold(page, "share")
    page.get_by_role("button", name="Link", exact=True).click()
    page.get_by_role("button", name="Copy the link").click()
    late(page, "share", {"caption": "", "card": False})
    page.get_by_text("Link copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()").endswith("/p/two")


def test_sheets_that_come_late_stay_with_their_portrait(page: Any) -> None:
    page.evaluate("entry => localStorage.setItem('gaze-portraits-1', entry)", ENTRY % "one")
    begin(page)
    photo(page)
    finish(page)
    page.get_by_role("button", name="Embed").click()
    page.get_by_role("button", name="Add sprite sheets").click()
    wait_asked(page, "sheets")
    page.locator("#embed [data-close]").click()
    page.locator(".thumb[data-session=one]").click()
    page.wait_for_function("location.search.endsWith('one')")
    page.get_by_role("button", name="Embed").click()
    late(page, "sheets", {"phase": "done", "portrait": {"base": "gradio_api/gaze/two/", "sheets": ["sheet.webp"]}})
    assert page.locator("#sheets-note").inner_text() == "Does another program need sprite sheets?"


def test_a_camera_that_is_allowed_late_is_let_go(page: Any) -> None:
    page.evaluate("""() => {
        window.streams = [];
        Object.defineProperty(navigator, "mediaDevices", {value: {
            getUserMedia: () => new Promise((allow) => asked.push(["camera", {}, () => {
                const canvas = document.createElement("canvas");
                canvas.getContext("2d").fillRect(0, 0, 9, 9);
                streams.push(canvas.captureStream());
                allow(streams.at(-1));
            }])),
        }});
    }""")
    begin(page)
    camera = page.get_by_role("button", name="Use the camera")
    camera.click()
    page.locator("#camera [data-close]").click()
    page.locator("#camera").wait_for(state="hidden")
    camera.click()
    page.evaluate("for (const [name, , answer] of asked) if (name === 'camera') answer()")
    live = "streams.map((stream) => stream.getTracks()[0].readyState)"
    page.wait_for_function(f'JSON.stringify({live}) === \'["ended","live"]\'', timeout=5_000)
    page.locator("#camera [data-close]").click()
    page.wait_for_function(f"!{live}.includes('live')", timeout=5_000)


def test_who_does_not_see_the_page_hears_each_step_and_goes_on_from_it(page: Any) -> None:
    begin(page)

    def press(name: str, within: str = ".page") -> None:
        page.locator(within).get_by_role("button", name=name, exact=True).focus()
        page.keyboard.press("Enter")

    def assert_told(state: str, title: str, at: str, actions: str) -> None:
        """What is announced, where the keyboard goes on, and what can be done, as Chromium tells a screen reader."""
        until(page, state)
        told = page.get_by_role("status").get_by_role("heading", level=1)
        assert told.inner_text() == title
        assert page.evaluate("document.activeElement.textContent") == at
        found = page.locator("#acts").aria_snapshot()
        assert [line.strip(" -") for line in found.splitlines() if "/url" not in line] == actions.split(" · ")

    group = 'group "Actions": · '
    press("Example: one")
    assert_told("preview", "It looks at you.", "Make it about 3 s", f'{group}button "Make it about 3 s"')
    press("Make it about 3 s")
    until(page, "making")
    page.evaluate("tell({phase: 'making', share: 0.4, left: 3})")
    bar = page.get_by_role("progressbar", name="Making it")
    page.wait_for_function("document.querySelector('#left').textContent === 'about 3 s left'")
    assert (bar.get_attribute("aria-valuenow"), bar.get_attribute("aria-valuetext")) == ("40", "about 3 s left")
    made = """() => tell({phase: "done", session: "two", secret: "secret", portrait: {base: "gradio_api/gaze/two/"}})"""
    page.evaluate(made)
    done = f'{group}link "Download": · button "Link" · button "Embed" · button "Clip"'
    assert_told("done", "Your portrait is ready.", "Download", done)
    press("Link")
    assert page.evaluate("document.activeElement.id") == "link-title"
    page.keyboard.press("Escape")
    assert page.evaluate("document.activeElement.textContent") == "Link"
    page.evaluate("answers.remove = () => ({})")
    press("Delete it")
    press("Delete", "#sure")
    start = 'button "Take a selfie" · button "Choose a photo" · button "Choose a photo" · button "Use the camera"'
    assert_told("deleted", "Deleted.", "Take a selfie", group + start)
    page.evaluate("answers.look = () => ({problem: {title: 'No face was found.', text: 'Choose another.'}})")
    photo(page)
    until(page, "error")
    assert page.get_by_role("alert").inner_text().startswith("No face was found.")
    page.evaluate("""() => {
        const face = {x: 30, y: 50, w: 20, picture: "one.webp"};
        answers.look = ({face: chosen}) => chosen === null
            ? {kind: "several", faces: [face, face], still: "one.webp", width: 100, height: 100}
            : {kind: "preview", portrait: {base: "preview/"}, seconds: null};
    }""")
    photo(page)
    several = f'{group}button "Take both" · button "Another photo"'
    assert_told("several", "Which face?", "Take both", several)
    press("Face 1")
    assert_told("preview", "It looks at you.", "Make it", f'{group}button "Make it"')
    press("Choose another face")
    assert_told("several", "Which face?", "Take both", several)
    press("Take both")
    assert_told("preview", "They look at you.", "Make them", f'{group}button "Make them"')
    press("New photo")
    assert_told("empty", "Your photo looks at you.", "Take a selfie", group + start)


@pytest.mark.parametrize(("broken", "state"), [(1, "preview"), (2, "error")])
def test_a_question_whose_connection_broke_for_a_moment_is_asked_once_more(page: Any, broken: int, state: str) -> None:
    """When the page looks whether the app is there, the connection may be back already."""
    begin(page)
    page.evaluate("times => { const {look} = answers; answers.look = () => (times-- > 0 ? null : look()); }", broken)
    photo(page)
    until(page, state)


def test_what_the_app_said_before_it_was_lost_hides_that_for_a_moment_only(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.route("**/dom.js", lambda it: it.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")
    until(page, "silent")
    page.evaluate("tell({phase: 'making', share: 0.4, left: 3})")
    assert page.evaluate("document.querySelector('.page').dataset.state") == "making"
    until(page, "silent")


def test_an_app_that_does_not_answer_is_not_called_a_missing_network(page: Any) -> None:
    begin(page)
    photo(page)
    until(page, "preview")
    page.route("**/dom.js", lambda it: it.abort())
    page.evaluate("dispatchEvent(new Event('offline'))")
    until(page, "silent")
    assert page.get_by_role("alert").inner_text().startswith("The app does not answer.")
    page.evaluate("Object.defineProperty(navigator, 'onLine', {get: () => false, configurable: true})")
    until(page, "offline")
    assert page.get_by_role("alert").inner_text().startswith("You are offline.")
    page.evaluate("delete navigator.onLine")
    until(page, "silent")
    page.unroute("**/dom.js")
    until(page, "preview")
    page.get_by_role("button", name="Make it").wait_for()


def test_an_app_that_goes_in_the_first_moment_of_a_run_is_missed(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.route("**/dom.js", lambda it: it.abort())
    page.evaluate("window.cut = true")
    until(page, "silent")
    page.unroute("**/dom.js")
    page.evaluate("window.cut = false; asked.length = 0")
    page.wait_for_function("asked.some(([name]) => name === 'make')")


def test_a_run_whose_event_does_not_reach_the_app_is_begun_by_asking(page: Any) -> None:
    begin(page)
    page.evaluate("""() => {
        const run = {session: "s", secret: "t", phase: "making", share: 0.5, left: null};
        answers.begin = ({job}) => ({...run, job});
        answers.peek = ({job}) => ({...run, job, phase: "done", portrait: {base: "made/"}});
    }""")
    photo(page)
    make(page)
    job = page.evaluate("asked.find(([name]) => name === 'make')[1].job")
    until(page, "done")
    assert page.evaluate("asked.filter(([name]) => name === 'begin').map(([, {job}]) => job)") == [job]


THREE = """() => {
    const face = (x) => ({x, y: 50, w: 10, picture: `${x}.webp`});
    answers.look = ({face: chosen}) => chosen === null
        ? {kind: "several", faces: [face(60), face(20), face(80)], still: "one.webp", width: 100, height: 100}
        : {kind: "preview", portrait: {base: `${chosen}/`}};
}"""
CHOSEN = "asked.findLast(([name]) => name === 'look')[1].face"


@pytest.mark.parametrize("place", ["#faces", "#crops"])
def test_faces_are_numbered_from_left_to_right(page: Any, place: str) -> None:
    """To the app the largest is the first."""
    begin(page)
    page.evaluate(THREE)
    photo(page)
    for name, number in (("Face 1", 1), ("Face 2", 0), ("Face 3", 2)):
        until(page, "several")
        across = page.locator("#faces button").evaluate_all("all => all.map((it) => it.getBoundingClientRect().x)")
        assert across == sorted(across)
        page.locator(place).get_by_role("button", name=name).click()
        until(page, "preview")
        assert page.evaluate(CHOSEN) == number
        page.get_by_role("button", name="Choose another face").click()


NOT_READ = "{problem: {title: 'This is not a picture.', text: 'Choose another photo.'}}"


def refuse(page: Any, kind: str) -> None:
    """Chooses a file that is of no use: the page sees that by itself, or the app says so."""
    page.evaluate(f"() => {{ answers.before = answers.look; answers.look = () => ({NOT_READ}); }}")
    upload(page, "none.png", b"" if kind == "empty" else b"no picture")
    until(page, "error")
    page.evaluate("() => { answers.look = answers.before; }")


def shown(page: Any) -> Any:
    """What the stage plays, and whether it is seen."""
    return page.evaluate(
        """() => {
            const face = document.querySelector("#face");
            return [face.manifest?.base, face.checkVisibility({visibilityProperty: true})];
        }"""
    )


@pytest.mark.parametrize("kind", ["empty", "no picture"])
@pytest.mark.parametrize("fresh", [False, True])
def test_a_file_that_is_of_no_use_takes_no_photo_away(page: Any, kind: str, fresh: bool) -> None:
    begin(page)
    photo(page)
    until(page, "preview")
    move(page, "Strength", 50)
    if fresh:
        page.get_by_role("button", name="New photo").click()
        until(page, "empty")
    for _ in range(2):
        refuse(page, kind)
    page.get_by_role("button", name="Back to your photo").click()
    until(page, "preview")
    assert shown(page)[0].endswith("/preview/")
    assert page.get_by_role("slider", name="Strength").input_value() == "50"
    make(page)
    assert page.evaluate("asked.findLast(([name]) => name === 'make')[1].photo") == {"upload": "one.jpg"}


@pytest.mark.parametrize("kind", ["empty", "no picture"])
def test_a_file_that_is_of_no_use_takes_no_portrait_away(page: Any, kind: str) -> None:
    begin(page)
    photo(page)
    finish(page)
    refuse(page, kind)
    page.get_by_role("button", name="Back to your portrait").click()
    until(page, "done")
    assert page.url.endswith("?session=two")
    assert shown(page) == [page.url.partition("gradio_api")[0] + "gradio_api/gaze/two/", True]
    move(page, "Strength", 150)
    until(page, "changed")
    refuse(page, kind)
    page.get_by_role("button", name="Back to your portrait").click()
    until(page, "changed")
    assert page.get_by_role("slider", name="Strength").input_value() == "150"
    page.get_by_role("button", name="Back to your portrait").click()
    until(page, "done")


def test_a_file_that_is_of_no_use_leaves_the_choice_of_faces(page: Any) -> None:
    begin(page)
    page.evaluate(THREE)
    photo(page)
    until(page, "several")
    refuse(page, "no picture")
    page.get_by_role("button", name="Back to your photo").click()
    until(page, "several")
    page.locator("#crops").get_by_role("button", name="Face 1").click()
    until(page, "preview")


def test_a_doubtful_photo_takes_no_photo_away(page: Any) -> None:
    doubtful = (
        "({kind: 'doubtful', text: 'Closed.', still: 'one.webp', where: {x: 1, y: 1, w: 1}, width: 9, height: 9})"
    )
    begin(page)
    photo(page)
    until(page, "preview")
    page.evaluate(f"() => {{ answers.look = () => {doubtful}; }}")
    photo(page, "two.jpg")
    until(page, "doubtful")
    page.get_by_role("button", name="Back to your photo").click()
    until(page, "preview")
    assert shown(page) == [page.url.partition("gradio_api")[0] + "preview/", True]


def test_where_no_picture_can_be_shown_there_is_a_face(page: Any) -> None:
    """No empty box, and no picture of a broken picture."""
    begin(page)
    refuse(page, "no picture")
    page.wait_for_function("document.querySelector('#still').hidden")
    assert shown(page)[0].endswith("/hero/")
    assert shown(page)[1]
    page.get_by_role("button", name="Use the camera").wait_for()
    photo(page)
    until(page, "preview")
    refuse(page, "no picture")
    page.wait_for_function("document.querySelector('#still').hidden")
    assert shown(page)[0].endswith("/preview/")


def test_a_run_goes_on_when_an_empty_file_is_dropped(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    upload(page, "none.png", b"")
    page.locator("#toast.on").get_by_text("This file is empty.").wait_for()
    assert page.locator(".page").get_attribute("data-state") == "making"


@pytest.mark.parametrize("event", ["drop", "paste"])
def test_of_several_files_it_is_said_which_was_taken(page: Any, event: str) -> None:
    begin(page)
    page.evaluate(
        """kind => {
            const data = new DataTransfer();
            for (const name of ["list.pdf", "ada.jpg", "bob.jpg"])
                data.items.add(new File(["x"], name, {type: name.endsWith("pdf") ? "application/pdf" : "image/jpeg"}));
            const how = {bubbles: true, cancelable: true, dataTransfer: data, clipboardData: data};
            window.dispatchEvent(new (kind === "drop" ? DragEvent : ClipboardEvent)(kind, how));
        }""",
        event,
    )
    page.locator("#toast.on").get_by_text("One photo at a time: “ada.jpg” was taken.").wait_for()
    until(page, "preview")
    assert page.evaluate("asked.filter(([name]) => name === 'upload').map(([, {name}]) => name)") == ["ada.jpg"]


def test_a_photo_is_still_known_after_the_page_was_loaded_anew(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.reload()
    begin(page, "making")
    page.get_by_role("button", name="Stop").click()
    until(page, "preview")
    make(page)
    assert page.evaluate("asked.findLast(([name]) => name === 'make')[1].photo") == {"upload": "one.jpg"}


GONE = "{title: 'It is not here any more.', text: '', gone: true}"
MADE = "asked.filter(([name]) => name === 'make').map(([, {photo}]) => photo.upload)"


def test_a_run_that_the_app_has_lost_is_begun_again_with_the_photo_of_the_page(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.evaluate("answers.upload = () => ({path: 'again'})")
    page.evaluate(f"tell({{phase: 'failed', problem: {GONE}}})")
    page.wait_for_function(f"String({MADE}) === 'one.jpg,again'")
    until(page, "making")
    page.evaluate(f"tell({{phase: 'failed', problem: {GONE}}})")
    until(page, "error-making")
    page.get_by_role("button", name="Try again").click()
    page.wait_for_function(f"{MADE}.length === 3")


def test_a_photo_that_is_sent_again_in_vain_is_not_made_into_a_portrait(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    hold(page, "upload")
    page.evaluate(f"tell({{phase: 'failed', problem: {GONE}}})")
    page.wait_for_function("asked.filter(([name]) => name === 'upload').length === 2")
    page.get_by_role("button", name="Stop").click()
    until(page, "preview")
    late(page, "upload", {"path": "again"})
    page.evaluate("new Promise((done) => setTimeout(done))")
    assert page.locator(".page").get_attribute("data-state") == "preview"


def test_where_nobody_has_the_photo_any_more_the_page_begins_anew(page: Any) -> None:
    begin(page)
    photo(page)
    make(page)
    page.reload()
    begin(page, "making")
    page.evaluate(f"tell({{phase: 'failed', problem: {GONE}}})")
    page.wait_for_function(f"{MADE}.length === 2")  # the app may have lost the run alone
    page.evaluate(f"tell({{phase: 'failed', problem: {GONE}}})")
    until(page, "photo")
    assert (
        re.sub(r"\n+", "\n", page.locator("#words").inner_text()) == "Your photo is not here any more.\nAdd it again."
    )
    assert page.locator("#chip").inner_text() == "Example"
    assert page.locator("#controls").is_hidden()
    photo(page)
    make(page)
