"""The record, in SQL: SQLite by default, PostgreSQL by URL. Append-only; owners see their own.

    scenarios    each scenario as it was when somebody held it, by the checksum of its JSON
    transcripts  one conversation: whose, of which scenario, with which opening
    exchanges    one reply, byte for byte, with its critique, the state it led to and the answer
    endings      the learner ended the conversation
    drafts       what was typed and is not answered yet (agent/drafts.py)

Nothing updates or deletes a row but a draft's. Every query takes the owner.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import sqlalchemy as sql
from pydantic import ValidationError
from sqlalchemy.engine import Connection, Row

from agent import drafts
from agent.database import explained, open_engine, problems
from agent.domain import (
    CounterpartState,
    Critique,
    Ending,
    Exchange,
    Outcome,
    Scenario,
    Speech,
    Transcript,
    Value,
)
from agent.drafts import Draft
from agent.errors import ConflictError, ConversationEnded, NotFound, StoreError
from agent.tables import ENDINGS, EXCHANGES, SCENARIOS, TRANSCRIPTS


@dataclass(frozen=True, slots=True)
class Summary:
    """A conversation in a list. `replies` counts them; `outcome` is None while it goes on."""

    id: str
    scenario_id: str
    title: str
    started_at: datetime
    replies: int
    outcome: Outcome | None


class SqlStore:
    """The record in one database. Safe to share between threads.

    `database` is a SQLAlchemy URL or the path of a SQLite file, created when it is missing.
    Raises StoreError when it cannot be opened.
    """

    def __init__(self, database: str | Path) -> None:
        self._engine = open_engine(database)

    def create(self, transcript: Transcript) -> None:
        """Store a new conversation that has no replies yet. Raises StoreError, ConflictError."""
        body = _json(transcript.scenario)
        sha256 = hashlib.sha256(body.encode()).hexdigest()
        with self._transaction(writes=True) as db:
            known = sql.select(SCENARIOS.c.sha256).where(SCENARIOS.c.sha256 == sha256)
            if db.execute(known).first() is None:
                _keep_scenario(db, sha256, transcript.scenario, body)
            db.execute(
                TRANSCRIPTS.insert().values(
                    id=transcript.id,
                    owner=transcript.owner,
                    scenario_sha256=sha256,
                    opening=transcript.scenario.openings().index(transcript.opening),
                    started_at=datetime.now(UTC),
                )
            )

    def load(self, owner: str, transcript_id: str) -> Transcript:
        """Return a conversation. Raises NotFound when there is none of this owner's."""
        with self._transaction() as db:
            head = _own(db, owner, transcript_id)
            body = db.execute(
                sql.select(SCENARIOS.c.body).where(SCENARIOS.c.sha256 == head.scenario_sha256)
            ).scalar_one()
            rows = db.execute(
                sql.select(EXCHANGES)
                .where(EXCHANGES.c.transcript_id == transcript_id)
                .order_by(EXCHANGES.c.seq)
            ).all()
            ending = _ending(db, transcript_id)
        try:
            return _transcript(head, body, rows, ending)
        except (ValidationError, ValueError, IndexError) as error:
            raise StoreError(
                f"The conversation {transcript_id} cannot be read: what is stored is damaged. "
                "Nothing was changed. Restore a copy of the database."
            ) from error

    def append(self, owner: str, transcript_id: str, at: int, exchange: Exchange) -> None:
        """Store the exchange that follows the first `at` ones; it is a draft no longer.

        Raises ConflictError when another writer was first there, ConversationEnded when the
        conversation has its outcome, NotFound, StoreError. Then nothing was stored.
        """
        row = {
            "transcript_id": transcript_id,
            "seq": at,
            "reply": exchange.critique.reply,
            "critique": _json(exchange.critique, exclude={"reply"}),
            **_where_it_led(exchange),
        }
        with self._transaction(writes=True) as db:
            _own(db, owner, transcript_id, lock=True)
            _check_place(db, transcript_id, at)
            db.execute(EXCHANGES.insert().values(**row))
            drafts.drop(db, transcript_id, exchange.critique.reply)

    def keep_draft(self, owner: str, transcript_id: str, at: int, text: str) -> None:
        """Keep what was typed after `at` exchanges, in place of an earlier draft.

        Does nothing where that text is the reply stored there. Raises NotFound, StoreError.
        """
        with self._transaction(writes=True, passing=True) as db:
            _own(db, owner, transcript_id, lock=True)
            if _reply_at(db, transcript_id, at) != text:
                drafts.keep(db, transcript_id, at, text)

    def draft(self, owner: str, transcript_id: str) -> Draft | None:
        """Return what was typed last and not answered. Raises NotFound, StoreError."""
        with self._transaction() as db:
            _own(db, owner, transcript_id)
            return drafts.kept(db, transcript_id)

    def finish(self, owner: str, transcript_id: str, ending: Ending, at: int) -> None:
        """Store that the learner ended the conversation after `at` exchanges. Raises as append."""
        row = {"transcript_id": transcript_id, **_where_it_led(ending)}
        with self._transaction(writes=True) as db:
            _own(db, owner, transcript_id, lock=True)
            _check_place(db, transcript_id, at)
            db.execute(ENDINGS.insert().values(**row))

    def summaries(self, owner: str) -> list[Summary]:
        """Return the owner's conversations, the latest first."""
        outcome = sql.func.coalesce(
            sql.func.max(ENDINGS.c.outcome), sql.func.max(EXCHANGES.c.outcome)
        )
        columns = (
            TRANSCRIPTS.c.id,
            SCENARIOS.c.scenario_id,
            SCENARIOS.c.title,
            TRANSCRIPTS.c.started_at,
        )
        joined = (
            TRANSCRIPTS.join(SCENARIOS)
            .outerjoin(EXCHANGES, EXCHANGES.c.transcript_id == TRANSCRIPTS.c.id)
            .outerjoin(ENDINGS, ENDINGS.c.transcript_id == TRANSCRIPTS.c.id)
        )
        query = (
            sql.select(*columns, sql.func.count(EXCHANGES.c.seq), outcome)
            .select_from(joined)
            .where(TRANSCRIPTS.c.owner == owner)
            .group_by(*columns)
            .order_by(TRANSCRIPTS.c.started_at.desc(), TRANSCRIPTS.c.id)
        )
        with self._transaction() as db:
            return [_summary(row) for row in db.execute(query)]

    def integrity(self) -> tuple[str, ...]:
        """Return what is wrong with the database; nothing when it is sound. Raises StoreError."""
        with self._transaction() as db:
            return problems(db)

    def close(self) -> None:
        """Let go of the database; the next call opens it again."""
        self._engine.dispose()

    @contextmanager
    def _transaction(self, writes: bool = False, passing: bool = False) -> Iterator[Connection]:
        options = {"writes": writes, "passing": passing}
        with explained(), self._engine.connect() as connection:
            try:
                with connection.execution_options(**options).begin():
                    yield connection
            except sql.exc.IntegrityError as error:
                raise ConflictError(
                    "Another process was first to store something in this place. What it stored "
                    "is kept, yours is not. Reload and send it again if it still fits."
                ) from error


