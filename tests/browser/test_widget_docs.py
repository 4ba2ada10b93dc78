"""docs/widget.md names all that the widget offers, its snippets work, and the types agree with both."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from gaze.output.bundle import WIDGET_FILES, write_pages
from gaze.output.metadata import Metadata
from tests.browser.driving import TRACKER, wait_cell, wait_loaded
from tests.browser.npm import MODULES, node, require
from tests.browser.portraits import HEIGHT, WIDGET, WIDTH, write_pack, write_page, write_portrait
from tests.pages import blocks, lists, named, names, read, section

TYPES = WIDGET.with_suffix(".d.ts")
API = json.loads(WIDGET.with_name("custom-elements.json").read_text())["modules"][0]["declarations"][0]

SOURCE = "\n".join(path.read_text(encoding="utf-8") for path in sorted((WIDGET.parent / "src").rglob("*.*s")))
TEXT = read("docs/widget.md")


def told(kind: str) -> set[str]:
    """The names that custom-elements.json gives to one kind of thing."""
    return {it["name"] for it in API[kind]}


def documented(title: str) -> set[str]:
    """The names in the first parts of a section's list."""
    listed = [name for each in lists(section(TEXT, title)) for name in named(each)]
    return {re.match(r"[\w-]+", name)[0] for name in listed}  # type: ignore[index]


@pytest.fixture
def offered(page: Any, site: Any) -> dict[str, list[str]]:
    """What the element really has: its attributes, and the properties and methods of its prototype."""
    write_page(site.folder, "")
    page.goto(site.url)
    return page.evaluate(
        """() => {
            const Tracker = customElements.get("gaze-tracker");
            const all = Object.entries(Object.getOwnPropertyDescriptors(Tracker.prototype));
            return {
                attributes: Tracker.observedAttributes,
                properties: all.filter(([, it]) => it.get).map(([name]) => name),
                methods: all.filter(([, it]) => typeof it.value === "function").map(([name]) => name),
            };
        }"""
    )


INSIDE = {"constructor", "connectedCallback", "disconnectedCallback", "attributeChangedCallback"}
"""Methods that the browser calls."""


def camel(name: str) -> str:
    return re.sub(r"-(.)", lambda match: match[1].upper(), name)


def test_all_is_documented(offered: dict[str, list[str]]) -> None:
    attributes = set(offered["attributes"])
    assert documented("Attributes") == attributes == told("attributes")
    assert documented("Properties") == set(offered["properties"]) - {camel(name) for name in attributes}
    assert documented("Methods") == set(offered["methods"]) - INSIDE
    assert {it["name"] for it in API["members"] if it["kind"] == "field"} == documented("Properties")
    assert {it["name"] for it in API["members"] if it["kind"] == "method"} == documented("Methods")
    fired = set(re.findall(r'#fire\("(\w+)"', SOURCE))
    assert documented("Events") == fired == told("events")
    styling = set(names(section(TEXT, "Styling").split("```")[0]))
    assert {name for name in styling if name.startswith("--")} == set(re.findall(r"var\((--gaze[\w-]+)", SOURCE))
    assert {name for name in styling if name.startswith("--")} == told("cssProperties")
    assert {name for name in styling if not name.startswith("--")} == told("cssParts")


def test_fields_of_a_manifest() -> None:
    [paragraph] = re.findall(r"^Fields of a manifest .*?: (.*?)\.\n", TEXT, re.M | re.S)
    fields = set(re.findall(r"`(\w+)`", paragraph))
    assert fields == set(re.findall(r"\bmanifest\.([a-z]\w+)", SOURCE)) - {"base", "js"}, (
        "which stands in the table above"
    )


def test_parts_are_there(offered: dict[str, list[str]], page: Any) -> None:
    page.evaluate("document.body.append(document.createElement('gaze-tracker'))")
    page.mouse.move(20, 20)
    parts = f"[...{TRACKER}.shadowRoot.querySelectorAll('[part]')].flatMap((element) => [...element.part])"
    page.wait_for_function(f"{parts}.includes('button')")
    assert set(page.evaluate(parts)) == told("cssParts")


