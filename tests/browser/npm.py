"""What the browser tests take from npm (package.json beside this file), installed on first use."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

HERE = Path(__file__).parent
MODULES = HERE / "node_modules"


def require(package: str) -> Path:
    """The folder of an installed package; skips the test, with the reason, where it cannot be had."""
    folder = MODULES / package
    if not folder.is_dir():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"{package} is tested only where npm can install it: no npm found")
        command = [npm, "install", "--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts"]
        try:
            subprocess.run(command, cwd=HERE, check=True, capture_output=True, timeout=240)
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            pytest.skip(f"{package} could not be installed by npm: {error}")
    return folder


def node(*arguments: str | Path) -> str:
    """Runs node in the folder of the tests; returns what it printed."""
    done = subprocess.run(["node", *map(str, arguments)], cwd=HERE, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout
