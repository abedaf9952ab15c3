import ast
import inspect
import json
import os
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

import pytest
import sqlalchemy as sql
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from agent import database, rubric, tables
from agent import store as store_module
from agent.domain import (
    Claim,
    CounterpartState,
    Ending,
    Exchange,
    Outcome,
    Reading,
    Scenario,
    Speech,
    Transcript,
)
from agent.errors import ConflictError, ConversationEnded, InputError, NotFound, StoreError
from agent.session import ScriptedCritic, ScriptedVoice, Session, check_text
from agent.store import SqlStore
from prompts import load_scenarios

SCENARIO = load_scenarios()["declare-vision"]
WRITER = Path(__file__).with_name("writer.py")
MIGRATIONS = Path(database.__file__).parent / "migrations"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "record.db"


@pytest.fixture
def store(path: Path) -> Iterator[SqlStore]:
    store = SqlStore(path)
    yield store
    store.close()


def begin(store: SqlStore, owner: str = "ana", scenario: Scenario = SCENARIO) -> Session:
    parts = {"critic": ScriptedCritic(Reading(overall=3)), "voice": ScriptedVoice()}
    return Session.start(scenario, owner, store=store, **parts)  # type: ignore[arg-type]


def exchange(reply: str = "What do you need from me?", outcome: Outcome | None = None) -> Exchange:
    return Exchange(
        critique=rubric.critique(reply, Reading(overall=2), critic="scripted_critic"),
        state=CounterpartState(trust=3, outcome=outcome),
        speech=Speech(text="Go on.", voice="scripted_voice"),
    )


def ending() -> Ending:
    state = CounterpartState(trust=3, outcome=Outcome.DECLINE)
    return Ending(state=state, speech=Speech(text="No.", voice="scripted_voice"))


# --- what was said ------------------------------------------------------------------------------


def test_a_conversation_comes_back_as_it_was_stored(store: SqlStore, path: Path) -> None:
    session = begin(store)
    session.reply("I own what was missed.")
    session.reply("By Friday you have the list.")
    session.end()
    again = SqlStore(path)
    assert again.load("ana", session.transcript.id) == session.transcript
    again.close()


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(reply=st.text(st.characters(codec="utf-8"), max_size=200))
def test_a_reply_is_kept_byte_for_byte(store: SqlStore, path: Path, reply: str) -> None:
    try:
        check_text(reply)
    except InputError:
        return
    session = begin(store)
    session.reply(reply)
    assert store.load("ana", session.transcript.id).exchanges[0].critique.reply == reply
    with closing(sqlite3.connect(path)) as db:
        query = "SELECT CAST(reply AS BLOB) FROM exchanges WHERE transcript_id = ?"
        (raw,) = db.execute(query, [session.transcript.id]).fetchone()
    assert raw == reply.encode()


def test_what_the_rubric_turned_away_is_kept_too(store: SqlStore) -> None:
    odd = Claim(move="promise", words="not \0 in it 😀", confidence=0.4)
    reading = Reading(claims=(odd, Claim(move="nonsense", words="x")), overall=9)
    session = begin(store)
    critique = rubric.critique("Plain words.", reading, critic="scripted_critic")
    turn = exchange().model_copy(update={"critique": critique})
    store.append("ana", session.transcript.id, 0, turn)
    kept = store.load("ana", session.transcript.id).exchanges[0].critique
    assert kept == critique
    assert len(kept.turned_away) == 2


def test_a_conversation_keeps_the_scenario_it_was_held_with(store: SqlStore) -> None:
    old = begin(store)
    changed = SCENARIO.model_copy(update={"title": "Rewritten since"})
    new = begin(store, scenario=changed)
    assert store.load("ana", old.transcript.id).scenario == SCENARIO
    assert store.load("ana", new.transcript.id).scenario == changed
    titles = {s.id: s.title for s in store.summaries("ana")}
    assert titles[old.transcript.id] == SCENARIO.title
    assert titles[new.transcript.id] == "Rewritten since"


