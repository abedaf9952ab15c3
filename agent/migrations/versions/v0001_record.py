"""The record: scenarios, transcripts, exchanges, endings."""

import sqlalchemy as sql
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the tables."""
    op.create_table(
        "scenarios",
        sql.Column("sha256", sql.String(64), primary_key=True),
        sql.Column("scenario_id", sql.Text, nullable=False),
        sql.Column("title", sql.Text, nullable=False),
        sql.Column("body", sql.Text, nullable=False),
    )
    op.create_table(
        "transcripts",
        sql.Column("id", sql.String(64), primary_key=True),
        sql.Column("owner", sql.Text, nullable=False),
        sql.Column(
            "scenario_sha256", sql.String(64), sql.ForeignKey("scenarios.sha256"), nullable=False
        ),
        sql.Column("opening", sql.Integer, nullable=False),
        sql.Column("started_at", sql.DateTime(timezone=True), nullable=False),
    )
    op.create_index("transcripts_by_owner", "transcripts", ["owner", "started_at"])
    op.create_table(
        "exchanges",
        sql.Column(
            "transcript_id", sql.String(64), sql.ForeignKey("transcripts.id"), primary_key=True
        ),
        sql.Column("seq", sql.Integer, primary_key=True, autoincrement=False),
        sql.Column("reply", sql.Text, nullable=False),
        sql.Column("critique", sql.Text, nullable=False),
        sql.Column("state", sql.Text, nullable=False),
        sql.Column("speech", sql.Text, nullable=False),
        sql.Column("outcome", sql.Text),
        sql.Column("created_at", sql.DateTime(timezone=True), nullable=False),
    )
    op.create_table(
        "endings",
        sql.Column(
            "transcript_id", sql.String(64), sql.ForeignKey("transcripts.id"), primary_key=True
        ),
        sql.Column("state", sql.Text, nullable=False),
        sql.Column("speech", sql.Text, nullable=False),
        sql.Column("outcome", sql.Text),
        sql.Column("created_at", sql.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """The record is never taken apart."""
    raise NotImplementedError
