"""Drafts: what was typed and is not answered yet."""

import sqlalchemy as sql
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Create the table."""
    op.create_table(
        "drafts",
        sql.Column(
            "transcript_id", sql.String(64), sql.ForeignKey("transcripts.id"), primary_key=True
        ),
        sql.Column("at", sql.Integer, nullable=False),
        sql.Column("text", sql.Text, nullable=False),
        sql.Column("kept_at", sql.DateTime(timezone=True), nullable=False),
    )


def downgrade() -> None:
    """The record is never taken apart."""
    raise NotImplementedError
