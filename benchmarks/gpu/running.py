"""Runs the steps one after another, each with a line in a file, so that a run that was cut goes on."""

from __future__ import annotations

import json
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]


def import_bare() -> bool:
    """Make the engine importable where the packages of photos and videos are missing; whether they are all here.

    The engine knows theirs by their types alone, and gets empty ones.
    """
    try:
        import gaze.pipeline.making  # noqa: F401 - which needs all of them
    except Exception as error:  # Missing, or built for something else.
        print(f"Without the step “whole”: {type(error).__name__}: {error}", file=sys.stderr)
        for name in [name for name in sys.modules if name.split(".")[0] == "gaze"]:
            del sys.modules[name]
        package = types.ModuleType("gaze")
        package.__path__ = [str(ROOT / "gaze")]
        sys.modules["gaze"] = package
        for name, kind in (("gaze.photo.portrait", "Portrait"), ("gaze.progress", "Loading"), ("tqdm", "tqdm")):
            module = types.ModuleType(name)
            setattr(module, kind, type(kind, (), {}))
            sys.modules[name] = module
        return False
    return True


class Log:
    """The lines that are there already, and new ones.

    Args:
        file: of JSON lines; it need not be there yet.
    """

    def __init__(self, file: Path) -> None:
        self._file = file
        lines = file.read_text().splitlines() if file.is_file() else []
        self.lines = [json.loads(line) for line in lines]

    def is_done(self, step: str) -> bool:
        return any(line["step"] == step and "error" not in line and "left_out" not in line for line in self.lines)

    def add(self, line: dict[str, Any]) -> None:
        self.lines.append(line)
        with self._file.open("a") as file:
            file.write(json.dumps(line) + "\n")
        print(json.dumps(line), flush=True)


def run(
    steps: dict[str, tuple[float, Callable[[Any], dict[str, Any]]]], bench: Any, log: Log, seconds: float
) -> Iterator[str]:
    """Run the steps that were not run yet, in order; yields the name of each that has its line.

    Args:
        steps: what each is expected to take in seconds, and what it does.
        bench: handed to each.
        log: where the results go.
        seconds: after so many no step is begun that is not expected to end in time.
    """
    started = time.monotonic()
    for name, (expected, step) in steps.items():
        if log.is_done(name):
            continue
        begun = time.monotonic()
        line: dict[str, Any] = {"step": name, "at": round(begun - started, 1)}
        if begun - started + expected > seconds:
            log.add(line | {"left_out": f"{expected:.0f} s expected, {seconds - begun + started:.0f} s left"})
            continue
        try:
            line |= step(bench)
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            line["error"] = f"{type(error).__name__}: {error}"[:800] + f" ({Path(where.filename).name}:{where.lineno})"
            error.__traceback__ = None  # It holds the step's tensors.
            bench.tidy()
        log.add(line | {"seconds": round(time.monotonic() - begun, 2)})
        yield name
