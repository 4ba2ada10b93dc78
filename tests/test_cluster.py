"""The engine on a real Ray of two replicas, on this machine."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.check import check
from gaze.cluster import Cluster, ClusterEngine
from gaze.engines import base
from gaze.engines.base import Engine, Loading, choose_engine, load_engine
from gaze.engines.warp import WarpEngine
from gaze.errors import GazeError
from gaze.faces import Face
from gaze.grid import GazeGrid, Pose
from gaze.pipeline import Options, generate
from gaze.portrait import Portrait

GRID = GazeGrid(20)
POSES = [GRID.pose(cell) for cell in GRID.cells()]
TWO = Cluster(cores=1)


class Signing(Engine):
    """Frames of one pixel that tell their pose and who rendered them; a log tells what was done.

    Args:
        log: where each process writes a line for each thing it does.
        seconds: that a batch takes.
    """

    name = "signing"

    def __init__(self, log: Path, seconds: float = 0.05) -> None:
        self._log, self._seconds = log, seconds

    def prepare(self, portrait: Portrait, face: Face) -> int:
        self._write("prepared")
        return portrait.width

    def render(self, source: int, poses: Sequence[Pose]) -> np.ndarray:
        time.sleep(self._seconds)
        self._write("rendered")
        return np.array([[[[POSES.index(pose), os.getpid(), source]]] for pose in poses], np.uint32)

    def stream(self, source: int, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        yield self.render(source, poses)

    def notes(self) -> tuple[str, ...]:
        return ("Signed.",)

    def _write(self, what: str) -> None:
        with self._log.open("a") as log:
            log.write(f"{what} by {os.getpid()}\n")


class Refusing(Signing):
    def render(self, source: int, poses: Sequence[Pose]) -> np.ndarray:
        raise GazeError("This cannot be done. Do something else.")


class Dying(Signing):
    def render(self, source: int, poses: Sequence[Pose]) -> np.ndarray:
        os._exit(1)


class Weightless(Signing):
    name = "weightless"

    def load(self) -> Iterator[Loading]:
        raise GazeError("There are no weights on this machine.")


@pytest.fixture(scope="module")
def serve() -> Iterator[Any]:
    """Ray Serve on a cluster of two cores."""
    pytest.importorskip("ray", reason="ray is missing: pip install 'gaze-portrait[cluster]'")
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    import ray
    from ray import serve

    ray.init(num_cpus=2, include_dashboard=False, log_to_driver=False, logging_level="error")
    yield serve
    serve.shutdown()
    ray.shutdown()


@pytest.fixture
def start(serve: Any) -> Iterator[Callable[..., ClusterEngine]]:
    """Starts replicas, of an engine of one's own if one is given; they are gone after the test."""

    def started(engine: Engine | None = None, cluster: Cluster = TWO) -> ClusterEngine:
        made = ClusterEngine(cluster=cluster, engine=engine)
        for _ in made.load():
            pass
        return made

    yield started
    for name in serve.status().applications:
        serve.delete(name)


def signed(frames: Sequence[np.ndarray]) -> tuple[list[int], set[int]]:
    """Which poses they show, and who rendered them."""
    rows = list(chain.from_iterable(batch[:, 0, 0].tolist() for batch in frames))
    return [row[0] for row in rows], {row[1] for row in rows}


def test_frames_are_those_of_the_engine_itself(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face]
) -> None:
    here, there = WarpEngine(), start()
    assert there.name == "warp"
    poses = POSES[::13]
    assert np.array_equal(there.render(there.prepare(*framed), poses), here.render(here.prepare(*framed), poses))


def test_all_replicas_work_and_make_the_portrait_ready_once(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face], tmp_path: Path
) -> None:
    engine = start(Signing(tmp_path / "log"))
    source = engine.prepare(*framed)
    batches = list(engine.stream(source, POSES))
    shown, workers = signed(batches)
    assert shown == list(range(400))
    assert len(workers) == 2
    assert os.getpid() not in workers
    assert signed(list(engine.stream(source, POSES[:100]))) == (list(range(100)), workers)
    assert (tmp_path / "log").read_text().count("prepared") == 2
    assert engine.notes() == ("Signed.",)
    assert batches[0][0, 0, 0, 2] == framed[0].width


