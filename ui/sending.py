"""A reply on its way: asked for in a thread of its own, so that the page can stop it."""

from threading import Event, Thread
from typing import Final

import streamlit as st

from agent.errors import RehearsalError
from agent.session import Session
from ui import view

SOON: Final = 0.6  # seconds after which a Stop button is offered
TICK: Final = 0.15  # seconds after which the page looks whether it was clicked
GRACE: Final = 0.3  # seconds for a reply that is being stored at this moment
NOTHING: Final = view.block("")


class Stopped(RehearsalError):
    """The learner stopped it, or the page is gone. Nothing was stored."""

    kind = "stopped"


class Sending:
    """One reply being answered. `words` are those of the other person so far."""

    def __init__(self, session: Session, text: str, at: int) -> None:
        self.words = ""
        self._raised: BaseException | None = None
        self._stopped, self._over, self._news = Event(), Event(), Event()
        Thread(target=self._run, args=(session, text, at), daemon=True).start()

    def over(self, within: float) -> bool:
        """Wait for news, some seconds at most; return whether it is over."""
        self._news.wait(within)
        self._news.clear()
        return self._over.is_set()

    def stop(self) -> None:
        """Let nothing be stored that is not being stored already. Does nothing when it is over."""
        self._stopped.set()
        self._over.wait(GRACE)

    def check(self) -> None:
        """Raise what it raised."""
        if self._raised:
            raise self._raised

    def _run(self, session: Session, text: str, at: int) -> None:
        try:
            session.reply(text, at=at, show=self._show)
        except BaseException as error:
            self._raised = error
        finally:
            self._over.set()
            self._news.set()

    def _show(self, words: str) -> None:
        if self._stopped.is_set():
            raise Stopped("It was stopped. Nothing was stored.")
        self.words = words
        self._news.set()


def follow(sending: Sending, name: str, stopped: str) -> None:
    """Show the words as they come, with a Stop button; on a click `stopped` is set as a problem.

    Whatever ends this, a click or a page that is gone too, stops the reply. Raises what it raised.
    """
    place, button = st.empty(), st.empty()
    try:
        with st.spinner(f"{name.split()[0]} is thinking about it"):
            over = sending.over(SOON)
            if not over:
                button.button("Stop", on_click=_tell, args=(stopped,))
            while not (over or sending.words):
                place.html(NOTHING)  # a click ends the script here
                over = sending.over(TICK)
        while not over:
            place.html(view.turn(name, sending.words or "…", live=True))
            over = sending.over(TICK)
    finally:
        sending.stop()
    sending.check()


def _tell(key: str) -> None:
    st.session_state[key] = "You stopped it. Nothing was stored; what you typed is back in the box."
