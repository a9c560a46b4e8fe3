"""The line process's ports as the control process uses them: RTP ports, mixes, players, recorders.

Owner of what is pending: an RTP port that opens, a player that plays, a recording that runs.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeVar

from hw.messages import (
    CloseRtp,
    Fault,
    Media,
    Message,
    Mix,
    OpenRtp,
    PauseRecord,
    Play,
    Played,
    PlayItem,
    Record,
    Recorded,
    RtpOpened,
    SendDigits,
    SetRtp,
    Stop,
    StopRecord,
)

T = TypeVar("T")

#: An RTP port opens in a tenth of a millisecond; a line process that needs longer than this is not there.
OPEN_S = 2.0


class AudioError(Exception):
    """The line process could not give an RTP port."""


class Recording:
    """A recording that runs; ``finished()`` waits for the whole file."""

    def __init__(self, recorder: str, path: Path, send: Callable[[Message], None]) -> None:
        self.recorder = recorder
        self.path = path
        self._send = send
        self._done: asyncio.Future[Recorded] = asyncio.get_running_loop().create_future()

    def pause(self, paused: bool) -> None:
        """Write silence while paused; the time goes on."""
        self._send(PauseRecord(self.recorder, paused))

    def stop(self) -> None:
        """End it now; it also ends by itself when its leg is gone."""
        self._send(StopRecord(self.recorder))

    def handle(self, event: Recorded) -> None:
        """The line process says that it is whole, or why it failed."""
        if not self._done.done():
            self._done.set_result(event)

    async def finished(self) -> Recorded:
        """How it ended: path, ms, and a reason when it failed."""
        return await asyncio.shield(self._done)


class LineAudio:
    """Ports of the line process, by the name of their leg."""

    def __init__(self, send: Callable[[Message], None]) -> None:
        """``send`` goes to the line process."""
        self._send = send
        self._opening: dict[str, asyncio.Future[Media]] = {}
        self._playing: dict[str, asyncio.Future[Played]] = {}
        self._recording: dict[str, Recording] = {}
        self._names = itertools.count(1)

    async def open_rtp(self, port: str) -> Media:
        """Open an RTP port (or ask an open one again); our address and codecs. Raises ``AudioError``."""
        future: asyncio.Future[Media] = asyncio.get_running_loop().create_future()
        self._opening[port] = future
        self._send(OpenRtp(port))
        try:
            async with asyncio.timeout(OPEN_S):
                return await future
        except TimeoutError:
            raise AudioError(f"no RTP port for {port} within {OPEN_S} s") from None
        finally:
            self._opening.pop(port, None)

    def set_rtp(self, port: str, remote: Media) -> None:
        """Tell a port where its far end is."""
        self._send(SetRtp(port, remote))

    def close_rtp(self, port: str) -> None:
        """Close a port."""
        self._send(CloseRtp(port))

    def mix(self, port: str, sources: dict[str, float]) -> None:
        """What a port hears: other ports with linear gains."""
        self._send(Mix(port, sources))

    def send_digits(self, port: str, digits: str) -> None:
        """Press keys towards a port's party."""
        self._send(SendDigits(port, digits))

    def play(
        self, port: str, items: Sequence[PlayItem], *, loop: bool = False, until_digit: bool = False, gain: float = 1.0
    ) -> tuple[str, asyncio.Future[Played]]:
        """Play to a port, in place of what played there; the player's name and how it ends."""
        player = f"{port}/{next(self._names)}"
        future = self._playing[player] = asyncio.get_running_loop().create_future()
        self._send(Play(port, player, tuple(items), loop, until_digit, gain))
        return player, future

    def stop(self, port: str, player: str) -> None:
        """Stop a player that may have ended."""
        if player in self._playing:
            self._send(Stop(port, player))

    def record(self, port: str, path: Path) -> Recording:
        """Begin a recording of a port: what it says left, what it hears right."""
        recording = self.adopt_recording(port, path)
        self._send(Record(recording.recorder, port, str(path)))
        return recording

    def adopt_recording(self, port: str, path: Path) -> Recording:
        """Take over a recording that the line process runs already (after a restart of the control process)."""
        recorder = f"{port}/{path.stem}"
        recording = self._recording[recorder] = Recording(recorder, path, self._send)
        return recording

    @property
    def pending(self) -> int:
        """How many ports, players and recordings are waited for: 0 when no call is up."""
        return len(self._opening) + len(self._playing) + len(self._recording)

    def handle(self, event: RtpOpened | Played | Recorded | Fault) -> bool:
        """Take an event of the line process; whether somebody waited for it."""
        match event:
            case RtpOpened(port=port, media=media):
                return _resolve(self._opening.pop(port, None), media)
            case Fault(subject=subject, command="OpenRtp", reason=reason):
                return _fail(self._opening.pop(subject, None), AudioError(reason))
            case Fault(subject=subject, command="Play"):
                return any(
                    self.handle(Played(p.rpartition("/")[0], p, "gone"))
                    for p in list(self._playing)
                    if p == subject or p.rpartition("/")[0] == subject
                )
            case Fault(subject=subject, command="Record", reason=reason) if subject in self._recording:
                return self.handle(Recorded(subject, str(self._recording[subject].path), 0, reason))
            case Played(player=player):
                return _resolve(self._playing.pop(player, None), event)
            case Recorded(recorder=recorder):
                recording = self._recording.pop(recorder, None)
                if recording is not None:
                    recording.handle(event)
                return recording is not None
            case _:
                return False

    def lost(self) -> None:
        """The line process is gone: everything that is waited for ends."""
        for port in list(self._opening):
            _fail(self._opening.pop(port), AudioError("the line process is gone"))
        for player in list(self._playing):
            self.handle(Played(player.rpartition("/")[0], player, "gone"))
        for recorder, recording in list(self._recording.items()):
            self.handle(Recorded(recorder, str(recording.path), 0, "the line process is gone"))


def _resolve(future: asyncio.Future[T] | None, value: T) -> bool:
    if future is None or future.done():
        return False
    future.set_result(value)
    return True


def _fail(future: asyncio.Future[Any] | None, error: Exception) -> bool:
    if future is None or future.done():
        return False
    future.set_exception(error)
    return True
