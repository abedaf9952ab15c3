"""What was typed and is not answered yet: kept before an engine is asked, dropped when stored.

The one table whose rows go: a draft is no part of the record. There is one to a conversation.
"""

from datetime import UTC, datetime
from typing import NamedTuple

import sqlalchemy as sql
from sqlalchemy.engine import Connection

from agent.tables import DRAFTS


class Draft(NamedTuple):
    """Text typed after `at` exchanges."""

    at: int
    text: str


def keep(db: Connection, transcript_id: str, at: int, text: str) -> None:
    """Keep a draft in place of an earlier one. The caller holds the conversation's lock."""
    db.execute(DRAFTS.delete().where(DRAFTS.c.transcript_id == transcript_id))
    values = {"transcript_id": transcript_id, "at": at, "text": text, "kept_at": datetime.now(UTC)}
    db.execute(DRAFTS.insert().values(**values))


def kept(db: Connection, transcript_id: str) -> Draft | None:
    """Return the draft of a conversation."""
    query = sql.select(DRAFTS.c.at, DRAFTS.c.text).where(DRAFTS.c.transcript_id == transcript_id)
    row = db.execute(query).first()
    return Draft(*row) if row else None


def drop(db: Connection, transcript_id: str, text: str) -> None:
    """Drop the draft if it is this text: another tab may have typed something since."""
    db.execute(
        DRAFTS.delete().where(DRAFTS.c.transcript_id == transcript_id, DRAFTS.c.text == text)
    )
