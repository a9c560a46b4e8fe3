"""Records reach the journal with their priority and with what they are about."""

import asyncio
import logging
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from hw import journal


@pytest.fixture
def sent() -> Iterator[list[dict[str, Any]]]:
    """What a logger named ``journal test`` sends."""
    rows: list[dict[str, Any]] = []
    handler = journal.JournalHandler("control", lambda message, **fields: rows.append({"MESSAGE": message, **fields}))
    log = logging.getLogger("journal test")
    log.addHandler(handler)
    log.setLevel(logging.DEBUG)
    yield rows
    log.removeHandler(handler)


log = logging.getLogger("journal test")


def test_a_record_has_its_priority_place_and_fields(sent: list[dict[str, Any]]) -> None:
    log.warning("phone %s is gone", 8001, extra={"leg": "c1.1", "queue": "service"})
    [row] = sent
    assert (row["MESSAGE"], row["PRIORITY"], row["LOGGER"]) == ("phone 8001 is gone", "4", "journal test")
    assert (row["ONECALL_LEG"], row["ONECALL_QUEUE"]) == ("c1.1", "service")
    assert "ONECALL_CONTACT" not in row
    assert row["SYSLOG_IDENTIFIER"] == "onecall-control"
    assert row["CODE_FILE"] == __file__


@pytest.mark.parametrize(
    ("level", "number"),
    [(logging.DEBUG, 7), (logging.INFO, 6), (logging.WARNING, 4), (logging.ERROR, 3), (logging.CRITICAL, 2), (35, 4)],
)
def test_levels_are_syslogs(level: int, number: int) -> None:
    assert journal.priority(level) == number


def test_each_task_s_records_are_about_its_own_contact(sent: list[dict[str, Any]]) -> None:
    async def call(contact: str, turn: asyncio.Event, next_turn: asyncio.Event) -> None:
        journal.mark(contact=contact)
        await turn.wait()
        with journal.about(queue="service"):
            log.info("waits")
        log.info("talks", extra={"contact": "other"} if contact == "c2" else {})
        next_turn.set()

    async def main() -> None:
        first, second, last = asyncio.Event(), asyncio.Event(), asyncio.Event()
        async with asyncio.timeout(5), asyncio.TaskGroup() as tasks:
            tasks.create_task(call("c1", second, last))
            tasks.create_task(call("c2", first, second))
            first.set()
        log.info("nobody's")

    asyncio.run(main())
    rows = [(r["MESSAGE"], r.get("ONECALL_CONTACT"), r.get("ONECALL_QUEUE")) for r in sent]
    assert rows == [
        ("waits", "c2", "service"), ("talks", "other", None), ("waits", "c1", "service"), ("talks", "c1", None),
        ("nobody's", None, None),
    ]  # fmt: skip


def test_an_exception_is_part_of_the_text(sent: list[dict[str, Any]]) -> None:
    try:
        raise RuntimeError("why")
    except RuntimeError:
        log.exception("it failed")
    assert sent[0]["MESSAGE"].splitlines()[0] == "it failed"
    assert sent[0]["MESSAGE"].splitlines()[-1] == "RuntimeError: why"


_PROGRAM = """
import logging, sys
sys.modules["systemd"] = None
from hw import journal
journal.setup("line")
journal.mark(contact="c1")
try:
    raise RuntimeError("why")
except RuntimeError:
    logging.getLogger("hw.line").exception("it failed", extra={"leg": "c1.1"})
"""


def stderr_of(root: Path, stream: str | None) -> list[str]:
    """The lines that a process logs whose stderr is a pipe; ``stream`` None: $JOURNAL_STREAM is that pipe."""
    ours, its = os.pipe()
    state = os.fstat(its)
    variable = f"{state.st_dev}:{state.st_ino}" if stream is None else stream
    subprocess.run(
        [sys.executable, "-c", _PROGRAM], stderr=its, cwd=root, check=True, timeout=30,
        env={**os.environ, "JOURNAL_STREAM": variable},
    )  # fmt: skip
    os.close(its)
    with os.fdopen(ours) as file:
        return file.read().splitlines()


def test_without_systemd_python_every_line_has_its_priority(root: Path) -> None:
    lines = stderr_of(root, None)
    assert lines[0] == "<3>hw.line: it failed [contact=c1 leg=c1.1]"
    assert lines[-1] == "<3>RuntimeError: why"
    assert all(line.startswith("<3>") for line in lines)


def test_a_stderr_that_is_not_the_journals_is_plain(root: Path) -> None:
    assert stderr_of(root, "1:2")[0] == "line: ERROR hw.line: it failed"


#: Inside a mount namespace of its own: the journal's socket is ours, and what libsystemd sends there is printed.
_REAL = """
import os, socket, subprocess, sys
with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journald:
    journald.bind("/run/systemd/journal/socket")
    journald.settimeout(10)
    ours, its = os.pipe()
    state = os.fstat(its)
    program = (
        "import logging; from hw import journal; journal.setup('line');"
        "logging.getLogger('hw.line').warning('leg %s', '中', extra={'leg': 'c1.2'})"
    )
    environ = {"JOURNAL_STREAM": f"{state.st_dev}:{state.st_ino}", "PYTHONPATH": os.getcwd()}
    subprocess.run([sys.executable, "-c", program], stderr=its, env=environ, check=True)
    sys.stdout.buffer.write(journald.recv(65536))
"""


def test_the_journal_gets_the_fields_from_the_real_library(root: Path) -> None:
    python = "/usr/bin/python3"  # systemd-python is the distribution's
    if subprocess.run([python, "-c", "import systemd.journal"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("python3-systemd is not installed")
    private = "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && exec \"$@\""
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c", private, "sh", python, "-c", _REAL]
    if subprocess.run([*command[:4], "true"], stderr=subprocess.DEVNULL).returncode:
        pytest.skip("no namespaces of users here")
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, timeout=30)
    assert done.returncode == 0, done.stderr
    fields = set(done.stdout.splitlines())
    assert {"MESSAGE=leg 中", "PRIORITY=4", "ONECALL_LEG=c1.2", "SYSLOG_IDENTIFIER=onecall-line"} <= fields
