"""The processes of the demo: started in order, watched, stopped in reverse order."""

from __future__ import annotations

import asyncio
import ctypes
import signal
import sys
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_libc = ctypes.CDLL(None)

#: What a child gets to end cleanly before it is killed, in seconds.
STOP_S = 15.0


class ChildFailed(Exception):
    """A child could not be started or died; the text names it and its log."""


class Child:
    """One process with its log file."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @property
    def running(self) -> bool:
        """Not ended."""
        return self._process.returncode is None

    @property
    def pid(self) -> int:
        """The process id."""
        return self._process.pid

    def signal(self, number: signal.Signals) -> None:
        """Send a signal, if it still runs."""
        if self.running:
            self._process.send_signal(number)

    async def wait(self) -> int:
        """Wait for its end; the exit status."""
        return await self._process.wait()

    async def stop(self, timeout_s: float = STOP_S) -> bool:
        """End it with SIGTERM, after ``timeout_s`` with SIGKILL; whether it ended by itself with status 0."""
        self.signal(signal.SIGTERM)
        try:
            async with asyncio.timeout(timeout_s):
                return await self._process.wait() == 0
        except TimeoutError:
            self._process.kill()
            await self._process.wait()
            return False

    def failed(self) -> ChildFailed:
        """Why it is not there, with the end of its log."""
        tail = "\n".join(self.log.read_text(errors="replace").splitlines()[-12:])
        return ChildFailed(f"the {self.name} process ended with status {self._process.returncode}; {self.log}:\n{tail}")


def _die_with_parent() -> None:
    """In the child: have the kernel send SIGTERM when the demo is gone, however it went (prctl(2))."""
    _libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)


async def start(name: str, module: str, arguments: list[str], logs: Path) -> Child:
    """Start ``python -m module`` with its output in ``logs/name.log``."""
    log = logs / f"{name}.log"
    with log.open("ab") as file:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", module, *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=file, stderr=file,
            start_new_session=True, preexec_fn=_die_with_parent,
        )  # fmt: skip
    return Child(name, process, log)


async def wait_for(path: Path, child: Child, timeout_s: float = 20.0) -> None:
    """Wait until a child has made a file or socket. Raises ``ChildFailed``."""
    try:
        async with asyncio.timeout(timeout_s):
            while not path.exists():  # noqa: ASYNC240 - a file of this machine, asked 50 times a second
                if not child.running:
                    raise child.failed()
                await asyncio.sleep(0.02)
    except TimeoutError:
        late = f"the {child.name} process did not make {path} within {timeout_s:g} s; see {child.log}"
        raise ChildFailed(late) from None
