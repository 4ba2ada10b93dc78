"""The engine on a real Ray of two replicas, on this machine."""

from __future__ import annotations

import os
import secrets
import signal
import time
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.engines import base
from gaze.engines.base import Engine, choose_engine, load_engine
from gaze.engines.cluster import Cluster, ClusterEngine
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import GazeGrid, Pose
from gaze.options import Options
from gaze.output.pack import PACK
from gaze.output.pack_reader import read_pack
from gaze.output.unpacking import decode_keys
from gaze.output.validator import check
from gaze.photo.portrait import Portrait
from gaze.pipeline.making import generate
from gaze.progress import Loading

GRID = GazeGrid(20)
POSES = [GRID.pose(cell) for cell in GRID.cells()]
TWO = Cluster(cores=1)


class Signing(Engine):
    """Frames of one pixel that tell their pose and who rendered them.

    Args:
        folder: `log` in it gets a line for each thing that is done; what stands in `mood` makes it slow or refuse.
    """

    name = "signing"

    def __init__(self, folder: Path) -> None:
        self._log, self._mood = folder / "log", folder / "mood"

    def prepare(self, portrait: Portrait, face: Face) -> int:
        self._write("prepared")
        return portrait.width

    def render(self, source: int, poses: Sequence[Pose]) -> np.ndarray:
        mood = self._mood.read_text()
        if mood == "refuse":
            raise GazeError("This cannot be done. Do something else.")
        time.sleep(0.3 if mood == "slow" else 0.02)
        self._write("rendered")
        return np.array([[[[POSES.index(pose), os.getpid(), source]]] for pose in poses], np.uint32)

    def stream(self, source: int, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        yield self.render(source, poses)

    def notes(self) -> tuple[str, ...]:
        return ("Signed.",)

    def _write(self, what: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{what} by {os.getpid()}\n")


class Weightless(Signing):
    name = "weightless"

    def load(self) -> Iterator[Loading]:
        raise GazeError("There are no weights on this machine.")


@dataclass
class Signers:
    """Replicas of `Signing`."""

    engine: ClusterEngine
    folder: Path

    def mood(self, mood: str) -> None:
        (self.folder / "mood").write_text(mood)

    def count(self, what: str) -> int:
        return (self.folder / "log").read_text().count(what)


@pytest.fixture(scope="module")
def serve() -> Iterator[Any]:
    """Ray Serve on a cluster of two cores."""
    pytest.importorskip("ray", reason="ray is missing: pip install --editable '.[cluster]'")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAY_USAGE_STATS_ENABLED", "0")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))  # else Ray writes one into the home folder
        import ray
        from ray import serve

        ray.init("local", num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
        yield serve
        serve.shutdown()
        ray.shutdown()


def started(engine: Engine | None = None, cluster: Cluster = TWO) -> ClusterEngine:
    made = ClusterEngine(cluster=cluster, engine=engine)
    for _ in made.load():
        pass
    return made


def clear(serve: Any) -> None:
    """Give back what earlier tests hold."""
    for name in serve.status().applications:
        serve.delete(name)


@pytest.fixture(scope="module")
def both(serve: Any, tmp_path_factory: pytest.TempPathFactory) -> Signers:
    folder = tmp_path_factory.mktemp("signers")
    (folder / "mood").write_text("quick")
    return Signers(started(Signing(folder)), folder)


@pytest.fixture
def signers(both: Signers) -> Signers:
    """Replicas of `Signing`, quick at first."""
    both.mood("quick")
    return both


def signed(frames: Sequence[np.ndarray]) -> tuple[list[int], set[int]]:
    """Which poses they show, and who rendered them."""
    rows = list(chain.from_iterable(batch[:, 0, 0].tolist() for batch in frames))
    return [row[0] for row in rows], {row[1] for row in rows}


def test_all_replicas_work_and_make_the_portrait_ready_once(signers: Signers, framed: tuple[Portrait, Face]) -> None:
    engine = signers.engine
    source = engine.prepare(*framed)
    batches = list(engine.stream(source, POSES))
    shown, workers = signed(batches)
    assert shown == list(range(400))
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert signed(list(engine.stream(source, POSES[:100]))) == (list(range(100)), workers)
    assert signers.count("prepared") == 2
    assert engine.notes() == ("Signed.",)
    assert batches[0][0, 0, 0, 2] == framed[0].width
    again = started(Signing(signers.folder))  # those that run already
    assert signed(list(again.stream(source, POSES[:100])))[1] == workers


def test_a_closed_stream_withdraws_what_was_not_begun(signers: Signers, framed: tuple[Portrait, Face]) -> None:
    signers.mood("slow")
    before = signers.count("rendered")
    stream = signers.engine.stream(signers.engine.prepare(*framed), POSES)
    next(stream)
    stream.close()  # type: ignore[attr-defined]
    time.sleep(0.7)  # what was begun may end
    done = signers.count("rendered") - before
    time.sleep(0.7)
    assert signers.count("rendered") - before == done <= 4 < len(POSES) // 10


def test_errors_of_the_engine_arrive_as_they_are(signers: Signers, framed: tuple[Portrait, Face]) -> None:
    signers.mood("refuse")
    with pytest.raises(GazeError) as told:
        signers.engine.render(signers.engine.prepare(*framed), POSES)
    assert str(told.value) == "This cannot be done. Do something else."


def test_what_a_killed_replica_had_is_rendered_by_another(signers: Signers, framed: tuple[Portrait, Face]) -> None:
    stream = signers.engine.stream(signers.engine.prepare(*framed), POSES)
    first = next(stream)
    _, [victim] = signed([first])
    os.kill(victim, signal.SIGKILL)
    shown, workers = signed([first, *stream])
    assert shown == list(range(400))
    assert workers - {victim}


def test_replicas_that_are_lost_again_and_again_are_told(signers: Signers, framed: tuple[Portrait, Face]) -> None:
    from ray.exceptions import ActorDiedError

    class Lost:
        asked = 0
        render = property(lambda self: self)

        def remote(self, *_: object) -> Lost:
            self.asked += 1
            return self

        def result(self, timeout_s: float) -> None:
            raise ActorDiedError

        def cancel(self) -> None: ...

    engine = copy(signers.engine)
    engine._handle = lost = Lost()
    with pytest.raises(GazeError, match="replicas were lost"):
        engine.render(None, POSES[:10])
    assert lost.asked == 3


def test_replicas_that_were_taken_away_are_told(both: Signers, serve: Any) -> None:
    """The last to need the replicas above."""
    clear(serve)
    with pytest.raises(GazeError, match="replicas were lost"):
        both.engine.render(None, POSES[:10])


def test_the_whole_way_from_the_setting_to_the_portrait(
    serve: Any, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The instant engine's own keys, all of them."""
    clear(serve)
    monkeypatch.setenv("GAZE_CLUSTER", "local")
    monkeypatch.setenv("GAZE_CLUSTER_CORES", "1")
    small = {"size": 10, "keys": 5, "frame_size": 128, "straighten": False, "sheets": False}
    there = generate(photo, tmp_path / "there", Options(**small))  # type: ignore[arg-type]
    monkeypatch.delenv("GAZE_CLUSTER")
    here = generate(photo, tmp_path / "here", Options(engine="warp", **small))  # type: ignore[arg-type]
    assert there.reason == "Portraits are rendered by the machines of your Ray cluster."
    assert there.metadata == here.metadata
    assert check(there.folder) == []
    of_there, of_here = (decode_keys(read_pack(made.folder / PACK)) for made in (there, here))
    assert len(of_there) == 25
    for number, key in of_there.items():
        np.testing.assert_array_equal(key, of_here[number])


def test_replicas_that_do_not_start_say_why_and_are_cleared_away(serve: Any, tmp_path: Path) -> None:
    clear(serve)
    with pytest.raises(GazeError, match=r"do not start: There are no weights on this machine\.$"):
        started(Weightless(tmp_path))
    assert not [name for name in serve.status().applications if "weightless" in name]


def test_a_cluster_without_room_is_told(serve: Any) -> None:
    with pytest.raises(GazeError, match=r"has 2 cores, and a replica needs 64.*GAZE_CLUSTER_CORES"):
        started(cluster=Cluster(cores=64))


def test_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("", "head:6379"), ("_ENGINE", "liveportrait"), ("_CORES", "8"), ("_REPLICAS", "3")):
        monkeypatch.setenv(f"GAZE_CLUSTER{name}", value)
    assert Cluster.named() == Cluster("head:6379", "liveportrait", 8, 3)


@pytest.mark.parametrize(("name", "value"), [("CORES", "many"), ("REPLICAS", "0"), ("ENGINE", "magic")])
def test_a_wrong_setting_is_told(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GAZE_CLUSTER_{name}", value)
    with pytest.raises(GazeError, match=f"GAZE_CLUSTER_{name} is “{value}”"):
        Cluster.named()


@pytest.mark.parametrize("address", ["127.0.0.1:9", "nonsense"])
def test_a_cluster_that_is_not_there_is_told(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ray = pytest.importorskip("ray", reason="ray is missing: pip install --editable '.[cluster]'")
    monkeypatch.setattr(ray, "is_initialized", lambda: False)
    with pytest.raises(GazeError, match=rf"No Ray cluster at {address} can be joined \(.*GAZE_CLUSTER"):
        started(cluster=Cluster(address))


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(GazeError, match=r"pip install --editable '\.\[cluster\]'"):
        next(load_engine("cluster"))
    monkeypatch.setenv("GAZE_CLUSTER", "auto")
    with pytest.raises(GazeError, match="unset GAZE_CLUSTER"):
        choose_engine("auto")
