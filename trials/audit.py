"""Whether a package that is installed here is known to be vulnerable.

    python -m trials.audit [--where-possible]

pip-audit asks pypi.org about each version. Many package indexes serve packages and tell nothing of vulnerabilities;
what pip-audit says there ("not found") looks like a fault of the packages. So pypi.org is first asked about a version
that is known to be vulnerable: only if that is told can silence on others mean something.
"""

from __future__ import annotations

import argparse
import http.client
import json
import re
import subprocess
import sys
import tempfile
import urllib.request
from importlib.metadata import distributions
from pathlib import Path

_KNOWN = "https://pypi.org/pypi/pillow/9.0.0/json"
_PATIENCE = 10.0
_PIP_AUDIT = "pip-audit>=2.9,<3"
_OURS = "gaze-portrait"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--where-possible", action="store_true", help="where no vulnerabilities are told of, say so, and succeed"
    )
    args = parser.parse_args()
    if why := why_not():
        print(f"NOT AUDITED: whether packages are known to be vulnerable cannot be learnt here. {why}", flush=True)
        return 0 if args.where_possible else 1
    return audit(installed())


def why_not(url: str = _KNOWN) -> str | None:
    """Why nothing can be learnt of vulnerabilities; None where it can.

    Args:
        url: of a version that is known to be vulnerable.
    """
    try:
        with urllib.request.urlopen(url, timeout=_PATIENCE) as answer:
            told = json.load(answer)
    except (OSError, http.client.HTTPException, ValueError) as error:
        return f"{url} does not answer as it should: {error}"
    if not (isinstance(told, dict) and told.get("vulnerabilities")):
        return f"{url} tells of no vulnerability, though there are."
    return None


def installed() -> list[str]:
    """Every package here but ours, pinned. A build for a certain processor has the vulnerabilities of its version."""
    pins = {re.sub(r"[-_.]+", "-", it.name).lower(): it.version.split("+")[0] for it in distributions()}
    return sorted(f"{name}=={version}" for name, version in pins.items() if name != _OURS)


def audit(pins: list[str], *options: str) -> int:
    """0 if pip-audit finds nothing; anything else, its own failure included, is another status."""
    install = [sys.executable, "-m", "pip", "install", "--quiet", _PIP_AUDIT]
    if status := subprocess.run(install).returncode:
        return status
    with tempfile.TemporaryDirectory() as folder:
        wanted = Path(folder) / "installed.txt"
        wanted.write_text("\n".join(pins) + "\n")
        command = [sys.executable, "-m", "pip_audit", "--strict", "--no-deps", "--disable-pip", "--progress-spinner"]
        return subprocess.run([*command, "off", "--requirement", str(wanted), *options]).returncode


if __name__ == "__main__":
    sys.exit(main())
