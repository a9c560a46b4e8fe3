"""The plugin's table: agents as they are, so that nobody must log in again after a restart."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Column, Executable, Float, MetaData, String, Table, column, delete, func, insert, select, table

from appliance.plugin import Store

from .words import PHONE_GONE, Restored, StateChanged

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s"})

#: One row for each agent who is logged in. ``state`` is free, paused or talking.
agent_state = Table(
    "acd_agent_state",
    metadata,
    Column("agent", String, primary_key=True),
    Column("seat", String, nullable=False),
    Column("state", String, nullable=False),
    Column("since", Float, nullable=False),
    Column("reason", String, nullable=False),
    Column("contact", String, nullable=False),
    Column("queue", String, nullable=False),
)

_event = table("event", column("id"), column("at"))


def changes(change: StateChanged, at: float) -> list[Executable]:
    """What to write when an agent's state changes; ``at`` is the wall clock."""
    away = delete(agent_state).where(agent_state.c.agent == change.agent)
    if change.state == "out":
        return [away]
    talking = change.state in ("talking", "held")
    paused = change.state == "paused" and change.reason != PHONE_GONE
    row = {
        "agent": change.agent,
        "seat": change.seat,
        "state": "talking" if talking else "paused" if paused else "free",
        "since": at,
        "reason": change.reason if paused else "",
        "contact": change.contact if talking else "",
        "queue": change.queue if talking else "",
    }
    return [away, insert(agent_state).values(row)]


async def restored(store: Store) -> list[Restored]:
    """Agents who were logged in, longest in their state first."""
    rows = await store.rows(select(agent_state).order_by(agent_state.c.since))
    return [Restored(**row) for row in rows]


async def last_event_before_today(store: Store, now: float) -> int:
    """Number of the last event before local midnight, 0 if there is none."""
    midnight = datetime.fromtimestamp(now).replace(hour=0, minute=0, second=0, microsecond=0).timestamp()
    [row] = await store.rows(select(func.max(_event.c.id).label("last")).where(_event.c.at < midnight))
    return row["last"] or 0
