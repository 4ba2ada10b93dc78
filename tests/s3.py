"""An S3 of one's own: moto's server, on this machine."""

from __future__ import annotations

import logging

import fsspec
import pytest
from moto.server import ThreadedMotoServer


class S3:
    """A running server, empty at first; a context manager."""

    def __enter__(self) -> S3:
        logging.getLogger("werkzeug").setLevel(logging.ERROR)
        self._server = ThreadedMotoServer("127.0.0.1", port=0, verbose=False)
        self._server.start()
        host, port = self._server.get_host_and_port()
        self.settings = {
            "AWS_ENDPOINT_URL": f"http://{host}:{port}",
            "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing",
        }
        return self

    def __exit__(self, *_: object) -> None:
        self._server.stop()

    def configure(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """Let S3 clients that are made from now on go there."""
        for name, value in self.settings.items():
            monkeypatch.setenv(name, value)
        fsspec.get_filesystem_class("s3").clear_instance_cache()

    def bucket(self) -> str:
        """The name of a bucket, made when it is asked for; `configure` comes first."""
        fsspec.filesystem("s3").mkdirs("gaze-results", exist_ok=True)
        return "gaze-results"
