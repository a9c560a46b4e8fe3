"""Logging of the three processes: into the journal with fields, else to stderr.

A record carries what it is about: ``ONECALL_CONTACT``, ``ONECALL_LEG``, ``ONECALL_QUEUE``, so that ``journalctl
ONECALL_CONTACT=…`` is one call's log. The line and the phone process know legs only. A field is given with one record
(``extra={"leg": leg}``), or with all that a task or a block logs (``mark``, ``about``).
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from types import MappingProxyType

#: What a record can be about; the journal's fields are these in capitals, after ONECALL_.
FIELDS = ("contact", "leg", "queue")
#: Priorities of syslog(3) by the levels of ``logging``.
_PRIORITIES = ((logging.CRITICAL, 2), (logging.ERROR, 3), (logging.WARNING, 4), (logging.INFO, 6))
_DEBUG = 7

_now: ContextVar[Mapping[str, str]] = ContextVar("journal fields", default=MappingProxyType({}))

Send = Callable[..., object]


def mark(**fields: str) -> None:
    """All that this task logs from now on is about these too: ``mark(contact=call.contact)``."""
    _now.set({**_now.get(), **fields})


@contextmanager
def about(**fields: str) -> Iterator[None]:
    """All that is logged in the block is about these too."""
    token = _now.set({**_now.get(), **fields})
    try:
        yield
    finally:
        _now.reset(token)


def setup(name: str, level: int = logging.INFO) -> None:
    """Log as a service of systemd does when stderr is the journal's, else readably to stderr. Once, at the start.

    ``name`` is the process: ``line``, ``phone``, ``control``.
    """
    handler: logging.Handler
    if not _stderr_is_the_journal():
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter(f"{name}: %(levelname)s %(name)s: %(message)s"))
    elif (send := _journal()) is not None:
        handler = JournalHandler(name, send)
    else:
        handler = logging.StreamHandler()
        handler.setFormatter(_PriorityFormatter())
    logging.basicConfig(level=level, handlers=[handler])


class JournalHandler(logging.Handler):
    """Sends records with their fields; ``send`` is ``systemd.journal.send``."""

    def __init__(self, name: str, send: Send) -> None:
        super().__init__()
        self.setFormatter(logging.Formatter())  # the text alone: the rest are fields
        self._name = name
        self._send = send

    def emit(self, record: logging.LogRecord) -> None:
        """Send one; what goes wrong is told on stderr (``logging.raiseExceptions``)."""
        try:
            fields = {f"ONECALL_{field.upper()}": value for field, value in fields_of(record).items()}
            self._send(
                self.format(record),
                PRIORITY=str(priority(record.levelno)),
                SYSLOG_IDENTIFIER=f"onecall-{self._name}",
                LOGGER=record.name,
                THREAD_NAME=record.threadName or "",
                CODE_FILE=record.pathname,
                CODE_LINE=record.lineno,
                CODE_FUNC=record.funcName,
                **fields,
            )
        except Exception:  # noqa: BLE001  a log that cannot be written must not end what is logged about
            self.handleError(record)


class _PriorityFormatter(logging.Formatter):
    """``<4>text``, each line (sd-daemon(3)); fields behind the text."""

    def format(self, record: logging.LogRecord) -> str:
        text = f"{record.name}: {super().format(record)}"
        if fields := fields_of(record):
            first, *rest = text.splitlines()
            text = "\n".join([f"{first} [{' '.join(f'{k}={v}' for k, v in fields.items())}]", *rest])
        return "\n".join(f"<{priority(record.levelno)}>{line}" for line in text.splitlines())


def fields_of(record: logging.LogRecord) -> dict[str, str]:
    """What a record is about: its own fields before those of its task."""
    given = {**_now.get(), **{name: getattr(record, name) for name in FIELDS if hasattr(record, name)}}
    return {name: str(given[name]) for name in FIELDS if given.get(name)}


def priority(level: int) -> int:
    """syslog(3)'s number of a level."""
    return next((number for bound, number in _PRIORITIES if level >= bound), _DEBUG)


def _stderr_is_the_journal() -> bool:
    """Whether $JOURNAL_STREAM names our stderr, by device and inode (systemd.exec(5))."""
    wanted = os.environ.get("JOURNAL_STREAM")
    if not wanted:
        return False
    try:
        state = os.fstat(sys.stderr.fileno())
    except (OSError, ValueError):
        return False
    return wanted == f"{state.st_dev}:{state.st_ino}"


def _journal() -> Send | None:
    """systemd-python's ``send``, None where it is not installed."""
    try:
        from systemd import journal
    except ImportError:
        return None
    send: Send = journal.send
    return send
