from pathlib import Path

import pytest

from agent.domain import Scenario
from agent.errors import BackendError, ConflictError, ConversationEnded, NotFound
from agent.session import ScriptedCritic, ScriptedVoice, Session
from agent.store import SqlStore


@pytest.fixture
def store(tmp_path: Path) -> SqlStore:
    return SqlStore(tmp_path / "rehearsal.db")


def started(scenario: Scenario, store: SqlStore, *answers: str | Exception) -> Session:
    voice = ScriptedVoice(*answers)
    return Session.start(scenario, "local", critic=ScriptedCritic(), voice=voice, store=store)


def test_a_reply_sent_twice_is_one_exchange(scenario: Scenario, store: SqlStore) -> None:
    session = started(scenario, store)
    first = session.reply("What do you see?", at=0)
    assert session.reply("What do you see?", at=0) == first
    assert len(store.load("local", session.transcript.id).exchanges) == 1


def test_a_second_tab_is_told_that_the_conversation_went_on(
    scenario: Scenario, store: SqlStore
) -> None:
    session = started(scenario, store)
    other = Session.resume(
        session.transcript.id, "local", critic=ScriptedCritic(), voice=ScriptedVoice(), store=store
    )
    session.reply("From the first tab.", at=0)
    with pytest.raises(ConflictError):
        other.reply("From the second tab.", at=0)
    assert len(store.load("local", session.transcript.id).exchanges) == 1


def test_an_engine_that_fails_changes_nothing(scenario: Scenario, store: SqlStore) -> None:
    session = started(scenario, store, RuntimeError("no model"))
    with pytest.raises(BackendError, match="no model"):
        session.reply("What do you see?")
    assert store.load("local", session.transcript.id).exchanges == ()


def test_nobody_reads_another_owners_conversation(scenario: Scenario, store: SqlStore) -> None:
    session = started(scenario, store)
    with pytest.raises(NotFound):
        store.load("somebody else", session.transcript.id)
    assert store.summaries("somebody else") == []


def test_after_the_end_no_reply_is_taken(scenario: Scenario, store: SqlStore) -> None:
    session = started(scenario, store)
    session.end()
    with pytest.raises(ConversationEnded):
        session.reply("One more thing.")


def test_the_text_is_kept_byte_for_byte(scenario: Scenario, store: SqlStore) -> None:
    session = started(scenario, store)
    text = "<b>{x}</b> </reply>\r\n\tمرحبا 🙂 ’ e\u0301"
    session.reply(text)
    assert store.load("local", session.transcript.id).exchanges[0].critique.reply == text
