"""The switch: every port's audio, joined, played to, recorded and listened to for keys, once each 20 ms.

Commands change who hears what from the next tick on. A command that cannot be done raises ``ValueError`` with the
reason, or ``KeyError`` for a port that is not there.
"""

from __future__ import annotations

import asyncio
import math
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from hw.line.dsp import dtmf
from hw.line.dsp.tones import NAMES
from hw.line.settings import LineSettings
from hw.line.switch.clips import ClipStore
from hw.line.switch.digits import AudioDigits
from hw.line.switch.mixer import Mixer, Overlays
from hw.line.switch.players import Ended, Player
from hw.line.switch.ports import Ports
from hw.line.switch.recorders import Recorders
from hw.line.switch.reports import Reports
from hw.line.switch.rtp import CODECS, TELEPHONE_EVENT, RtpStreams, Stream
from hw.line.trunk import Timeslots
from hw.messages import (
    Digit,
    Fault,
    LineEvent,
    Media,
    Mix,
    Play,
    Played,
    PlayItem,
    Record,
    Recorded,
)

_MAX_GAIN = 16.0


class Switch:
    """All audio of the box. Spans' timeslots are given once; RTP ports come and go."""

    def __init__(
        self, settings: LineSettings, spans: Sequence[Timeslots], emit: Callable[[LineEvent], None],
        loop: asyncio.AbstractEventLoop,
    ) -> None:
        self._emit = emit
        self._loop = loop
        self._address = settings.rtp_address
        self._zone = settings.zone
        self._spans: list[tuple[slice, Timeslots]] = []
        row = 0
        for span in spans:
            self._spans.append((slice(row, row + len(span.channels)), span))
            row += len(span.channels)
        self._first_rtp = row
        self.rtp = RtpStreams(settings.rtp_address, settings.rtp_ports)
        rows = row + self.rtp.slots
        self.ports = Ports(rows)
        self._mixer = Mixer()
        self._players: dict[int, tuple[Player, bool]] = {}
        self._clips = ClipStore(settings.clip_cache_bytes)
        self._digits = AudioDigits(rows)
        self._recorders = Recorders(rows, self._recorded)
        self._reports = Reports(
            self.rtp, loop, emit, cname=f"onecall@{settings.rtp_address}", silence_ms=settings.rtp_silence_ms
        )

    # -- ports ---------------------------------------------------------------------------------------------------------

    def bind(self, leg: str, span: int, channel: int) -> None:
        """The timeslot ``channel`` of the span of that index is the port ``leg`` from now on. Raises ``ValueError``.

        A leg that had another timeslot (the exchange chose its own) begins anew there.
        """
        place, timeslots = self._spans[span]
        if channel not in timeslots.channels:
            raise ValueError(f"there is no channel {channel}")
        row = place.start + list(timeslots.channels).index(channel)
        holder = self.ports.name(row)
        if holder == leg:
            return
        if holder:
            raise ValueError(f"channel {channel} belongs to {holder!r}")
        self.unbind(leg)
        self.ports.bind(leg, row)
        self._digits.listen(row, True)

    def unbind(self, leg: str) -> None:
        """The leg is gone; its timeslot is nobody's. Does nothing for a leg that has none."""
        if leg in self.ports and self.ports.row(leg) < self._first_rtp:
            self._vanish(leg)

    def open_rtp(self, port: str) -> Media:
        """Open an RTP port; returns what to tell the far end. An open one tells it again, to a control process that
        has just come back. Raises ``ValueError`` for a timeslot's name, ``OSError``.
        """
        if port in self.ports:
            return Media(self._address, self._stream(port).port, CODECS, TELEPHONE_EVENT)
        stream = self.rtp.open(port)
        row = self._first_rtp + stream.slot
        self.ports.bind(port, row)
        self._digits.listen(row, True)
        self._reports.opened(stream)
        return Media(self._address, stream.port, CODECS, TELEPHONE_EVENT)

    def set_rtp(self, port: str, remote: Media) -> None:
        """Tell an RTP port its far end."""
        stream = self._stream(port)
        self.rtp.set(stream, remote)
        row = self.ports.row(port)
        self.ports.mulaw[row] = stream.law == "PCMU"
        self._mixer.laws_changed()
        self._digits.listen(row, not stream.has_events)

    def close_rtp(self, port: str) -> None:
        """Close an RTP port."""
        stream = self._stream(port)
        self._reports.closing(stream)
        self._vanish(port)
        self.rtp.close(stream)

    def _stream(self, port: str) -> Stream:
        row = self.ports.row(port)
        if row < self._first_rtp:
            raise ValueError("that is no RTP port")
        return self.rtp.stream(row - self._first_rtp)

    def _vanish(self, port: str) -> None:
        row = self.ports.row(port)
        if row in self._players:
            self._end_player(row, "gone")
        self._recorders.port_gone(row)
        self._digits.drop(row)
        self._mixer.drop(row)
        self.ports.unbind(port)

    # -- commands ------------------------------------------------------------------------------------------------------

    def mix(self, command: Mix) -> None:
        """See ``hw.messages.Mix``."""
        for source, gain in command.sources.items():
            if source not in self.ports:
                raise ValueError(f"there is no port {source!r} to hear")
            if not math.isfinite(gain) or abs(gain) > _MAX_GAIN:
                raise ValueError(f"the gain {gain} of {source!r} is not within ±{_MAX_GAIN}")
        sources = {self.ports.row(source): gain for source, gain in command.sources.items() if gain}
        self._mixer.set(self.ports.row(command.port), sources)

    def play(self, command: Play) -> None:
        """See ``hw.messages.Play``."""
        row = self.ports.row(command.port)
        if not math.isfinite(command.gain) or abs(command.gain) > _MAX_GAIN:
            raise ValueError(f"the gain {command.gain} is not within ±{_MAX_GAIN}")
        for item in command.items:
            _check(item)
        player = Player(
            command.player, command.items, self._clips, zone=self._zone, loop=command.loop, gain=command.gain
        )
        if row in self._players:
            self._end_player(row, "replaced")
        self._players[row] = player, command.until_digit

    def stop(self, port: str, player: str) -> None:
        """Stop a player if it is still the port's."""
        row = self.ports.row(port)
        if row in self._players and self._players[row][0].name == player:
            self._end_player(row, "stopped")

    def record(self, command: Record) -> None:
        """See ``hw.messages.Record``."""
        self._recorders.start(command.recorder, self.ports.row(command.port), Path(command.path))

    def pause_record(self, recorder: str, paused: bool) -> None:
        """See ``hw.messages.PauseRecord``."""
        self._recorders.pause(recorder, paused)

    def stop_record(self, recorder: str) -> None:
        """See ``hw.messages.StopRecord``."""
        self._recorders.stop(recorder)

    def send_digits(self, port: str, digits: str) -> None:
        """See ``hw.messages.SendDigits``."""
        if bad := set(digits) - set(dtmf.KEYS):
            raise ValueError(f"{', '.join(sorted(map(repr, bad)))}: keys are 0-9 * # A-D")
        row = self.ports.row(port)
        if row >= self._first_rtp and self._stream(port).has_events:
            self.rtp.send_keys(self._stream(port), digits)
        else:
            self._digits.send(row, digits)

    def recorders(self) -> tuple[str, ...]:
        """All recorders that are going on."""
        return self._recorders.names()

    def second(self) -> None:
        """What is done once a second: reports, silence."""
        self._reports.second()

    def close(self) -> None:
        """Close all ports, finish all recordings and wait for the disk."""
        for stream in self.rtp.all():
            self.close_rtp(stream.name)
        for port in self.ports.names():
            self._vanish(port)
        self._recorders.close()
        self._clips.close()

    def gauges(self) -> dict[str, int]:
        """How much is going on."""
        return {
            "ports": len(self.ports), "rtp_ports": len(self.rtp), "players": len(self._players),
            "recorders": len(self._recorders),
        }

    def counters(self) -> dict[str, int]:
        """What was dropped or late since the start; the trunks count their timeslots themselves."""
        counters = self.rtp.counters()
        counters["rtcp_dropped"] = self._reports.dropped
        counters["recorder_blocks_dropped"] = self._recorders.writer.dropped
        return counters

    # -- the tick ------------------------------------------------------------------------------------------------------

    def tick(self) -> None:
        """20 ms of everything."""
        rows = self._first_rtp + self.rtp.used
        ports = self.ports
        for place, span in self._spans:
            span.read(ports.said[place])
        keys = self.rtp.receive(ports.said[self._first_rtp : rows], time.monotonic_ns() // 1000)
        ports.decode_said(rows)
        ports.hush(rows)
        self._mixer.run(ports, self._played(), self._digits.frames())
        for place, span in self._spans:
            span.write(ports.heard[place])
        self.rtp.send(ports.heard[self._first_rtp : rows])
        self._recorders.tick(ports)
        for row, edge in self._digits.found(ports):
            self._key(row, edge, "audio")
        for stream, edge in keys:
            self._key(self._first_rtp + stream.slot, edge, "rfc4733")

    def _played(self) -> Overlays:
        frames = {row: player.frame() for row, (player, _) in self._players.items()}
        for row, (player, _) in list(self._players.items()):
            for clip in player.missing():
                self._emit(Fault(self.ports.name(row), f"{clip.path}: {clip.error}", "Play"))
            if player.ended:
                self._end_player(row, player.ended)
        return frames

    def _end_player(self, row: int, reason: Ended | Literal["stopped", "digit", "replaced", "gone"]) -> None:
        player, _ = self._players.pop(row)
        self._emit(Played(self.ports.name(row), player.name, reason))

    def _key(self, row: int, edge: dtmf.Edge, source: Literal["audio", "rfc4733"]) -> None:
        """A key going down stops a player that waits for one; going up it is told, with its length."""
        kind, key, ms = edge
        if kind == "up":
            self._emit(Digit(self.ports.name(row), key, ms, source))
        elif row in self._players and self._players[row][1]:
            self._end_player(row, "digit")

    def _recorded(self, recorded: Recorded) -> None:
        """In the writer's thread."""
        self._loop.call_soon_threadsafe(self._recording_ended, recorded)

    def _recording_ended(self, recorded: Recorded) -> None:
        self._recorders.ended(recorded)
        self._emit(recorded)


def _check(item: PlayItem) -> None:
    if item.kind == "tone" and item.value not in NAMES:
        raise ValueError(f"there is no tone {item.value!r} (there are {', '.join(NAMES)})")
    if item.kind == "clip" and not Path(item.value).is_absolute():
        raise ValueError(f"the clip {item.value!r} is no absolute path")

