"""The tables of the record, as migrations/versions leave them (a test compares the two)."""

from typing import Final

import sqlalchemy as sql

METADATA: Final = sql.MetaData()

SCENARIOS: Final = sql.Table(
    "scenarios",
    METADATA,
    sql.Column("sha256", sql.String(64), primary_key=True),
    sql.Column("scenario_id", sql.Text, nullable=False),
    sql.Column("title", sql.Text, nullable=False),
    sql.Column("body", sql.Text, nullable=False),
)
TRANSCRIPTS: Final = sql.Table(
    "transcripts",
    METADATA,
    sql.Column("id", sql.String(64), primary_key=True),
    sql.Column("owner", sql.Text, nullable=False),
    sql.Column("scenario_sha256", sql.ForeignKey("scenarios.sha256"), nullable=False),
    sql.Column("opening", sql.Integer, nullable=False),
    sql.Column("started_at", sql.DateTime(timezone=True), nullable=False),
    sql.Index("transcripts_by_owner", "owner", "started_at"),
)
EXCHANGES: Final = sql.Table(
    "exchanges",
    METADATA,
    sql.Column("transcript_id", sql.ForeignKey("transcripts.id"), primary_key=True),
    sql.Column("seq", sql.Integer, primary_key=True, autoincrement=False),
    sql.Column("reply", sql.Text, nullable=False),
    sql.Column("critique", sql.Text, nullable=False),
    sql.Column("state", sql.Text, nullable=False),
    sql.Column("speech", sql.Text, nullable=False),
    sql.Column("outcome", sql.Text),
    sql.Column("created_at", sql.DateTime(timezone=True), nullable=False),
)
ENDINGS: Final = sql.Table(
    "endings",
    METADATA,
    sql.Column("transcript_id", sql.ForeignKey("transcripts.id"), primary_key=True),
    sql.Column("state", sql.Text, nullable=False),
    sql.Column("speech", sql.Text, nullable=False),
    sql.Column("outcome", sql.Text),
    sql.Column("created_at", sql.DateTime(timezone=True), nullable=False),
)
DRAFTS: Final = sql.Table(
    "drafts",
    METADATA,
    sql.Column("transcript_id", sql.ForeignKey("transcripts.id"), primary_key=True),
    sql.Column("at", sql.Integer, nullable=False),
    sql.Column("text", sql.Text, nullable=False),
    sql.Column("kept_at", sql.DateTime(timezone=True), nullable=False),
)
