from pathlib import Path

from starlette.applications import Starlette
from starlette.testclient import TestClient

from gaze.storage.sessions import SessionStore
from gaze.ui.clips import ROOT, clip_routes
from gaze.ui.limit import Limit


def test_who_asks_too_often_is_told_to_wait(tmp_path: Path) -> None:
    client = TestClient(Starlette(routes=clip_routes(SessionStore(tmp_path), Limit(1, 0.01))))
    answers = [client.get(f"/{ROOT}/{'0' * 32}/square.gif") for _ in range(2)]
    assert [answer.status_code for answer in answers] == [404, 429]
    assert "Wait" in answers[1].text
