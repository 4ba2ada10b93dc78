from collections.abc import Sequence
from types import SimpleNamespace
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route
from starlette.testclient import TestClient
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from gaze.errors import GazeError
from gaze.ui import limit as module
from gaze.ui.limit import PROXIES, AtOnce, Limit, client_of


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


def asking(host: str) -> Any:
    return SimpleNamespace(client=SimpleNamespace(host=host))


def test_a_bucket_empties_and_fills_again() -> None:
    clock = Clock()
    limit = Limit(3, 0.5, clock=clock)
    for _ in range(3):
        limit.take("a")
    with pytest.raises(GazeError, match=r"many previews in a short time\. Wait 2 s"):
        limit.take("a")
    limit.take("b")
    clock.now = 1
    with pytest.raises(GazeError, match="Wait 1 s"):
        limit.take("a")
    clock.now = 2
    limit.take("a")
    clock.now = 1e6
    for _ in range(3):
        limit.take("a")
    with pytest.raises(GazeError):
        limit.take("a")


def test_many_clients_take_little_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_CLIENTS", 10)
    limit = Limit()
    for number in range(100):
        limit.take(str(number))
    assert len(limit._buckets) == 10


def test_whoever_asked_longest_ago_is_forgotten_first(monkeypatch: pytest.MonkeyPatch) -> None:
    """Kills: buckets are dropped in another order, so that whoever asks without end gets a new one."""
    monkeypatch.setattr(module, "_CLIENTS", 3)
    limit = Limit(2, 0.001)
    for client in ("busy", "quiet", "busy", "other", "third"):
        limit.take(client)
    with pytest.raises(GazeError):
        limit.take("busy")
    limit.take("quiet")
    limit.take("quiet")


def test_all_addresses_of_one_customer_are_one_client() -> None:
    assert client_of(asking("2001:db8:1:2::1")) == client_of(asking("2001:db8:1:2:ffff::9"))
    assert client_of(asking("2001:db8:1:2::1")) != client_of(asking("2001:db8:1:3::1"))
    assert client_of(asking("192.0.2.7")) == "192.0.2.7"
    assert client_of(asking("testclient")) == "testclient"


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "198.51.100.1", "203.0.113.9"),  # nobody's web server, but somebody who makes up an address
        ("127.0.0.1", "203.0.113.9", "203.0.113.9"),
        ("172.17.0.1", "203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("10.1.2.3", "198.51.100.1, 203.0.113.9", "203.0.113.9"),  # the first is made up
        ("10.1.2.3", "", "10.1.2.3"),
        ("10.1.2.3", "<script>", "<script>"),
        ("fd00::1", "203.0.113.9", "203.0.113.9"),
    ],
)
def test_web_servers_in_private_networks_say_for_whom_they_ask(peer: str, forwarded: str, client: str) -> None:
    page = Starlette(routes=[Route("/", lambda request: PlainTextResponse(client_of(request)))])
    web = TestClient(ProxyHeadersMiddleware(page, PROXIES), client=(peer, 5))  # type: ignore[arg-type]
    assert web.get("/", headers={"X-Forwarded-For": forwarded}).text == client


def test_whose_address_is_unknown_shares_one() -> None:
    assert client_of(None) == client_of(asking("")) == ""


def test_of_one_client_a_few_are_done_at_once_and_others_go_on() -> None:
    at_once = AtOnce(2, what="clips")
    with at_once.one("busy"), at_once.one("busy"), at_once.one("other"):
        with pytest.raises(GazeError, match=r"too many clips at once\. Wait until"), at_once.one("busy"):
            pass
        with at_once.one("other"):
            pass
    with at_once.one("busy"):
        pass


def test_who_waits_for_a_turn_keeps_no_thread_and_not_all_may_wait() -> None:
    at_once = AtOnce(2, waiting=3)
    running, most, refused = [0], [0], [0]

    async def one(client: str) -> None:
        try:
            async with at_once.turn(client):
                running[0] += 1
                most[0] = max(most[0], running[0])
                await anyio.sleep(0)
                running[0] -= 1
        except GazeError:
            refused[0] += 1

    async def all_of(clients: Sequence[str]) -> None:
        async with anyio.create_task_group() as tasks:
            for client in clients:
                tasks.start_soon(one, client)

    anyio.run(all_of, ["busy"] * 7)
    assert (most, refused) == ([2], [2])
    anyio.run(all_of, ["busy", "other"] * 2)
    assert (most, refused) == ([4], [2])
    assert not at_once._busy
    assert not at_once._turns
