"""Agents as they are."""

import sqlalchemy as sa
from alembic import op

revision = "acd_0001"
down_revision = None
branch_labels = ("acd",)
depends_on = None


def upgrade() -> None:
    """Make the table of agents' states."""
    op.create_table(
        "acd_agent_state",
        sa.Column("agent", sa.String, nullable=False),
        sa.Column("seat", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("since", sa.Float, nullable=False),
        sa.Column("reason", sa.String, nullable=False),
        sa.Column("contact", sa.String, nullable=False),
        sa.Column("queue", sa.String, nullable=False),
        sa.PrimaryKeyConstraint("agent", name="pk_acd_agent_state"),
    )


def downgrade() -> None:
    """Take it away: agents log in again after the next start."""
    op.drop_table("acd_agent_state")
