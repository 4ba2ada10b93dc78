"""A first look at a GPU: everything about the LivePortrait engine that only one can tell, in about eight minutes.

    python -m benchmarks.gpu --out gpu.jsonl [--minutes 8] [--steps golden,precision] [--wheels FOLDER]

Writes a JSON line after each step, so that a cut loses one step; run again with the same file it goes on where it
stopped. Before the time is up the steps that matter least are left out. An error in one step is its line, and the next
one runs. The weights are made by a rule; time does not depend on their values.

It needs PyTorch (2.11 or newer), NumPy and OpenCV, the repository, and no network. Two steps need more: `whole` (from
the photo to the finished pack) the other packages of pyproject.toml, whose wheels can be unpacked into a folder and
named, and is left out without; `compile` needs a C++ compiler.

    pip download --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64 --no-deps -d wheels \\
        av pillow pi-heif pydantic pydantic-core annotated-types typing-inspection tqdm
    for wheel in wheels/*.whl; do unzip -q -o "$wheel" -d carried; done
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
import types
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def import_bare() -> bool:
    """Make the engine importable where the packages of photos and videos are missing; whether they are all here.

    The engine knows theirs by their types alone, and gets empty ones.
    """
    try:
        import gaze.pipeline.making  # noqa: F401 - which needs all of them
    except ModuleNotFoundError:
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


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, default=Path("gpu.jsonl"))
    parser.add_argument("--minutes", type=float, default=8.0)
    parser.add_argument("--steps", help="only these, separated by commas")
    parser.add_argument("--wheels", type=Path, help="a folder of unpacked wheels")
    parser.add_argument("--frames-of", type=Path, help=argparse.SUPPRESS)  # what `determinism` starts
    args = parser.parse_args()
    sys.path.insert(0, str(ROOT))
    if args.wheels:
        sys.path.append(str(args.wheels.resolve()))
    is_whole = import_bare()
    from benchmarks import gpu_steps

    if args.frames_of:
        print(gpu_steps.fingerprint_of(args.frames_of))
        return
    chosen = args.steps.split(",") if args.steps else list(gpu_steps.STEPS)
    if unknown := set(chosen) - set(gpu_steps.STEPS):
        sys.exit(f"There is no step {', '.join(sorted(unknown))}. Choose from: {', '.join(gpu_steps.STEPS)}.")
    steps = {name: gpu_steps.STEPS[name] for name in chosen}
    with closing(gpu_steps.Bench(is_whole)) as bench:
        for _ in run(steps, bench, Log(args.out), 60 * args.minutes):
            pass


if __name__ == "__main__":
    main()
