"""Work on the material in the background: it goes on while pages are drawn anew or left."""

import threading
from collections.abc import Callable, Iterable

import streamlit as st

from agent.errors import RehearsalError
from knowledge.own import Outcome, Progress

Work = Callable[[Progress], Iterable[Outcome]]


class Job:
    """One piece of work, how far it is, and what came of it. One writer at a time is the library's.

    `share` is 0 to 1. `problem` says why nothing was done.
    """

    def __init__(self, work: Work) -> None:
        """Begin the work."""
        self.says, self.share, self.problem = "Beginning", 0.0, ""
        self.outcomes: tuple[Outcome, ...] = ()
        self._thread = threading.Thread(target=self._run, args=(work,), daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether the work goes on."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> None:
        """Wait until the work is done, or so long."""
        self._thread.join(seconds)

    def _run(self, work: Work) -> None:
        try:
            self.outcomes = tuple(work(self._told))
        except RehearsalError as problem:
            self.problem = str(problem)
        except Exception as problem:  # nobody else would see what a thread raises
            self.problem = f"The work stopped: {problem}. The material is as it was. Try it again."

    def _told(self, what: str, done: int, of: int) -> None:
        self.share = min(done / of, 1.0) if of else 1.0
        self.says = f"{what}, {done} of {of}"


@st.cache_resource(show_spinner=False)
def _held() -> dict[str, Job]:
    return {}


def current() -> Job | None:
    """Return the last work that was begun on this server."""
    return _held().get("job")


def start(work: Work) -> None:
    """Begin work. The library refuses it where other work goes on."""
    _held()["job"] = Job(work)
