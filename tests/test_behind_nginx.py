"""Behind a real web server, below a path of its own: the page, the API, the widget's files and a shared link."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from urllib.parse import urljoin

import httpx
import pytest
from gradio_client import Client, handle_file

from gaze.ui.page import head
from tests.conftest import PHOTO
from tests.nginx import NGINX, nginx
from tests.pages import blocks, read
from tests.serving import serving

pytestmark = pytest.mark.skipif(not NGINX, reason="nginx is not installed")


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    place = tmp_path_factory.mktemp("nginx")
    with serving(place / "app", GRADIO_ROOT_PATH="/faces", GAZE_HOSTS="gaze.example") as app:
        [told] = blocks(read("docs/hosting.md"), "nginx")
        with nginx(place, told.replace("http://127.0.0.1:7860", app.address)) as address:
            yield f"{address}/faces/"


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