def _own(db: Connection, owner: str, transcript_id: str, lock: bool = False) -> Row[Any]:
    """Return the head of a conversation; with `lock`, other writers to it wait (PostgreSQL)."""
    query = sql.select(TRANSCRIPTS).where(
        TRANSCRIPTS.c.id == transcript_id, TRANSCRIPTS.c.owner == owner
    )
    row = db.execute(query.with_for_update() if lock else query).first()
    if row is None:
        raise NotFound(f"There is no conversation {transcript_id} of yours. Nothing was changed.")
    return row


def _check_place(db: Connection, transcript_id: str, at: int) -> None:
    """Raise unless the conversation is open and has just `at` exchanges."""
    last = db.execute(
        sql.select(EXCHANGES.c.seq, EXCHANGES.c.reply, EXCHANGES.c.outcome)
        .where(EXCHANGES.c.transcript_id == transcript_id)
        .order_by(EXCHANGES.c.seq.desc())
        .limit(1)
    ).first()
    held = last.seq + 1 if last else 0
    if held != at:
        kept = f" Its last reply is: “{last.reply[:80]}”." if last else ""
        raise ConflictError(
            f"This conversation went on elsewhere: it has {held} replies, not {at}.{kept} What "
            "you sent was not stored. Reload the conversation and send it again if it still fits."
        )
    if (last and last.outcome) or _ending(db, transcript_id):
        raise ConversationEnded("This conversation has ended. Your reply was not stored.")