def test_the_types_are_made_from_the_manifest(tmp_path: Path) -> None:
    node(WIDGET.parent / "types.mjs", tmp_path)
    assert (tmp_path / TYPES.name).read_text() == TYPES.read_text()


def test_types_name_the_same(offered: dict[str, list[str]]) -> None:
    types = TYPES.read_text(encoding="utf-8")
    element = re.search(r"class GazeTracker .*?^}", types, re.M | re.S)[0]  # type: ignore[index]
    names = set(re.findall(r"^  (?:readonly |get |set )*(\w+)[(:]", element, re.M)) - {"addEventListener"}
    assert names == set(offered["properties"]) | (set(offered["methods"]) - INSIDE)
    jsx = re.search(r"interface GazeTrackerAttributes .*?^}", types, re.M | re.S)[0]  # type: ignore[index]
    assert set(re.findall(r'^  "?([\w-]+)"?\?:', jsx, re.M)) == set(offered["attributes"]) | {"manifest"}


# The snippets.


def put_portrait(folder: Path) -> None:
    write_portrait(folder / "gaze-portrait", size=30, mobile=20)
    write_pack(folder / "gaze-portrait", size=30)
    Image.new("RGB", (WIDTH, HEIGHT)).save(folder / "gaze-portrait" / "poster.webp")
    for name in WIDGET_FILES:
        shutil.copy(WIDGET.with_name(name), folder / "gaze-portrait")


def assert_follows(page: Any) -> None:
    wait_loaded(page)
    assert page.evaluate(f"{TRACKER}.clientWidth") == 320
    page.mouse.move(0, 0)
    wait_cell(page, 0, 0)


@pytest.mark.parametrize("scheme", ["http", "file"])
def test_the_html_snippet(page: Any, site: Any, scheme: str) -> None:
    put_portrait(site.folder)
    (site.folder / "index.html").write_text("<!doctype html><body>" + blocks(TEXT, "html")[0])
    page.goto(site.url if scheme == "http" else (site.folder / "index.html").as_uri())
    assert_follows(page)


def test_the_iframe_snippet(page: Any, site: Any) -> None:
    [snippet] = [text for text in blocks(TEXT, "html") if "<iframe" in text]
    folder = site.folder / "gaze-portrait"
    put_portrait(site.folder)
    write_pages(folder, Metadata.read(folder).model_copy(update={"pack": None}))
    (site.folder / "index.html").write_text("<!doctype html><body style='margin: 0'>" + snippet)
    page.goto(site.url)
    frame = page.frames[1]
    frame.wait_for_function(f"{TRACKER}.loaded")
    page.mouse.move(359, 449)
    frame.wait_for_function(f"{TRACKER}.row > 28 && {TRACKER}.col > 28")
    assert frame.evaluate("[document.documentElement.scrollWidth, document.documentElement.scrollHeight]") == [360, 450]


@pytest.mark.parametrize(("framework", "language"), [("react", "jsx"), ("vue", "vue"), ("svelte", "svelte")])
def test_framework_snippets(page: Any, site: Any, tmp_path: Path, framework: str, language: str) -> None:
    require("esbuild")
    require(framework)
    put_portrait(site.folder)
    [snippet] = (WIDGET.parents[1] / "ui" / "snippets").glob(f"*.{language}")
    shutil.copy(snippet, tmp_path / "snippet")
    node("bundle_snippet.mjs", framework, tmp_path / "snippet", site.folder / "app.js")
    (site.folder / "index.html").write_text('<!doctype html><div id="app"></div><script src="app.js"></script>')
    logged: list[str] = []
    page.on("console", lambda message: logged.append(message.text))
    page.goto(site.url)
    assert_follows(page)
    page.wait_for_function(f"{TRACKER}.col === 0")
    assert logged[-1] == "0 0"


