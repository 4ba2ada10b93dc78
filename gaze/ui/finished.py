"""What the app answers to owners of finished portraits."""

from __future__ import annotations

from dataclasses import asdict
from functools import partial
from typing import Any

from gaze.errors import GazeError
from gaze.storage.sessions import SessionStore
from gaze.ui import components as ui
from gaze.ui.adding import SECONDS, adding_sheets
from gaze.ui.answers import Answer, answered
from gaze.ui.jobs import Jobs
from gaze.ui.messages import Adding, Mine, Session, Sharing, read
from gaze.ui.share import MOST_CAPTION, Share, read_share, write_share


class Finished:
    """Each public method answers one kind of message.

    Args:
        results: where finished portraits are kept.
        jobs: runs of the page's visitors.
    """

    def __init__(self, results: SessionStore, jobs: Jobs) -> None:
        self._results, self.jobs = results, jobs

    def arrive(self, data: Any) -> Answer:
        """Which of the portraits that a browser remembers are still there."""

        def there() -> Answer:
            mine = read(Mine, data).mine
            kept = self._results.present(own.session for own in mine)
            return {"there": [own.session for own in mine if own.session in kept]}

        return answered(there)

    def open(self, data: Any) -> Answer:
        """A finished portrait, for the stage of its owner."""

        def opened() -> Answer:
            session = read(Session, data).session
            if not self._results.has(session):
                return {"expired": True}
            return {"portrait": ui.manifest(session, self._results.metadata(session))}

        return answered(opened)

    def remove(self, data: Any) -> Answer:
        """The owner deletes portraits for good."""

        def removed() -> Answer:
            problems = list[GazeError]()
            for own in read(Mine, data).mine:
                try:
                    self._results.delete_owned(own.session, own.secret)
                except GazeError as error:  # the others go nevertheless
                    problems.append(error)
            if problems:
                raise problems[0]
            return {}

        return answered(removed)

    def sheets(self, data: Any) -> Answer:
        """The owner wants sprite sheets of a portrait: a run that makes them, to `peek` at."""

        def begun() -> Answer:
            wanted = read(Adding, data)
            session = wanted.session
            self._results.check_owner(session, wanted.secret)
            about = {"session": session, "secret": wanted.secret}
            begin = partial(adding_sheets, self._results, session)
            job = self.jobs.start(wanted.job, begin, SECONDS, lambda took: None, about)
            return {"phase": job.state.phase}

        return answered(begun)

    def share(self, data: Any) -> Answer:
        """The owner shares a portrait: what its page says, after a change if there is one."""

        def shared() -> Answer:
            wanted = read(Sharing, data)
            self._results.check_owner(wanted.session, wanted.secret)
            share = read_share(self._results, wanted.session)
            if wanted.caption is not None or wanted.card is not None:
                caption = share.caption if wanted.caption is None else " ".join(wanted.caption.split())[:MOST_CAPTION]
                share = Share(caption, share.card if wanted.card is None else wanted.card)
                write_share(self._results, wanted.session, share)
            return asdict(share)

        return answered(shared)