def _reply_at(db: Connection, transcript_id: str, at: int) -> str | None:
    place = (EXCHANGES.c.transcript_id == transcript_id, EXCHANGES.c.seq == at)
    reply: str | None = db.execute(sql.select(EXCHANGES.c.reply).where(*place)).scalar()
    return reply


def _ending(db: Connection, transcript_id: str) -> Row[Any] | None:
    return db.execute(sql.select(ENDINGS).where(ENDINGS.c.transcript_id == transcript_id)).first()


def _keep_scenario(db: Connection, sha256: str, scenario: Scenario, body: str) -> None:
    """Store a scenario; on PostgreSQL another process may have done so a moment ago."""
    values = {"sha256": sha256, "scenario_id": scenario.id, "title": scenario.title, "body": body}
    try:
        with db.begin_nested():
            db.execute(SCENARIOS.insert().values(**values))
    except sql.exc.IntegrityError:
        db.execute(sql.select(SCENARIOS.c.sha256).where(SCENARIOS.c.sha256 == sha256)).one()


def _where_it_led(turn: Exchange | Ending) -> dict[str, Any]:
    return {
        "state": _json(turn.state),
        "speech": _json(turn.speech),
        "outcome": turn.state.outcome,
        "created_at": datetime.now(UTC),
    }


def _transcript(
    head: Row[Any], body: str, rows: Sequence[Row[Any]], ending: Row[Any] | None
) -> Transcript:
    scenario = Scenario.model_validate(json.loads(body))
    if [row.seq for row in rows] != list(range(len(rows))):
        raise ValueError("an exchange is missing")
    return Transcript(
        id=head.id,
        owner=head.owner,
        scenario=scenario,
        opening=scenario.openings()[head.opening],
        exchanges=tuple(map(_exchange, rows)),
        ending=ending and Ending(state=_state(ending), speech=_speech(ending)),
    )


def _exchange(row: Row[Any]) -> Exchange:
    critique = Critique.model_validate({**json.loads(row.critique), "reply": row.reply})
    return Exchange(critique=critique, state=_state(row), speech=_speech(row))


def _state(row: Row[Any]) -> CounterpartState:
    return CounterpartState.model_validate(json.loads(row.state))


def _speech(row: Row[Any]) -> Speech:
    return Speech.model_validate(json.loads(row.speech))


def _summary(row: Row[Any]) -> Summary:
    """SQLite forgets the time zone; what is stored is UTC."""
    name, scenario_id, title, started_at, replies, outcome = tuple(row)
    if started_at.tzinfo is None:
        started_at = started_at.replace(tzinfo=UTC)
    found = Outcome(outcome) if outcome else None
    return Summary(name, scenario_id, title, started_at.astimezone(UTC), replies, found)


def _json(value: Value, exclude: set[str] | None = None) -> str:
    """Return JSON in ASCII, so that no character of a quote can trouble a database."""
    return json.dumps(value.model_dump(mode="json", exclude=exclude), separators=(",", ":"))
