"""One learner reply, from typed text to stored exchange: `Session.reply` is the main path."""

import secrets
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final, Protocol

from agent import counterpart, rubric
from agent.domain import Brief, Ending, Exchange, Reading, Scenario, Speech, Transcript
from agent.errors import (
    BackendError,
    BlankReply,
    ConflictError,
    ConversationEnded,
    NotFound,
    NotText,
    RehearsalError,
    ReplyTooLong,
)

LONGEST: Final = 6_000  # characters of one reply
_SPACES: Final = frozenset("\t\n\r")

Show = Callable[[str], None]  # given all words so far, in place of those before


class Critic(Protocol):
    """Reads a reply and claims what it does."""

    @property
    def name(self) -> str:
        """The engine and its version; stored with each critique."""

    def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
        """Return the claims about `reply`; `history` is ("counterpart" | "learner", text)."""


class Voice(Protocol):
    """Says what the counterpart says."""

    @property
    def name(self) -> str:
        """The voice and its version."""

    def prepare(self, scenario: Scenario) -> None:
        """Load what the first words would have to wait for; called when a conversation begins."""

    def speak(self, brief: Brief, show: Show | None = None) -> Speech:
        """Return the counterpart's next words; those that come one by one are shown as they come.

        What `show` raises ends it.
        """


class Store(Protocol):
    """Keeps conversations; see agent/store.py for what each call raises."""

    def create(self, transcript: Transcript) -> None:
        """Store a new conversation."""

    def load(self, owner: str, transcript_id: str) -> Transcript:
        """Return a conversation of this owner's."""

    def append(self, owner: str, transcript_id: str, at: int, exchange: Exchange) -> None:
        """Store the exchange that follows the first `at` ones, and drop its draft."""

    def keep_draft(self, owner: str, transcript_id: str, at: int, text: str) -> None:
        """Keep what was typed after `at` exchanges, unless that is what is stored there."""

    def finish(self, owner: str, transcript_id: str, ending: Ending, at: int) -> None:
        """Store that the learner ended the conversation after `at` exchanges."""


class Session:
    """A conversation going on. The store holds the record; `transcript` is what is stored."""

    def __init__(
        self, transcript: Transcript, *, critic: Critic, voice: Voice, store: Store
    ) -> None:
        self.transcript = transcript
        self._critic, self._voice, self._store = critic, voice, store

    @classmethod
    def start(
        cls,
        scenario: Scenario,
        owner: str,
        *,
        critic: Critic,
        voice: Voice,
        store: Store,
        opening: int = 1,
    ) -> "Session":
        """Begin a new conversation with the opening of that number, from 1. Raises NotFound."""
        openings = scenario.openings()
        if not 1 <= opening <= len(openings):
            raise NotFound(
                f"{scenario.id} has openings 1 to {len(openings)}, not {opening}. "
                "Nothing was started."
            )
        transcript = Transcript(
            id=secrets.token_hex(16),  # 128 bits; no sign that a shell or a URL reads otherwise
            owner=owner,
            scenario=scenario,
            opening=openings[opening - 1],
        )
        store.create(transcript)
        return cls(transcript, critic=critic, voice=voice, store=store)

    @classmethod
    def resume(
        cls, transcript_id: str, owner: str, *, critic: Critic, voice: Voice, store: Store
    ) -> "Session":
        """Go on with a stored conversation. Raises NotFound, StoreError."""
        return cls(store.load(owner, transcript_id), critic=critic, voice=voice, store=store)

    def reply(self, text: str, at: int | None = None, show: Show | None = None) -> Exchange:
        """Answer one reply and store the exchange; on any error only the draft of it is kept.

        `at` is the number of exchanges the caller has seen: a reply that is already stored in that
        place is returned as it is, so that sending twice is safe. What `show` raises stops it.
        Raises InputError, ConversationEnded, ConflictError, BackendError, StoreError.
        """
        check_text(text)
        if kept := self._kept(text, at):
            return kept
        before = self._open()
        self._store.keep_draft(before.owner, before.id, len(before.exchanges), text)
        with failing_as_backend("critic"):
            reading = self._critic.read(before.history(), text)
        critique = rubric.critique(text, reading, critic=self._critic.name)
        state = counterpart.advance(before, critique)
        with failing_as_backend("voice"):
            speech = self._voice.speak(counterpart.brief(before, state, text), show)
        if show:
            show(speech.text)
        exchange = Exchange(critique=critique, state=state, speech=speech)
        return self._store_or_find(before, exchange, at)

    def end(self, at: int | None = None) -> Ending:
        """End the conversation as the learner: the other person decides on what there is.

        `at` is the number of exchanges the caller has seen. Raises ConversationEnded,
        ConflictError, BackendError, StoreError.
        """
        before = self._open()
        if at is not None and at != len(before.exchanges):
            raise ConflictError(
                f"This conversation went on elsewhere: it has {len(before.exchanges)} replies, not "
                f"{at}. It was not ended. Read what was said, then end it."
            )
        state = counterpart.leave(before)
        with failing_as_backend("voice"):
            speech = self._voice.speak(counterpart.brief(before, state, None))
        ending = Ending(state=state, speech=speech)
        self._store.finish(before.owner, before.id, ending, len(before.exchanges))
        self.transcript = before.model_copy(update={"ending": ending})
        return ending

    def _open(self) -> Transcript:
        if self.transcript.over:
            raise ConversationEnded(
                "This conversation has ended; all of it is kept. Start a new one to go on."
            )
        return self.transcript

    def _store_or_find(self, before: Transcript, exchange: Exchange, at: int | None) -> Exchange:
        """Store an exchange; where another writer was first with the same reply, return theirs."""
        try:
            self._store.append(before.owner, before.id, len(before.exchanges), exchange)
        except ConflictError:
            if kept := self._kept(exchange.critique.reply, at, reload=True):
                return kept
            raise
        self.transcript = before.with_exchange(exchange)
        return exchange

    def _kept(self, text: str, at: int | None, reload: bool = False) -> Exchange | None:
        """Return the exchange stored at that place, if the reply is the same; None if it is free.

        Raises ConflictError when another reply is there, or replies before it are not.
        """
        if at is None:
            return None
        if reload or at != len(self.transcript.exchanges):
            self.transcript = self._store.load(self.transcript.owner, self.transcript.id)
        held = self.transcript.exchanges
        if at == len(held):
            return None
        if 0 <= at < len(held) and held[at].critique.reply == text:
            return held[at]
        self._store.keep_draft(self.transcript.owner, self.transcript.id, at, text)
        raise ConflictError(
            f"This conversation went on elsewhere: it has {len(held)} replies, not {at}. What you "
            "sent was not stored. Reload the conversation and send it again if it still fits."
        )


