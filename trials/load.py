"""Many clients of gradio_client. Frames have the colour of each client's photo, which shows whose they are.
Megabytes are what the app takes beyond what it took before; seconds are wall time. When a client goes away, its
place has to be free within a second; a batch of frames takes half a second, and a run ends only between batches.
"""

from __future__ import annotations

import io
import itertools
import random
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from gradio_client import Client, handle_file
from gradio_client.client import Job
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError
from PIL import Image

from tests.serving import App, serving
from trials.corpus import EXAMPLE
from trials.held import Held, typical
from trials.trying import FAULT, REFUSED, Row, Size, Tried
from trials.web.client import address_of, call, upload, visitor

_SMALL = {"size": 10, "keys": "5", "frame_size": 128, "engine": "auto", "framing": "whole", "sheets": True,
          "sheet_size": 128}  # fmt: skip
_FREE = 1.0
"""Seconds after which the place of one who went away must be free."""
_BATCH = 0.5
"""Seconds that the engine takes for a batch of frames, where clients go away: a run can only end between two."""
_FEW_MINUTES, _MINUTES = 3.0, 10.0
_ASK = f"""
import sys, time
from gradio_client import Client, handle_file
headers = {{"X-Forwarded-For": sys.argv[3]}}
client = Client(sys.argv[1], download_files=False, verbose=False, headers=headers)
job = client.submit(photo=handle_file(sys.argv[2]), api_name="/generate", **{_SMALL})
while not any(told["stage"] == "wait" or told["stage"] == "render" and told["done"] for told, _ in job.outputs()):
    time.sleep(0.01)
print(flush=True)
time.sleep(60)
"""


def rows(size: Size) -> Iterator[Row]:
    with tempfile.TemporaryDirectory() as folder:
        place = Path(folder)
        with _running(place, 0.0) as app:
            _one(app, place, 0)  # what the first takes is not the others' doing
            before = Held.by(app, place)
            with ThreadPoolExecutor(30) as pool:
                for clients in (20, 30):
                    tries = list(pool.map(lambda n: _one(app, place, n), range(clients)))
                    yield Row(f"{clients} clients at once, of colours of their own", tries)
                minutes = (size.of(_FEW_MINUTES, _MINUTES) if size.share else 0.3) / 2
                for more, most in (("", 60), (" more", 20)):  # what is kept for a while is all there after the first
                    tries = list(itertools.chain(*pool.map(partial(_keep_on, app, place, minutes), range(20))))
                    yield Row(f"20 clients for {minutes:g}{more} minutes, one portrait after the other", tries)
                    time.sleep(15)  # connections that clients keep for later are closed after some seconds
                    after = Held.by(app, place)
                    held = after.since(before, most, 40, photos=29)
                    yield Row("what the app holds after that, beside what it held before", [held])
                    before = after
            yield from _endurance(app, place, size.of(20, 200))
        with serving(place) as app:
            yield Row("runs of 900 looks, cancelled at a random moment", list(_cancelled_anywhere(app, size.of(2, 10))))
        with _running(place, _BATCH) as app:
            times = size.of(2, 10)
            watch = _client(app)
            yield Row(
                "clients that cancel in the middle of a run", [_cancelled(app, watch, place) for _ in range(times)]
            )
            yield Row(
                "clients that cancel one of two runs: both end",
                [_cancelled_of_two(app, watch, place) for _ in range(times)],
            )
            yield Row(
                "clients that cancel in the queue", [_cancelled_in_queue(app, watch, place) for _ in range(times)]
            )
            yield Row(
                "clients that are killed in the middle of a run", [_vanished(app, watch, place) for _ in range(times)]
            )
            yield Row(
                "requests by curl that hang up in the middle", [_hung_up(app, watch, place) for _ in range(times)]
            )
            yield Row(
                "clients that are killed in the queue", [_vanished_in_queue(app, watch, place) for _ in range(times)]
            )


def _client(app: App, number: int | None = None) -> Client:
    """One of many, told apart by their addresses."""
    headers = {"X-Forwarded-For": address_of(next(_numbers) if number is None else number)}
    return Client(app.address, download_files=False, verbose=False, headers=headers)


_numbers = itertools.count(100)


def _running(place: Path, pause: float) -> Any:
    return serving(place, "-m", "trials.fake_app", str(pause))


