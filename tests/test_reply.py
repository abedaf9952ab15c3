"""The main path: what `Session.reply` stores, returns and refuses."""

import inspect
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from agent.domain import Claim, Exchange, Outcome, Reading, Scenario
from agent.errors import (
    BackendError,
    BlankReply,
    ConflictError,
    ConversationEnded,
    InputError,
    LibraryError,
    NotFound,
    NotText,
    ReplyTooLong,
    StoreError,
)
from agent.session import LONGEST, Critic, ScriptedCritic, ScriptedVoice, Session, Voice, check_text
from agent.store import SqlStore
from prompts import load_scenarios

SCENARIO = load_scenarios()["declare-vision"]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[SqlStore]:
    store = SqlStore(tmp_path / "record.db")
    yield store
    store.close()


def start(store: SqlStore, critic: Critic | None = None, voice: Voice | None = None) -> Session:
    return Session.start(
        SCENARIO,
        "ana",
        critic=critic or ScriptedCritic(),
        voice=voice or ScriptedVoice(),
        store=store,
    )


def again(session: Session, store: SqlStore) -> Session:
    return Session.resume(
        session.transcript.id, "ana", critic=ScriptedCritic(), voice=ScriptedVoice(), store=store
    )


def test_a_reply_is_critiqued_answered_and_stored(store: SqlStore) -> None:
    words = "I will send the list by Friday."
    critic = ScriptedCritic(Reading(claims=(Claim(move="promise", words=words),), overall=3))
    session = start(store, critic, ScriptedVoice("Friday, then."))
    exchange = session.reply(words)
    assert [f.move for f in exchange.critique.findings] == ["promise"]
    assert exchange.critique.critic == "scripted_critic"
    assert exchange.speech.text == "Friday, then."
    assert exchange.state.steps
    assert store.load("ana", session.transcript.id) == session.transcript


def test_the_critic_sees_all_that_was_said_before(store: SqlStore) -> None:
    critic = ScriptedCritic()
    session = start(store, critic, ScriptedVoice("And then?"))
    session.reply("First words.")
    session.reply("Second words.")
    opening = SCENARIO.openings()[0].say
    assert critic.seen[1] == (
        (("counterpart", opening), ("learner", "First words."), ("counterpart", "And then?")),
        "Second words.",
    )


def test_the_main_path_fits_on_a_screen() -> None:
    assert len(inspect.getsource(Session.reply).splitlines()) <= 25


@pytest.mark.parametrize("failing", [ValueError("no such node"), OSError(5, "I/O"), KeyError("x")])
def test_a_failed_critic_changes_nothing(store: SqlStore, failing: Exception) -> None:
    session = start(store, ScriptedCritic(failing, Reading()))
    before = session.transcript
    with pytest.raises(BackendError, match="critic") as told:
        session.reply("What do you need from me?")
    assert told.value.__cause__ is failing
    assert session.transcript == before == store.load("ana", before.id)
    assert session.reply("What do you need from me?").critique.overall == 0


def test_a_failed_voice_changes_nothing(store: SqlStore) -> None:
    session = start(store, voice=ScriptedVoice(RuntimeError("endpoint"), "Yes?", OSError("gone")))
    before = session.transcript
    with pytest.raises(BackendError, match="voice"):
        session.reply("What do you need from me?")
    assert store.load("ana", before.id) == before
    session.reply("What do you need from me?")
    with pytest.raises(BackendError, match="voice"):
        session.end()
    assert not store.load("ana", before.id).over


def test_our_own_errors_pass_as_they_are(store: SqlStore) -> None:
    session = start(store, ScriptedCritic(LibraryError("no index")))
    with pytest.raises(LibraryError):
        session.reply("Hello there.")


def test_a_failed_store_leaves_the_conversation_where_it_was(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = start(store)
    before = session.transcript

    def full(*_: object) -> None:
        raise StoreError("The disk is full.")

    monkeypatch.setattr(store, "append", full)
    with pytest.raises(StoreError):
        session.reply("Hello there.")
    assert session.transcript == before


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("", BlankReply),
        (" \t\r\n\u00a0\u200b\ufeff\u2060", BlankReply),
        ("a" * (LONGEST + 1), ReplyTooLong),
        ("before\0after", NotText),
        ("a bell \a", NotText),
        ("an escape \x1b[31m", NotText),
        ("half an emoji \ud83d", NotText),
    ],
)
def test_what_is_no_reply_is_refused_before_anything_is_asked(
    store: SqlStore, text: str, error: type[InputError]
) -> None:
    critic = ScriptedCritic()
    session = start(store, critic)
    with pytest.raises(error):
        session.reply(text)
    assert not critic.seen
    assert not store.load("ana", session.transcript.id).exchanges


