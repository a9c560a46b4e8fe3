"""A revision of the store that the package of the next version brings: a column, a table, and a mark for each run."""

import sqlalchemy as sa
from alembic import op

revision = "core_9999"
down_revision = "@BEFORE@"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Every agent gets a desk, and the run leaves a row."""
    op.add_column("agent", sa.Column("desk", sa.String, nullable=False, server_default="none yet"))
    op.create_table("run_of_revision", sa.Column("at", sa.String))
    op.execute("INSERT INTO run_of_revision VALUES (datetime('now'))")


def downgrade() -> None:
    """There is none: the way back is the copy."""
    raise NotImplementedError