def test_a_scenario_is_stored_once(store: SqlStore, path: Path) -> None:
    for _ in range(3):
        begin(store)
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT count(*) FROM scenarios").fetchone() == (1,)


def test_a_list_shows_the_latest_first_with_replies_and_outcome(store: SqlStore) -> None:
    left, decided, open_ = begin(store), begin(store), begin(store)
    left.reply("What do you need from me?")
    left.end()
    store.append("ana", decided.transcript.id, 0, exchange(outcome=Outcome.ACCEPT))
    found = store.summaries("ana")
    assert [s.id for s in found] == [s.transcript.id for s in (open_, decided, left)]
    assert [s.replies for s in found] == [0, 1, 1]
    assert [s.outcome for s in found] == [None, Outcome.ACCEPT, Outcome.DECLINE]
    assert found[0].scenario_id == SCENARIO.id
    assert timedelta(0) <= datetime.now(UTC) - found[0].started_at < timedelta(minutes=1)


# --- whose it is --------------------------------------------------------------------------------

CALLS: dict[str, Callable[[SqlStore, str], object]] = {
    "load": lambda store, name: store.load("ben", name),
    "append": lambda store, name: store.append("ben", name, 0, exchange()),
    "finish": lambda store, name: store.finish("ben", name, ending(), 0),
    "keep_draft": lambda store, name: store.keep_draft("ben", name, 0, "Typed."),
    "draft": lambda store, name: store.draft("ben", name),
}


@pytest.mark.parametrize("call", CALLS)
def test_nobody_reaches_another_owners_conversation(store: SqlStore, call: str) -> None:
    session = begin(store, owner="ana")
    with pytest.raises(NotFound):
        CALLS[call](store, session.transcript.id)
    assert store.load("ana", session.transcript.id) == session.transcript
    assert store.summaries("ben") == []


@pytest.mark.parametrize("call", CALLS)
@pytest.mark.parametrize("name", ["", "no-such-id", "' OR 1=1 --", "%"])
def test_an_id_that_is_not_there_is_not_found(store: SqlStore, call: str, name: str) -> None:
    begin(store, owner="ben")
    with pytest.raises(NotFound):
        CALLS[call](store, name)


def test_every_call_that_reaches_a_conversation_takes_the_owner() -> None:
    for name, call in inspect.getmembers(SqlStore, inspect.isfunction):
        if not name.startswith("_") and name not in ("create", "integrity", "close"):
            assert list(inspect.signature(call).parameters)[1] == "owner", name


# --- append-only, one writer at a time ----------------------------------------------------------


def test_nothing_in_the_code_of_the_record_updates_or_deletes() -> None:
    ours = modules_source(store_module, database, tables)
    for file in [*ours, *(MIGRATIONS / "versions").glob("*.py")]:
        tree = ast.parse(file.read_text("utf-8"))
        assert not methods_called(tree) & {"update", "delete", "upsert", "merge", "drop_table"}, (
            file
        )
        texts = [n.value for n in ast.walk(tree) if isinstance(n, ast.Constant)]
        spoken = " ".join(str(text).upper() for text in texts)
        assert "DELETE FROM" not in spoken, file
        assert "REPLACE INTO" not in spoken, file