@pytest.mark.parametrize(
    "text",
    [
        "a" * LONGEST,
        "…",
        "a\tb\r\nc\n",
        "\u200f\u05e9\u05dc\u05d5\u05dd",
        "👩‍👩‍👧 e\u0301",
        "<b>{time}</b>",
    ],
)
def test_everything_else_is_taken(text: str) -> None:
    check_text(text)


def test_sending_a_reply_twice_asks_the_critic_once(store: SqlStore) -> None:
    critic = ScriptedCritic()
    session = start(store, critic)
    first = session.reply("What do you need from me?", at=0)
    assert session.reply("What do you need from me?", at=0) == first
    assert again(session, store).reply("What do you need from me?", at=0) == first
    assert len(critic.seen) == 1


def test_a_reply_that_ended_the_conversation_can_be_sent_twice(store: SqlStore) -> None:
    session = start(store)
    said: list[Exchange] = []
    while not session.transcript.over:
        said.append(session.reply(f"Nothing {len(said)}.", at=len(said)))
    assert said[-1].state.outcome == Outcome.WALK_OUT
    last = len(said) - 1
    assert session.reply(f"Nothing {last}.", at=last) == said[-1]


@pytest.mark.parametrize("at", [0, 2, -1])
def test_a_reply_to_what_the_learner_has_not_seen_is_a_conflict(store: SqlStore, at: int) -> None:
    session = start(store)
    session.reply("First words.")
    with pytest.raises(ConflictError):
        session.reply("Other words.", at=at)
    assert len(store.load("ana", session.transcript.id).exchanges) == 1


def test_the_second_of_two_tabs_can_go_on_once_it_has_seen_the_first(store: SqlStore) -> None:
    one = start(store)
    two = again(one, store)
    one.reply("First words.", at=0)
    with pytest.raises(ConflictError, match="not stored"):
        two.reply("Other words.", at=0)
    two.reply("Other words.", at=1)
    kept = store.load("ana", one.transcript.id)
    assert [e.critique.reply for e in kept.exchanges] == ["First words.", "Other words."]


def test_the_same_reply_from_two_tabs_at_once_is_stored_once(store: SqlStore) -> None:
    one = start(store)
    arrived: list[Exchange] = []

    class Slow(ScriptedCritic):
        def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
            arrived.append(one.reply(reply, at=0))
            return super().read(history, reply)

    two = Session(one.transcript, critic=Slow(), voice=ScriptedVoice("Late."), store=store)
    assert two.reply("The same words.", at=0) == arrived[0]
    assert two.transcript == store.load("ana", one.transcript.id)
    assert len(two.transcript.exchanges) == 1


def test_an_end_is_stored_and_final(store: SqlStore) -> None:
    session = start(store, voice=ScriptedVoice("That is all, then."))
    ending = session.end()
    assert ending.state.outcome is not None
    assert ending.speech.text == "That is all, then."
    for held in (session, again(session, store)):
        assert held.transcript.ending == ending
        with pytest.raises(ConversationEnded):
            held.end()


def test_an_end_that_has_not_seen_the_last_reply_is_a_conflict(store: SqlStore) -> None:
    one = start(store)
    two = again(one, store)
    one.reply("First words.")
    for at in (None, 0):
        with pytest.raises(ConflictError):
            two.end(at=at)
    with pytest.raises(ConflictError, match="it has 1 replies, not 0"):
        one.end(at=0)
    assert not store.load("ana", one.transcript.id).over


def test_each_opening_can_be_chosen_and_no_other(store: SqlStore, scenario: Scenario) -> None:
    parts: dict[str, Any] = {"critic": ScriptedCritic(), "voice": ScriptedVoice(), "store": store}
    for number, line in enumerate(scenario.openings(), start=1):
        session = Session.start(scenario, "ana", opening=number, **parts)
        assert store.load("ana", session.transcript.id).opening == line
    for number in (0, -1, len(scenario.openings()) + 1):
        with pytest.raises(NotFound):
            Session.start(scenario, "ana", opening=number, **parts)


def test_ids_cannot_be_guessed_and_are_safe_in_a_url_and_a_shell(store: SqlStore) -> None:
    ids = {start(store).transcript.id for _ in range(20)}
    assert len(ids) == 20
    assert all(len(name) == 32 and name.isalnum() for name in ids)
