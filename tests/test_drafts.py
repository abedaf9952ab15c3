"""What was typed and not answered: kept, given back, and gone with its answer."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from agent.domain import Reading
from agent.drafts import Draft
from agent.errors import BackendError, ConflictError, NotFound
from agent.session import ScriptedCritic, ScriptedVoice, Session
from agent.store import SqlStore
from prompts import load_scenarios

SCENARIO = load_scenarios()["declare-vision"]
TYPED = "Zeile eins\r\nZeile zwei 😀 <b>{x}</b> ' \" % \\"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(path)
    yield store
    store.close()


def begin(store: SqlStore, *words: str | Exception, critic: Any = None) -> Session:
    return Session.start(
        SCENARIO, "ana", critic=critic or ScriptedCritic(), voice=ScriptedVoice(*words), store=store
    )


def again(session: Session, store: SqlStore) -> Session:
    return Session.resume(
        session.transcript.id, "ana", critic=ScriptedCritic(), voice=ScriptedVoice(), store=store
    )


def test_what_is_typed_is_kept_before_an_engine_is_asked(store: SqlStore) -> None:
    held: list[Draft | None] = []

    class Looking(ScriptedCritic):
        def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
            held.append(store.draft("ana", session.transcript.id))
            return super().read(history, reply)

    session = begin(store, critic=Looking())
    session.reply(TYPED)
    assert held == [Draft(0, TYPED)]
    assert store.draft("ana", session.transcript.id) is None


def test_a_failed_reply_stays_as_a_draft_also_in_another_process(
    store: SqlStore, path: Path
) -> None:
    session = begin(store, BackendError("The endpoint is down."))
    with pytest.raises(BackendError):
        session.reply(TYPED)
    other = SqlStore(path)
    assert other.draft("ana", session.transcript.id) == Draft(0, TYPED)
    other.close()


def test_a_later_draft_takes_the_place_of_an_earlier_one(store: SqlStore) -> None:
    name = begin(store).transcript.id
    store.keep_draft("ana", name, 0, "First.")
    store.keep_draft("ana", name, 0, "Second.")
    assert store.draft("ana", name) == Draft(0, "Second.")


def test_an_answer_drops_the_draft_it_answers_and_no_other(store: SqlStore) -> None:
    session = begin(store)

    class Typing(ScriptedVoice):
        def speak(self, *args: Any) -> Any:
            store.keep_draft("ana", session.transcript.id, 0, "Typed in another tab.")
            return super().speak(*args)

    session._voice = Typing()
    session.reply("From this tab.")
    assert store.draft("ana", session.transcript.id) == Draft(0, "Typed in another tab.")


def test_what_is_stored_already_is_no_draft(store: SqlStore) -> None:
    session = begin(store)
    session.reply("Hello there.")
    store.keep_draft("ana", session.transcript.id, 0, "Hello there.")
    assert store.draft("ana", session.transcript.id) is None
    store.keep_draft("ana", session.transcript.id, 1, "Hello there.")
    assert store.draft("ana", session.transcript.id) == Draft(1, "Hello there.")


def test_the_second_of_two_tabs_keeps_what_it_could_not_send(store: SqlStore) -> None:
    one = begin(store)
    two = again(one, store)
    one.reply("From the first tab.", at=0)
    with pytest.raises(ConflictError):
        two.reply("From the second tab.", at=0)
    assert store.draft("ana", one.transcript.id) == Draft(0, "From the second tab.")
    two.reply("From the second tab.", at=1)
    assert store.draft("ana", one.transcript.id) is None


def test_of_two_tabs_at_once_one_is_stored_and_the_other_is_kept(store: SqlStore) -> None:
    one = begin(store)

    class Slow(ScriptedCritic):
        def read(self, history: Sequence[tuple[str, str]], reply: str) -> Reading:
            one.reply("From the first tab.", at=0)
            return super().read(history, reply)

    two = Session(one.transcript, critic=Slow(), voice=ScriptedVoice(), store=store)
    with pytest.raises(ConflictError):
        two.reply("From the second tab.", at=0)
    kept = store.load("ana", one.transcript.id)
    assert [e.critique.reply for e in kept.exchanges] == ["From the first tab."]
    assert store.draft("ana", one.transcript.id) == Draft(0, "From the second tab.")


def test_an_exchange_that_cannot_be_stored_keeps_its_draft(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = begin(store)
    monkeypatch.setattr("agent.drafts.drop", broken)
    with pytest.raises(ZeroDivisionError):
        session.reply("Hello there.")
    name = session.transcript.id
    assert not store.load("ana", name).exchanges
    assert store.draft("ana", name) == Draft(0, "Hello there.")


def broken(*_: object) -> None:
    raise ZeroDivisionError


def test_a_draft_is_its_owners(store: SqlStore) -> None:
    name = begin(store).transcript.id
    store.keep_draft("ana", name, 0, "Private.")
    with pytest.raises(NotFound):
        store.draft("ben", name)
    with pytest.raises(NotFound):
        store.keep_draft("ben", name, 0, "Not mine.")
    assert store.draft("ana", name) == Draft(0, "Private.")


KILLED = """
import os, signal, sys
from pathlib import Path
from agent.session import ScriptedCritic, ScriptedVoice, Session
from agent.store import SqlStore

class Dies(ScriptedVoice):
    def speak(self, brief, show=None):
        show("Half a sen")
        os.kill(os.getpid(), signal.SIGKILL)

parts = {"critic": ScriptedCritic(), "voice": Dies(), "store": SqlStore(Path(sys.argv[1]))}
Session.resume(sys.argv[2], "ana", **parts).reply("Typed before the end.", show=lambda _: None)
"""


def test_a_process_that_is_killed_in_the_middle_of_the_words_leaves_the_draft(
    store: SqlStore, path: Path
) -> None:
    name = begin(store).transcript.id
    done = subprocess.run([sys.executable, "-c", KILLED, str(path), name], check=False)
    assert done.returncode == -9
    assert not store.load("ana", name).exchanges
    assert store.draft("ana", name) == Draft(0, "Typed before the end.")
    assert store.integrity() == ()


def test_a_database_of_the_first_version_is_brought_up_to_date(path: Path) -> None:
    store = SqlStore(path)
    session = begin(store)
    session.reply("Said long ago.")
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("DROP TABLE drafts")
        db.execute("UPDATE alembic_version SET version_num = '0001'")
        db.commit()
    opened = SqlStore(path)
    assert opened.load("ana", session.transcript.id) == session.transcript
    opened.keep_draft("ana", session.transcript.id, 1, "New.")
    assert opened.draft("ana", session.transcript.id) == Draft(1, "New.")
    opened.close()


def test_an_exchange_waits_for_the_disk_and_a_draft_does_not(store: SqlStore) -> None:
    import sqlalchemy as sql

    sent: list[str] = []
    sql.event.listen(store._engine, "before_cursor_execute", lambda *args: sent.append(args[2]))
    session = begin(store)
    sent.clear()
    session.reply("Hello there.")
    modes = [line.split("=")[1] for line in sent if line.startswith("PRAGMA synchronous")]
    assert modes == ["NORMAL", "FULL"]


def test_whatever_is_shown_last_can_still_stop_it(store: SqlStore) -> None:
    session = begin(store, "All of it.")

    def stop(words: str) -> None:
        raise BackendError(f"Stopped at: {words}")

    with pytest.raises(BackendError, match=r"All of it\."):
        session.reply("Hello there.", show=stop)
    assert not store.load("ana", session.transcript.id).exchanges
