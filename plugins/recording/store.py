"""The plugin's table: which recordings there are of a contact."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Column, Executable, Float, Integer, MetaData, String, Table, insert, select, update

from appliance.plugin import Store

metadata = MetaData(naming_convention={"pk": "pk_%(table_name)s", "ix": "ix_%(table_name)s_%(column_0_N_name)s"})

#: ``ms`` is the length of a whole file; without it the recording runs (``reason`` empty) or has failed (why).
recording = Table(
    "recording",
    metadata,
    Column("path", String, primary_key=True),
    Column("contact", String, nullable=False, index=True),
    Column("started_at", Float, nullable=False),
    Column("ms", Integer),
    Column("reason", String, nullable=False, server_default=""),
)


def started(path: str, contact: str, at: float) -> Executable:
    """A recording begins at ``at`` (epoch seconds)."""
    return insert(recording).values(path=path, contact=contact, started_at=at)


def made(path: str, ms: int) -> Executable:
    """It is whole."""
    return update(recording).where(recording.c.path == path).values(ms=ms, reason="")


def failed(path: str, reason: str) -> Executable:
    """It is not there."""
    return update(recording).where(recording.c.path == path).values(reason=reason)


async def unfinished(store: Store, contact: str = "") -> list[tuple[str, str, str]]:
    """Path, contact and reason of recordings that are not whole, oldest first: all, or those of a contact."""
    query = select(recording).where(recording.c.ms.is_(None)).order_by(recording.c.started_at)
    if contact:
        query = query.where(recording.c.contact == contact)
    return [(row["path"], row["contact"], row["reason"]) for row in await store.rows(query)]


async def of_contact(store: Store, contact: str) -> list[dict[str, Any]]:
    """All recordings of a contact in order, as the API gives them."""
    query = select(recording).where(recording.c.contact == contact).order_by(recording.c.started_at)
    return [dict(row) for row in await store.rows(query)]