def test_the_style_sheet(page: Any, site: Any) -> None:
    put_portrait(site.folder)
    [style] = blocks(TEXT, "css")
    (site.folder / "index.html").write_text(f"<!doctype html><style>{style}</style>{blocks(TEXT, 'html')[0]}")
    page.goto(site.url)
    wait_loaded(page)
    page.mouse.move(20, 20)  # the buttons come when somebody does
    page.wait_for_function(f"{TRACKER}.shadowRoot.querySelector('button')")
    controls = f"getComputedStyle({TRACKER}.shadowRoot.querySelector('[part~=controls]'))"
    button = f"getComputedStyle({TRACKER}.shadowRoot.querySelector('[part~=fullscreen-button]'))"
    assert page.evaluate(f"getComputedStyle({TRACKER}).borderRadius") == "24px"
    assert page.evaluate(f"{controls}.left") == "12px"
    assert page.evaluate(f"{button}.backgroundColor") == "rgb(102, 51, 153)"


def test_pixi_snippet(open_page: Any, site: Any) -> None:
    """The snippet as it stands, with a stand-in for PixiJS: the real one is in test_widget_pixi.py."""
    put_portrait(site.folder)
    [snippet] = [text for text in blocks(TEXT, "html") if "pixi" in text]
    page = open_page()
    stand_in = """<!doctype html><script src="gaze-portrait/gaze-tracker.js"></script><script>
        window.added = [];
        window.app = {stage: {addChild: (sprite) => added.push(sprite)}};
        window.PIXI = {
            Texture: {from: (canvas) => ({canvas, source: {update() {}, resize() {}}})},
            Sprite: class { constructor(texture) { this.texture = texture; } setSize(...size) { this.size = size; } },
        };
    </script>"""
    (site.folder / "index.html").write_text(stand_in + snippet)
    page.goto(site.url)
    page.wait_for_function("added.length === 1")
    assert page.evaluate("[added[0].size, added[0].texture.canvas.tagName]") == [[320, 400], "CANVAS"]


@pytest.mark.parametrize("react", [True, False], ids=["with React", "without React"])
def test_types_compile(tmp_path: Path, react: bool) -> None:
    require("typescript")
    (tmp_path / "gaze-tracker.d.ts").write_text(TYPES.read_text())
    (tmp_path / "use.ts").write_text(
        """import type { GazeManifest } from "./gaze-tracker";
        const manifest: GazeManifest = { base: "./", gridSize: 30, imageWidth: 410, imageHeight: 512 };
        const tracker = document.createElement("gaze-tracker");
        tracker.manifest = manifest;
        tracker.smoothing = 200;
        tracker.addEventListener("gazechange", ({ detail }) => tracker.lookAt(detail.row, detail.x));
        tracker.addEventListener("error", ({ detail }) => console.log(detail.message.trim(), tracker.loaded));
        // @ts-expect-error
        tracker.row = 3;
        // @ts-expect-error
        tracker.fit = "stretch";
        """
    )
    files = ["use.ts"]
    if react:
        (tmp_path / "use.tsx").write_text(
            """import "./gaze-tracker";
            export const good = <gaze-tracker src="portrait/" alt="Ada" style={{ width: 320 }} idle />;
            // @ts-expect-error
            export const bad = <gaze-tracker fit="stretch" />;
            """
        )
        files.append("use.tsx")
        (tmp_path / "node_modules").symlink_to(MODULES)
    options = {
        **{"strict": True, "noEmit": True, "target": "es2022", "module": "esnext", "moduleResolution": "bundler"},
        **{"lib": ["es2022", "dom", "dom.iterable"], "types": [], "jsx": "react-jsx"},
    }
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": files}))
    node(MODULES / "typescript" / "bin" / "tsc", "--project", tmp_path)
