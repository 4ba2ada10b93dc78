"""What pages load is made from the sources beside it; the package can be published and used."""

from __future__ import annotations

import gzip
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tests.browser.driving import TRACKER, wait_loaded
from tests.browser.keys import write_keys
from tests.browser.npm import require
from tests.browser.portraits import WIDGET

FOLDER = WIDGET.parent
LIMIT = 15_360
"""Bytes of the main script as a server sends it."""
BUILT = ("gaze-tracker.js", "gaze-tracker.mjs", "gaze-tracker-more.js")


@pytest.fixture(scope="module")
def package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the package with what it is built with."""
    if shutil.which("npm") is None:
        pytest.skip("npm is missing, so the widget cannot be built here: install Node.js")
    folder = tmp_path_factory.mktemp("package") / "gaze-tracker"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("__pycache__"))
    if not (folder / "node_modules" / "esbuild").is_dir():
        run("npm", "ci", "--no-audit", "--no-fund", folder=folder, skip=True)
    return folder


def run(*command: str, folder: Path, skip: bool = False) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=240)
    if done.returncode and skip:
        pytest.skip(f"{' '.join(command)} is not possible here: {done.stderr[-300:]}")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_the_built_files_are_those_of_the_sources(package: Path, tmp_path: Path) -> None:
    run("node", "build.mjs", str(tmp_path), folder=package)
    run("node", "types.mjs", str(tmp_path), folder=package)
    for name in (*BUILT, *(f"{name}.map" for name in BUILT), "gaze-tracker.d.ts"):
        assert (tmp_path / name).read_bytes() == (FOLDER / name).read_bytes(), f"{name}: npm run build in gaze/widget"


def test_the_pure_parts(package: Path) -> None:
    assert "# fail 0" in run("node", "--test", "src/test/", folder=package)


def test_the_main_script_is_small() -> None:
    assert len(gzip.compress(WIDGET.read_bytes(), 9)) <= LIMIT


def test_the_package_builds_and_runs_in_a_project_of_vite_and_typescript(
    package: Path, tmp_path: Path, page: Any, site: Any
) -> None:
    run("npm", "pack", "--pack-destination", str(tmp_path), folder=package)
    [archive] = tmp_path.glob("*.tgz")
    project = tmp_path / "project"
    (project / "src").mkdir(parents=True)
    vite, typescript = require("vite"), require("typescript")
    (project / "package.json").write_text(json.dumps({"private": True, "type": "module"}))
    run("npm", "install", "--no-audit", "--no-fund", "--offline", str(archive), folder=project)
    (project / "index.html").write_text('<div id="app"></div><script type="module" src="/src/main.ts"></script>')
    (project / "src" / "main.ts").write_text(
        """import "gaze-tracker";
        import type { GazeTracker } from "gaze-tracker";
        const tracker: GazeTracker = document.createElement("gaze-tracker");
        tracker.src = "/gaze-portrait/gaze.pack";
        tracker.addEventListener("gazechange", ({ detail }) => console.log(detail.row.toFixed(1)));
        tracker.style.width = "160px";
        document.body.append(tracker);
        """
    )
    options = {"strict": True, "noEmit": True, "target": "es2022", "module": "esnext", "moduleResolution": "bundler"}
    options |= {"lib": ["es2022", "dom"], "types": []}
    (project / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "include": ["src"]}))
    run("node", str(typescript / "bin" / "tsc"), "--project", ".", folder=project)
    run("node", str(vite / "bin" / "vite.js"), "build", folder=project)
    shutil.copytree(project / "dist", site.folder, dirs_exist_ok=True)
    write_keys(site.folder / "gaze-portrait")
    page.goto(site.url)
    wait_loaded(page)
    page.evaluate(f"{TRACKER}.lookAt(0, 0)")
    page.wait_for_function(f"{TRACKER}.row < 1 && {TRACKER}.col < 1")
    page.hover("gaze-tracker")  # the second file is part of what was built
    page.get_by_role("button", name="Full screen").wait_for()
