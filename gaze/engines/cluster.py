"""Machines of one's own: an engine as Ray Serve replicas, one for each GPU or for a few cores."""

from __future__ import annotations

import os
import re
import socket
import time
import uuid
from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gaze.engines.base import Engine, load_engine
from gaze.errors import GazeError
from gaze.face.face import Face
from gaze.grid import Expression, Pose
from gaze.photo.portrait import Portrait
from gaze.progress import Loading, Steps
from gaze.version import __version__

if TYPE_CHECKING:
    from ray.serve.handle import DeploymentHandle, DeploymentResponse

_BATCH = 10
"""Poses in one request: few enough that all replicas are done at about the same time."""
_TRIES = 3
_PATIENCE = 600.0
"""Seconds without a replica, or without its answer, after which no more is waited."""
_KEPT = 4
"""Portraits that a replica keeps ready."""
_IDLE = 600.0
"""Seconds after which a replica without work is given back."""
_REPLICA = "replica"
_POLL = 0.2
"""Seconds between two checks whether a replica is there."""


@dataclass(frozen=True)
class Cluster:
    """Where the replicas run, and how many.

    Attributes:
        address: of a running cluster that this machine is part of, "auto" for the one it was started for, or "local"
            for a cluster of this machine alone.
        engine: name of the engine that all replicas run; None: LivePortrait where there are GPUs, else the instant one.
        cores: for each replica, where there are no GPUs.
        most: replicas at most; None: as many as there is room for when the first portrait is made.
    """

    address: str = "local"
    engine: str | None = None
    cores: int = 2
    most: int | None = None

    @classmethod
    def named(cls) -> Cluster:
        """By `GAZE_CLUSTER`, `GAZE_CLUSTER_ENGINE`, `GAZE_CLUSTER_CORES` and `GAZE_CLUSTER_REPLICAS`.

        Raises:
            GazeError: one of them cannot be understood.
        """
        numbers = {}
        for name, field in (("GAZE_CLUSTER_CORES", "cores"), ("GAZE_CLUSTER_REPLICAS", "most")):
            if given := os.environ.get(name):
                if not given.isdecimal() or not int(given):
                    raise GazeError(f"{name} is “{given}”. Give a whole number, 1 or more.")
                numbers[field] = int(given)
        engine = os.environ.get("GAZE_CLUSTER_ENGINE") or None
        if engine not in (None, "warp", "liveportrait"):
            raise GazeError(f"GAZE_CLUSTER_ENGINE is “{engine}”. Give warp or liveportrait.")
        return cls(os.environ.get("GAZE_CLUSTER") or cls.address, engine, **numbers)


@dataclass(frozen=True)
class Work:
    """What replicas need to know of a portrait; `id` is of this one alone."""

    id: str
    portrait: Portrait
    face: Face
    straighten: bool
    expression: Expression | None


class Replica:
    """One engine in a process of its own; Ray Serve gives it one request at a time.

    Args:
        engine: its name, or an engine of one's own.
    """

    def __init__(self, engine: str | Engine) -> None:
        self._engine = engine
        self._ready: OrderedDict[str, tuple[Engine, Any]] = OrderedDict()
        self._load(True, None)

    def render(self, work: Work, poses: Sequence[Pose]) -> tuple[np.ndarray, tuple[str, ...]]:
        """The frames, and the engine's notes so far. The portrait is made ready when it is first seen."""
        if work.id not in self._ready:
            engine = self._load(work.straighten, work.expression)
            self._ready[work.id] = engine, engine.prepare(work.portrait, work.face)
            if len(self._ready) > _KEPT:
                self._ready.popitem(last=False)
        engine, source = self._ready[work.id]
        return np.concatenate(list(engine.stream(source, poses))), engine.notes()

    def _load(self, straighten: bool, expression: Expression | None) -> Engine:
        if isinstance(self._engine, Engine):
            deque(self._engine.load(), maxlen=0)
            return self._engine
        loading = Steps(load_engine(self._engine, straighten, expression))
        deque(loading, maxlen=0)
        return loading.result[0]


