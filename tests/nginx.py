"""A real nginx before an app."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
_SITE = """
daemon off; pid {place}/pid; error_log stderr; worker_processes 1; {user}
events {{}}
http {{
  access_log off;
  client_body_temp_path {place}/b; proxy_temp_path {place}/p; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  {settings}
  server {{
    listen {address};
    {server}
  }}
}}
"""


@contextmanager
def nginx(place: Path, server: str, settings: str = "") -> Iterator[str]:
    """An nginx until the block ends; its address, without a slash at the end.

    It takes over a socket that listens already, as a new nginx does from an old one: so no other program can take its
    port, and who asks too early waits.

    Args:
        place: a folder for its files.
        server: what stands in its block `server`.
        settings: what stands before it.
    """
    assert NGINX
    place.mkdir(exist_ok=True)
    user = "" if os.getuid() else "user root;"  # else its workers are somebody who cannot write here
    with socket.create_server(("127.0.0.1", 0)) as listening:
        number = listening.fileno()
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        site = _SITE.format(place=place, user=user, settings=settings, address=address, server=server)
        (place / "site").write_text(site)
        process = subprocess.Popen(
            [NGINX, "-p", str(place), "-c", str(place / "site")],
            stderr=subprocess.DEVNULL,
            pass_fds=[number],
            env={**os.environ, "NGINX": f"{number};"},
        )
    try:
        yield f"http://{address}"
    finally:
        process.terminate()
        process.wait(10)
