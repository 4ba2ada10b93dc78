"""What a visitor pays for a portrait: time to the first following frame, bytes, frame times, memory, the script itself.

Each way to play it: the pack's video, its stills, the sheets, the sheets for phones.

    python -m benchmarks.widget                      renders a portrait first (some minutes)
    python -m benchmarks.widget --portrait out/ada   a folder of sheets that is there

Needs playwright and a Chromium (GAZE_CHROMIUM, or on PATH). Times depend on what else the machine does: run it alone.
"""

from __future__ import annotations

import argparse
import contextlib
import functools
import gzip
import json
import os
import re
import shutil
import statistics
import tempfile
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from benchmarks.instant import PHOTO, machine

SCRIPT = Path(__file__).resolve().parents[1] / "gaze" / "widget" / "gaze-tracker.js"
WIDTH = 400
MEGABITS = 20
SWEEP_FRAMES = 240
LOOK_COUNT = 60
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"]

PAGE = """<!doctype html><link rel="icon" href="data:,">
<style>
  body {{ margin: 0; height: 100vh; display: grid; place-items: center }}
  gaze-tracker {{ width: {width}px }}
</style>
<script>
  // A restless pointer, so that the first frame that follows is seen as soon as it can be.
  window.restless = setInterval(() => {{
    const place = {{clientX: 400 + (performance.now() % 400), clientY: 300}};
    dispatchEvent(new PointerEvent("pointermove", place));
  }}, 10);
  window.made = [];
  window.part = 0; // of a pack, whose transfer does not end before it is played
  document.addEventListener("progress", ({{detail}}) => {{ if (detail?.total > 4) part = detail.loaded; }}, true);
  document.addEventListener("gazechange", () => {{
    if (made.length < 3) return; // the poster, a frame, and another: now it follows
    window.first ??= {{
      time: performance.now(),
      bytes: part + performance.getEntriesByType("resource").reduce((sum, entry) => sum + entry.transferSize, 0),
    }};
  }}, true);
  window.held = 0;
  const make = createImageBitmap, close = ImageBitmap.prototype.close;
  {before}
  window.createImageBitmap = async (...args) => {{
    const bitmap = await make(...args);
    held += bitmap.width * bitmap.height * 4;
    made.push(performance.now());
    return bitmap;
  }};
  ImageBitmap.prototype.close = function () {{ held -= this.width * this.height * 4; close.call(this); }};
</script>
<script src="gaze-tracker.js"></script>
<gaze-tracker></gaze-tracker>
<script>document.querySelector("gaze-tracker").manifest = {manifest};</script>
"""

SWEEP = """async (frames) => {
    const tracker = document.querySelector("gaze-tracker"), times = [];
    let last;
    for (let i = 0; i <= frames; i++) {
        tracker.lookAt(640 + 630 * Math.sin(i / 17), 400 + 390 * Math.cos(i / 23));
        const now = await new Promise(requestAnimationFrame);
        if (last) times.push(now - last);
        last = now;
    }
    return times.sort((a, b) => a - b);
}"""


# A look at once, from the call to the decoded frame; looks at frames that are held take no time.
LOOKS = """async (count) => {
    const tracker = document.querySelector("gaze-tracker"), times = [];
    Object.assign(tracker, {smoothing: 0, blend: "none", follow: "none"});
    let seed = 7;
    const random = () => (seed = (seed * 16807) % 2147483647) / 2147483647;
    for (let i = 0; i < count; i++) {
        await new Promise((done) => setTimeout(done, 120));
        made.length = 0;
        const start = performance.now();
        tracker.lookAt(random() * innerWidth, random() * innerHeight);
        await new Promise((done) => setTimeout(done, 120));
        times.push(made.length ? made[0] - start : 0);
    }
    return times.sort((a, b) => a - b);
}"""


class Quiet(SimpleHTTPRequestHandler):
    stalled: tuple[int, threading.Event] | None = None
    """So many bytes of a pack are sent, and the rest after the event."""

    def send_head(self) -> Any:
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        if not start:
            return super().send_head()
        file = Path(self.translate_path(self.path)).open("rb")  # noqa: SIM115 - closed by do_GET
        size = file.seek(0, 2)
        self.send_response(206)
        self.send_header("Content-Length", str(size - file.seek(int(start[1]))))
        self.send_header("Content-Range", f"bytes {start[1]}-{size - 1}/{size}")
        self.end_headers()
        return file

    def copyfile(self, source: Any, outputfile: Any) -> None:
        with contextlib.suppress(ConnectionError):  # the widget has what it wants
            if self.stalled and self.path.endswith(".pack"):
                outputfile.write(source.read(self.stalled[0]))
                outputfile.flush()
                self.stalled[1].wait(10)
            super().copyfile(source, outputfile)

    def log_message(self, *arguments: Any) -> None:
        pass


def renderer_memory(session: Any) -> tuple[float, float]:
    """Resident memory of the largest renderer, now and at its peak, in MB."""
    best = (0.0, 0.0)
    for process in session.send("SystemInfo.getProcessInfo")["processInfo"]:
        if process["type"] == "renderer":
            lines = Path(f"/proc/{process['id']}/status").read_text().splitlines()
            fields = dict(line.split(":", 1) for line in lines)
            now, peak = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
            best = max(best, (now, peak))
    return best