class ClusterEngine(Engine):
    """Spreads the poses of a portrait over all replicas. Its name is that of their engine.

    Args:
        straighten, expression: as for `gaze.engines.base.load_engine`.
        cluster: where; None goes by the environment.
        engine: what the replicas run instead of one of the cluster's names.
    """

    name = "cluster"
    blinks = True

    def __init__(
        self,
        straighten: bool = True,
        expression: Expression | None = None,
        cluster: Cluster | None = None,
        engine: Engine | None = None,
    ) -> None:
        self._straighten, self._expression = straighten, expression
        self._cluster, self._engine = cluster or Cluster.named(), engine
        self._notes: dict[str, None] = {}

    def load(self) -> Iterator[Loading]:
        """Join the cluster, and start the replicas unless they run already.

        Raises:
            GazeError: there is no such cluster, it has no room, or the replicas do not start.
        """
        yield Loading("Joining the cluster")
        resources = _join(self._cluster.address)
        from ray import serve

        gpus, cores = int(resources.get("GPU", 0)), int(resources.get("CPU", 0))
        each = self._cluster.cores
        room = gpus or cores // each
        if not room:
            raise GazeError(
                f"The cluster has {cores} cores, and a replica needs {each}. Add machines, or set GAZE_CLUSTER_CORES."
            )
        engine = self._engine or self._cluster.engine or ("liveportrait" if gpus else "warp")
        self.name = engine.name if isinstance(engine, Engine) else engine
        self.blinks = engine.blinks if isinstance(engine, Engine) else True
        self._application = f"gaze-{__version__}-{self.name}"
        if self._application not in serve.status().applications:
            needed = {"num_gpus": 1} if gpus else {"num_cpus": each}
            _deploy(self._application, engine, needed, self._cluster.most or room)
        yield from _starting(self._application)
        self._handle: DeploymentHandle = serve.get_app_handle(self._application)

    def prepare(self, portrait: Portrait, face: Face) -> Any:
        """Put the portrait where all replicas can read it; each makes it ready for itself."""
        import ray

        return ray.put(Work(uuid.uuid4().hex, portrait, face, self._straighten, self._expression))

    def render(self, source: Any, poses: Sequence[Pose]) -> np.ndarray:
        return np.concatenate(list(self.stream(source, poses)))

    def stream(self, source: Any, poses: Sequence[Pose]) -> Iterator[np.ndarray]:
        """The frames in the order of the poses. Closing it withdraws what no replica has begun.

        Raises:
            GazeError: as the replicas' engine, or batch after batch was lost with its replica.
        """
        batches = deque(poses[first : first + _BATCH] for first in range(0, len(poses), _BATCH))
        asked: deque[tuple[Sequence[Pose], DeploymentResponse]] = deque()
        try:
            while batches or asked:
                while batches and len(asked) < self._ahead():
                    batch = batches.popleft()
                    asked.append((batch, self._handle.render.remote(source, batch)))
                yield self._frames(source, *asked[0])
                asked.popleft()
        finally:
            for _, response in asked:
                response.cancel()

    def notes(self) -> tuple[str, ...]:
        return tuple(self._notes)

    def _frames(
        self, source: Any, batch: Sequence[Pose], response: DeploymentResponse, tries: int = _TRIES
    ) -> np.ndarray:
        """What a replica answers; if it is lost, what another does."""
        from ray.exceptions import RayError, RayTaskError
        from ray.serve.exceptions import RayServeException

        try:
            frames, notes = response.result(timeout_s=_PATIENCE)
        except RayTaskError as error:
            raise error.cause from None
        except (RayError, RayServeException, TimeoutError) as error:
            if tries > 1 and not isinstance(error, TimeoutError):
                return self._frames(source, batch, self._handle.render.remote(source, batch), tries - 1)
            raise _lost() from error
        self._notes |= dict.fromkeys(notes)
        return frames

    def _ahead(self) -> int:
        """How many batches to ask for at once: no replica is to wait, and Ray is to see work for more of them."""
        from ray import serve

        application = serve.status().applications.get(self._application)
        if not (application and _REPLICA in application.deployments):
            raise _lost()
        return 2 * max(1, application.deployments[_REPLICA].replica_states.get("RUNNING", 0))


def _lost() -> GazeError:
    return GazeError("The cluster's replicas were lost while they rendered. Check “ray status”, then try again.")


def _join(address: str) -> dict[str, float]:
    """Be part of the cluster; returns what it has."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")  # else Ray reports to its makers
    import ray

    if not ray.is_initialized():
        more = {"include_dashboard": False} if address == "local" else {}
        try:
            if place := re.fullmatch(r"([\w.-]+):(\d+)", address):  # Ray would try for minutes.
                socket.create_connection((place[1], int(place[2])), timeout=5).close()
            ray.init(address, log_to_driver=False, logging_level="error", **more)
        except (OSError, RuntimeError, ValueError) as error:
            raise GazeError(
                f"No Ray cluster at {address} can be joined ({error}). Check GAZE_CLUSTER, and with “ray status” that "
                "this machine is part of it; a cluster that asks for tokens needs RAY_AUTH_MODE=token here, too."
            ) from error
    return ray.cluster_resources()


def _deploy(application: str, engine: str | Engine, needed: dict[str, Any], most: int) -> None:
    from ray import serve

    scaling = {
        "min_replicas": 0,
        "initial_replicas": most,
        "max_replicas": most,
        "target_ongoing_requests": 1,
        "downscale_delay_s": _IDLE,
    }
    serve.start(proxy_location="Disabled")  # Nothing is served by http.
    deployment = serve.deployment(
        Replica,
        name=_REPLICA,
        ray_actor_options=needed,
        max_ongoing_requests=1,
        max_constructor_retry_count=1,
        autoscaling_config=scaling,
    )
    target = serve.RunTarget(deployment.bind(engine), name=application, route_prefix=None)
    serve.run_many([target], wait_for_ingress_deployment_creation=False, wait_for_applications_running=False)


def _starting(application: str) -> Iterator[Loading]:
    """Wait until a replica is there."""
    from ray import serve

    deadline = time.monotonic() + _PATIENCE
    while time.monotonic() < deadline:
        state = serve.status().applications.get(application)
        if state is None:
            raise GazeError("The cluster's replicas were removed while they started. Try again.")
        if state.status == "RUNNING":
            return
        if state.status in ("DEPLOY_FAILED", "UNHEALTHY"):
            serve.delete(application)
            told = state.deployments[_REPLICA].message if _REPLICA in state.deployments else state.message
            raise GazeError(f"The cluster's replicas do not start: {told.rstrip().rpartition('Error: ')[2]}")
        yield Loading("Starting the cluster's replicas")
        time.sleep(_POLL)
    raise GazeError(
        "The cluster has had no room for a replica for ten minutes. “ray status” shows what uses the cluster."
    )