def _photo(place: Path, number: int) -> tuple[Path, np.ndarray]:
    """A photo whose corner has a colour of its own."""
    colour = np.array([number % 3 * 100 + 20, number // 3 % 3 * 100 + 20, number // 9 % 4 * 60 + 30], np.uint8)
    path = place / f"{number}.png"
    with Image.open(EXAMPLE) as example:
        image = np.array(example.convert("RGB"))
    image[:40, :40] = colour
    Image.fromarray(image).save(path)
    return path, colour


def _one(app: App, place: Path, number: int) -> Tried:
    started = time.monotonic()
    photo, colour = _photo(place, number)
    try:
        client = _client(app, number)
        made, _ = client.predict(photo=handle_file(photo), api_name="/generate", **_SMALL)
    except (AppError, QueueError) as error:
        words = str(error)
        full = "in the queue already" in words or "Queue is full" in words
        return Tried(REFUSED if full else FAULT, words, time.monotonic() - started)
    seconds = time.monotonic() - started
    for name in ("poster.webp", "q0.webp", "q3.webp"):
        with urllib.request.urlopen(f"{app.address}/{made['base']}{name}") as answer:
            picture = np.asarray(Image.open(io.BytesIO(answer.read())).convert("RGB")).astype(int)
        if np.abs(picture - colour).max() > 12:
            return Tried(FAULT, f"Client {number} got somebody else's {name}.", seconds)
    return Tried("a portrait of one's own", seconds=seconds)


def _keep_on(app: App, place: Path, minutes: float, number: int) -> list[Tried]:
    started, tries = time.monotonic(), list[Tried]()
    while time.monotonic() - started < 60 * minutes:
        tries.append(_one(app, place, number))
    return tries


def _endurance(app: App, place: Path, runs: int) -> Iterator[Row]:
    """One run after the other; what is held is compared between the first and the last quarter."""
    photo, _ = _photo(place, 0)
    tries, held = [], []
    for _ in range(runs):
        client = _client(app)  # of its own: one may send only so many photos a minute
        started = time.monotonic()
        client.predict(photo=handle_file(photo), api_name="/generate", keep=False, **{**_SMALL, "size": 4, "keys": "5"})
        tries.append(Tried("portrait", seconds=time.monotonic() - started))
        held.append(Held.by(app, place))
    yield Row("small runs, one after the other", tries)
    part = max(2, runs // 4)
    yield Row(
        "what the app holds in the last quarter, beside the first",
        [typical(held[-part:]).since(typical(held[:part]), 20, 4)],
    )


def _asked(app: App, place: Path) -> subprocess.Popen[bytes]:
    """A client whose run, or waiting, has begun."""
    command = [sys.executable, "-c", _ASK, app.address, str(_photo(place, 0)[0]), address_of(next(_numbers))]
    client = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    assert client.stdout
    client.stdout.readline()
    return client


def _vanished(app: App, watch: Client, place: Path) -> Tried:
    client = _asked(app, place)
    client.kill()
    client.wait()
    return _freed(watch, "running")


def _hung_up(app: App, watch: Client, place: Path) -> Tried:
    """As curl does it: a request that asks, and one that listens and ends."""
    with visitor(app, next(_numbers)) as web:
        photo = upload(web, _photo(place, 0)[0].read_bytes())
        asked = call(web, "generate", photo=photo, **{**_SMALL, "frame_size": "128"})
        with web.stream("GET", asked) as told:
            next(line for line in told.iter_lines() if "Rendering" in line)
            running = watch.predict(api_name="/health")["running"]
    return _freed(watch, "running") if running else Tried(FAULT, "It did not run.")


def _vanished_in_queue(app: App, watch: Client, place: Path) -> Tried:
    first, second = _asked(app, place), _asked(app, place)
    second.kill()
    second.wait()
    tried = _freed(watch, "waiting")
    first.kill()
    first.wait()
    _freed(watch, "running")
    return tried


def _cancelled_anywhere(app: App, times: int) -> Iterator[Tried]:
    """By the real engine, from the photo to the last sheet."""
    watch, chance = _client(app), random.Random(11)
    seconds = 0.0
    for number in range(times + 1):
        client = _client(app)
        started = time.monotonic()
        job = client.submit(photo=handle_file(EXAMPLE), api_name="/generate", engine="warp")
        if number == 0:
            job.result()
            seconds = time.monotonic() - started
            continue
        time.sleep((number - 1 + chance.random()) / times * 0.95 * seconds)
        if not watch.predict(api_name="/health")["running"]:
            yield Tried("finished before")
            continue
        yield _freed(watch, "running", job.cancel)


def _cancelled(app: App, watch: Client, place: Path) -> Tried:
    return _freed(watch, "running", _begun(app, place).cancel)


def _cancelled_in_queue(app: App, watch: Client, place: Path) -> Tried:
    first, second = _begun(app, place), _begun(app, place)
    tried = _freed(watch, "waiting", second.cancel)
    _freed(watch, "running", first.cancel)
    return tried


def _cancelled_of_two(app: App, watch: Client, place: Path) -> Tried:
    """Gradio then ends the client's other run as well; its place must not stay taken."""
    client = _client(app)
    first, _ = _begun(app, place, client), _begun(app, place, client)

    def leave() -> None:
        first.cancel()
        while watch.predict(api_name="/health")["waiting"]:
            time.sleep(0.02)

    return _freed(watch, "running", leave)


def _begun(app: App, place: Path, client: Client | None = None) -> Job:
    """A run, or waiting, that has begun."""
    client = client or _client(app)
    job = client.submit(photo=handle_file(_photo(place, 0)[0]), api_name="/generate", **_SMALL)
    while not any(told["stage"] == "wait" or (told["stage"] == "render" and told["done"]) for told, _ in job.outputs()):
        time.sleep(0.01)
    return job


def _freed(watch: Client, place: str, leave: Callable[[], object] = lambda: None) -> Tried:
    """How long it takes from leaving until the place is free."""
    started = time.monotonic()
    leave()
    while watch.predict(api_name="/health")[place]:
        if time.monotonic() > started + 30:
            return Tried(FAULT, "The place stays taken.", 30)
        time.sleep(0.02)
    seconds = time.monotonic() - started
    return Tried("free" if seconds <= _FREE else FAULT, f"It took {seconds:.1f} s.", seconds)
