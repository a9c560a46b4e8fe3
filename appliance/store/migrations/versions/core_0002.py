"""Trunk groups, and what was taken out of service."""

import sqlalchemy as sa
from alembic import op

revision = "core_0002"
down_revision = "core_0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "trunk_group",
        sa.Column("name", sa.String, nullable=False),
        sa.Column("members", sa.JSON, nullable=False),
        sa.Column("hunting", sa.String, nullable=False),
        sa.Column("direction", sa.String, nullable=False),
        sa.Column("caller", sa.String, nullable=False, server_default=""),
        sa.Column("shows", sa.JSON, nullable=False),
        sa.Column("restricted", sa.Boolean, nullable=False, server_default="0"),
        sa.Column("routes", sa.JSON, nullable=False),
        sa.Column("most", sa.Integer, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("name", name="pk_trunk_group"),
    )
    op.create_table(
        "block",
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("channel", sa.Integer, autoincrement=False, nullable=False, server_default="0"),
        sa.Column("draining", sa.Boolean, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("kind", "name", "channel", name="pk_block"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("block", "trunk_group"):
        op.drop_table(table)
