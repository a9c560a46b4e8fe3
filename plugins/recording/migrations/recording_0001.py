"""Recordings of contacts."""

import sqlalchemy as sa
from alembic import op

revision = "recording_0001"
down_revision = None
branch_labels = ("recording",)
depends_on = None


def upgrade() -> None:
    """Make the table of recordings."""
    op.create_table(
        "recording",
        sa.Column("path", sa.String, nullable=False),
        sa.Column("contact", sa.String, nullable=False),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("ms", sa.Integer),
        sa.Column("reason", sa.String, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("path", name="pk_recording"),
    )
    op.create_index("ix_recording_contact", "recording", ["contact"])


def downgrade() -> None:
    """Take it away; the files stay."""
    op.drop_index("ix_recording_contact", "recording")
    op.drop_table("recording")
