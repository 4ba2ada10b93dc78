"""Behind a real web server, below a path of its own: the page, the API, the widget's files and a shared link."""

from __future__ import annotations

import html
import re
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest
from gradio_client import Client, handle_file

from gaze.ui.page import head
from tests.conftest import PHOTO
from tests.serving import serving
from tests.tables import blocks, read

NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")
SITE = """
daemon off; pid {place}/pid; error_log stderr; worker_processes 1;
events {{}}
http {{
  access_log off;
  client_body_temp_path {place}/body; proxy_temp_path {place}/proxy; fastcgi_temp_path {place}/f;
  uwsgi_temp_path {place}/u; scgi_temp_path {place}/s;
  server {{
    listen 127.0.0.1:{port};
    {location}
  }}
}}
"""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("nginx")
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with serving(place / "app", GRADIO_ROOT_PATH="/faces", GAZE_HOSTS="gaze.example") as app:
        [told] = blocks(read("docs/hosting.md"), "nginx")
        location = told.replace("http://127.0.0.1:7860", app.address)
        (place / "site").write_text(SITE.format(place=place, port=port, location=location))
        assert NGINX
        nginx = subprocess.Popen([NGINX, "-p", str(place), "-c", str(place / "site")], stderr=subprocess.DEVNULL)
        address = f"http://127.0.0.1:{port}/faces/"
        try:
            deadline = time.monotonic() + 60
            while True:
                try:
                    httpx.get(address, timeout=30)
                    break
                except httpx.HTTPError:
                    assert time.monotonic() < deadline
                    time.sleep(0.2)
            yield address
        finally:
            nginx.terminate()
            nginx.wait(10)


def test_the_page_and_all_its_parts_are_found(site: str) -> None:
    page = httpx.get(site, timeout=60)
    assert page.status_code == 200
    parts = set(re.findall(r'(?:src|href)="(\./[^"]+)"', page.text))
    assert parts
    for part in (*parts, *re.findall(r'(?:src|href)="([^"]+)"', head())):
        assert httpx.get(site + part.removeprefix("./"), timeout=60).status_code == 200, part
    config = httpx.get(f"{site}config", timeout=60).json()
    assert config["root"].rstrip("/") == site.rstrip("/")
    named = {"Host": "gaze.example", "X-Forwarded-Proto": "https"}
    assert httpx.get(f"{site}config", headers=named, timeout=60).json()["root"].startswith("http://gaze.example/faces")


def test_the_api_the_files_of_the_widget_and_a_shared_link(site: str) -> None:
    client = Client(site, verbose=False, download_files=False)
    small = {"engine": "warp", "size": 4, "frame_size": 128}
    made, archive = client.predict(photo=handle_file(PHOTO), api_name="/generate", **small)
    folder = site + made["base"] if "://" not in made["base"] else made["base"]
    for name in (made["pack"], made["poster"], "metadata.json"):
        answer = httpx.get(f"{folder.rstrip('/')}/{name}", timeout=60)
        assert answer.status_code == 200, name
        again = httpx.get(str(answer.url), headers={"If-None-Match": answer.headers["etag"]}, timeout=60)
        assert again.status_code == 304, name
    part = httpx.get(f"{folder.rstrip('/')}/{made['pack']}", headers={"Range": "bytes=4-9"}, timeout=60)
    assert (part.status_code, len(part.content)) == (206, 6)
    assert httpx.get(site + made["zip"], timeout=60).status_code == 200
    assert archive["url"].startswith(site)
    own = httpx.get(site, params={"session": made["session"]}, timeout=60)
    assert own.status_code == 200
    shared = httpx.get(f"{site}p/{made['session']}", timeout=60)
    assert shared.status_code == 200
    assert f'property="og:url" content="{shared.url}"' in shared.text
    parts = set(re.findall(r'(?:src|href|poster)="([^"]+)"', shared.text))
    assert any("gaze-tracker.js" in part for part in parts)
    assert any(made["session"] in part for part in parts)
    for part in parts:
        address = urljoin(str(shared.url), html.unescape(part))
        if address.endswith(made["session"] + "/"):
            address += "metadata.json"  # a folder, for the player
        assert address.startswith(site)
        assert httpx.get(address, timeout=60).status_code == 200, address