def visit(playwright: Any, executable: str, address: str, megabits: float | None) -> dict[str, float]:
    """One visit in a fresh browser: nothing cached, and memory that is this page's alone."""
    browser = playwright.chromium.launch(executable_path=executable, args=ARGUMENTS)
    page = browser.new_page(viewport={"width": 1280, "height": 800})
    session = browser.new_browser_cdp_session()
    page.goto(address.rsplit("/", 1)[0] + "/empty.html")
    before, _ = renderer_memory(session)
    if megabits:
        conditions = {"offline": False, "latency": 40, "downloadThroughput": megabits * 1e6 / 8, "uploadThroughput": -1}
        page.context.new_cdp_session(page).send("Network.emulateNetworkConditions", conditions)
    page.goto(address, wait_until="commit")
    page.wait_for_function("document.querySelector('gaze-tracker')?.loaded", timeout=300_000)
    loaded = page.evaluate("performance.now()")
    page.wait_for_function("window.first")
    result = {"loaded": loaded, **page.evaluate("first")}
    page.evaluate("clearInterval(restless)")
    times = page.evaluate(SWEEP, SWEEP_FRAMES)
    looks = page.evaluate(LOOKS, LOOK_COUNT)
    page.wait_for_timeout(1500)  # the browser itself lets go of what it decoded
    now, peak = renderer_memory(session)
    result |= {
        "p50": statistics.median(times),
        "p95": times[int(len(times) * 0.95)],
        "look50": statistics.median(looks),
        "look95": looks[int(len(looks) * 0.95)],
        "held": page.evaluate("held") / 1e6,
        "grown": now - before,
        "peak": peak - before,
        "shown": page.evaluate("document.querySelector('gaze-tracker').shadowRoot.querySelector('canvas').width"),
    }
    browser.close()
    return result


def serve(folder: Path) -> tuple[ThreadingHTTPServer, str]:
    """A folder on a free port, and its address."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, f"http://127.0.0.1:{server.server_port}"


def chromium() -> str:
    """The Chromium to drive."""
    names = [os.environ.get("GAZE_CHROMIUM"), "chromium", "chromium-browser", "google-chrome"]
    executable = next(filter(None, (shutil.which(name) for name in names if name)), None)
    if executable is None:
        raise SystemExit("No Chromium found: install one, or name one in GAZE_CHROMIUM.")
    return executable


def kinds_of(facts: dict[str, Any]) -> dict[str, tuple[dict[str, Any], str]]:
    """Ways to play a portrait: a manifest that allows no other, and a script that runs before."""
    small = facts["mobileGridSize"]
    sheets = {**facts, "pack": None, "mobileGridSize": None}
    few = {**sheets, "gridSize": small, "sheets": facts.get("mobileSheets") or [f"q{i}_{small}.webp" for i in range(4)]}
    kinds = {f"sheets {facts['gridSize']}×{facts['gridSize']}": (sheets, ""), f"sheets {small}×{small}": (few, "")}
    if facts.get("pack"):
        kinds = {"video": (facts, ""), "stills": (facts, "delete window.VideoDecoder;"), **kinds}
    return kinds


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--portrait", type=Path, help="folder with sheets and metadata.json")
    parser.add_argument("--repeats", type=int, default=3, help="visits of each kind; the median counts (default: 3)")
    arguments = parser.parse_args()
    executable = chromium()

    from playwright.sync_api import sync_playwright

    with tempfile.TemporaryDirectory() as place:
        folder = Path(place)
        if arguments.portrait:
            shutil.copytree(arguments.portrait, folder / "portrait")
        else:
            from gaze.options import Options
            from gaze.pipeline.making import generate

            generate(PHOTO, folder / "portrait", Options(engine="warp"))
        facts = {**json.loads((folder / "portrait" / "metadata.json").read_text()), "base": "portrait/"}
        for number, (manifest, before) in enumerate(kinds_of(facts).values()):
            page = PAGE.format(width=WIDTH, manifest=json.dumps(manifest), before=before)
            (folder / f"{number}.html").write_text(page)
        (folder / "empty.html").write_text("<!doctype html><link rel='icon' href='data:,'>")
        shutil.copy(SCRIPT, folder)
        server, site = serve(folder)

        print(f"{machine()}. Frames of {facts['imageWidth']}×{facts['imageHeight']}, shown {WIDTH} px wide; headless, ")
        print(f"software rendering; median of {arguments.repeats} visits.\n")
        print(
            f"| set | first following frame, ms | the same at {MEGABITS} Mbit/s, ms | MB until then | all, s "
            "| frame while sweeping p50 / p95, ms | random look p50 / p95, ms | frames held, MB "
            "| renderer grown / peak, MB | width held, px |"
        )
        print("|---|---|---|---|---|---|---|---|---|---|")
        with sync_playwright() as playwright:
            for number, kind in enumerate(kinds_of(facts)):
                address = f"{site}/{number}.html"
                near, far = (
                    {
                        name: statistics.median(one[name] for one in visits)
                        for visits in [[visit(playwright, executable, address, rate) for _ in range(arguments.repeats)]]
                        for name in visits[0]
                    }
                    for rate in (None, MEGABITS)
                )
                print(
                    f"| {kind} | {near['time']:.0f} | {far['time']:.0f} | {far['bytes'] / 1e6:.2f} "
                    f"| {near['loaded'] / 1000:.1f} | {near['p50']:.1f} / {near['p95']:.1f} "
                    f"| {near['look50']:.1f} / {near['look95']:.1f} | {near['held']:.0f} "
                    f"| {near['grown']:.0f} / {near['peak']:.0f} | {near['shown']:.0f} |"
                )
        server.shutdown()
    script = SCRIPT.read_bytes()
    code = b"\n".join(line for line in script.splitlines() if not line.lstrip().startswith((b"*", b"/*", b"//")))
    sizes = [len(script), len(gzip.compress(script, 9)), len(gzip.compress(code, 9))]
    print(
        "\nThe script: {:.1f} kB, {:.1f} kB gzip ({:.1f} kB without its comments).".format(*(n / 1000 for n in sizes))
    )


if __name__ == "__main__":
    main()
