"""The link: typed messages, one JSON object a line over a Unix stream socket.

The line and phone processes are servers with one peer, the control process. A new connection takes the old one's
place. What ends while nobody is connected is kept (bounded, the drop counted) and told in the ``Snapshot`` that opens
the next connection. A far end that reads no more (stopped, stuck) is given up once ``MAX_UNREAD`` waits for it.
"""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, get_args

from attrs import evolve
from cattrs.preconf.json import make_converter
from cattrs.strategies import configure_tagged_union

from hw.messages import Cleared, Fault, Message, Recorded, Refused, SmsReport, Snapshot, Unregistered

#: A line longer than this is not one of ours (30 channels' state is 2 kB, 60 accounts 6 kB).
MAX_LINE = 1 << 20
#: Octets that may wait for a far end that does not read: a quarter of an hour of a busy box's events.
MAX_UNREAD = 4 << 20
#: Messages taken in a row before other work of the loop has its turn: a flood must not keep the tick waiting.
_IN_A_ROW = 16
#: How many final events are kept while the control process is away.
MAX_MISSED = 10_000

#: Events that no state tells afterwards: kept while the control process is away.
Final = Cleared | Recorded | Refused | Unregistered | SmsReport

_converter = make_converter()
configure_tagged_union(Final, _converter, tag_name="type")
configure_tagged_union(Message, _converter, tag_name="type")
_KINDS = {kind.__name__ for kind in get_args(Message)}


class LinkError(Exception):
    """A line that is no message: not JSON, of an unknown type, or with wrong fields."""


def encode(message: Message) -> bytes:
    """One message as one line of JSON, newline included."""
    data: dict[str, Any] = _converter.unstructure(message, unstructure_as=Message)
    return json.dumps(data, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def decode(line: bytes) -> Message:
    """The message in one line. Raises ``LinkError`` saying what is wrong with it."""
    try:
        data = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise LinkError(f"not JSON: {error}") from None
    kind = data.get("type") if isinstance(data, dict) else None
    if kind not in _KINDS:
        raise LinkError(f"unknown message type {kind!r}")
    try:
        return _converter.structure(data, Message)  # type: ignore[arg-type]
    except Exception as error:  # cattrs groups whatever the fields raise
        raise LinkError(f"wrong fields in {kind}: {error!r}") from error


class Link:
    """One connection: ``send`` never blocks, iteration yields messages until the far end is gone."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer

    @property
    def unread(self) -> int:
        """Octets that wait for the far end."""
        return self._writer.transport.get_write_buffer_size()

    def send(self, message: Message) -> None:
        """Queue one message: late when the far end is slow, lost when it is gone or given up (iteration ends then)."""
        if self.unread > MAX_UNREAD:
            self.abort()
        if not self._writer.is_closing():
            self._writer.write(encode(message))

    async def __aiter__(self) -> AsyncIterator[Message]:
        for number in itertools.count(1):
            if number % _IN_A_ROW == 0:
                await asyncio.sleep(0)
            try:
                line = await self._reader.readline()
            except (ConnectionError, ValueError):  # ValueError: a line over MAX_LINE
                return
            if not line:
                return
            try:
                yield decode(line)
            except LinkError as error:
                self.send(Fault(subject="link", reason=str(error)))

    def close(self) -> None:
        """Close the connection; iteration on both ends ends."""
        self._writer.close()

    def abort(self) -> None:
        """Close it at once; what waits for the far end is lost."""
        self._writer.transport.abort()


async def connect(path: Path) -> Link:
    """Connect to a process's socket. Raises ``OSError`` when it is not there yet."""
    return Link(*await asyncio.open_unix_connection(str(path), limit=MAX_LINE))


class LinkServer:
    """The side of the line or phone process: at most one control process at a time."""

    def __init__(
        self, path: Path, *, snapshot: Callable[[], Snapshot], command: Callable[[Message], None]
    ) -> None:
        """``snapshot`` gives the state for a new connection, ``command`` takes each message that comes down."""
        self._path = path
        self._snapshot = snapshot
        self._command = command
        self._link: Link | None = None
        self._server: asyncio.Server | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._missed: deque[Final] = deque(maxlen=MAX_MISSED)
        self._unread: list[Message] = []  # what was sent since everything had been read
        self.dropped = 0

    @property
    def connected(self) -> bool:
        """Whether a control process listens."""
        return self._link is not None

    async def start(self) -> None:
        """Bind the socket (mode 0660), replacing one left behind by a dead process."""
        self._path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._serve, str(self._path), limit=MAX_LINE)
        self._path.chmod(0o660)

    async def close(self) -> None:
        """Stop serving and remove the socket; what was sent goes out first, if the far end takes it within a second."""
        if self._link is not None:
            self._link.close()
        if self._server is not None:
            self._server.close()
            self._path.unlink(missing_ok=True)
        if self._serving:
            await asyncio.wait(self._serving, timeout=1)

    def send(self, event: Message) -> None:
        """Send an event up; while nobody is there, keep it if it is final, drop it otherwise (the snapshot tells)."""
        if self._link is not None and self._link.unread > MAX_UNREAD:
            self._give_up(self._link)
        if self._link is None:
            self._keep(event)
            return
        self._link.send(event)
        if self._link.unread:
            self._unread.append(event)
        else:
            self._unread.clear()

    def _keep(self, event: Message) -> bool:
        """Keep an event for the next connection if it is final; whether it was."""
        if not isinstance(event, Final):
            return False
        self.dropped += len(self._missed) == MAX_MISSED
        self._missed.append(event)
        return True

    def _give_up(self, link: Link) -> None:
        """The peer does not read, or has been replaced: what is final of what waits for it is for the next one."""
        if link.unread:
            self.dropped += sum(not self._keep(event) for event in self._unread)
        self._unread.clear()
        self._link = None
        link.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._serving.add(task)
        task.add_done_callback(self._serving.discard)
        link = Link(reader, writer)
        if self._link is not None:
            self._give_up(self._link)
        self._link = link
        snapshot = self._snapshot()
        link.send(evolve(snapshot, missed=tuple(self._missed)))
        self._missed.clear()
        try:
            async for message in link:
                if self._link is link:
                    self._command(message)
        finally:
            if self._link is link:
                self._link = None
                self._unread.clear()
            link.close()