def check_text(text: str) -> None:
    """Raise BlankReply, ReplyTooLong or NotText for what cannot be taken as a reply.

    Not text: lone surrogates, and control characters other than tab and line ends. Characters
    nobody can see (zero width and the like) do not make a reply.
    """
    if len(text) > LONGEST:
        raise ReplyTooLong(
            f"The reply has {len(text):,} characters; a turn has {LONGEST:,} at most. It was not "
            "stored. Shorten it and send it again."
        )
    categories = {unicodedata.category(c) for c in text if c not in _SPACES}
    if categories & {"Cc", "Cs"} and any(_not_text(c) for c in text):
        raise NotText(
            "The reply holds characters that are not text (NUL or other control characters). It "
            "was not stored. Remove them and send it again."
        )
    if all(category[0] in "ZC" for category in categories):
        raise BlankReply("The reply has no words. Nothing was stored. Write what you would say.")


def _not_text(character: str) -> bool:
    return (character < " " and character not in _SPACES) or "\ud800" <= character <= "\udfff"


@contextmanager
def failing_as_backend(part: str) -> Iterator[None]:
    """Raise whatever an engine raises as a BackendError; our own errors pass."""
    try:
        yield
    except RehearsalError:
        raise
    except Exception as error:
        raise BackendError(
            f"The {part} failed ({type(error).__name__}: {error}). Your reply changed nothing and "
            "was not stored. Send it again."
        ) from error


class ScriptedCritic:
    """A critic for tests: gives readings in order, over and over; an exception is raised.

    `seen` holds each (history, reply) it was given.
    """

    name = "scripted_critic"

    def __init__(self, *readings: Reading | Exception) -> None:
        self._readings = readings or (Reading(),)
        self.seen: list[tuple[tuple[tuple[str, str], ...], str]] = []

    def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
        """Return the next reading, or raise it."""
        reading = self._readings[len(self.seen) % len(self._readings)]
        self.seen.append((tuple(history), reply))
        if isinstance(reading, Exception):
            raise reading
        return reading


class ScriptedVoice:
    """A voice for tests: says its words in order, over and over; an exception is raised.

    `briefs` holds each brief it was given.
    """

    name = "scripted_voice"

    def __init__(self, *words: str | Exception) -> None:
        self._words = words or ("Go on.",)
        self.briefs: list[Brief] = []

    def prepare(self, scenario: Scenario) -> None:
        """Have nothing to load."""

    def speak(self, brief: Brief, show: Show | None = None) -> Speech:
        """Say the next words, or raise."""
        words = self._words[len(self.briefs) % len(self._words)]
        self.briefs.append(brief)
        if isinstance(words, Exception):
            raise words
        return Speech(text=words, voice=self.name)
