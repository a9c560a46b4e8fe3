"""Short messages."""

import sqlalchemy as sa
from alembic import op

revision = "core_0003"
down_revision = "core_0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table."""
    op.create_table(
        "sms",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("incoming", sa.Boolean, nullable=False),
        sa.Column("contact", sa.String, nullable=False, server_default=""),
        sa.Column("wanted", sa.String, nullable=False, server_default=""),
        sa.Column("line", sa.String, nullable=False, server_default=""),
        sa.Column("number", sa.String, nullable=False),
        sa.Column("text", sa.String, nullable=False),
        sa.Column("state", sa.String, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("parts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("missing", sa.Integer, nullable=False, server_default="0"),
        sa.Column("reference", sa.Integer, nullable=False, server_default="0"),
        sa.Column("references", sa.JSON, nullable=False),
        sa.Column("reports", sa.JSON, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False, server_default="0"),
        sa.Column("next_at", sa.Float, nullable=False, server_default="0"),
        sa.Column("reason", sa.String, nullable=False, server_default=""),
        sa.Column("pdu", sa.String, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("id", name="pk_sms"),
    )
    op.create_index("ix_sms_at", "sms", ["at"])
    op.create_index("ix_sms_state", "sms", ["state"])
    op.create_index("ix_sms_number_at", "sms", ["number", "at"])
    op.create_index("ix_sms_contact", "sms", ["contact"])


def downgrade() -> None:
    """Drop it."""
    op.drop_table("sms")
