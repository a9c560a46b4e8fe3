"""One owner's part of a change that several owners make in one transaction."""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen
from sqlalchemy import Executable


@frozen
class Replacement:
    """``changes`` for the store, and ``settle``, which makes the owner's memory what the disk has then."""

    changes: tuple[Executable, ...]
    settle: Callable[[], None]