def methods_called(tree: ast.AST) -> set[str]:
    calls = [node.func for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return {call.attr for call in calls if isinstance(call, ast.Attribute)}


def modules_source(*modules: ModuleType) -> list[Path]:
    return [Path(str(module.__file__)) for module in modules]


def test_no_statement_that_is_sent_updates_or_deletes_but_a_draft(store: SqlStore) -> None:
    sent: list[str] = []
    note = lambda *args: sent.append(args[2])  # noqa: E731
    sql.event.listen(store._engine, "before_cursor_execute", note)
    session = begin(store)
    session.reply("What do you need from me?")
    session.end()
    store.load("ana", session.transcript.id)
    store.summaries("ana")
    store.integrity()
    others = [line for line in sent if not line.startswith("DELETE FROM drafts WHERE ")]
    verbs = {line.split()[0].upper() for line in others}
    assert "INSERT" in verbs and len(others) < len(sent)
    assert verbs <= {"BEGIN", "SAVEPOINT", "RELEASE", "SELECT", "INSERT", "PRAGMA"}


def test_a_second_writer_is_told_what_was_kept(store: SqlStore) -> None:
    name = begin(store).transcript.id
    store.append("ana", name, 0, exchange("The first to arrive."))
    for at in (0, 2, -1):
        with pytest.raises(ConflictError, match="The first to arrive"):
            store.append("ana", name, at, exchange("The second."))
    with pytest.raises(ConflictError):
        store.finish("ana", name, ending(), 0)
    assert [e.critique.reply for e in store.load("ana", name).exchanges] == ["The first to arrive."]


def test_a_place_that_is_taken_is_refused_by_the_database_itself(
    store: SqlStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = begin(store).transcript.id
    store.append("ana", name, 0, exchange("The first."))
    monkeypatch.setattr(store_module, "_check_place", lambda *_: None)
    with pytest.raises(ConflictError):
        store.append("ana", name, 0, exchange("The second."))


@pytest.mark.parametrize("how", ["outcome", "ending"])
def test_nothing_follows_the_end(store: SqlStore, how: str) -> None:
    name = begin(store).transcript.id
    if how == "outcome":
        store.append("ana", name, 0, exchange(outcome=Outcome.ACCEPT))
    else:
        store.append("ana", name, 0, exchange())
        store.finish("ana", name, ending(), 1)
    before = store.load("ana", name)
    with pytest.raises(ConversationEnded):
        store.append("ana", name, 1, exchange())
    with pytest.raises(ConversationEnded):
        store.finish("ana", name, ending(), 1)
    assert store.load("ana", name) == before


def write_together(path: Path, jobs: list[tuple[str, str, int]]) -> list[str]:
    """Run one process for each (conversation, name, count); return the replies they stored."""
    started = [
        subprocess.Popen(
            [sys.executable, str(WRITER), str(path), conversation, name, str(count)],
            stdout=subprocess.PIPE,
            text=True,
        )
        for conversation, name, count in jobs
    ]
    told: list[str] = []
    for process in started:
        out, _ = process.communicate(timeout=120)
        assert process.returncode == 0
        told += [json.loads(line)[1] for line in out.splitlines()[1:]]
    return told


def everything(store: SqlStore) -> list[str]:
    """Return every reply there is."""
    names = [summary.id for summary in store.summaries("ana")]
    return [e.critique.reply for name in names for e in store.load("ana", name).exchanges]


@pytest.mark.slow
def test_four_processes_lose_nothing_in_their_own_conversations(
    store: SqlStore, path: Path
) -> None:
    names = [begin(store).transcript.id for _ in range(4)]
    told = write_together(path, [(name, f"Writer {n}", 8) for n, name in enumerate(names)])
    assert sorted(everything(store)) == sorted(told)
    assert len(set(told)) == 32
    assert store.integrity() == ()


@pytest.mark.slow
def test_four_processes_lose_nothing_in_one_conversation(store: SqlStore, path: Path) -> None:
    name = begin(store).transcript.id
    told = write_together(path, [(name, f"Writer {n}", 2) for n in range(4)])
    assert sorted(everything(store)) == sorted(told)
    assert len(set(told)) == 8
    assert len(store.load("ana", name).exchanges) >= 4
    assert store.integrity() == ()


@pytest.mark.slow
def test_four_processes_may_open_a_new_database_at_once(path: Path) -> None:
    code = "import sys; from agent.store import SqlStore; SqlStore(sys.argv[1]).integrity()"
    command = [sys.executable, "-c", code, f"sqlite:///{path}"]
    started = [subprocess.Popen(command, stderr=subprocess.PIPE) for _ in range(4)]
    errors = [process.communicate(timeout=60)[1] for process in started]
    assert errors == [b""] * 4
    with closing(sqlite3.connect(path)) as db:
        assert db.execute("SELECT version_num FROM alembic_version").fetchall() == [
            (database.HEAD,)
        ]


# --- what goes wrong ----------------------------------------------------------------------------


def test_a_full_disk_is_told_and_everything_before_it_is_kept(path: Path) -> None:
    store = SqlStore(path)
    session = begin(store)
    with closing(sqlite3.connect(path)) as db:
        (pages,) = db.execute("PRAGMA page_count").fetchone()
    store.close()
    limit = lambda connection, _: connection.execute(f"PRAGMA max_page_count={pages}")  # noqa: E731
    sql.event.listen(store._engine, "connect", limit)
    stored = append_until_refused(store, session.transcript.id, "disk is full")
    sql.event.remove(store._engine, "connect", limit)
    store.close()
    assert len(store.load("ana", session.transcript.id).exchanges) == stored
    assert store.integrity() == ()
    store.append("ana", session.transcript.id, stored, exchange("There is room again."))
    store.close()


def append_until_refused(store: SqlStore, name: str, message: str) -> int:
    """Return how many exchanges were stored before the store said `message`."""
    for stored in range(200):
        try:
            store.append("ana", name, stored, exchange("long " * 800))
        except StoreError as error:
            assert message in str(error)  # noqa: PT017
            return stored
    pytest.fail("the disk never filled")


def test_a_database_in_use_is_told(store: SqlStore, path: Path) -> None:
    name = begin(store).transcript.id
    store.close()
    hurry = lambda connection, _: connection.execute("PRAGMA busy_timeout=50")  # noqa: E731
    sql.event.listen(store._engine, "connect", hurry)
    with closing(sqlite3.connect(path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        assert store.load("ana", name).exchanges == ()
        with pytest.raises(StoreError, match="in use"):
            store.append("ana", name, 0, exchange())
    store.append("ana", name, 0, exchange())


@contextmanager
def as_an_ordinary_user() -> Iterator[None]:
    """Give up root for a moment: root may write everywhere."""
    if os.geteuid() != 0:
        yield
        return
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """Return a folder that an ordinary user can reach."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        yield Path(folder)


def test_a_folder_that_cannot_be_written_is_told(open_folder: Path) -> None:
    open_folder.chmod(0o555)
    with as_an_ordinary_user(), pytest.raises(StoreError, match="REHEARSAL_DATA_DIR"):
        SqlStore(open_folder / "record.db")
    with as_an_ordinary_user(), pytest.raises(StoreError):
        SqlStore(open_folder / "below" / "record.db")
    open_folder.chmod(0o755)


def test_a_read_only_file_is_told_and_unchanged(open_folder: Path) -> None:
    path = open_folder / "record.db"
    store = SqlStore(path)
    name = begin(store).transcript.id
    store.close()
    before = path.read_bytes()
    path.chmod(0o444)
    open_folder.chmod(0o777)
    with as_an_ordinary_user():
        locked = SqlStore(path)
        assert locked.load("ana", name).exchanges == ()
        with pytest.raises(StoreError, match="read-only"):
            locked.append("ana", name, 0, exchange())
        locked.close()
    assert path.read_bytes() == before


def test_a_file_that_is_no_database_is_told_and_unchanged(path: Path) -> None:
    path.write_bytes(b"These are somebody's notes, not a database. " * 200)
    before = path.read_bytes()
    with pytest.raises(StoreError, match="not a database"):
        SqlStore(path)
    assert path.read_bytes() == before


def test_a_damaged_database_is_told(path: Path) -> None:
    store = SqlStore(path)
    session = begin(store)
    for n in range(40):
        store.append("ana", session.transcript.id, n, exchange(f"Reply {n}. " * 40))
    store.close()
    size = path.stat().st_size
    with path.open("r+b") as file:
        file.seek(size // 2)
        file.write(b"\xff" * (size // 3))
    damaged = SqlStore(path)
    with pytest.raises(StoreError, match="damaged"):
        damaged.load("ana", session.transcript.id)
    assert found_damaged(damaged)
    damaged.close()


def found_damaged(store: SqlStore) -> bool:
    """Whether the check lists what is wrong, or cannot even be made."""
    try:
        return bool(store.integrity())
    except StoreError:
        return True


def test_a_damaged_row_is_told_and_names_the_conversation(store: SqlStore, path: Path) -> None:
    name = begin(store).transcript.id
    store.append("ana", name, 0, exchange())
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE exchanges SET critique = '{'")
        db.commit()
    with pytest.raises(StoreError, match=name):
        store.load("ana", name)


def test_a_missing_exchange_is_told(store: SqlStore, path: Path) -> None:
    name = begin(store).transcript.id
    for n in range(3):
        store.append("ana", name, n, exchange(f"Reply {n}."))
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM exchanges WHERE seq = 1")
        db.commit()
    with pytest.raises(StoreError, match="damaged"):
        store.load("ana", name)


def test_an_orphan_is_found_by_the_integrity_check(store: SqlStore, path: Path) -> None:
    store.append("ana", begin(store).transcript.id, 0, exchange())
    with closing(sqlite3.connect(path)) as db:
        db.execute("DELETE FROM transcripts")
        db.commit()
    assert store.integrity() == ("a row of exchanges has lost what it belongs to",)


def test_a_newer_database_is_left_alone(store: SqlStore, path: Path) -> None:
    store.close()
    with closing(sqlite3.connect(path)) as db:
        db.execute("UPDATE alembic_version SET version_num = '9999'")
        db.commit()
    with pytest.raises(StoreError, match="newer version"):
        SqlStore(path)


@pytest.mark.parametrize("url", ["nonsense", "nosuchdb://host/x", "sqlite:////no/such/dir/x.db"])
def test_a_wrong_url_is_told(url: str) -> None:
    with pytest.raises(StoreError):
        SqlStore(url)


def test_a_path_with_odd_characters_is_that_path(tmp_path: Path) -> None:
    path = tmp_path / "a b?c=%20#" / "record.db"
    SqlStore(path).close()
    assert path.exists()


# --- the tables ---------------------------------------------------------------------------------


def test_the_migrations_make_the_tables_the_code_uses(store: SqlStore) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store._engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.METADATA) == []


def test_the_version_the_code_expects_is_the_newest_migration() -> None:
    from alembic.script import ScriptDirectory

    assert ScriptDirectory(str(MIGRATIONS)).get_current_head() == database.HEAD


def test_opening_a_database_that_is_up_to_date_does_not_load_alembic(
    store: SqlStore, path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from agent.store import SqlStore; "
        "SqlStore(Path(sys.argv[1])).summaries('ana'); print('alembic' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True)
    assert (done.stdout, done.stderr) == ("False\n", "")


def test_what_is_stored_as_json_is_ascii(store: SqlStore, path: Path) -> None:
    session = begin(store)
    session.reply("Für dich, bis Freitag. 😀")
    with closing(sqlite3.connect(path)) as db:
        rows = db.execute("SELECT critique, state, speech FROM exchanges").fetchall()
    for column in rows[0]:
        assert column.isascii()
        json.loads(column)


# --- PostgreSQL, where one is at hand -----------------------------------------------------------


@pytest.fixture
def server() -> Iterator[SqlStore]:
    url = os.environ.get("REHEARSAL_TEST_POSTGRES")
    if not url:
        pytest.skip("REHEARSAL_TEST_POSTGRES names no server")
    store = SqlStore(url)
    yield store
    store.close()


def test_the_record_works_on_postgresql(server: SqlStore) -> None:
    session = begin(server, owner=f"ana {datetime.now(UTC).isoformat()}")
    owner, name = session.transcript.owner, session.transcript.id
    session.reply("Zeile eins\r\nZeile zwei 😀 \\ ' \" %s")
    server.append(owner, name, 1, exchange())
    with pytest.raises(ConflictError):
        server.append(owner, name, 1, exchange("The second."))
    with pytest.raises(NotFound):
        server.load("ben", name)
    server.finish(owner, name, ending(), 2)
    kept: Transcript = server.load(owner, name)
    assert kept.exchanges[0] == session.transcript.exchanges[0]
    assert server.summaries(owner)[0].outcome == Outcome.DECLINE
    assert server.integrity() == ()
