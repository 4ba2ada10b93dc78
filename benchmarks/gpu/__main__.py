"""A first look at a GPU: everything about the LivePortrait engine that only one can tell, in about eight minutes.

    python -m benchmarks.gpu --out gpu.jsonl [--minutes 8] [--steps golden,precision] [--wheels FOLDER]

Writes a JSON line after each step, so that a cut loses one step; run again with the same file it goes on where it
stopped. Before the time is up the steps that matter least are left out. An error in one step is its line, and the next
one runs. The weights are made by a rule; time does not depend on their values.

It needs PyTorch (2.11 or newer), NumPy and OpenCV, the repository, and no network. Two steps need more: `whole` (from
the photo to the finished pack) the other packages of pyproject.toml, whose wheels can be unpacked into a folder and
named, and is left out without; `compile` needs a C++ compiler.

    pip download --only-binary :all: --python-version 3.12 --platform manylinux_2_28_x86_64 \\
        --platform manylinux_2_17_x86_64 --no-deps -c constraints.txt -d wheels \\
        av pillow pi-heif pydantic pydantic-core annotated-types typing-inspection tqdm
    for wheel in wheels/*.whl; do unzip -q -o "$wheel" -d carried; done
"""

from __future__ import annotations

import argparse
import sys
from contextlib import closing
from pathlib import Path

from benchmarks.gpu.running import ROOT, Log, import_bare, run


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
    from benchmarks.gpu import correctness, steps
    from benchmarks.gpu.bench import Bench

    if args.frames_of:
        print(correctness.fingerprint_of(args.frames_of))
        return
    chosen = args.steps.split(",") if args.steps else list(steps.STEPS)
    if unknown := set(chosen) - set(steps.STEPS):
        sys.exit(f"There is no step {', '.join(sorted(unknown))}. Choose from: {', '.join(steps.STEPS)}.")
    wanted = {name: steps.STEPS[name] for name in chosen}
    with closing(Bench(is_whole)) as bench:
        for _ in run(wanted, bench, Log(args.out), 60 * args.minutes):
            pass


if __name__ == "__main__":
    main()