def test_a_closed_stream_withdraws_what_was_not_begun(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face], tmp_path: Path
) -> None:
    engine = start(Signing(tmp_path / "log", seconds=0.3))
    stream = engine.stream(engine.prepare(*framed), POSES)
    next(stream)
    stream.close()
    time.sleep(0.7)  # what was begun may end
    done = (tmp_path / "log").read_text().count("rendered")
    time.sleep(0.7)
    assert (tmp_path / "log").read_text().count("rendered") == done <= 4 < len(POSES) // 10


def test_what_a_killed_replica_had_is_rendered_by_another(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face], tmp_path: Path
) -> None:
    engine = start(Signing(tmp_path / "log"))
    stream = engine.stream(engine.prepare(*framed), POSES)
    first = next(stream)
    _, [victim] = signed([first])
    os.kill(victim, signal.SIGKILL)
    shown, workers = signed([first, *stream])
    assert shown == list(range(400))
    assert workers - {victim}


def test_replicas_that_die_again_and_again_are_told(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face], tmp_path: Path
) -> None:
    engine = start(Dying(tmp_path / "log"))
    with pytest.raises(GazeError, match="replicas were lost"):
        engine.render(engine.prepare(*framed), POSES)


def test_errors_of_the_engine_arrive_as_they_are(
    start: Callable[..., ClusterEngine], framed: tuple[Portrait, Face], tmp_path: Path
) -> None:
    engine = start(Refusing(tmp_path / "log"))
    with pytest.raises(GazeError) as told:
        engine.render(engine.prepare(*framed), POSES)
    assert str(told.value) == "This cannot be done. Do something else."


def test_replicas_that_do_not_start_say_why(start: Callable[..., ClusterEngine], tmp_path: Path) -> None:
    for _ in range(2):  # the second is not told about the first
        with pytest.raises(GazeError, match=r"do not start: .*There are no weights on this machine\."):
            start(Weightless(tmp_path / "log"))


def test_a_cluster_without_room_is_told(start: Callable[..., ClusterEngine]) -> None:
    with pytest.raises(GazeError, match=r"has 2 cores, and a replica takes 64.*GAZE_CLUSTER_CORES"):
        start(cluster=Cluster(cores=64))


def test_the_whole_way_from_the_setting_to_the_portrait(
    serve: Any, photo: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GAZE_CLUSTER", "local")
    monkeypatch.setenv("GAZE_CLUSTER_CORES", "1")
    small = {"size": 10, "keys": 10, "frame_size": 128, "straighten": False}
    there = generate(photo, tmp_path / "there", Options(**small))  # type: ignore[arg-type]
    monkeypatch.delenv("GAZE_CLUSTER")
    here = generate(photo, tmp_path / "here", Options(engine="warp", **small))  # type: ignore[arg-type]
    assert there.reason == "Portraits are rendered by the machines of your Ray cluster."
    assert there.metadata == here.metadata
    assert check(there.folder) == []
    for sheet in here.metadata["sheets"]:
        assert (there.folder / sheet).read_bytes() == (here.folder / sheet).read_bytes()


def test_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in (("", "head:6379"), ("_ENGINE", "liveportrait"), ("_CORES", "8"), ("_REPLICAS", "3")):
        monkeypatch.setenv(f"GAZE_CLUSTER{name}", value)
    assert Cluster.named() == Cluster("head:6379", "liveportrait", 8, 3)


@pytest.mark.parametrize(("name", "value"), [("CORES", "many"), ("REPLICAS", "0"), ("ENGINE", "magic")])
def test_a_wrong_setting_is_told(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(f"GAZE_CLUSTER_{name}", value)
    with pytest.raises(GazeError, match=f"GAZE_CLUSTER_{name} is “{value}”"):
        Cluster.named()


def test_without_ray_it_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(base, "find_spec", lambda _: None)
    with pytest.raises(GazeError, match=r"pip install 'gaze-portrait\[cluster\]'"):
        next(load_engine("cluster"))
    monkeypatch.setenv("GAZE_CLUSTER", "auto")
    with pytest.raises(GazeError, match="unset GAZE_CLUSTER"):
        choose_engine("auto")
