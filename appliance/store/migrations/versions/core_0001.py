"""Contacts, legs, events, agents, seats, numbers."""

import sqlalchemy as sa
from alembic import op

revision = "core_0001"
down_revision = None
branch_labels = ("core",)
depends_on = None


def upgrade() -> None:
    """Make the first tables."""
    op.create_table(
        "contact",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("channel", sa.String, nullable=False, server_default="phone"),
        sa.Column("line", sa.String, nullable=False, server_default=""),
        sa.Column("trunk_channel", sa.Integer),
        sa.Column("called", sa.String, nullable=False, server_default=""),
        sa.Column("caller", sa.String, nullable=False, server_default=""),
        sa.Column("language", sa.String, nullable=False, server_default=""),
        sa.Column("service", sa.String, nullable=False, server_default=""),
        sa.Column("offered_at", sa.Float, nullable=False),
        sa.Column("answered_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("cause", sa.Integer),
        sa.Column("talked", sa.Boolean, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("id", name="pk_contact"),
    )
    op.create_index("ix_contact_caller", "contact", ["caller"])
    op.create_index("ix_contact_offered_at", "contact", ["offered_at"])
    op.create_table(
        "leg",
        sa.Column("id", sa.String, nullable=False),
        sa.Column("contact", sa.String, nullable=False),
        sa.Column("line", sa.String, nullable=False),
        sa.Column("channel", sa.Integer),
        sa.Column("number", sa.String, nullable=False, server_default=""),
        sa.Column("incoming", sa.Boolean, nullable=False),
        sa.Column("peer", sa.String, nullable=False, server_default=""),
        sa.Column("started_at", sa.Float, nullable=False),
        sa.Column("answered_at", sa.Float),
        sa.Column("ended_at", sa.Float),
        sa.Column("cause", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_leg"),
        sa.ForeignKeyConstraint(["contact"], ["contact.id"], name="fk_leg_contact", ondelete="CASCADE"),
    )
    op.create_index("ix_leg_contact", "leg", ["contact"])
    op.create_table(
        "event",
        sa.Column("id", sa.Integer, autoincrement=False, nullable=False),
        sa.Column("at", sa.Float, nullable=False),
        sa.Column("contact", sa.String, nullable=False, server_default=""),
        sa.Column("kind", sa.String, nullable=False),
        sa.Column("data", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_event"),
    )
    op.create_index("ix_event_at", "event", ["at"])
    op.create_index("ix_event_contact_id", "event", ["contact", "id"])
    op.create_index("ix_event_kind_id", "event", ["kind", "id"])
    op.create_table(
        "agent",
        sa.Column("number", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False),
        sa.Column("pin_hash", sa.String, nullable=False, server_default=""),
        sa.Column("language", sa.String, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("number", name="pk_agent"),
    )
    op.create_table(
        "seat",
        sa.Column("account", sa.String, nullable=False),
        sa.Column("ha1", sa.String, nullable=False),
        sa.Column("display", sa.String, nullable=False, server_default=""),
        sa.Column("outside", sa.Boolean, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("account", name="pk_seat"),
    )
    op.create_table(
        "number",
        sa.Column("pattern", sa.String, nullable=False),
        sa.Column("destination", sa.String, nullable=False),
        sa.Column("name", sa.String, nullable=False, server_default=""),
        sa.Column("language", sa.String, nullable=False, server_default=""),
        sa.PrimaryKeyConstraint("pattern", name="pk_number"),
    )


def downgrade() -> None:
    """Drop them."""
    for table in ("number", "seat", "agent", "event", "leg", "contact"):
        op.drop_table(table)
