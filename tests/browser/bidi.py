"""A small client of WebDriver BiDi, which Firefox speaks by itself: no driver between, and Debian has none.

https://w3c.github.io/webdriver-bidi/ names the commands and the types.
"""

from __future__ import annotations

import base64
import itertools
import json
import re
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from websockets.sync.client import ClientConnection, connect

_PREFERENCES = {
    "app.normandy.enabled": False,
    "app.update.auto": False,
    "browser.shell.checkDefaultBrowser": False,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "gfx.color_management.mode": 0,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "services.settings.server": "data:,",
    "toolkit.telemetry.server": "data:,",
    "webgl.force-enabled": True,
}


@contextmanager
def firefox(executable: str, profile: Path, environment: dict[str, str]) -> Iterator[Firefox]:
    """A Firefox with a fresh profile. `environment` names a screen: headless and without a GPU it has no WebGL."""
    profile.mkdir(parents=True)
    lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});\n" for name, value in _PREFERENCES.items()]
    (profile / "user.js").write_text("".join(lines))
    command = [executable, "--remote-debugging-port=0", "--profile", str(profile), "--no-remote"]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, env=environment)
    try:
        assert process.stderr is not None
        found = (re.search(r"WebDriver BiDi listening on (ws://\S+)", line) for line in process.stderr)
        address = next((match[1] for match in found if match), None)
        assert address, "Firefox ended before it listened"
        with connect(f"{address}/session", max_size=2**28) as socket:
            yield Firefox(socket)
    finally:
        process.terminate()
        process.wait(20)


class Firefox:
    """One tab."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._ask("session.new", capabilities={})
        self._tab = self._ask("browsingContext.getTree")["contexts"][0]["context"]

    def _ask(self, method: str, **params: Any) -> Any:
        number = next(self._numbers)
        self._socket.send(json.dumps({"id": number, "method": method, "params": params}))
        while (answer := json.loads(self._socket.recv(timeout=60))).get("id") != number:
            pass
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['message']}")
        return answer["result"]

    def resize(self, width: int, height: int) -> None:
        self._ask("browsingContext.setViewport", context=self._tab, viewport={"width": width, "height": height})

    def open(self, url: str) -> None:
        self._ask("browsingContext.navigate", context=self._tab, url=url, wait="complete")

    def evaluate(self, expression: str) -> Any:
        """What a JavaScript expression gives, waited for; it must be JSON."""
        wrapped = f"Promise.resolve({expression}).then((it) => JSON.stringify(it ?? null))"
        answer = self._ask("script.evaluate", expression=wrapped, target={"context": self._tab}, awaitPromise=True)
        if answer["type"] == "exception":
            raise RuntimeError(answer["exceptionDetails"]["text"])
        return json.loads(answer["result"]["value"])

    def screenshot(self) -> bytes:
        """The viewport as PNG."""
        return base64.b64decode(self._ask("browsingContext.captureScreenshot", context=self._tab)["data"])
